"""Rainbowgrams say what they should: one line a tone, at its place, coloured by its frequency."""

import argparse
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import soundfile
from PIL import Image

from models.classifier.constant_q import ConstantQ
from models.rainbowgram import (
    CELL_WIDTH,
    CONSTANT_Q,
    GAP,
    HOP,
    LABEL_HEIGHT,
    MARGIN,
    Labelled,
    RainbowgramCommand,
    colours,
    path_sounds,
    rainbow,
    rainbowgrams,
)
from synth.errors import TetradError

FRAME_S = HOP / 48_000
TIME_S = np.arange(48_000) / 48_000.0
INSIDE = slice(10, -10)  # frames whose windows lie within the sound


def tone(frequency_hz: float) -> npt.NDArray[np.float64]:
    return np.sin(2.0 * np.pi * frequency_hz * TIME_S)


@pytest.mark.parametrize("k", [60, 100, 251, 400])
def test_a_tone_in_the_middle_of_a_bin_reads_one_there(k: int) -> None:
    frequency_hz = float(CONSTANT_Q.frequencies_hz[k])
    spectrum = CONSTANT_Q.transform(0.5 * np.cos(2.0 * np.pi * frequency_hz * TIME_S), HOP)
    assert spectrum.shape == (63, 432)
    np.testing.assert_allclose(np.abs(spectrum[INSIDE, k]), 0.5, rtol=0.01)
    expected = np.exp(2j * np.pi * frequency_hz * FRAME_S * np.arange(63))
    np.testing.assert_allclose(spectrum[INSIDE, k], 0.5 * expected[INSIDE], atol=0.01)


def test_the_highest_bin_stays_below_half_the_rate() -> None:
    with pytest.raises(ValueError, match="8372 Hz"):
        ConstantQ(rate_hz=16_000, lowest_hz=32.703, bins_per_octave=12, n_bins=97, n_fft=4096)


@pytest.mark.parametrize("k", [100, 200, 333])
def test_a_pure_tone_is_one_line_at_its_bin(k: int) -> None:
    level, _ = rainbow(0.01 * tone(float(CONSTANT_Q.frequencies_hz[k])))
    middle = level[INSIDE]
    assert set(middle.argmax(axis=1)) == {k}
    assert middle[:, k].min() > 0.98
    away = np.abs(np.arange(432) - k) > 6  # beyond the window's main lobe
    assert middle[:, away].max() < 0.6  # 28 dB or more below the line
    assert middle[:, np.abs(np.arange(432) - k) > 48].max() == 0.0  # and an octave away nothing at all


@pytest.mark.parametrize("turns", [-0.4, -0.2, 0.1, 0.3])
def test_the_colour_is_the_turn_of_the_phase_from_frame_to_frame(turns: float) -> None:
    frequency_hz = (20.0 + turns) / FRAME_S  # about 1250 Hz
    level, found = rainbow(tone(frequency_hz))
    line = int(level[30].argmax())
    # All bins of the line have the tone's own frequency, whichever bin they stand for.
    np.testing.assert_allclose(found[INSIDE, line - 3 : line + 4], turns, atol=0.01)


def test_rising_and_falling_phase_have_different_colours() -> None:
    falling, rising = colours(np.ones((1, 2), np.float32), np.array([[-1 / 6, 1 / 6]], np.float32))[0].astype(int)
    assert falling[1] > falling[0] + 100  # green
    assert falling[1] > falling[2] + 100
    assert rising[2] > rising[0] + 100  # blue
    assert rising[2] > rising[1] + 100
    dark = colours(np.zeros((1, 3), np.float32), np.array([[-0.4, 0.0, 0.4]], np.float32))
    assert dark.max() == 0


@pytest.mark.parametrize("octaves_per_s", [0.5, -0.5])
def test_a_glide_moves_and_its_colour_goes_round(octaves_per_s: float) -> None:
    frequency_hz = 1000.0 * 2.0 ** (octaves_per_s * TIME_S)
    level, turns = rainbow(np.sin(2.0 * np.pi * np.cumsum(frequency_hz) / 48_000.0))
    line = level.argmax(axis=1)
    assert line[-10] - line[10] == pytest.approx(octaves_per_s * 48 * 43 * FRAME_S, abs=2)
    colour = np.unwrap(turns[np.arange(63), line][INSIDE] * 2.0 * np.pi) / (2.0 * np.pi)
    expected = (frequency_hz[53 * HOP] - frequency_hz[10 * HOP]) * FRAME_S  # turns per frame gained
    assert colour[-1] - colour[0] == pytest.approx(expected, rel=0.05)


def test_silence_is_black_and_what_is_no_sound_is_refused() -> None:
    level, turns = rainbow(np.zeros(48_000))
    assert level.max() == 0.0
    assert np.abs(turns).max() == 0.0
    for wrong in (np.zeros(10), np.zeros((48_000, 2)), np.full(48_000, np.nan)):
        with pytest.raises(TetradError, match="expected"):
            rainbow(wrong)


def test_a_grid_has_its_pictures_side_by_side() -> None:
    k = 240
    frequency_hz = float(CONSTANT_Q.frequencies_hz[k])
    image = rainbowgrams(
        [
            [Labelled("silence", np.zeros(48_000)), Labelled("tone", tone(frequency_hz))],
            [Labelled("half a tone", tone(frequency_hz)[:24_000])],
        ]
    )
    pixels = np.asarray(image).astype(int).sum(axis=2)
    left, second = MARGIN, MARGIN + CELL_WIDTH + GAP
    top, lower = LABEL_HEIGHT, 2 * LABEL_HEIGHT + 432 + GAP
    middle = CELL_WIDTH // 2
    assert pixels[top + 431 - k, second + middle] > 400  # the line
    assert pixels[top + 431 - k, left + middle] == 0
    assert pixels[lower + 431 - k, left + CELL_WIDTH // 4] > 400
    assert pixels[lower + 431 - k, left + CELL_WIDTH * 3 // 4] == 0  # the shorter sound has ended
    with pytest.raises(TetradError, match="empty row"):
        rainbowgrams([[]])


def run_command(*arguments: str) -> int:
    command, parser = RainbowgramCommand(), argparse.ArgumentParser()
    command.add_arguments(parser)
    return command.run(parser.parse_args(arguments))


def test_the_command_draws_files(tmp_path: Path) -> None:
    for name in ("one", "two"):
        soundfile.write(tmp_path / f"{name}.wav", tone(440.0), 48_000)
    out = tmp_path / "picture.png"
    assert run_command(str(tmp_path / "one.wav"), str(tmp_path / "two.wav"), str(out)) == 0
    with Image.open(out) as image:
        assert image.width == MARGIN + 2 * (CELL_WIDTH + GAP)
    with pytest.raises(TetradError, match="nothing to draw"):
        run_command(str(out))
    with pytest.raises(TetradError, match=r"missing\.wav"):
        run_command(str(tmp_path / "missing.wav"), str(out))
    with pytest.raises(TetradError, match="note set"):
        run_command("flute-060-080", str(out), "--data", str(tmp_path))
    with pytest.raises(TetradError, match="2 to 21"):
        run_command(str(out), "--path", "clarinet", "violin", "--points", "1")


def test_a_path_goes_from_one_instrument_to_the_other() -> None:
    sounds = path_sounds("clarinet", "violin", 60, 3)
    assert [entry.label for entry in sounds][::2] == [
        "clarinet 100%, violin 0%, key 60",
        "clarinet 0%, violin 100%, key 60",
    ]
    # The clarinet's second partial is weak, the violin's is not: it must come up along the path.
    second = [
        20.0 * np.log10(np.abs(entry.sound[24_000:72_000] @ np.exp(2j * np.pi * 523.251 * TIME_S)) + 1e-9)
        for entry in sounds
    ]
    assert second[0] < second[1] < second[2]
