"""What the engine says of the notes that were recorded so far, as a panel shows it. No Kivy here."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from ui.texts import text

STATES = ("off", "opening", "measuring", "waiting", "recording", "settling", "ready", "lost", "ending")


class Take(NamedTuple):
    """number: from 1. peaks: its picture, 0..1. start, end: what is kept of it, 0..1; keep: False for nothing."""

    number: int
    seconds: float
    heard: str
    clipped: bool
    peaks: tuple[float, ...]
    start: float
    end: float
    keep: bool

    @property
    def words(self) -> str:
        """What was heard, and how long is kept."""
        if not self.keep:
            return text("instruments.left_out")
        kept_s = (self.end - self.start) * self.seconds
        heard = self.heard or text("instruments.hearing")
        return f"{heard} · {kept_s:.1f} s" + (f" · {text('instruments.clipped')}" if self.clipped else "")


def takes_of(entries: object) -> list[Take]:
    """Of the status's list, of which any entry may be missing or of another kind: it still has its number."""
    if not isinstance(entries, list):
        return []
    return [_take(number, about if isinstance(about, Mapping) else {}) for number, about in enumerate(entries, 1)]


def _take(number: int, about: Mapping[str, Any]) -> Take:
    seconds, heard, peaks = _number(about, "seconds", 0.0), about.get("heard"), about.get("peaks")
    length_s = max(seconds, 1e-3)
    return Take(
        number=number,
        seconds=seconds,
        heard=heard if isinstance(heard, str) else "",
        clipped=_number(about, "clipped_samples", 0.0) > 0,
        peaks=tuple(float(one) for one in peaks if _is_number(one)) if isinstance(peaks, list) else (),
        start=min(max(_number(about, "start_s", 0.0) / length_s, 0.0), 1.0),
        end=min(max(_number(about, "end_s", length_s) / length_s, 0.0), 1.0),
        keep=about.get("keep") is not False,
    )


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _number(about: Mapping[str, Any], name: str, otherwise: float) -> float:
    value = about.get(name)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else otherwise


def state_text(state: str) -> str:
    """A state of the input in words; one that a newer engine has, as it comes."""
    return text(f"instruments.input.{state}") if state in STATES else state
