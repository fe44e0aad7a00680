"""The torchaudio functions that we rely on, against numbers worked out without it."""

import math

import numpy as np
import pytest
import torch

from models.audio import log_mel, mu_law_decode, mu_law_encode, resample
from synth.instruments.resampling import to_encoder_rate


def _sine(f0_hz, rate_hz, n):
    return torch.sin(2 * math.pi * f0_hz / rate_hz * torch.arange(n, dtype=torch.float64))


def test_resampling_agrees_with_the_data_set_and_removes_what_would_fold():
    audio = 0.5 * _sine(440.0, 48_000, 48_000) + 0.3 * _sine(5_000.0, 48_000, 48_000)
    ours, soxr = resample(audio, 48_000, 16_000), torch.from_numpy(to_encoder_rate(audio.numpy()))
    assert ours.shape == soxr.shape == (16_000,)
    assert (ours - soxr)[500:-500].abs().max() < 1e-3
    assert resample(_sine(10_000.0, 48_000, 48_000), 48_000, 16_000)[500:-500].abs().max() < 1e-3


@pytest.mark.parametrize("rate_hz", [48_000, 16_000])
def test_log_mel_puts_a_tone_in_its_band(rate_hz):
    mel = log_mel(torch.stack([_sine(1_000.0, rate_hz, rate_hz), torch.zeros(rate_hz)]).float(), rate_hz)
    assert mel.shape == (2, 126, 80)
    assert (mel[1] == -100.0).all()
    high_hz = min(16_000.0, rate_hz / 2)
    low_mel, high_mel, tone_mel = (2595 * math.log10(1 + f / 700) for f in (40.0, high_hz, 1_000.0))
    expected_band = (tone_mel - low_mel) / (high_mel - low_mel) * 81 - 1
    middle = mel[0, 20:-20].mean(0)
    assert abs(int(middle.argmax()) - expected_band) <= 1
    assert middle[70] < middle.max() - 60
    full_scale_db = 10 * math.log10(float((10 ** (mel[0, 60] / 10)).sum()))
    assert -0.5 < full_scale_db < 1.8  # a Hann window spreads a sine over bins of power 1, 1/4 and 1/4


def test_log_mel_follows_gain_and_frames_follow_time():
    audio = torch.from_numpy(np.random.default_rng(0).uniform(-0.5, 0.5, 48_000)).float()
    assert (log_mel(audio, 48_000) - log_mel(audio / 10, 48_000) - 20).abs().max() < 1e-2
    click = torch.zeros(48_000)
    click[384 * 50] = 1.0
    assert int(log_mel(click, 48_000).sum(-1).argmax()) == 50


def test_mu_law_literal_values():
    audio = torch.tensor([-1.0, -0.1, -1e-9, 0.0, 0.1, 1.0])
    # sign(x) ln(1 + 255 |x|) / ln(256), from -1..1 to 0..255, rounded
    assert mu_law_encode(audio).tolist() == [0, 52, 127, 128, 203, 255]


def test_mu_law_round_trip():
    classes = torch.arange(256)
    decoded = mu_law_decode(classes)
    assert mu_law_encode(decoded).tolist() == classes.tolist()
    assert (decoded.diff() > 0).all()
    assert decoded[0] == -1.0
    assert decoded[255] == 1.0
    audio = torch.linspace(-1, 1, 10_001, dtype=torch.float64)
    step_at = (1 + 255 * audio.abs()) * math.log(256) / 255 * 2 / 255  # of neighbouring classes at that level
    assert ((mu_law_decode(mu_law_encode(audio)) - audio).abs() <= 0.52 * step_at).all()
