"""How it stands, in one sentence: the worst thing first. Pure: of anything that has the mirror's sections."""

from typing import Any, Protocol

from synth.control.health import BUSY_SHARE, FRAME_SAMPLES, LATE_FRAME_SHARE
from ui.texts import text

Verdict = tuple[str, str]
"""The sentence, and its kind: "good", "warning" or "danger"."""


class Sections(Protocol):
    """What the mirror has of the engine's health."""

    connection: Any
    connection_words: Any
    audio: Any
    health: Any
    midi: Any
    voices: Any
    server: Any


def verdict(mirror: Sections) -> Verdict:
    """The sentence and its kind."""
    return _unheard(mirror) or _lost(mirror) or _busy(mirror) or (text("settings.verdict.good"), "good")


def _unheard(mirror: Sections) -> Verdict | None:
    """Why nothing can be heard, or clicks just now."""
    if mirror.connection != "connected":
        return text("settings.verdict.gone", words=mirror.connection_words or mirror.connection), "danger"
    if mirror.audio["state"] == "waiting":
        return text("settings.verdict.waiting", device=mirror.audio["device"]), "danger"
    if mirror.audio["state"] == "none":
        return text("settings.verdict.silent"), "warning"
    if mirror.health["block_share"] >= 1.0:
        return text("settings.verdict.late_now"), "danger"
    return None


def _lost(mirror: Sections) -> Verdict | None:
    """What did not come through since the start."""
    events, blocks = mirror.health["dropped_events"] + mirror.midi["dropped"], mirror.health["underflows"]
    if events:
        return text("settings.verdict.dropped", n=events), "warning"
    if blocks:
        return text("settings.verdict.underflows", n=blocks), "warning"
    return None


def _busy(mirror: Sections) -> Verdict | None:
    """What shows that the computer has little time left."""
    health, voices = mirror.health, mirror.voices
    if health["block_share"] >= BUSY_SHARE:
        return text("settings.verdict.busy", share=round(100.0 * health["block_share"])), "warning"
    if 0 < voices["limit"] < voices["most"]:
        return text("settings.verdict.limited", limit=voices["limit"], most=voices["most"]), "warning"
    late = health["late_frames"] + health["lost_segments"]
    if late > max(LATE_FRAME_SHARE * (health["clock_samples"] // FRAME_SAMPLES), 1):
        return text("settings.verdict.frames", n=late), "warning"
    return None


def share_kind(share: float) -> str:
    """Kind of a share of a block's time."""
    return "danger" if share >= 1.0 else "warning" if share >= BUSY_SHARE else "good"
