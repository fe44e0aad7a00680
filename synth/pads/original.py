"""import the pads of an Open NSynth Super: its .bin files, described by its settings.json

A `.bin` has no header: int16, little endian, 16 kHz, rows [y][x][pitch] of `length` samples (60,000). Its name is the
four instruments' names with `_` between them; what it holds is in one of the original's two settings files:

* the app's (`app/open-nsynth/bin/data`): `nsynth` with resolution, pitches, length, sampleRate, looping, loopStart and
  loopEnd (shares of the length), and `corners`, four lists of instruments: top left, top right, bottom left, bottom
  right.
* the pipeline's (`audio`): `pads` with lists for NW, NE, SW and SE, pitches, resolution, final_length.

Where the sounds are, in googlecreativelab/open-nsynth-super: `06_build_pads.py` takes the instruments in the order NW,
NE, SE, SW, but `utils.get_weights` gives the four weights to the places (0, 0), (1, 0), (0, 1), (1, 1), and the app
draws row 0 at the top and the instruments at top left, top right, bottom left, bottom right. So the first two are where
the settings say, the third, set as SE, sounds in the south-west, and the fourth, set as SW, in the south-east. No order
of cells can put that right (the blends along the west edge are of the first and the third), so an imported pad has the
cells as they are, turned so that row 0 is the south, and each corner is called by what sounds there.
"""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from synth.command import add_json_argument, print_json, progress_bar
from synth.control.json_document import brief, parse_json, read_bounded
from synth.errors import TetradError
from synth.pads.pad_file import SAMPLE, PadWriter
from synth.pads.pad_header import SAMPLE_BYTES, SUFFIX, PadSpec

SAMPLE_RATE_HZ, LENGTH = 16_000, 60_000
"""Of the original, where its settings do not say."""
LOOP = (0.2, 0.41)
"""Shares of the length between which the original's app loops, where its settings do not say."""
VELOCITY = 100
"""Its notes have none; the app plays them as they are at 127, Tetrad at this, a forte."""
_MOST_SETTINGS_BYTES = 1 << 20
_MOST_COMBINATIONS = 1 << 16
_EXPECTED = "settings.json of Open NSynth Super's app or of its pipeline"


@dataclass(frozen=True)
class OriginalSettings:
    """What a settings.json says. groups: instruments of the 1st, 2nd, 3rd and 4th part of a file's name. compass: what
    the settings call these four corners. loop: samples from a row's beginning; 0, 0: none."""

    groups: tuple[tuple[str, ...], ...]
    compass: tuple[str, str, str, str]
    pitches: tuple[int, ...]
    resolution: int
    length: int
    sample_rate_hz: int
    loop: tuple[int, int]

    def names_of(self, stem: str) -> tuple[str, str, str, str]:
        """The four instruments of a file of this name. TetradError where the settings have no such combination."""
        found = [names for names in itertools.product(*self.groups) if "_".join(names) == stem]
        if len(found) != 1:
            how = "no" if not found else "more than one"
            raise TetradError(
                f"{stem}.bin: the settings have {how} such combination; the names of one instrument of each of "
                f"{', '.join(self.compass)} with _ between them were expected, as in {self._example()}.bin; name the "
                "settings that it was made with"
            )
        nw, ne, third, fourth = found[0]
        return nw, ne, third, fourth

    def _example(self) -> str:
        return "_".join(group[0] for group in self.groups)


def read_settings(path: Path) -> OriginalSettings:
    """The original's settings, of either kind. TetradError for anything else."""
    content = parse_json(read_bounded(path, _MOST_SETTINGS_BYTES, _EXPECTED), str(path), _EXPECTED)
    if isinstance(content, dict) and "nsynth" in content and "corners" in content:
        return _app_settings(path, content)
    if isinstance(content, dict) and "pads" in content:
        return _pipeline_settings(path, content)
    raise TetradError(f'{path} has neither "nsynth" and "corners" nor "pads"; {_EXPECTED} was expected; name another')


def _app_settings(path: Path, content: Mapping[str, Any]) -> OriginalSettings:
    nsynth, corners = content["nsynth"], content["corners"]
    if not isinstance(nsynth, dict) or not isinstance(corners, list) or len(corners) != 4:
        raise TetradError(f'{path}: "nsynth" is not an object, or "corners" are not four; {_EXPECTED} was expected')
    groups = []
    for i, corner in enumerate(corners):
        instruments = corner.get("instruments") if isinstance(corner, dict) else None
        if not isinstance(instruments, list):
            raise TetradError(f'{path}: corner {i + 1} of 4 has no list of "instruments"; {_EXPECTED} was expected')
        groups.append([entry.get("name") if isinstance(entry, dict) else None for entry in instruments])
    length = _whole(path, nsynth, "length", LENGTH, 1, 60 * 192_000)
    loop = (0, 0)
    if nsynth.get("looping", True) is not False:
        # As the app does: from the smaller to the larger.
        shares = sorted((_share(path, nsynth, "loopStart", LOOP[0]), _share(path, nsynth, "loopEnd", LOOP[1])))
        loop = int(shares[0] * length), int(shares[1] * length)
    return OriginalSettings(
        groups=_groups(path, groups),
        compass=("top left", "top right", "bottom left", "bottom right"),
        pitches=_pitches(path, nsynth.get("pitches")),
        resolution=_whole(path, nsynth, "resolution", None, 2, 33),
        length=length,
        sample_rate_hz=_whole(path, nsynth, "sampleRate", SAMPLE_RATE_HZ, 8_000, 192_000),
        loop=loop if loop[1] > loop[0] else (0, 0),
    )


def _pipeline_settings(path: Path, content: Mapping[str, Any]) -> OriginalSettings:
    pads = content["pads"]
    order = ("NW", "NE", "SE", "SW")
    if not isinstance(pads, dict) or set(pads) != set(order) or not all(isinstance(pads[c], list) for c in order):
        raise TetradError(f'{path}: "pads" does not have lists for NW, NE, SW and SE; {_EXPECTED} was expected')
    length = _whole(path, content, "final_length", LENGTH, 1, 60 * 192_000)
    return OriginalSettings(
        groups=_groups(path, [pads[corner] for corner in order]),
        compass=order,
        pitches=_pitches(path, content.get("pitches")),
        resolution=_whole(path, content, "resolution", None, 2, 33),
        length=length,
        sample_rate_hz=SAMPLE_RATE_HZ,
        loop=(int(LOOP[0] * length), int(LOOP[1] * length)),
    )


def _groups(path: Path, groups: Sequence[Sequence[Any]]) -> tuple[tuple[str, ...], ...]:
    combinations = 1
    for group in groups:
        if not group or not all(isinstance(name, str) and 1 <= len(name) <= 100 for name in group):
            raise TetradError(
                f"{path}: a corner's instruments are {brief(list(group))}; at least one name was expected"
            )
        combinations *= len(group)
    if combinations > _MOST_COMBINATIONS:
        raise TetradError(f"{path} has {combinations} combinations of instruments; at most {_MOST_COMBINATIONS} can be")
    return tuple(tuple(group) for group in groups)


def _pitches(path: Path, value: Any) -> tuple[int, ...]:
    whole = isinstance(value, list) and all(isinstance(p, int) and not isinstance(p, bool) for p in value)
    if not whole or not value or list(value) != sorted(set(value)) or not 0 <= value[0] <= value[-1] <= 127:
        raise TetradError(f"{path}: pitches are {brief(value)}; MIDI numbers, rising, were expected; correct them")
    return tuple(value)


def _whole(path: Path, content: Mapping[str, Any], key: str, default: int | None, low: int, high: int) -> int:
    value = content.get(key, default)
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise TetradError(f"{path}: {key} is {brief(value)}; a whole number from {low} to {high} was expected")
    return value


def _share(path: Path, content: Mapping[str, Any], key: str, default: float) -> float:
    value = content.get(key, default)
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not 0.0 <= value <= 1.0:
        raise TetradError(f"{path}: {key} is {brief(value)}; a share of the length, 0 to 1, was expected")
    return float(value)


def import_pad(source: Path, settings: OriginalSettings, target: Path) -> PadSpec:
    """Makes `target` of one of the original's files. TetradError where the file does not match its settings."""
    nw, ne, sw, se = settings.names_of(source.stem)
    resolution, length, pitches = settings.resolution, settings.length, settings.pitches
    expected = resolution**2 * len(pitches) * length * SAMPLE_BYTES
    try:
        size = source.stat().st_size
        if size != expected:
            raise TetradError(
                f"{source} {_what_is_wrong(size, expected)}: it has {size} bytes; {expected} were expected for "
                f"{resolution} by {resolution} cells of {len(pitches)} pitches of {length} samples; "
                "copy it again, or name the settings that it was made with"
            )
        data = np.memmap(source, SAMPLE, "r", 0, (resolution, resolution, len(pitches), length))
    except OSError as error:
        raise TetradError(f"cannot read {source}: {error.strerror}; a pad of the original was expected") from error
    spec = PadSpec(
        name=source.stem,
        corners=(nw, ne, sw, se),
        pitches=pitches,
        resolution=resolution,
        sample_rate_hz=settings.sample_rate_hz,
        row_samples=length,
        velocity=VELOCITY,
        source="Open NSynth Super",
    )
    with PadWriter(target, spec) as writer, progress_bar(spec.n_rows, description=source.name, unit="rows") as bar:
        for y, x, pitch in writer.missing():
            # The original's row 0 is at the top.
            writer.write(y, x, pitch, np.array(data[resolution - 1 - y, x, pitch]), loop=settings.loop)
            bar.update(1)
        writer.finish()
    return spec


def _what_is_wrong(size: int, expected: int) -> str:
    return "is truncated, or its settings are another pad's" if size < expected else "does not match its settings"


def remark(settings: OriginalSettings, spec: PadSpec) -> str:
    """Where the corners were found, in a line."""
    places = ("north-west", "north-east", "south-west", "south-east")
    found = ", ".join(f"{name} in the {place}" for name, place in zip(spec.corners, places, strict=True))
    if settings.compass[2] != "SE":
        return found
    return (
        f"{found}; the settings have {spec.corners[2]} as SE and {spec.corners[3]} as SW, but the original's pipeline "
        "gives the third instrument the weights of the place that its app draws at bottom left"
    )


class ImportCommand:
    """`tetrad pads import FILE.bin... --settings settings.json`"""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("files", metavar="FILE.bin", nargs="+", type=Path, help="pads of the original")
        parser.add_argument(
            "--settings", metavar="settings.json", type=Path, required=True, help="the app's or the pipeline's"
        )
        parser.add_argument("--folder", type=Path, default=Path(), help=f"where NAME{SUFFIX} goes (default: here)")
        add_json_argument(parser)

    def run(self, args: argparse.Namespace) -> int:
        settings = read_settings(args.settings)
        for source in args.files:
            settings.names_of(source.stem)  # all of them, before the first is written
        results = []
        for source in args.files:
            target = args.folder / (source.stem + SUFFIX)
            spec = import_pad(source, settings, target)
            words = remark(settings, spec)
            results.append({"path": target, "corners": list(spec.corners), "rows": spec.n_rows, "found": words})
            if not args.json:
                print(f"{target}: {spec.n_rows} notes; {words}")
        if args.json:
            print_json({"pads": results})
        return 0
