"""Scala files that lie at hand, and where a path that was typed leads."""

from pathlib import Path

from synth.paths import user_data_dir

SCALE, MAP = ".scl", ".kbm"
MOST_FILES = 500


def tunings_dir() -> Path:
    """Where the player's Scala files lie. May not exist yet."""
    return user_data_dir() / "tunings"


def files_in(folder: Path, suffix: str) -> list[Path]:
    """The first 500 files of a suffix (".scl", ".SCL") in a folder, by name; [] where there is no such folder."""
    try:
        found = [path for path in folder.iterdir() if path.suffix.lower() == suffix and path.is_file()]
    except OSError:
        return []
    return sorted(found, key=lambda path: path.name.casefold())[:MOST_FILES]


def typed(words: str) -> tuple[Path, str]:
    """A path as a player types it, and what is wrong with its ending: "" for a .scl or .kbm file."""
    path = Path(words.strip()).expanduser()
    if not path.is_absolute():
        path = tunings_dir() / path
    return path, "" if path.suffix.lower() in (SCALE, MAP) else path.suffix or path.name
