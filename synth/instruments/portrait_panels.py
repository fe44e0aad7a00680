"""The three panels of a note's portrait: its waveform, its pitch against the key, its partials over time.

They are drawn twice as large as they are shown, since Pillow's lines have no smooth edges of their own.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from synth.frames import (
    FRAME_RATE_HZ,
    HIGHEST_PARTIAL_HZ,
    HOP,
    SAMPLE_RATE_HZ,
    Float32Array,
    partial_frequencies_hz,
    pitch_to_hz,
)
from synth.instruments.analysis import common_deviation_cents, demodulate, window_length
from synth.instruments.format import Note
from synth.instruments.noise_bands import noise_bands
from synth.io.spectrogram import FLOOR_DB, GRID, INK, level_colours

SCALE = 2
LONGEST_SHOWN_S = 12.0
FEWEST_PARTIALS, MOST_PARTIALS = 6, 24
FAINTEST_PARTIAL_DB = -70.0
"""Below the loudest partial: where there are no stronger ones higher up, the picture ends."""
AUDIBLE_DB = -50.0
"""Below the loudest frame: softer frames have no pitch to show."""
PANEL, FAINT = (30, 30, 39), (150, 150, 162)
PEAKS, WAVE, PITCH = (168, 76, 84), (251, 135, 97), (252, 253, 191)
ONSET, LOOP, RELEASE = (126, 214, 160), (74, 186, 196), (229, 80, 100)

Box = tuple[int, int, int, int]
"""left, top, right, bottom, in drawn pixels."""


@functools.cache
def font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Pillow's own, for text of `size` shown pixels."""
    return ImageFont.load_default(size * SCALE)


@dataclass(frozen=True)
class NoteView:
    """What there is to draw of a note: `audio` float32 [N], the stretch that is shown; `levels_db` float32
    [T, K], the partials', or the noise bands' of a sound without pitch, 0 the loudest; `cents` float32 [T] against the
    key, NaN where nothing is to be heard; times in seconds of the note."""

    audio: Float32Array
    levels_db: Float32Array
    cents: Float32Array
    pitched: bool
    loop_s: tuple[float, float] | None
    release_s: float | None

    @property
    def duration_s(self) -> float:
        return self.audio.size / SAMPLE_RATE_HZ


def look(note: Note, audio: Float32Array, pitched: bool) -> NoteView:
    """Measure the view of a note of an instrument, from the recording that it was made of."""
    shown = audio[: round(LONGEST_SHOWN_S * SAMPLE_RATE_HZ)]
    n_frames = -(-shown.size // HOP)
    f0_hz = float(pitch_to_hz(note.pitch + note.tuning_cents / 100.0))
    cents = np.full(n_frames, np.nan, np.float32)
    if pitched:
        if note.ratios is None:
            frequency_hz = partial_frequencies_hz(f0_hz, note.inharmonicity)[:MOST_PARTIALS]
        else:
            frequency_hz = f0_hz * note.ratios[:MOST_PARTIALS].astype(np.float64)
        frequency_hz = frequency_hz[(frequency_hz > 0.0) & (frequency_hz < HIGHEST_PARTIAL_HZ)]
        amplitude = demodulate(shown, frequency_hz, window_length(f0_hz))
        levels = 20.0 * np.log10(np.abs(amplitude) + 1e-9)
        audible = np.flatnonzero(levels.max(axis=0) > levels.max() + FAINTEST_PARTIAL_DB)
        levels = levels[:, : max(int(audible[-1]) + 1, FEWEST_PARTIALS)]
        deviation = note.tuning_cents + common_deviation_cents(amplitude, frequency_hz)
        loudest = levels.max(axis=1)
        cents = np.where(loudest > loudest.max() + AUDIBLE_DB, deviation, np.nan).astype(np.float32)
    else:
        levels = noise_bands(shown).astype(np.float64)
    levels_db = np.clip(levels - levels.max(), FLOOR_DB, 0.0).astype(np.float32)
    loop_s = (note.loop_start / FRAME_RATE_HZ, note.loop_end / FRAME_RATE_HZ) if note.loop_end else None
    release_s = note.release_start / FRAME_RATE_HZ if note.release_start < note.n_frames else None
    return NoteView(shown, levels_db, cents, pitched, loop_s, release_s)


def draw_waveform(draw: ImageDraw.ImageDraw, view: NoteView, box: Box) -> None:
    """Lowest and highest sample of each column, with the onset, the loop and the release."""
    left, top, right, bottom = box
    draw.rounded_rectangle(box, 6, PANEL)
    width, middle, half = right - left, (top + bottom) / 2, 0.46 * (bottom - top)
    edges = np.linspace(0, view.audio.size, width + 1).astype(np.int64)[:-1]
    peak = max(float(np.abs(view.audio).max()), 1e-9)
    high, low = np.maximum.reduceat(view.audio, edges) / peak, np.minimum.reduceat(view.audio, edges) / peak
    if view.loop_s is not None:
        start, end = (_x(view, t, box) for t in view.loop_s)
        draw.rectangle((start, top, end, bottom), (*LOOP, 44))
    draw.line((left, middle, right, middle), GRID)
    sizes = np.maximum(np.diff(np.append(edges, view.audio.size)), 1)
    power = np.add.reduceat(np.square(view.audio, dtype=np.float64), edges) / sizes
    rms = np.sqrt(power) / peak
    for column in range(width):
        x = left + column
        draw.line((x, middle - half * high[column], x, middle - half * low[column] + 1), PEAKS)
        draw.line((x, middle - half * rms[column], x, middle + half * rms[column] + 1), WAVE)
    _upright(draw, left + SCALE, box, ONSET)
    if view.loop_s is not None:
        for time_s in view.loop_s:
            _upright(draw, _x(view, time_s, box), box, LOOP)
    if view.release_s is not None:
        _upright(draw, _x(view, view.release_s, box), box, RELEASE)


def draw_pitch(draw: ImageDraw.ImageDraw, view: NoteView, box: Box) -> None:
    """Cents against the key, which is the line in the middle; words for a sound without pitch."""
    left, top, right, bottom = box
    draw.rounded_rectangle(box, 6, PANEL)
    middle = (top + bottom) / 2
    if not view.pitched:
        draw.text(((left + right) / 2, middle), "no pitch: the same on every key", FAINT, font(11), anchor="mm")
        return
    reach = float(np.nanpercentile(np.abs(view.cents), 98))
    span = next((s for s in (25.0, 50.0, 100.0, 200.0) if reach < 0.9 * s), 400.0)
    draw.line((left, middle, right, middle), (*INK, 120))
    x = left + np.arange(view.cents.size) * HOP / view.audio.size * (right - left)
    y = middle - np.clip(view.cents / span, -1.0, 1.0) * 0.46 * (bottom - top)
    seen = np.flatnonzero(np.isfinite(y))
    for run in np.split(seen, np.flatnonzero(np.diff(seen) > 1) + 1):
        if run.size > 1:
            draw.line(list(zip(x[run].tolist(), y[run].tolist(), strict=True)), PITCH, 3, joint="curve")
    unit = " cents" if right - left > 300 * SCALE else ""
    _label(draw, (right - 8, top + 6), f"+{span:.0f}{unit}", "rt", PANEL)
    _label(draw, (right - 8, bottom - 6), f"-{span:.0f}", "rb", PANEL)


def draw_levels(image: Image.Image, draw: ImageDraw.ImageDraw, view: NoteView, box: Box) -> None:
    """Levels as colour: partial 1, or the lowest band, at the bottom; time to the right."""
    left, top, right, bottom = box
    n_rows = view.levels_db.shape[1]
    gap = SCALE if view.pitched and (bottom - top) // n_rows > 2 * SCALE else 0
    draw.rounded_rectangle(box, 6, PANEL)
    colours = level_colours(np.ascontiguousarray(view.levels_db.T[::-1]))
    row_edges = np.linspace(top, bottom, n_rows + 1).round().astype(int)
    for row in range(n_rows):
        height = int(row_edges[row + 1] - row_edges[row]) - gap
        strip = Image.fromarray(colours[row : row + 1]).resize(
            (right - left, max(height, 1)), Image.Resampling.BILINEAR
        )
        image.paste(strip, (left, int(row_edges[row])))
    what = f"partials 1 to {n_rows}" if view.pitched else "noise, 20 Hz to 20 kHz"
    _label(draw, (right - 8, top + 6), what, "rt", (0, 0, 4))


def draw_time(draw: ImageDraw.ImageDraw, view: NoteView, left: int, right: int, top: int) -> None:
    """Seconds under a panel, at most eight numbers."""
    steps = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
    step_s = next(s for s in steps if view.duration_s / s <= 8 or s == steps[-1])
    for index in range(int(view.duration_s / step_s) + 1):
        x = left + (right - left) * index * step_s / view.duration_s
        draw.line((x, top, x, top + 4 * SCALE), FAINT)
        anchor = "lt" if index == 0 else "rt" if right - x < 20 * SCALE else "mt"
        unit = " s" if index == 0 else ""
        draw.text((x, top + 5 * SCALE), f"{index * step_s:g}{unit}", FAINT, font(9), anchor=anchor)


def _label(
    draw: ImageDraw.ImageDraw, at: tuple[float, float], text: str, anchor: str, ground: tuple[int, int, int]
) -> None:
    draw.text(at, text, INK, font(9), anchor=anchor, stroke_width=4, stroke_fill=ground)


def _x(view: NoteView, time_s: float, box: Box) -> float:
    return box[0] + (box[2] - box[0]) * min(time_s / view.duration_s, 1.0)


def _upright(draw: ImageDraw.ImageDraw, x: float, box: Box, colour: tuple[int, int, int]) -> None:
    draw.line((x, box[1], x, box[3]), colour, 3)
