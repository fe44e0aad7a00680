"""How it stands, in one sentence: the worst thing first. Pure: of anything that has the mirror's sections."""

from typing import Any, Protocol

from ui.texts import text

BUSY_SHARE = 0.8
"""Of a block's time: above it a little more work makes a block late."""
LATE_FRAME_SHARE = 0.001
"""Late control frames over those that there were: one in a thousand is not heard."""
FRAME_SAMPLES = 384
"""Between control frames: 8 ms at 48 kHz."""

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
    if mirror.connection != "connected":
        return text("settings.verdict.gone", words=mirror.connection_words or mirror.connection), "danger"
    audio, health, voices = mirror.audio, mirror.health, mirror.voices
    if audio["state"] == "waiting":
        return text("settings.verdict.waiting", device=audio["device"]), "danger"
    if audio["state"] == "none":
        return text("settings.verdict.silent"), "warning"
    if health["block_share"] >= 1.0:
        return text("settings.verdict.late_now"), "danger"
    lost = health["dropped_events"] + mirror.midi["dropped"]
    if lost:
        return text("settings.verdict.dropped", n=lost), "warning"
    if health["underflows"]:
        return text("settings.verdict.underflows", n=health["underflows"]), "warning"
    if health["block_share"] >= BUSY_SHARE:
        return text("settings.verdict.busy", share=round(100.0 * health["block_share"])), "warning"
    if 0 < voices["limit"] < voices["most"]:
        return text("settings.verdict.limited", limit=voices["limit"], most=voices["most"]), "warning"
    frames = max(health["clock_samples"] // FRAME_SAMPLES, 1)
    late = health["late_frames"] + health["lost_segments"]
    if late / frames > LATE_FRAME_SHARE and late > 1:
        return text("settings.verdict.frames", n=late), "warning"
    return text("settings.verdict.good"), "good"


def share_kind(share: float) -> str:
    """Kind of a share of a block's time."""
    return "danger" if share >= 1.0 else "warning" if share >= BUSY_SHARE else "good"
