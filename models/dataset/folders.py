"""A folder of single notes, or an SFZ file, as one instrument of a note set.

File names tell key and velocity: `flute_60.wav`, `flute-060-090.flac`, or by the note's name (C4 is key 60) and perhaps
a layer: `C4.wav`, `D#5v8.ogg`, `oboe_Bb3_vl2.wav`. `instrument.toml` in the folder, or `<name>.toml` beside an SFZ
file, may say more (every key may be left out):

    name = "salamander"        # small letters, digits, underscores; default: the folder's name
    family = "keyboard"        # default: keyboard
    source = "acoustic"        # acoustic, electronic or synthetic; default: acoustic
    sustains = false           # default: found out from the sound
    held_out = false           # true: never trained on
    licence = "CC BY 3.0"
    origin = "Alexander Holm"
    octave_shift = 0           # octaves to add to the keys that the names tell
    velocities = {4 = 40, 16 = 120}   # MIDI velocity of each layer number; default: the number itself
"""

import re
import tomllib
from dataclasses import dataclass, field, fields
from pathlib import Path

from models.dataset.general_midi import slug
from models.dataset.notes import HELD_OUT, TRAIN
from models.dataset.recordings import Collection, RecordedInstrument, Recording, fingerprint
from models.dataset.sfz import read_sfz
from synth.errors import TetradError
from synth.instruments.audio_files import AUDIO_SUFFIXES

DESCRIPTION_FILE = "instrument.toml"
DEFAULT_VELOCITY = 100
_NUMBERED = re.compile(r"(?:^|[-_ ])(?P<pitch>\d{1,3})(?:[-_ ]v?(?P<velocity>\d{1,3}))?$")
_NAMED = re.compile(
    r"(?:^|[-_ ])(?P<letter>[A-Ga-g])(?P<sign>[#b]?)(?P<octave>-?\d)(?:[-_ ]?(?:v|vl)(?P<velocity>\d{1,3}))?"
    r"(?:[-_ ]rr?\d+)?$"
)
_SEMITONES = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}


@dataclass(frozen=True)
class Description:
    """`instrument.toml`, checked. See the module's text."""

    name: str = ""
    family: str = "keyboard"
    source: str = "acoustic"
    sustains: bool | None = None
    held_out: bool = False
    licence: str = ""
    origin: str = ""
    octave_shift: int = 0
    velocities: dict[str, int] = field(default_factory=dict)


_TYPES: dict[str, type] = {"sustains": bool, "held_out": bool, "octave_shift": int, "velocities": dict}


def read_description(path: Path) -> Description:
    """The description at `path`, or the defaults where there is none. Raises TetradError for an unknown key or type."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Description()
    except (OSError, ValueError) as error:
        raise TetradError(f"{path} can't be read as TOML ({error}); correct it or take it out") from error
    known = [f.name for f in fields(Description)]
    for key, value in table.items():
        if key not in known:
            raise TetradError(f"{path} has the unknown key {key!r}; expected some of {', '.join(known)}")
        if type(value) is not _TYPES.get(key, str):
            raise TetradError(f"{path}: {key} = {value!r}; expected a {_TYPES.get(key, str).__name__}")
    for layer, velocity in table.get("velocities", {}).items():
        if not layer.isdigit() or type(velocity) is not int or not 1 <= velocity <= 127:
            raise TetradError(f"{path}: velocities has {layer} = {velocity!r}; expected a layer number = 1..127")
    return Description(**table)


def read_folder(path: Path) -> Collection:
    """A folder of recordings, or an SFZ file, as a collection of one instrument. Audio is not read yet.

    Raises TetradError for an empty folder, a file that does not tell its key, and an unusable description.
    """
    if path.suffix.lower() == ".sfz":
        description_path, default_name = path.with_suffix(".toml"), path.stem
        description = read_description(description_path)
        recordings = read_sfz(path)
        read_files = [path]
    else:
        if not path.is_dir():
            raise TetradError(f"{path} is not a folder; a folder of single notes or an SFZ file was expected")
        description_path, default_name = path / DESCRIPTION_FILE, path.resolve().name
        description = read_description(description_path)
        recordings = _read_names(path, description)
        read_files = []
    shift = 12 * description.octave_shift
    recordings = {(pitch + shift, velocity): r for (pitch, velocity), r in recordings.items()}
    for pitch, velocity in recordings:
        if not (0 <= pitch <= 127 and 1 <= velocity <= 127):
            raise TetradError(f"{path} has key {pitch}, velocity {velocity}; expected 0..127 and 1..127")
    name = description.name or slug(default_name)
    if not re.fullmatch(r"[a-z0-9][a-z0-9_]*", name):
        raise TetradError(f"{path} is named {name!r}; expected small letters, digits and underscores; name it in TOML")
    if description_path.exists():
        read_files.append(description_path)
    files = sorted({r.path for r in recordings.values()})
    instrument = RecordedInstrument(
        name=name,
        collection=name,
        family=description.family,
        source=description.source,
        split=HELD_OUT if description.held_out else TRAIN,
        recordings=recordings,
        sustains=description.sustains,
    )
    about: dict[str, object] = {
        "key": name,
        "licence": description.licence or "not known",
        "origin": description.origin,
        "n_files": len(files),
        "sha256": fingerprint(files + read_files),
    }
    return Collection((instrument,), about)


def _read_names(directory: Path, description: Description) -> dict[tuple[int, int], Recording]:
    found: dict[tuple[int, int], Recording] = {}
    for path in sorted(p for p in directory.iterdir() if p.suffix.lower() in AUDIO_SUFFIXES):
        pitch, layer = _key_of_name(path)
        if layer is None:
            velocity = DEFAULT_VELOCITY
        elif description.velocities and str(layer) not in description.velocities:
            raise TetradError(f"{path} is of layer {layer}; {DESCRIPTION_FILE} has no velocity for it; add one")
        else:
            velocity = description.velocities.get(str(layer), layer)
        found.setdefault((pitch, velocity), Recording(path))  # a second take of the same note is left out
    if not found:
        raise TetradError(
            f"{directory} holds no recordings; expected files like flute_60.wav ({', '.join(AUDIO_SUFFIXES)})"
        )
    return found


def _key_of_name(path: Path) -> tuple[int, int | None]:
    """MIDI note and the velocity or layer number, if there is one."""
    named, numbered = _NAMED.search(path.stem), _NUMBERED.search(path.stem)
    match = named or numbered
    if match is None:
        raise TetradError(f"{path} does not tell its key; expected a name like flute_60.wav, C4.wav or D#5v8.ogg")
    layer = None if match["velocity"] is None else int(match["velocity"])
    if numbered and match is numbered:
        return int(match["pitch"]), layer
    sign = {"#": 1, "b": -1, "": 0}[match["sign"]]
    return 12 * (int(match["octave"]) + 1) + _SEMITONES[match["letter"].upper()] + sign, layer
