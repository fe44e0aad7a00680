"""Sound font files: finding Debian's, checking them, and listing their presets.

Only the header is read here (SoundFont 2.04 specification, sections 4 to 7: RIFF form `sfbk` with the lists INFO, sdta
and pdta); SF3 differs in how the samples in sdta are coded. Rendering is in `render.py`.
"""

import functools
import hashlib
import os
import shutil
import struct
import subprocess
from dataclasses import dataclass
from pathlib import Path

from models.dataset.general_midi import slug
from synth.errors import TetradError

_PRESET_RECORD = struct.Struct("<20sHHHIII")  # name, number, bank, first zone, three reserved fields


@dataclass(frozen=True)
class KnownFont:
    """A sound font that Debian packages: where it lies, and what its copyright file says in short.

    `unplayable`: presets (bank, number) that TinySoundFont cannot play as they are meant.
    """

    key: str
    package: str
    paths: tuple[str, ...]
    title: str
    licence: str
    origin: str
    unplayable: frozenset[tuple[int, int]] = frozenset()


KNOWN_FONTS = (
    KnownFont(
        "fluid",
        "fluid-soundfont-gm",
        ("/usr/share/sounds/sf2/FluidR3_GM.sf2",),
        "Fluid (R3) General MIDI SoundFont",
        "MIT",
        "Frank Wen and contributors, 2000-2002 and 2008; Toby Smithe, 2008",
    ),
    KnownFont(
        "musescore",
        "musescore-general-soundfont",
        ("/usr/share/sounds/sf3/MuseScore_General_Full.sf3", "/usr/share/sounds/sf3/MuseScore_General.sf3"),
        "MuseScore_General_HQ SoundFont",
        "MIT, parts public domain or CC0",
        "S. Christian Collins, 2018-2021, after Fluid (R3) Mono by Michael Cowgill, 2014-2017, after Fluid (R3) by "
        "Frank Wen; strings of the Versilian Studios Chamber Orchestra, piano from the AKAI S5000 library",
        # The pianos' velocity layers are balanced by modulators, which TinySoundFont ignores: velocity 80 comes out up
        # to 18 dB softer than velocity 45. The other presets get louder with velocity, but for the FM pianos (5).
        frozenset({(0, 0), (0, 1), (0, 3), (8, 0)}),
    ),
)
# Fonts from elsewhere whose licence we have read, by how their title (INAM) starts.
_LICENCES = {"GeneralUser GS": "GeneralUser GS License v2.0 (free use, also in software)"}


@dataclass(frozen=True)
class Preset:
    """One sound of a font. Numbers count from 0; bank 128 is percussion."""

    bank: int
    number: int
    name: str


@dataclass(frozen=True)
class SoundFont:
    """A checked sound font file. `key` starts the names of its notes; texts are empty where nothing is known."""

    path: Path
    key: str
    title: str
    licence: str
    origin: str
    package: str
    sha256: str
    presets: tuple[Preset, ...]
    unplayable: frozenset[tuple[int, int]]

    def describe(self) -> dict[str, object]:
        """What the manifest says about it; nothing that depends on where the file lies."""
        return {
            "key": self.key,
            "file": self.path.name,
            "sha256": self.sha256,
            "title": self.title,
            "licence": self.licence,
            "origin": self.origin,
            "debian_package": self.package,
            "presets_left_out": [list(pair) for pair in sorted(self.unplayable)],
        }


def default_font_paths() -> list[Path]:
    """The two fonts of Debian that the data set is made of. Raises TetradError when one is not installed."""
    found = {font: [Path(p) for p in font.paths if Path(p).exists()] for font in KNOWN_FONTS}
    missing = [font for font in KNOWN_FONTS if not found[font]]
    if missing:
        raise TetradError(
            f"there is no sound font {' nor '.join(font.paths[0] for font in missing)}; install it with "
            f"`apt-get install {' '.join(font.package for font in missing)}`, or name other files with --fonts"
        )
    return [found[font][0] for font in KNOWN_FONTS]


def read_sound_font(path: Path) -> SoundFont:
    """Check a sound font and list its presets. Raises TetradError for a missing, truncated or foreign file."""
    path = Path(os.path.realpath(path))
    known = next((font for font in KNOWN_FONTS if str(path) in {os.path.realpath(p) for p in font.paths}), None)
    try:
        data = path.read_bytes()
    except FileNotFoundError as error:
        install = "; Debian's package fluid-soundfont-gm has one" if known is None else ""
        raise TetradError(f"there is no sound font {path}; an SF2 or SF3 file was expected{install}") from error
    except OSError as error:
        raise TetradError(f"cannot read the sound font {path}: {error.strerror}; name a readable file") from error
    info, hydra = _read_lists(path, data)
    presets = _presets(path, hydra)
    text = {name: value.split(b"\0")[0].decode("latin-1").strip() for name, value in info.items()}
    title = known.title if known else text.get(b"INAM", "")
    read_licences = [licence for start, licence in _LICENCES.items() if title.startswith(start)]
    return SoundFont(
        path=path,
        key=known.key if known else slug(path.stem),
        title=title,
        licence=known.licence if known else next(iter(read_licences), "not known; see the font's copyright text"),
        origin=known.origin if known else text.get(b"ICOP", ""),
        package=_debian_package(str(path)),
        sha256=hashlib.sha256(data).hexdigest(),
        presets=presets,
        unplayable=known.unplayable if known else frozenset(),
    )


def _read_lists(path: Path, data: bytes) -> tuple[dict[bytes, bytes], dict[bytes, bytes]]:
    """The sub-chunks of INFO and pdta by name."""
    if len(data) < 12 or data[:4] != b"RIFF" or data[8:12] != b"sfbk":
        start = f"starts with {data[:12]!r}" if data else "is empty"
        raise TetradError(f"{path} {start}; a sound font (RIFF form sfbk: SF2 or SF3) was expected; name another file")
    n_promised = 8 + int.from_bytes(data[4:8], "little")
    if len(data) < n_promised:
        raise TetradError(
            f"{path} ends after {len(data)} of {n_promised} bytes; a complete sound font was expected; install it again"
        )
    lists = {
        body[:4]: dict(_chunks(path, body, 4, len(body)))
        for name, body in _chunks(path, data, 12, n_promised)
        if name == b"LIST" and body[:4] in (b"INFO", b"pdta")
    }
    if b"pdta" not in lists:
        raise TetradError(f"{path} has no preset data (list pdta), which a sound font must have; name another file")
    return lists.get(b"INFO", {}), lists[b"pdta"]


def _chunks(path: Path, data: bytes, start: int, end: int) -> list[tuple[bytes, bytes]]:
    """RIFF chunks (name, body) of data[start:end]; each body is padded to an even length."""
    chunks = []
    while start + 8 <= end:
        size = int.from_bytes(data[start + 4 : start + 8], "little")
        if start + 8 + size > end:
            raise TetradError(
                f"{path}: chunk {data[start : start + 4]!r} at byte {start} claims {size} bytes, {end - start - 8} "
                "are left; an undamaged sound font was expected; install it again"
            )
        chunks.append((data[start : start + 4], data[start + 8 : start + 8 + size]))
        start += 8 + size + size % 2
    return chunks


def _presets(path: Path, hydra: dict[bytes, bytes]) -> tuple[Preset, ...]:
    """The presets in order of bank and number. The last record of `phdr` only marks the end."""
    records = hydra.get(b"phdr", b"")
    if len(records) < 2 * _PRESET_RECORD.size or len(records) % _PRESET_RECORD.size:
        raise TetradError(
            f"{path}: the preset list has {len(records)} bytes; at least two records of {_PRESET_RECORD.size} were "
            "expected; name another sound font"
        )
    presets = [
        Preset(bank, number, name.split(b"\0")[0].decode("latin-1").strip())
        for name, number, bank, *_ in _PRESET_RECORD.iter_unpack(records[: -_PRESET_RECORD.size])
    ]
    return tuple(sorted(presets, key=lambda preset: (preset.bank, preset.number)))


@functools.cache
def _debian_package(path: str) -> str:
    """`name version` of the Debian package that installed `path`; empty where there is none, or no dpkg."""
    dpkg_query = shutil.which("dpkg-query")
    if dpkg_query is None:
        return ""
    owner = subprocess.run([dpkg_query, "-S", path], capture_output=True, text=True, check=False)
    if owner.returncode != 0:
        return ""
    name = owner.stdout.partition(":")[0]
    version = subprocess.run([dpkg_query, "-W", "-f", "${Version}", name], capture_output=True, text=True, check=False)
    return f"{name} {version.stdout}".strip()
