"""What the engine answers about sound cards and MIDI inputs, made fit to be shown. Pure."""

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

RATES_HZ = (44_100, 48_000, 96_000)
BLOCKS = (64, 128, 256, 512, 1024)
"""In samples."""


class Output(NamedTuple):
    """device: what `audio_use` takes. rate_hz: its own; 0: not known."""

    device: str
    name: str
    host_api: str
    rate_hz: int
    in_use: bool


class Outputs(NamedTuple):
    """An answer to `audio_devices`. next_start: what counts only then, in the command's names."""

    devices: tuple[Output, ...] = ()
    sample_rate_hz: int = 0
    block_samples: int = 0
    next_start: Mapping[str, Any] = {}


class Input(NamedTuple):
    """A MIDI input: used: it is listened to; there: it is plugged in."""

    name: str
    used: bool
    there: bool


def outputs_of(answer: Mapping[str, Any]) -> Outputs:
    """Rows that lack what a device needs are left out."""
    rows = answer.get("devices")
    found = [
        Output(
            row["device"],
            str(row.get("name") or row["device"]),
            str(row.get("host_api") or ""),
            whole(row.get("rate_hz")),
            row.get("in_use") is True,
        )
        for row in (rows if isinstance(rows, list) else [])
        if isinstance(row, Mapping) and isinstance(row.get("device"), str)
    ]
    next_start = answer.get("next_start")
    return Outputs(
        tuple(found),
        whole(answer.get("sample_rate_hz")),
        whole(answer.get("block_samples")),
        dict(next_start) if isinstance(next_start, Mapping) else {},
    )


def inputs_of(answer: Mapping[str, Any]) -> tuple[tuple[Input, ...], bool]:
    """The MIDI inputs, and whether all are listened to, those to come too."""
    rows = answer.get("inputs")
    found = [
        Input(row["name"], row.get("used") is True, row.get("there") is not False)
        for row in (rows if isinstance(rows, list) else [])
        if isinstance(row, Mapping) and isinstance(row.get("name"), str)
    ]
    return tuple(found), answer.get("all") is not False


def block_ms(block_samples: int, sample_rate_hz: int) -> float:
    """How long a block lasts; 0 where one of them is not known."""
    return 1000.0 * block_samples / sample_rate_hz if sample_rate_hz > 0 else 0.0


def offered(known: tuple[int, ...], in_use: int) -> list[int]:
    """What can be chosen: the usual ones, and the one in use."""
    return sorted({*known, *([in_use] if in_use > 0 else [])})


def level_share(level_dbfs: float, floor_dbfs: float = -60.0) -> float:
    """Place of a level on a meter, 0..1 from the floor to full scale."""
    return min(max(1.0 - level_dbfs / floor_dbfs, 0.0), 1.0)


def whole(value: object) -> int:
    """A whole number, or 0."""
    fits = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    return int(value) if fits else 0  # type: ignore[call-overload]
