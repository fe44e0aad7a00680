"""What is known of the engine and the screen, as a text to read and to send to somebody."""

import os
import platform
import resource
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from synth.files import atomic_write_bytes
from synth.paths import user_data_dir
from ui.pages.settings.verdict import Sections, verdict
from ui.texts import text

PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


class Screen(NamedTuple):
    """memory_mb: of this process. frames_per_s: really drawn within the last second. size: of the window, in pixels."""

    memory_mb: float
    frames_per_s: float
    size: tuple[int, int]
    theme: str


def memory_mb(statm: Path = Path("/proc/self/statm")) -> float:
    """What this process has in memory now; where the system does not tell, the most that it had."""
    try:
        return int(statm.read_text().split()[1]) * PAGE_BYTES / 1e6
    except (OSError, ValueError, IndexError):
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return most / 1e6 if sys.platform == "darwin" else most / 1e3


def duration_words(seconds: float) -> str:
    """ "4 s", "3 min 20 s", "2 h 5 min", "3 d 2 h"."""
    whole = max(int(seconds), 0)
    for unit, smaller, length_s, part_s in (("d", "h", 86_400, 3_600), ("h", "min", 3_600, 60), ("min", "s", 60, 1)):
        if whole >= length_s:
            return f"{whole // length_s} {unit} {whole % length_s // part_s} {smaller}"
    return f"{whole} s"


def uptime_s(mirror: Any) -> float:
    """For how long the engine has made sound; 0 where it does not tell."""
    rate_hz = mirror.audio["sample_rate_hz"]
    return mirror.health["clock_samples"] / rate_hz if rate_hz > 0 else 0.0


def report_text(mirror: Any, screen: Screen, log: Sequence[str] = (), now_s: float | None = None) -> str:
    """The whole report. log: lines of the engine's, the newest first."""
    sections: Sections = mirror
    words, kind = verdict(sections)
    lines = [
        text("settings.report.title", when=time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(now_s))),
        f"{kind}: {words}",
        "",
        f"engine: {mirror.engine or '-'}; {mirror.connection}; {duration_words(uptime_s(mirror))}",
        f"system: {platform.platform()}; Python {platform.python_version()}; {os.cpu_count()} cores",
        f"screen: {screen.size[0]}x{screen.size[1]}; {screen.theme}",
        f"screen: {screen.memory_mb:.0f} MB; {screen.frames_per_s:.0f} frames/s",
    ]
    for name in (
        "audio",
        "health",
        "voices",
        "midi",
        "server",
        "clock",
        "tuning",
        "grid",
        "patch",
        "recording",
        "imports",
    ):
        lines += ["", f"[{name}]", *_entries(getattr(mirror, name))]
    lines += ["", "[corners]", *(f"{name}: {corner['instrument']}" for name, corner in mirror.corners.items())]
    lines += ["", "[parameters]", *(f"{name}: {value:g}" for name, value in sorted(mirror.parameters.items()))]
    lines += ["", "[log]", *log]
    return "\n".join(lines) + "\n"


def save_report(words: str, folder: Path | None = None, now_s: float | None = None) -> Path:
    """A new file in the player's data folder. Raises TetradError where it can't be written."""
    folder = user_data_dir() / "reports" if folder is None else folder
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / time.strftime("tetrad-report-%Y-%m-%d-%H-%M-%S.txt", time.localtime(now_s))
    atomic_write_bytes(path, words.encode("utf-8", "replace"))
    return path


def _entries(section: Mapping[str, Any]) -> list[str]:
    return [f"{name}: {value}" for name, value in section.items() if value not in ("", [])]
