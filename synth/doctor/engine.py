"""The engine that runs, if one does: what it says of itself, and how it fares."""

import contextlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from synth import __version__
from synth.control.address import socket_path
from synth.control.health import BUSY_SHARE, FRAME_SAMPLES, LATE_FRAME_SHARE
from synth.doctor.check import Check, Verdict, fail, failed, ok, warn
from synth.errors import TetradError
from synth.io.client import Client, EngineGoneError

WITHIN_S = 3.0


@dataclass(frozen=True)
class RunningEngine:
    """What was asked of it once. pid: 0 where that is not known. status, log: as the commands of these names answer;
    midi: the answer to `midi_settings`."""

    name: str
    pid: int = 0
    status: Mapping[str, Any] = field(default_factory=dict)
    log: tuple[Mapping[str, Any], ...] = ()
    midi: Mapping[str, Any] = field(default_factory=dict)

    @property
    def plays_on_a_card(self) -> bool:
        """Without one it takes no real-time priority, and nobody hears a late block."""
        return self.part("audio").get("state") == "running"

    def part(self, name: str) -> Mapping[str, Any]:
        """A member of the status; empty where the engine has none."""
        part = self.status.get(name)
        return part if isinstance(part, Mapping) else {}


@dataclass(frozen=True)
class Asked:
    """engine: None where none runs, or none answers; then `trouble` says what is wrong, or is empty: none runs."""

    engine: RunningEngine | None = None
    trouble: TetradError | None = None


def ask_engine(socket: Path | None = None) -> Asked:
    """Ask the engine at a socket, by default the usual one. Never raises."""
    try:
        path = socket_path() if socket is None else socket
        if not path.exists():
            return Asked()
        if not os.access(path, os.R_OK | os.W_OK):
            return Asked(trouble=_of_another(path))
        with contextlib.closing(Client(path, name="doctor")) as client:
            client.connect(WITHIN_S)
            status = client.request("status", timeout_s=WITHIN_S)
            log = client.request("log", timeout_s=WITHIN_S).get("lines", [])
            midi = client.request("midi_settings", timeout_s=WITHIN_S).get("settings", {})
            return Asked(RunningEngine(client.engine, _pid(path), status, tuple(log), midi))
    except EngineGoneError as error:
        # A socket that a killed engine left behind is nobody's trouble: the next one takes its place.
        return Asked() if "refused" in str(error).lower() else Asked(trouble=error)
    except TetradError as error:
        return Asked(trouble=error)
    except PermissionError:
        return Asked(trouble=_of_another(path.parent))


def checks(asked: Asked) -> list[Check]:
    """Whether it runs, its version, and its health since its start."""
    name = "running engine"
    if asked.trouble is not None:
        return [failed(name, asked.trouble)]
    engine = asked.engine
    if engine is None:
        return [ok(name, "none runs (`tetrad play` starts one)")]
    found = [_version(name, engine), _blocks(engine), _frames(engine), _lost(engine)]
    return [*found, _voices(engine)]


def _version(name: str, engine: RunningEngine) -> Check:
    if engine.name != f"tetrad {__version__}":
        return warn(name, f"{engine.name}; this is tetrad {__version__}", "end the engine and start it again")
    seconds = _seconds(engine)
    return ok(name, f"{engine.name}; it has made sound for {seconds:.0f} s")


def _blocks(engine: RunningEngine) -> Check:
    name, health = "engine: late blocks", engine.part("health")
    n_late, worst = int(health.get("underflows", 0)), float(health.get("worst_block_share", 0.0))
    value = f"{n_late} came too late in {_seconds(engine):.0f} s; the slowest took {worst:.0%} of its time"
    remedy = (
        "take larger blocks (Settings, sound card), close what else runs, see real-time priority and processor speed"
    )
    if n_late == 0 and float(health.get("block_share", 0.0)) < BUSY_SHARE:
        return ok(name, value)
    per_hour = n_late / max(_seconds(engine), 60.0) * 3600.0
    return Check(name, Verdict.FAIL if engine.plays_on_a_card and per_hour > 60.0 else Verdict.WARN, value, remedy)


def _frames(engine: RunningEngine) -> Check:
    name, health = "engine: late control frames", engine.part("health")
    n_late = int(health.get("late_frames", 0)) + int(health.get("lost_segments", 0))
    value = f"{n_late} were late or lost"
    if n_late <= max(LATE_FRAME_SHARE * (int(health.get("clock_samples", 0)) // FRAME_SAMPLES), 1):
        return ok(name, value)
    return warn(name, value, "take larger blocks, or fewer voices (`tetrad play --voices 32`)")


def _lost(engine: RunningEngine) -> Check:
    name = "engine: lost messages"
    counts = {
        "events": engine.part("health").get("dropped_events", 0),
        "MIDI messages": engine.part("midi").get("dropped", 0),
        "clients": engine.part("server").get("dropped_clients", 0),
    }
    value = ", ".join(f"{count} {what}" for what, count in counts.items())
    if not any(counts.values()):
        return ok(name, f"none ({value})")
    return warn(name, value, "the engine was too busy to take them; report it: tetrad doctor --report")


def _voices(engine: RunningEngine) -> Check:
    name, voices = "engine: voices", engine.part("voices")
    limit, most = int(voices.get("limit", 0)), int(voices.get("most", 0))
    value = f"{limit} of {most} may sound"
    if limit >= most:
        return ok(name, value)
    return warn(name, f"{value}: the processor has no time for more", "see processor speed and temperature")


def sound(engine: RunningEngine) -> Check:
    """Where its sound goes."""
    name, audio = "sound card", engine.part("audio")
    state, device = audio.get("state", ""), audio.get("device", "")
    rate_hz, block = audio.get("sample_rate_hz", 0), audio.get("block_samples", 0)
    if state == "running":
        milliseconds = f", {1000.0 * block / rate_hz:.1f} ms" if block and rate_hz else ""
        return ok(name, f"{device}, in use by the engine at {rate_hz} Hz, blocks of {block} samples{milliseconds}")
    if state == "waiting":
        return fail(name, f"{device} is gone: {audio.get('words', '')}", "plug it in again, or choose another")
    return warn(
        name, "the engine plays without one", "choose one on the page Settings, or `tetrad play --audio DEVICE`"
    )


def _seconds(engine: RunningEngine) -> float:
    rate_hz = engine.part("audio").get("sample_rate_hz", 0)
    return float(engine.part("health").get("clock_samples", 0)) / rate_hz if rate_hz else 0.0


def _of_another(path: Path) -> TetradError:
    """A service's engine is its user's alone."""
    try:
        owner = path.owner()
    except (OSError, KeyError):
        owner = "USER"
    return TetradError(
        f"{path} belongs to {owner}, and an engine talks to its own user alone; that user was expected; "
        f"run: sudo -u {owner} tetrad doctor"
    )


def _pid(path: Path) -> int:
    """The engine writes its number into the file that it locks (`synth.io.socket_guard`)."""
    with contextlib.suppress(OSError, ValueError):  # another user's, or of no engine of ours
        return int(path.with_name(f"{path.name}.lock").read_text(encoding="ascii", errors="replace"))
    return 0
