"""Pictures of sounds as in the NSynth paper: constant-Q magnitude as lightness, instantaneous frequency as colour.

Engel et al. 2017, section 4.1: "rainbowgrams". Time runs to the right, frequency upwards in octaves. The lightness is
the magnitude, 70 dB from black to full. The hue is the derivative of the phase, in turns from one frame to the next,
wrapped to -1/2..1/2: all bins of a steady partial have one colour, which stays; where the partial drifts or breaks up,
so does the colour. Two pictures are alike where the sounds are.
"""

from __future__ import annotations

import argparse
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from models.classifier.constant_q import ConstantQ
from models.dataset.reader import DATA_HELP, DEFAULT_DIRECTORY, NoteSet
from synth.errors import TetradError
from synth.files import atomic_write_bytes
from synth.frames import SAMPLE_RATE_HZ, Float32Array, pitch_to_hz
from synth.instruments.audio_files import read_note_audio
from synth.instruments.fidelity import Place, render_note
from synth.instruments.library import Library
from synth.voices.decoder import Decoder

RANGE_DB = 70.0
HOP = 768
"""Samples at 48 kHz: 16 ms, as 256 at the paper's 16 kHz."""
LOWEST_PITCH, OCTAVES, BINS_PER_OCTAVE = 24, 9, 48
CONSTANT_Q = ConstantQ(
    rate_hz=SAMPLE_RATE_HZ,
    lowest_hz=float(pitch_to_hz(LOWEST_PITCH)),  # 32.7 Hz, to 16.5 kHz
    bins_per_octave=BINS_PER_OCTAVE,
    n_bins=OCTAVES * BINS_PER_OCTAVE,
    n_fft=8192,
    sharpness=0.8,
)
PAPER, INK, GRID = (18, 18, 24), (222, 222, 230), (255, 255, 255, 40)
CELL_WIDTH, LABEL_HEIGHT, GAP, MARGIN = 375, 22, 12, 52
MOST_PATH_S = 4.0


@dataclass(frozen=True)
class Labelled:
    """A sound for a picture: float [n] at 48 kHz, one channel, any level."""

    label: str
    sound: npt.NDArray[np.floating]


def rainbow(sound: npt.NDArray[np.floating]) -> tuple[Float32Array, Float32Array]:
    """Level and phase derivative of a sound at 48 kHz: two float32 [T, 432], 16 ms and a quarter of a semitone apart.

    The level is 0 (70 dB below the loudest point, or less) to 1; the derivative is in turns per frame, -0.5..0.5: that
    of a steady tone is f 16 ms, less the nearest whole number. It belongs to the frame at the end of its step, and is 0
    in the first. Silence has level 0 everywhere. Raises TetradError for other shapes and samples that are not numbers.
    """
    if sound.ndim != 1 or sound.size < HOP:
        raise TetradError(f"a sound of shape {list(sound.shape)} has no picture; one channel, {HOP} samples, expected")
    if not np.isfinite(sound).all():
        raise TetradError("the sound to draw holds samples that are not numbers; finite ones were expected")
    spectrum = CONSTANT_Q.transform(sound, HOP)
    magnitude = np.abs(spectrum)
    loudest = float(magnitude.max())
    level_db = 20.0 * np.log10(np.maximum(magnitude, 1e-9) / max(loudest, 1e-9))
    level = np.clip(level_db / RANGE_DB + 1.0, 0.0, 1.0) if loudest > 1e-9 else np.zeros_like(level_db)
    turns = np.angle(spectrum[1:] * np.conj(spectrum[:-1])) / (2.0 * np.pi)
    return level.astype(np.float32), np.concatenate([np.zeros_like(turns[:1]), turns]).astype(np.float32)


def colours(level: Float32Array, turns: Float32Array) -> npt.NDArray[np.uint8]:
    """[T, bins] each to RGB uint8 [T, bins, 3]: phase falling by 1/6 is green, rising by 1/6 blue, by 1/2 red."""
    hue = np.round((turns % 1.0 + 0.5) % 1.0 * 255.0)
    hsv = np.stack([hue, np.full_like(hue, 190.0), np.round(level * 255.0)], axis=-1).astype(np.uint8)
    return np.asarray(Image.fromarray(hsv, "HSV").convert("RGB"))


def rainbowgrams(rows: Sequence[Sequence[Labelled]]) -> Image.Image:
    """A grid of labelled pictures, all with the same axes: a row for each note, say original, reconstruction, path.

    Every picture is as wide as the longest sound; shorter ones end in black. Raises TetradError for an empty grid.
    """
    if not rows or not all(rows):
        raise TetradError("a grid of rainbowgrams has an empty row; at least one sound in each was expected")
    n_samples = max(entry.sound.size for row in rows for entry in row)
    height = CONSTANT_Q.n_bins
    n_columns = max(len(row) for row in rows)
    width = MARGIN + n_columns * (CELL_WIDTH + GAP)
    image = Image.new("RGB", (width, len(rows) * (LABEL_HEIGHT + height + GAP) + LABEL_HEIGHT), PAPER)
    draw = ImageDraw.Draw(image, "RGBA")
    for r, row in enumerate(rows):
        top = r * (LABEL_HEIGHT + height + GAP) + LABEL_HEIGHT
        for c, entry in enumerate(row):
            left = MARGIN + c * (CELL_WIDTH + GAP)
            padded = np.pad(np.asarray(entry.sound, np.float32), (0, n_samples - entry.sound.size))
            picture = Image.fromarray(colours(*rainbow(padded)).swapaxes(0, 1)[::-1])
            image.paste(picture.resize((CELL_WIDTH, height), Image.Resampling.BOX), (left, top))
            draw.text((left, top - 4), entry.label, INK, ImageFont.load_default(13), anchor="ls")
            _draw_axes(draw, (left, top), n_samples / SAMPLE_RATE_HZ, with_names=c == 0)
    return image


def _draw_axes(draw: ImageDraw.ImageDraw, corner: tuple[int, int], duration_s: float, *, with_names: bool) -> None:
    left, top = corner
    bottom = top + CONSTANT_Q.n_bins
    small = ImageFont.load_default(11)
    for octave in range(OCTAVES):
        y = bottom - octave * BINS_PER_OCTAVE
        draw.line((left, y, left + CELL_WIDTH, y), GRID)
        if with_names:
            hz = float(CONSTANT_Q.frequencies_hz[octave * BINS_PER_OCTAVE])
            draw.text((left - 6, y), f"{hz:.0f} Hz", INK, small, anchor="rm")
    for second in range(1, int(duration_s) + 1):
        x = left + CELL_WIDTH * second / duration_s
        draw.line((x, bottom - 5, x, bottom), INK)
        draw.text((min(x, left + CELL_WIDTH - 8), bottom - 7), f"{second} s", INK, small, anchor="ms")


def write_rainbowgrams(path: Path, rows: Sequence[Sequence[Labelled]]) -> None:
    """Write a grid as PNG, atomically."""
    buffer = io.BytesIO()
    rainbowgrams(rows).save(buffer, "PNG", optimize=True)
    atomic_write_bytes(path, buffer.getvalue())


def path_sounds(west: str, east: str, key: int, n_points: int) -> list[Labelled]:
    """A key held for 3 s at evenly spaced points between two instruments of the library, as the engine plays it."""
    library, decoder = Library(), Decoder()
    one, other = library.load(west), library.load(east)
    sounds = []
    for x in np.linspace(0.0, 1.0, n_points):
        sound = render_note([one, other, one, other], Place(float(x), 1.0), key, 100, 3.0, MOST_PATH_S, decoder)
        sounds.append(Labelled(f"{west} {100 * (1 - x):.0f}%, {east} {100 * x:.0f}%, key {key}", sound))
    return sounds


class RainbowgramCommand:
    """`tetrad model rainbowgram SOUND|NOTE... OUT.png`"""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("sounds", nargs="*", metavar="SOUND", help="audio files, or names of notes of the note set")
        parser.add_argument("out", type=Path, metavar="OUT.png")
        parser.add_argument("--data", type=Path, default=DEFAULT_DIRECTORY, help=DATA_HELP)
        parser.add_argument("--path", nargs=2, metavar=("WEST", "EAST"), help="a row of points between two instruments")
        parser.add_argument("--key", type=int, default=60, help="MIDI note of the path (default %(default)s)")
        parser.add_argument("--points", type=int, default=5, help="points of the path (default %(default)s)")

    def run(self, args: argparse.Namespace) -> int:
        rows = [[Labelled(Path(name).stem, _sound(name, args.data))] for name in args.sounds]
        if args.path:
            if not 2 <= args.points <= 21:
                raise TetradError(f"a path of {args.points} points was asked for; 2 to 21 were expected")
            rows.append(path_sounds(args.path[0], args.path[1], args.key, args.points))
        if not rows:
            raise TetradError("there is nothing to draw; a sound, a note or --path was expected")
        write_rainbowgrams(args.out, rows if args.path else [[entry for row in rows for entry in row]])
        return 0


def _sound(name: str, directory: Path) -> npt.NDArray[np.float32]:
    path = Path(name)
    if path.suffix or path.exists():
        return read_note_audio(path)
    return NoteSet.open(directory).audio_48k(name)
