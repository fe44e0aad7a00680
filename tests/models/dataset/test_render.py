"""Rendered notes of a font whose sound is known."""

import numpy as np
import pytest

from models.dataset.notes import N_SAMPLES, SAMPLE_RATE_HZ
from models.dataset.render import render_note
from models.dataset.soundfont import Preset
from synth.errors import TetradError
from tests.models.dataset.make_soundfont import LEVEL, TestPreset, write_sound_font

FLUTE = Preset(0, 73, "Flute")
CENTRE_GAIN = np.sqrt(0.5)  # of a centred sound in either channel, constant-power panning


def _f0_hz(audio):
    """Phase advance between two windows at 1 s and 2 s, resolved by the spectrum's peak."""
    n = 24_000
    window = np.hanning(n)
    first, second = (np.fft.rfft(audio[at : at + n] * window) for at in (SAMPLE_RATE_HZ, SAMPLE_RATE_HZ + 480))
    peak = int(np.abs(first).argmax())
    coarse_hz = peak * SAMPLE_RATE_HZ / n
    turns = (np.angle(second[peak]) - np.angle(first[peak])) / (2 * np.pi)
    return (turns + round(coarse_hz * 0.01 - turns)) / 0.01


@pytest.mark.parametrize(("pitch", "f0_hz"), [(57, 220.0), (69, 440.0), (81, 880.0)])
def test_pitch(font_path, pitch, f0_hz):
    audio = render_note(font_path, FLUTE, pitch, 100, 0.0)
    assert abs(1200 * np.log2(_f0_hz(audio) / f0_hz)) < 0.5


def test_timing_and_level(font_path):
    audio = render_note(font_path, FLUTE, 69, 127, 0.0)
    assert audio.shape == (N_SAMPLES,)
    assert audio.dtype == np.float64
    level = LEVEL * CENTRE_GAIN
    for start in (0, SAMPLE_RATE_HZ, 3 * SAMPLE_RATE_HZ - 110):  # the first period, one in the middle, the last held
        assert np.abs(audio[start : start + 110]).max() == pytest.approx(level, rel=0.01)
    n_quarter = 27  # samples: from the start of a sine of 440 Hz to its first crest
    assert np.abs(audio[:60]).argmax() == pytest.approx(n_quarter, abs=1)
    assert np.abs(audio[3 * SAMPLE_RATE_HZ + 4800 :]).max() < 0.02 * level


def test_level_follows_velocity_and_gain(font_path):
    loud = render_note(font_path, FLUTE, 69, 120, 0.0)
    assert np.abs(render_note(font_path, FLUTE, 69, 60, 0.0) - loud / 2).max() < 1e-6
    assert np.abs(render_note(font_path, FLUTE, 69, 120, -6.0) - loud * 10 ** (-6 / 20)).max() < 1e-6


def test_no_tail_of_an_earlier_note(tmp_path):
    path = tmp_path / "ringing.sf2"
    write_sound_font(path, (TestPreset(0, 73, "Flute", release_s=20.0),))
    first = render_note(path, FLUTE, 69, 100, 0.0)
    assert np.abs(first[-480:]).max() > 0.1 * np.abs(first).max()  # rings on at the end
    render_note(path, FLUTE, 93, 127, 0.0)
    assert np.array_equal(render_note(path, FLUTE, 69, 100, 0.0), first)


def test_a_key_without_a_sample_is_silence(font_path):
    assert not render_note(font_path, Preset(0, 41, "Solo Viola"), 86, 100, 0.0).any()


def test_a_font_that_tinysoundfont_refuses(tmp_path):
    path = tmp_path / "text.sf2"
    path.write_text("no sound font")
    with pytest.raises(TetradError, match=r"text\.sf2"):
        render_note(path, FLUTE, 69, 100, 0.0)
