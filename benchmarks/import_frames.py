"""Frames of a film from a recording to a corner, 800 by 480: what the engine's status and notices said, drawn."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from synth.frames import SAMPLE_RATE_HZ, Float32Array
from synth.instruments.portrait import HEIGHT, MARGIN, WIDTH, plain
from synth.instruments.portrait_panels import FAINT, LOOP, ONSET, PANEL, PEAKS, RELEASE, SCALE, WAVE, Box, font
from synth.io.spectrogram import GRID, INK, PAPER, level_colours, spectrogram_db

STEPS = ("waiting", "taking", "cut", "listening", "analysing", "writing", "in the corner")
LOWEST_DBFS = -60.0
_MAIN = (MARGIN, 62, WIDTH - MARGIN, 340)
_BAR = (MARGIN, 358, WIDTH - MARGIN, 380)
_WORDS_Y, _STEPS_Y = 402, 446


@dataclass(frozen=True)
class Level:
    """The input at one moment: seconds since it was opened, peak of the last 50 ms and of the last 1.5 s, and whether
    a note was being taken."""

    at_s: float
    dbfs: float
    held_dbfs: float
    taking: bool


def level_frame(step: str, words: str, levels: list[Level], whole_s: float) -> Image.Image:
    """The input while it is recorded. levels: up to now; whole_s: what the panel holds from edge to edge."""
    image, draw = _frame(step, words, levels[-1].at_s)
    left, top, right, bottom = _panel(draw, _MAIN)
    middle, half = (top + bottom) / 2, 0.46 * (bottom - top)
    draw.line((left, middle, right, middle), GRID, SCALE)
    per_s = (right - left) / whole_s
    for before, level in itertools.pairwise(levels):
        reach = max(half * _share(level.dbfs), SCALE)
        colour = WAVE if level.taking else FAINT
        box = left + per_s * before.at_s, middle - reach, left + per_s * level.at_s - 1, middle + reach
        draw.rectangle(box, colour)
        if level.taking != before.taking:
            x = left + per_s * before.at_s
            draw.line((x, top, x, bottom), ONSET if level.taking else RELEASE, 2 * SCALE)
            word = "trigger" if level.taking else "cut"
            draw.text((x + 6 * SCALE, top + 6 * SCALE), word, ONSET if level.taking else RELEASE, font(16))
    _meter(draw, levels[-1])
    return image.resize((WIDTH, HEIGHT), Image.Resampling.BOX)


def import_frame(step: str, words: str, take: Float32Array, share: float, at_s: float) -> Image.Image:
    """The note as it was taken, float32 [N], and how much of the way is done, 0..1."""
    image, draw = _frame(step, words, at_s)
    left, top, right, bottom = _panel(draw, _MAIN)
    middle, half = (top + bottom) / 2, 0.46 * (bottom - top)
    edges = np.linspace(0, take.size, right - left + 1).astype(np.int64)[:-1]
    peak = max(float(np.abs(take).max()), 1e-9)
    for column, (high, low) in enumerate(
        zip(np.maximum.reduceat(take, edges) / peak, np.minimum.reduceat(take, edges) / peak, strict=True)
    ):
        x = left + column
        draw.line((x, middle - half * high, x, middle - half * low + 1), WAVE)
    bar = _panel(draw, _BAR)
    draw.rounded_rectangle((bar[0], bar[1], bar[0] + max(share, 0.01) * (bar[2] - bar[0]), bar[3]), 6, LOOP)
    return image.resize((WIDTH, HEIGHT), Image.Resampling.BOX)


def corner_frame(step: str, words: str, sounds: dict[str, Float32Array | None], at_s: float) -> Image.Image:
    """Spectrograms side by side, 40 Hz to 16 kHz, by what they are called; None is yet to come."""
    image, draw = _frame(step, words, at_s)
    left, top, right, bottom = (SCALE * edge for edge in (_MAIN[0], _MAIN[1] + 24, _MAIN[2], _BAR[3]))
    gap = 12 * SCALE
    width = (right - left - gap * (len(sounds) - 1)) // len(sounds)
    for n, (name, sound) in enumerate(sounds.items()):
        x = left + n * (width + gap)
        draw.text((x, top - 8 * SCALE), name, INK, font(16), anchor="ls")
        draw.rounded_rectangle((x, top, x + width, bottom), 6, PANEL)
        if sound is None:
            continue
        colours = Image.fromarray(level_colours(spectrogram_db(sound[:, None], SAMPLE_RATE_HZ)))
        image.paste(colours.resize((width, bottom - top), Image.Resampling.BOX), (x, top))
    return image.resize((WIDTH, HEIGHT), Image.Resampling.BOX)


def contact_sheet(frames: list[Image.Image], columns: int, width: int) -> Image.Image:
    """Frames in rows, each so wide, in 256 colours chosen from them: a third of the bytes, and no difference to see."""
    height, gap = round(width * HEIGHT / WIDTH), 6
    rows = -(-len(frames) // columns)
    sheet = Image.new("RGB", (columns * (width + gap) + gap, rows * (height + gap) + gap), (70, 70, 80))
    for n, frame in enumerate(frames):
        at = gap + n % columns * (width + gap), gap + n // columns * (height + gap)
        sheet.paste(frame.convert("RGB").resize((width, height), Image.Resampling.LANCZOS), at)
    return sheet.quantize(256, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)


def _frame(step: str, words: str, at_s: float) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    """An empty one, SCALE times as large as it is shown: title, clock, words, and the steps with this one lit."""
    image = Image.new("RGB", (WIDTH * SCALE, HEIGHT * SCALE), PAPER)
    draw = ImageDraw.Draw(image, "RGBA")
    draw.text((MARGIN * SCALE, 38 * SCALE), step.capitalize(), INK, font(24), anchor="ls")
    draw.text(((WIDTH - MARGIN) * SCALE, 38 * SCALE), f"{at_s:.1f} s", FAINT, font(20), anchor="rs")
    draw.text((MARGIN * SCALE, _WORDS_Y * SCALE), plain(words), INK, font(18), anchor="lm")
    width = (WIDTH - 2 * MARGIN) / len(STEPS)
    for n, name in enumerate(STEPS):
        x, y = (MARGIN + n * width) * SCALE, _STEPS_Y * SCALE
        done = n < STEPS.index(step)
        colour = LOOP if done else WAVE if name == step else PANEL
        draw.rounded_rectangle((x, y - 12 * SCALE, x + (width - 6) * SCALE, y + 12 * SCALE), 8 * SCALE, colour)
        middle = x + (width - 6) * SCALE / 2
        draw.text((middle, y), name, PAPER if done or name == step else FAINT, font(15), anchor="mm")
    return image, draw


def _meter(draw: ImageDraw.ImageDraw, level: Level) -> None:
    left, top, right, bottom = _panel(draw, (_BAR[0], _BAR[1], _BAR[2] - 108, _BAR[3]))
    width = right - left
    draw.rounded_rectangle((left, top, left + width * max(_share(level.dbfs), 0.005), bottom), 6, WAVE)
    x = left + width * _share(level.held_dbfs)
    draw.line((x, top, x, bottom), PEAKS, 2 * SCALE)
    at = (_BAR[2] * SCALE, (top + bottom) / 2)
    draw.text(at, f"{level.held_dbfs:.1f} dBFS", INK, font(16), anchor="rm")


def _panel(draw: ImageDraw.ImageDraw, shown: Box) -> Box:
    left, top, right, bottom = (SCALE * edge for edge in shown)
    draw.rounded_rectangle((left, top, right, bottom), 6, PANEL)
    return left, top, right, bottom


def _share(dbfs: float) -> float:
    return 1.0 - max(min(dbfs, 0.0), LOWEST_DBFS) / LOWEST_DBFS
