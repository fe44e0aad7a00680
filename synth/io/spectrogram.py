"""A picture of a sound: time to the right, frequency upwards in octaves, level as colour."""

import io
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from synth.files import atomic_write_bytes

WINDOW = 8192  # samples; 170 ms at 48 kHz tell bass notes apart
LOW_HZ, HIGH_HZ = 40.0, 16_000.0
FLOOR_DB, CEILING_DB = -80.0, 0.0  # relative to the loudest point
PLOT_WIDTH, PLOT_HEIGHT = 1080, 480
MARGIN_LEFT, MARGIN_TOP, MARGIN_RIGHT, MARGIN_BOTTOM = 78, 52, 96, 54
TICKS_HZ = (50, 100, 200, 500, 1000, 2000, 5000, 10_000)
# Anchor colours from black over violet and orange to pale yellow, of evenly rising lightness.
ANCHORS = (
    (0, 0, 4),
    (28, 16, 68),
    (79, 18, 123),
    (129, 37, 129),
    (181, 54, 122),
    (229, 80, 100),
    (251, 135, 97),
    (254, 194, 135),
    (252, 253, 191),
)
PAPER, INK, GRID = (18, 18, 24), (222, 222, 230), (255, 255, 255, 34)


def spectrogram_db(samples: NDArray[np.float32], sample_rate_hz: int) -> NDArray[np.float32]:
    """Levels float32 [PLOT_HEIGHT, PLOT_WIDTH] in dB below the loudest point, FLOOR_DB..0; row 0 is HIGH_HZ.

    `samples`: float32 [n_samples, n_channels]; channels are averaged in power. Rows are spaced evenly in octaves. A
    row takes the largest bin within its width or, where bins are wider than rows, what lies between two bins.
    """
    n_samples = len(samples)
    padded = np.pad(samples, ((WINDOW // 2, WINDOW), (0, 0)))
    window = np.hanning(WINDOW).astype(np.float32)[:, None]
    row_hz = HIGH_HZ * (LOW_HZ / HIGH_HZ) ** (np.arange(PLOT_HEIGHT + 1) / PLOT_HEIGHT)
    row_bins = row_hz * WINDOW / sample_rate_hz
    row_edges = np.clip(np.round(row_bins[::-1]).astype(int), 0, WINDOW // 2)
    centre_bins = np.sqrt(row_bins[1:] * row_bins[:-1])[::-1]
    wide = np.diff(row_edges) >= 2
    picture = np.empty((PLOT_WIDTH, PLOT_HEIGHT), np.float32)
    for column in range(PLOT_WIDTH):
        start = column * n_samples // PLOT_WIDTH
        spectrum = np.fft.rfft(padded[start : start + WINDOW] * window, axis=0)
        power = np.square(np.abs(spectrum)).mean(axis=1).astype(np.float32)
        between = np.interp(centre_bins, np.arange(len(power)), power)
        picture[column] = np.where(wide, np.maximum.reduceat(power, row_edges[:-1]), between)
    loudest = max(float(picture.max()), 1e-20)
    levels = np.maximum(10.0 * np.log10(np.maximum(picture / loudest, 1e-20)), FLOOR_DB)
    return np.ascontiguousarray(levels.T[::-1], dtype=np.float32)


def write_spectrogram(path: Path | str, samples: NDArray[np.float32], sample_rate_hz: int, title: str) -> None:
    """Write a PNG of the sound, with axes in Hz and seconds and a legend in dB. Atomic; raises TetradError."""
    levels = spectrogram_db(samples, sample_rate_hz)
    image = Image.new("RGB", (MARGIN_LEFT + PLOT_WIDTH + MARGIN_RIGHT, MARGIN_TOP + PLOT_HEIGHT + MARGIN_BOTTOM), PAPER)
    image.paste(Image.fromarray(level_colours(levels)), (MARGIN_LEFT, MARGIN_TOP))
    _draw_axes(image, len(samples) / sample_rate_hz, title)
    buffer = io.BytesIO()
    image.save(buffer, "PNG", optimize=True)
    atomic_write_bytes(path, buffer.getvalue())


def level_colours(levels_db: NDArray[np.float32]) -> NDArray[np.uint8]:
    """RGB uint8 [..., 3] of levels in dB."""
    position = (levels_db - FLOOR_DB) / (CEILING_DB - FLOOR_DB) * (len(ANCHORS) - 1)
    places = np.arange(len(ANCHORS))
    channels = [np.interp(position, places, values) for values in zip(*ANCHORS, strict=True)]
    return np.stack(channels, axis=-1).round().astype(np.uint8)


def _draw_axes(image: Image.Image, duration_s: float, title: str) -> None:
    draw = ImageDraw.Draw(image, "RGBA")
    small, large = ImageFont.load_default(14), ImageFont.load_default(18)
    left, top, right, bottom = MARGIN_LEFT, MARGIN_TOP, MARGIN_LEFT + PLOT_WIDTH, MARGIN_TOP + PLOT_HEIGHT
    draw.text((left, top / 2), title, INK, large, anchor="lm")
    for tick_hz in TICKS_HZ:
        y = top + PLOT_HEIGHT * np.log(HIGH_HZ / tick_hz) / np.log(HIGH_HZ / LOW_HZ)
        draw.line((left, y, right, y), GRID)
        draw.line((left - 5, y, left, y), INK)
        draw.text((left - 9, y), f"{tick_hz // 1000} k" if tick_hz >= 1000 else str(tick_hz), INK, small, anchor="rm")
    draw.text((14, top / 2), "Hz", INK, small, anchor="lm")
    step_s = next((step for step in (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 60, 120, 300) if duration_s / step <= 14), 600)
    for index in range(int(duration_s / step_s) + 1):
        x = left + PLOT_WIDTH * index * step_s / max(duration_s, 1e-9)
        draw.line((x, top, x, bottom), GRID)
        draw.line((x, bottom, x, bottom + 5), INK)
        draw.text((x, bottom + 9), f"{index * step_s:g}", INK, small, anchor="mt")
    draw.text((right, bottom + 28), "seconds", INK, small, anchor="rt")
    legend = np.linspace(CEILING_DB, FLOOR_DB, PLOT_HEIGHT, dtype=np.float32)[:, None].repeat(16, axis=1)
    image.paste(Image.fromarray(level_colours(legend)), (right + 22, top))
    for level_db in range(int(FLOOR_DB), int(CEILING_DB) + 1, 20):
        y = top + PLOT_HEIGHT * (CEILING_DB - level_db) / (CEILING_DB - FLOOR_DB)
        draw.text((right + 44, y), str(level_db), INK, small, anchor="lm")
    draw.text((right + 22, top / 2), "dB", INK, small, anchor="lm")
