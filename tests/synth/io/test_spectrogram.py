"""The picture shows the sound: what is at which height, at which time, and how loud."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from synth.errors import TetradError
from synth.io import spectrogram as picture

RATE = 48_000


def tone(
    frequency_hz: float, seconds: float, level_db: float = 0.0
) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    time_s = np.arange(round(seconds * RATE)) / RATE
    signal = 10.0 ** (level_db / 20.0) * np.sin(2.0 * np.pi * frequency_hz * time_s)
    return np.stack([signal, signal], axis=1).astype(np.float32)


@pytest.mark.parametrize("frequency_hz", [55.0, 440.0, 1000.0, 9000.0])
def test_a_tone_lies_at_its_frequency(frequency_hz: float) -> None:
    levels = picture.spectrogram_db(tone(frequency_hz, 2.0), RATE)
    assert levels.shape == (picture.PLOT_HEIGHT, picture.PLOT_WIDTH)
    octaves_per_row = np.log2(picture.HIGH_HZ / picture.LOW_HZ) / picture.PLOT_HEIGHT
    row = np.log2(picture.HIGH_HZ / frequency_hz) / octaves_per_row
    half_bin_in_rows = np.log2(1.0 + 0.5 * RATE / picture.WINDOW / frequency_hz) / octaves_per_row
    assert abs(int(levels[:, 540].argmax()) + 0.5 - row) <= 1.0 + half_bin_in_rows


def test_level_and_time_are_shown() -> None:
    sound = np.concatenate([tone(1000.0, 2.0), tone(1000.0, 2.0, -40.0)])
    levels = picture.spectrogram_db(sound, RATE)
    loudest = levels.max(axis=0)
    assert loudest[100:500] == pytest.approx(0.0, abs=1.0)
    assert loudest[600:1000] == pytest.approx(-40.0, abs=1.0)
    assert levels.min() == picture.FLOOR_DB


def test_silence_and_a_short_sound_are_pictures_too() -> None:
    assert np.isfinite(picture.spectrogram_db(np.zeros((1000, 2), np.float32), RATE)).all()
    assert np.isfinite(picture.spectrogram_db(tone(100.0, 0.001), RATE)).all()


def test_the_file_is_a_png_with_the_tone_in_it(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    picture.write_spectrogram(path, tone(1000.0, 1.0), RATE, "A tone")
    with Image.open(path) as image:
        assert image.format == "PNG"
        pixels = np.asarray(image.convert("RGB")).astype(int).sum(axis=2)
    plot = pixels[picture.MARGIN_TOP :, picture.MARGIN_LEFT :][: picture.PLOT_HEIGHT, : picture.PLOT_WIDTH]
    brightest = int(plot[:, 540].argmax())
    share = np.log(picture.HIGH_HZ / 1000.0) / np.log(picture.HIGH_HZ / picture.LOW_HZ)
    assert abs(brightest - share * picture.PLOT_HEIGHT) <= 3
    assert pixels[: picture.MARGIN_TOP].max() > 600  # the title is written


def test_an_unwritable_place_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(TetradError, match="there is no directory"):
        picture.write_spectrogram(tmp_path / "no" / "a.png", tone(1000.0, 0.1), RATE, "")
