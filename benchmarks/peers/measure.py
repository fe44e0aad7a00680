"""All peers in turns, and what comes out of it."""

import statistics
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from typing import Any

from benchmarks.peers import limits
from benchmarks.peers.host import Host
from benchmarks.peers.peer import PeerError

KEYED_COUNTS = (1, 16, 64)
RAVE_COUNTS = (1, 4)


@dataclass
class Measured:
    """One peer. shares: voices -> its share of the core in every round. missing: measure -> why there is none."""

    name: str
    rate_hz: int = 0
    block: int = 0
    n_weights: int | None = None
    shares: dict[int, list[float]] = field(default_factory=dict)
    onsets_ms: list[float] = field(default_factory=list)
    start_s: float | None = None
    memory_mb: float | None = None
    disk_mb: dict[str, float] = field(default_factory=dict)
    custom_s: float | None = None
    missing: dict[str, str] = field(default_factory=dict)

    def share(self, n_voices: int) -> float | None:
        """Median share of the core with so many voices; None where it was not measured."""
        return statistics.median(self.shares[n_voices]) if self.shares.get(n_voices) else None

    def voice_share(self) -> float | None:
        """What one voice more costs: the slope from the fewest to the most voices measured, median of the rounds."""
        line = self._line()
        return None if line is None else line[1]

    def voices_per_core(self) -> float | None:
        """Where the line through the fewest and the most voices measured reaches the whole core."""
        line = self._line()
        return None if line is None or line[1] <= 0.0 else (1.0 - line[0]) / line[1]

    def _line(self) -> tuple[float, float] | None:
        counts = sorted(n for n, found in self.shares.items() if found)
        if len(counts) < 2:
            return None
        few, many = counts[0], counts[-1]
        slopes = [(b - a) / (many - few) for a, b in zip(self.shares[few], self.shares[many], strict=True)]
        slope = statistics.median(slopes)
        return statistics.median(self.shares[many]) - slope * many, slope


@dataclass
class Limits:
    """Of the machine, in every round."""

    inverse_ffts_per_s: list[float] = field(default_factory=list)
    copy_gb_per_s: list[float] = field(default_factory=list)


def counts_of(name: str) -> tuple[int, ...]:
    """Numbers of voices that a peer is measured with."""
    return RAVE_COUNTS if name.startswith("rave") else KEYED_COUNTS


def in_turns(names: Sequence[str], n_rounds: int, seconds: float, n_onsets: int) -> tuple[dict[str, Measured], Limits]:
    """Every peer with every number of voices, `seconds` of sound each, round by round; the limits in every round too.

    A peer that can't be measured is in the result, with the reason.
    """
    found = {name: Measured(name) for name in names}
    machine = Limits()
    with ExitStack() as open_hosts:
        hosts = {}
        for name in names:
            _say(f"opening {name}")
            with _Reasons(found[name], "all"):
                hosts[name] = host = open_hosts.enter_context(Host(name))
                found[name].rate_hz, found[name].block, found[name].n_weights = host.rate_hz, host.block, host.n_weights
        for name, host in hosts.items():
            if not name.startswith("rave"):
                _say(f"onsets of {name}")
                with _Reasons(found[name], "onset"):
                    found[name].onsets_ms = host.ask("onsets", trials=n_onsets)["onsets_ms"]
        for i in range(n_rounds):
            _say(f"round {i + 1} of {n_rounds}")
            machine.inverse_ffts_per_s.append(limits.inverse_ffts_per_s())
            machine.copy_gb_per_s.append(limits.copy_gb_per_s())
            for name, host in hosts.items():
                with _Reasons(found[name], "voices"):
                    one = _one_round(host, counts_of(name), seconds)
                    for n_voices, share in one.items():
                        found[name].shares.setdefault(n_voices, []).append(share)
        for name, host in hosts.items():
            with _Reasons(found[name], "memory"):
                # A peer in C needs no interpreter; the networks and Tetrad do.
                added_only = name in ("fluidsynth", "zynaddsubfx")
                found[name].memory_mb = host.ask("memory")["added_mb" if added_only else "memory_mb"]
                if name.startswith("rave"):
                    found[name].start_s = host.start_s
    return found, machine


def _one_round(host: Host, counts: Sequence[int], seconds: float) -> dict[int, float]:
    shares = {}
    for n_voices in counts:
        host.ask("hold", voices=n_voices)
        shares[n_voices] = float(host.ask("share", seconds=seconds)["share"])
    return shares


class _Reasons:
    """A measure that may fail: the reason goes into the result."""

    def __init__(self, measured: Measured, what: str) -> None:
        self._measured, self._what = measured, what

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        if not isinstance(error, PeerError):
            return False
        self._measured.missing[self._what] = str(error)
        _say(str(error))
        return True


def attempt(measured: Measured, what: str, measure: Callable[[], float]) -> float | None:
    """What `measure` finds; None, and the reason in the result, where it can't."""
    with _Reasons(measured, what):
        _say(f"{what} of {measured.name}")
        return measure()
    return None


def as_json(found: dict[str, Measured], machine: Limits) -> dict[str, Any]:
    """The object of `--json`: every measurement, and what follows from them."""
    return {
        "peers": {
            name: asdict(one) | {"voices_per_core": one.voices_per_core(), "voice_share": one.voice_share()}
            for name, one in found.items()
        },
        "limits": asdict(machine)
        | {
            "fft_size": limits.FFT_SIZE,
            "ffts_of_a_voice_per_s": limits.ffts_of_a_voice_per_s(),
            "bytes_of_a_voice_per_s": limits.bytes_of_a_voice_per_s(),
        },
    }


def _say(words: str) -> None:
    print(words, file=sys.stderr, flush=True)
