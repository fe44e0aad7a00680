"""What the engine says of an import, in what a row shows. No Kivy here."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from ui.texts import text

_SIGNS = {"waiting": "loop", "running": "loop", "done": "check", "failed": "warning", "cancelled": "close"}
_STEPS = ("find", "listen", "build", "write")
PRESETS = "name one by --preset"
"""In the refusal of a sound font with several presets."""


class Job(NamedTuple):
    """One import. share: of the way, 0..1. sign: an icon. instrument: what came of it; duplicate: what the library has
    of the same recordings; "" for none."""

    number: int
    source: str
    state: str
    sign: str
    share: float
    words: str
    instrument: str
    duplicate: str
    remarks: tuple[str, ...]

    @property
    def under_way(self) -> bool:
        """It can be cancelled."""
        return self.state in ("waiting", "running")

    @property
    def wants_preset(self) -> bool:
        """It failed for want of one."""
        return self.state == "failed" and PRESETS in self.words


def job_of(about: Mapping[str, Any]) -> Job | None:
    """Of the engine's words, of which any may be missing or of another kind; None without a number."""
    number, state, share = about.get("number"), _text(about, "state"), about.get("share")
    if not isinstance(number, int) or isinstance(number, bool):
        return None
    remarks = about.get("remarks")
    return Job(
        number=number,
        source=_text(about, "source"),
        state=state,
        sign=_SIGNS.get(state, "info"),
        share=min(max(float(share), 0.0), 1.0) if isinstance(share, int | float) else 0.0,
        words=_words(about, state),
        instrument=_text(about, "instrument"),
        duplicate=_text(about, "duplicate"),
        remarks=tuple(one for one in remarks if isinstance(one, str)) if isinstance(remarks, list) else (),
    )


def jobs_of(entries: list[Mapping[str, Any]]) -> list[Job]:
    """Those under way, then those that are over, the newest first."""
    found = [job for job in map(job_of, entries) if job is not None]
    return sorted(found, key=lambda job: (not job.under_way, job.number if job.under_way else -job.number))


def _words(about: Mapping[str, Any], state: str) -> str:
    if state == "waiting":
        return text("instruments.waiting")
    if state == "running":
        step = _text(about, "step")
        return text(f"instruments.step.{step}" if step in _STEPS else "instruments.step.begin")
    return _text(about, "words")


def _text(about: Mapping[str, Any], name: str) -> str:
    value = about.get(name)
    return value if isinstance(value, str) else ""
