"""`manifest.json` and `examples.json`: what a note set says about itself.

    manifest.json   format, format_version, complete, settings (all that the bytes depend on), splits, counts,
                    examples_sha256
    examples.json   note name -> NSynth's keys (note, note_str, instrument, instrument_str, instrument_family[_str],
                    instrument_source[_str], pitch, velocity, sample_rate) and: font, bank, program, preset, sustains,
                    split, group, peak (linear, of the file at the highest rate), held_db, sha256, sha256_16k;
                    copy_of where another instrument plays the same samples

`sample_rate` is 16000 for notes of which no more is known (an NSynth set's); they have no 48 kHz file. For recordings
`program` is null and `preset` the file's name. `group` is the first of the instruments that sound alike.
NSynth's `qualities` are left out but for its own notes (`qualities_str`): nobody has listened to the others.
"""

import hashlib
import importlib.metadata
import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import soundfile

from models.dataset.duplicates import COPY_DB, SAME_DB, Alike
from models.dataset.general_midi import HELD_OUT_PROGRAMS
from models.dataset.notes import (
    HELD_S,
    LOW_RATE_HZ,
    N_LOW_SAMPLES,
    N_SAMPLES,
    RELEASED_S,
    SAMPLE_RATE_HZ,
    SPLITS,
    VELOCITIES,
    Plan,
)
from models.dataset.render import OVERSAMPLING
from models.dataset.soundfont import SoundFont
from synth.errors import TetradError
from synth.files import atomic_write_bytes

FORMAT = "tetrad-note-set"
FORMAT_VERSION = 2
_READABLE = (1, 2)  # version 1 had sound fonts alone, and no groups
MANIFEST_FILE = "manifest.json"
EXAMPLES_FILE = "examples.json"

Example = dict[str, object]


def settings(
    fonts: Iterable[SoundFont],
    gain_db: float,
    limit: int | None,
    recorded: Iterable[dict[str, object]] = (),
    *,
    drop_copies: bool = False,
) -> dict[str, object]:
    """All that the set's bytes depend on; equal settings, equal bytes. `recorded` describes the other sources."""
    return {
        "fonts": [font.describe() for font in fonts],
        "recorded": list(recorded),
        "drop_copies": drop_copies,
        "same_db": SAME_DB,
        "copy_db": COPY_DB,
        "sample_rate_hz": SAMPLE_RATE_HZ,
        "low_sample_rate_hz": LOW_RATE_HZ,
        "n_samples": N_SAMPLES,
        "n_low_samples": N_LOW_SAMPLES,
        "held_s": HELD_S,
        "released_s": RELEASED_S,
        "velocities": list(VELOCITIES),
        "gain_db": gain_db,
        "limit": limit,
        "held_out_programs": sorted(HELD_OUT_PROGRAMS),
        "audio": "FLAC, 24 bit, mono: mean of left and right; no reverb, no chorus, no normalisation",
        "generator": {
            "name": "tetrad model data",
            "tinysoundfont": importlib.metadata.version("tinysoundfont"),
            "libsndfile": soundfile.__libsndfile_version__,
            "oversampling": OVERSAMPLING,
        },
    }


def example(plan: Plan, pitch: int, velocity: int, measured: dict[str, object]) -> Example:
    """One entry of examples.json, but for the running numbers `note` and `instrument`, and `group`."""
    return {
        "note_str": plan.note_name(pitch, velocity),
        "instrument_str": plan.name,
        "pitch": pitch,
        "velocity": velocity,
        **plan.describe(pitch, velocity),
        **measured,
    }


def write_unfinished(directory: Path, set_settings: dict[str, object]) -> None:
    """Claim the directory for a set with these settings, which is not complete yet."""
    _write_json(directory / MANIFEST_FILE, _header(set_settings, complete=False))


def write_finished(
    directory: Path,
    set_settings: dict[str, object],
    examples: list[Example],
    n_silent: int,
    alike: Iterable[Alike] = (),
    left_out: Iterable[str] = (),
) -> None:
    """Write examples.json and then the complete manifest.

    Args: `alike` the pairs of instruments that sound alike; `left_out` a line for each broken file.
    """
    instruments = {name: i for i, name in enumerate(dict.fromkeys(str(e["instrument_str"]) for e in examples))}
    numbered = {
        str(e["note_str"]): {"note": i, "instrument": instruments[str(e["instrument_str"])], **e}
        for i, e in enumerate(examples)
    }
    lines = ",\n".join(f"{json.dumps(name)}: {json.dumps(entry)}" for name, entry in numbered.items())
    encoded = f"{{\n{lines}\n}}\n".encode()
    atomic_write_bytes(directory / EXAMPLES_FILE, encoded)
    splits = {
        split: list(dict.fromkeys(str(e["instrument_str"]) for e in examples if e["split"] == split))
        for split in SPLITS
    }
    counts = {
        "notes": len(examples),
        "instruments": len(instruments),
        "instruments_that_differ": len({str(e["group"]) for e in examples}),
        "silent_notes_left_out": n_silent,
        "notes_by_split": {split: sum(e["split"] == split for e in examples) for split in SPLITS},
        "notes_by_family": dict(sorted(Counter(str(e["instrument_family_str"]) for e in examples).items())),
    }
    manifest = _header(set_settings, complete=True) | {
        "splits": splits,
        "counts": counts,
        "alike": [[pair.first, pair.second, pair.distance_db] for pair in alike],
        "left_out": list(left_out),
        "examples_sha256": hashlib.sha256(encoded).hexdigest(),
    }
    _write_json(directory / MANIFEST_FILE, manifest)


def read_manifest(directory: Path) -> dict[str, object] | None:
    """The manifest, or None where there is none. Raises TetradError for another format or a newer version."""
    path = directory / MANIFEST_FILE
    expected = f"a note set of format {FORMAT}, version 1 to {FORMAT_VERSION}, was expected"
    remedy = "name another directory, or make one with `tetrad model data`"
    try:
        manifest: object = json.loads(path.read_bytes())
    except FileNotFoundError:
        return None
    except NotADirectoryError as error:
        raise TetradError(f"{directory} is not a directory; {expected}; {remedy}") from error
    except (OSError, ValueError) as error:
        raise TetradError(f"cannot read {path} ({error}); {expected}; {remedy}") from error
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        found = manifest.get("format") if isinstance(manifest, dict) else type(manifest).__name__
        raise TetradError(f"{path} is of format {found!r}; {expected}; {remedy}")
    if manifest.get("format_version") not in _READABLE:
        raise TetradError(
            f"{path} is of version {manifest.get('format_version')!r}; {expected}; update Tetrad or make the set again"
        )
    return manifest


def _header(set_settings: dict[str, object], *, complete: bool) -> dict[str, object]:
    return {"format": FORMAT, "format_version": FORMAT_VERSION, "complete": complete, "settings": set_settings}


def _write_json(path: Path, value: dict[str, object]) -> None:
    atomic_write_bytes(path, (json.dumps(value, indent=1, ensure_ascii=False) + "\n").encode())
