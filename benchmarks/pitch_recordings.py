"""Recordings by others that `benchmarks.pitch` listens to, where they are from, and what key each file has.

`python -m benchmarks.pitch_recordings FOLDER` fetches what npm and git can (1.2 GB). Debian's `sonic-pi-samples` is
read where the package puts it.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import tarfile
from dataclasses import dataclass
from pathlib import Path

DEBIAN_SAMPLES = Path("/usr/share/sonic-pi/samples")
TONEJS = {
    "bass": ("bass-electric",),
    "brass": ("french-horn", "trombone", "trumpet", "tuba"),
    "flute": ("flute",),
    "guitar": ("guitar-acoustic", "guitar-electric", "guitar-nylon"),
    "harp": ("harp",),
    "mallet": ("xylophone",),
    "organ": ("harmonium", "organ"),
    "piano": ("piano",),
    "reed": ("bassoon", "clarinet", "saxophone"),
    "string": ("cello", "contrabass", "violin"),
}
"""Instruments of tonejs-instruments (N. P. Brosowsky, CC BY 3.0), each an npm package: one dynamic each."""
PHILHARMONIA = {
    "brass": "french-horn|trombone|trumpet|tuba",
    "flute": "flute",
    "guitar": "banjo|guitar|mandolin",
    "reed": "bass-clarinet|bassoon|clarinet|contrabassoon|english-horn|oboe|saxophone",
    "string": "cello|double-bass|viola|violin",
}
"""Of the Philharmonia Orchestra's sound samples (free for any use but selling them as samples): six dynamics each."""
MISLABELLED = (
    # Whole series, by both estimators: an octave below their names, ...
    r"trombone_\w+_very-long_.*|trombone_\w+_1_(?:forte|fortissimo)_.*|bass-clarinet_c6_very-long_.*",
    # ... a semitone below, ...
    r"clarinet_\w+_1_fortissimo_.*",
    # ... and half a semitone from anywhere: every third note is as near to its neighbour's name.
    r"saxophone_.*",
)
NPM = {
    **{f"@audio-samples/piano-velocity{velocity}": f"salamander/velocity{velocity}" for velocity in (4, 8, 13)},
    **{f"tonejs-instrument-{name}-mp3": f"tonejs-instruments/{name}" for of in TONEJS.values() for name in of},
}
REPOSITORIES = {
    "philharmonia": "https://github.com/skratchdot/philharmonia-samples",
    "olpc-berklee": "https://github.com/Tonejs/audio",
    "weresax": "https://github.com/sfzinstruments/karoryfer.weresax",
    "black-and-green-guitars": "https://github.com/kmturley/karoryfer.black-and-green-guitars",
    "body-percussion": "https://github.com/sfzinstruments/body_percussion",
}
PITCH_CLASSES = {"c": 0, "d": 2, "e": 4, "f": 5, "g": 7, "a": 9, "b": 11}


@dataclass(frozen=True)
class Kind:
    """Files of a collection that are labelled one way. `pattern` matches the whole path below the collection, lower
    case, with the groups note, accidental, octave where the name says the key; without them it has none. `lowest` is
    the key of the collection's c0."""

    collection: str
    family: str
    pattern: str
    lowest: int = 12


NOTE = r"(?P<note>[a-g])(?P<accidental>[#bs]?)(?P<octave>-?\d)"
DULL = (
    "water|doorslam|door_|tearing|paper|camera|eating|shaker|velcro|footsteps|pebbles|rice_|crinkle|foil|snare|"
    "cymbolscratch|clap|drumming|chewing|kicking|stomp|trashcan_|garbage|gravel|packingtape|rain_|keys_|toothbrush|"
    "brush|spray|crackling|dust|styrofoam|waves|shovel|sweep|paper|fiberboard|cardboard|leaves"
)
KINDS = (
    # All but two of the trumpet's, which are an octave above their names, below what a trumpet has.
    *(
        Kind("tonejs-instruments", family, rf"(?!trumpet/(?:as3|c3))(?:{'|'.join(names)})/{NOTE}\.mp3")
        for family, names in TONEJS.items()
    ),
    # Of its lengths the second and the plucked ones; how it is played in other ways than the usual is left out.
    *(
        Kind(
            "philharmonia",
            family,
            rf"audio/[^/]+/(?!{'|'.join(MISLABELLED)})(?:{names})_{NOTE}_(?:1|very-long)_[a-z-]+_(?:arco-)?normal\.mp3",
        )
        for family, names in PHILHARMONIA.items()
    ),
    # Salamander Grand Piano, Alexander Holm, CC BY 3.0; as npm packages (MIT): a Yamaha C5 in 16 velocities.
    Kind("salamander", "piano", rf"velocity\d+/audio/{NOTE}v\d+\.ogg"),
    # OLPC Sound Samples, Berklee, CC BY 3.0: singers, a piano, and much that has no key.
    Kind("olpc-berklee", "voice", rf"(?:berklee/)?(?:fe)?malevoices?_(?:aa|oo)2?_(?:femalevoice_oo_)?{NOTE}\.mp3"),
    Kind("olpc-berklee", "piano", rf"(?:berklee/)?piano_{NOTE}\.mp3"),
    Kind("olpc-berklee", "unpitched", rf"(?:berklee/)?(?:{DULL})[^/]*\.mp3"),
    # Weresax, Karoryfer, free for any use: an alto saxophone, soft and loud, two microphones.
    Kind("weresax", "reed", rf"samples/alto/{NOTE}_[pf]_rr1_\w+\.wav", lowest=24),
    # Black And Green Guitars, Karoryfer, CC0: two electric guitars; plucked, damped.
    Kind("black-and-green-guitars", "guitar", rf"samples/\w+/ord/twang_{NOTE}_\w+_rr1\.wav", lowest=0),
    Kind("black-and-green-guitars", "guitar short", rf"samples/\w+/stac/staccato_{NOTE}_rr1\.wav", lowest=0),
    # Body percussion, CC0.
    Kind("body-percussion", "unpitched", r"samples/body/.*_rr1\.wav"),
    # Sonic Pi's samples, CC0 (Debian: sonic-pi-samples).
    Kind("sonic-pi-samples", "unpitched", r"(?:bd|sn|vinyl)_\w+\.flac|drum_(?!cowbell)\w+\.flac|perc_s\w+\.flac"),
)


@dataclass(frozen=True)
class LabelledFile:
    """`key`: MIDI, or None where the sound has none."""

    path: Path
    collection: str
    family: str
    key: int | None


def labelled_files(folder: Path) -> list[LabelledFile]:
    """Every file of KINDS under `folder`/COLLECTION; collections that are missing are left out."""
    found: list[LabelledFile] = []
    for kind in KINDS:
        root = folder / kind.collection
        if kind.collection == "sonic-pi-samples" and not root.exists():
            root = DEBIAN_SAMPLES
        pattern = re.compile(kind.pattern)
        for place, _, names in os.walk(root, followlinks=True):
            for name in names:
                path = Path(place) / name
                match = pattern.fullmatch(path.relative_to(root).as_posix().lower())
                if match:
                    found.append(LabelledFile(path, kind.collection, kind.family, _key(match, kind.lowest)))
    return sorted(found, key=lambda file: str(file.path))


def _key(match: re.Match[str], lowest: int) -> int | None:
    groups = match.groupdict()
    if "note" not in groups:
        return None
    shift = {"#": 1, "s": 1, "b": -1, "": 0}[groups["accidental"]]
    return lowest + 12 * int(groups["octave"]) + PITCH_CLASSES[groups["note"]] + shift


def fetch(folder: Path) -> None:
    """Bring what is missing into `folder`/COLLECTION."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, address in REPOSITORIES.items():
        if not (folder / name).exists():
            subprocess.run(["git", "clone", "--quiet", "--depth", "1", address, str(folder / name)], check=True)
    for package, place in NPM.items():
        target = folder / place
        if target.exists():
            continue
        target.parent.mkdir(exist_ok=True)
        part = target.with_name(f"{target.name}.part")
        command = ["npm", "pack", "--silent", package]
        packed = subprocess.run(command, cwd=target.parent, check=True, capture_output=True, text=True).stdout.split()
        with tarfile.open(target.parent / packed[-1]) as archive:
            archive.extractall(part, filter="data")
        (part / "package").rename(target)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    args = parser.parse_args()
    fetch(args.folder)
    counts: dict[str, int] = {}
    for file in labelled_files(args.folder):
        kind = f"{file.collection}, {file.family}"
        counts[kind] = counts.get(kind, 0) + 1
    for kind, count in counts.items():
        print(f"{count:5} {kind}")


if __name__ == "__main__":
    main()
