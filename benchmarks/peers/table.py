"""The measurements as Markdown tables."""

import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from benchmarks.peers import limits, published
from benchmarks.peers.measure import Limits, Measured

NONE = "–"
TITLES = {
    "tetrad": "Tetrad",
    "fluidsynth": "FluidSynth",
    "zynaddsubfx": "ZynAddSubFX",
    "rave-v1": "RAVE v1 decoder",
    "rave-v2": "RAVE v2 decoder",
}
VOICES = {
    "tetrad": "a note between four moving corners, stereo",
    "fluidsynth": "a note of a sound font (1 or 2 samples), stereo",
    "zynaddsubfx": "an additive note (ADsynth), stereo",
    "rave-v1": "a stream of latents, mono",
    "rave-v2": "a stream of latents, mono",
}
NSYNTH_SUPER = "NSynth Super (published)"


@dataclass(frozen=True)
class Row:
    """what: its first cell. of: the cell of a peer. nsynth_super: the last cell."""

    what: str
    of: Callable[[Measured], str]
    nsynth_super: str = NONE


def percent(share: float | None) -> str:
    """A share with two digits: 0.1234 is `12 %`, 0.0123 is `1.2 %`."""
    if share is None:
        return NONE
    digits = 0 if share >= 0.0995 else 1 if share >= 0.00995 else 2
    return f"{100 * share:.{digits}f} %"


def megabytes(size_mb: float | None) -> str:
    """Whole MB from 10 on, else one decimal."""
    return NONE if size_mb is None else f"{size_mb:.{0 if size_mb >= 10 else 1}f} MB"


def _seconds(duration_s: float | None) -> str:
    return NONE if duration_s is None else f"{duration_s:.{2 if duration_s < 10 else 0}f} s"


def _onset(peer: Measured) -> str:
    if peer.name.startswith("rave"):
        return f"at least {1e3 * peer.block / peer.rate_hz:.0f} ms (a block)" if peer.block else NONE
    if not peer.onsets_ms:
        return NONE
    middle = statistics.median(peer.onsets_ms)
    return f"{middle:.1f} ms ({min(peer.onsets_ms):.1f} to {max(peer.onsets_ms):.1f})"


def _voices_per_core(peer: Measured) -> str:
    most = peer.voices_per_core()
    return NONE if most is None else f"{most:.{0 if most >= 10 else 1}f}"


def _custom(peer: Measured) -> str:
    if peer.name == "tetrad":
        return f"{_seconds(peer.custom_s)}, one recording" if peer.custom_s is not None else NONE
    if peer.name == "fluidsynth":
        return "a sound font made by hand"
    if peer.name == "zynaddsubfx":
        return "takes no recordings"
    return published.RAVE_CUSTOM.text


def _disk(peer: Measured) -> str:
    return "; ".join(f"{what} {megabytes(size_mb)}" for what, size_mb in peer.disk_mb.items()) or NONE


def _ratio_row(tetrad: Measured | None) -> Row:
    reference = tetrad.voice_share() if tetrad is not None else None

    def cell(peer: Measured) -> str:
        own = peer.voice_share()
        return NONE if reference is None or own is None else f"{own / reference:.2g}"

    return Row("what one voice more costs, Tetrad's is 1", cell)


def rows(tetrad: Measured | None) -> list[Row]:
    """The table's rows."""
    return [
        Row("a voice is", lambda p: VOICES[p.name], "a recorded note at the nearest of 9x9 places"),
        Row("sample rate, block", _format_rate, published.RATE.text),
        *(
            Row(f"{n} voice{'s' * (n > 1)}: share of a core", lambda p, n=n: percent(p.share(n)))  # type: ignore[misc]
            for n in (1, 4, 16, 64)
        ),
        Row("voices per core (by the line through these)", _voices_per_core, published.MOST_VOICES.text),
        _ratio_row(tetrad),
        Row("key to sound, median (least to most)", _onset),
        Row("start to the first sound", lambda p: _seconds(p.start_s)),
        Row("memory while it plays", lambda p: megabytes(p.memory_mb)),
        Row("on disk", _disk, published.DISK.text),
        Row("an instrument of your own", _custom, published.CUSTOM.text),
    ]


def markdown(found: dict[str, Measured], machine: Limits) -> str:
    """Both tables, what they mean, and why something is missing."""
    peers = list(found.values())
    head = ["", *(TITLES[peer.name] for peer in peers), NSYNTH_SUPER]
    body = [[row.what, *(row.of(peer) for peer in peers), row.nsynth_super] for row in rows(found.get("tetrad"))]
    parts = [_table(head, body)]
    if machine.copy_gb_per_s:
        head = ["the machine's limit, one core", "measured", "what that would be in voices", "of it Tetrad reaches"]
        parts.append(_table(head, _limit_rows(machine, found.get("tetrad"))))
    parts.append("\n".join(f"- {one.what}, as published: {one.source}." for one in published.ALL))
    missing = [f"- Not measured: {what} of {TITLES[p.name]}: {why}" for p in peers for what, why in p.missing.items()]
    if missing:
        parts.append("\n".join(missing))
    return "\n\n".join(parts) + "\n"


def _format_rate(peer: Measured) -> str:
    return f"{peer.rate_hz / 1e3:g} kHz, {peer.block}" if peer.block else NONE


def _limit_rows(machine: Limits, tetrad: Measured | None) -> list[list[str]]:
    reached = tetrad.voices_per_core() if tetrad is not None else None
    ffts = statistics.median(machine.inverse_ffts_per_s)
    copied = statistics.median(machine.copy_gb_per_s)
    allowed = {
        f"inverse FFTs of {limits.FFT_SIZE}": (f"{ffts:,.0f} a second", ffts / limits.ffts_of_a_voice_per_s()),
        "memory, copying": (f"{copied:.1f} GB/s", copied * 1e9 / limits.bytes_of_a_voice_per_s()),
    }
    return [
        [what, measured, f"{voices:,.0f}", NONE if reached is None else percent(reached / voices)]
        for what, (measured, voices) in allowed.items()
    ]


def _table(head: Sequence[str], body: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *body]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
