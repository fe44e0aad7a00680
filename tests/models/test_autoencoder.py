"""The network: shapes, its time axis, and that the engine reads embeddings as the training does."""

import numpy as np
import pytest
import torch

from models.autoencoder import Autoencoder, AutoencoderConfig, Spectrum, z_window
from synth.frames import EMBEDDING_HOP, Z_DIM
from synth.voices.zwindow import z_windows

TINY = AutoencoderConfig(
    name="tiny",
    n_bands=12,
    encoder_width=16,
    dilations=(1, 2, 4),
    n_stages=1,
    decoder_width=32,
    decoder_layers=2,
    wavenet="tiny",
)

A3_HZ, HARMONIC = torch.tensor([220.0]), torch.tensor([0.0])


@pytest.fixture
def model() -> Autoencoder:
    torch.manual_seed(0)
    model = Autoencoder(TINY)
    for parameter in model.encoder.blocks.parameters():  # blocks begin as identities, which would hide their reach
        torch.nn.init.normal_(parameter, std=0.2)
    return model.eval()


def test_one_embedding_frame_for_each_512_samples(model: Autoencoder) -> None:
    for n in (1, 5, 125):
        assert model.encoder(torch.zeros(2, n * EMBEDDING_HOP), A3_HZ.expand(2), HARMONIC.expand(2)).shape == (
            2,
            n,
            Z_DIM,
        )


def test_the_encoder_looks_no_further_than_its_receptive_field(model: Autoencoder) -> None:
    # The long window reaches 1024 samples, start and blocks (1 + 1 + 2 + 4) steps of 128, and the pool 512.
    reach = 1024 + 8 * 128 + 512
    wave = torch.randn(1, 60 * EMBEDDING_HOP) * 0.1
    changed = wave.clone()
    position = 30 * EMBEDDING_HOP
    changed[0, position] += 0.5
    with torch.no_grad():
        moved = (model.encoder(changed, A3_HZ, HARMONIC) - model.encoder(wave, A3_HZ, HARMONIC)).abs().amax(dim=2)[
            0
        ] > 0.0
    touched = moved.nonzero()[:, 0] * EMBEDDING_HOP
    assert touched.numel() >= 2
    assert touched.min() >= position - reach
    assert touched.max() <= position + reach


def test_the_spectrum_is_read_at_the_partials() -> None:
    spectrum = Spectrum(48)
    time_s = torch.arange(32_000, dtype=torch.float64) / 16_000.0
    for f0_hz, inharmonicity in ((61.3, 0.0), (220.0, 2e-4), (1503.0, 0.0)):
        number = torch.arange(1, 6, dtype=torch.float64)
        partial_hz = f0_hz * number * torch.sqrt(1.0 + inharmonicity * number**2)
        level_db = -10.0 * number
        wave = (10.0 ** (level_db / 20.0) * torch.sin(2.0 * torch.pi * partial_hz * time_s[:, None])).sum(dim=1).float()
        seen = spectrum(wave[None], torch.tensor([f0_hz]), torch.tensor([inharmonicity]))[0]
        steady_db = (seen[:, 40:-40].mean(dim=1) - 1.0) * 100.0  # 1 is full scale, 0 is -100 dB
        torch.testing.assert_close(steady_db[:5], level_db.float(), atol=1.0, rtol=0.0)
        assert float(steady_db[5]) < -75.0  # there is no sixth partial: side lobes of the fifth
        if f0_hz > 200.0:  # half-way to the next partial a window of 128 ms hears nothing
            assert float(steady_db[64:69].max()) < -60.0


def test_bands_hold_a_tone_wherever_it_lies() -> None:
    spectrum = Spectrum(48)
    time_s = torch.arange(32_000) / 16_000.0
    best = []
    for frequency_hz in (200.0, 1000.0, 4000.0):
        wave = 0.1 * torch.sin(2.0 * torch.pi * frequency_hz * time_s)[None]
        bands = spectrum(wave, torch.tensor([60.0]), HARMONIC)[0, 128:, 40:-40].mean(dim=1)
        power = (10.0 ** ((bands - 1.0) * 10.0)).reshape(2, 48).sum(dim=1)
        torch.testing.assert_close(10.0 * torch.log10(power), torch.full((2,), -20.0), atol=1.5, rtol=0.0)
        nearest = int((spectrum.band_hz - frequency_hz).abs().argmin())
        assert abs(int(bands[:48].argmax()) - nearest) <= 1
        best.append(nearest)
    assert len(set(best)) == 3


def test_silence_is_encoded_as_numbers(model: Autoencoder) -> None:
    assert torch.all(model.encoder.spectrum(torch.zeros(1, 4096), A3_HZ, HARMONIC) == 0.0)
    assert torch.all(torch.isfinite(model.encoder(torch.zeros(1, 4096), A3_HZ, HARMONIC)))


def test_the_engine_reads_the_same_window_as_the_training() -> None:
    rng = np.random.default_rng(0)
    z = rng.standard_normal((9, Z_DIM)).astype(np.float32)
    frames = np.array([0.0, 0.5, 1.0, 7.25, 17.9, 30.0, 35.0])
    expected = z_window(torch.from_numpy(z)[None], torch.from_numpy(frames).float()[None])[0].reshape(7, -1)
    np.testing.assert_allclose(z_windows(z, frames), expected.numpy(), atol=1e-5)


def test_at_the_onset_the_past_is_zero() -> None:
    z = np.ones((20, Z_DIM), np.float32)
    window = z_windows(z, np.array([0.0, 40.0])).reshape(2, 5, Z_DIM)
    np.testing.assert_allclose(window[0, :, 0], [0.0, 0.0, 0.5, 1.0, 1.0])  # half way into the first 32 ms
    np.testing.assert_allclose(window[1], 1.0)


def test_formants_stay_while_partials_move(model: Autoencoder) -> None:
    decoder = model.decoder
    envelope = torch.linspace(0.0, 1.0, decoder.n_envelope)[None].expand(2, -1)
    pitch = torch.tensor([48.0, 60.0])
    level = decoder._read(envelope, pitch)
    # Partial 2k of the lower note is partial k of the one an octave higher.
    torch.testing.assert_close(level[0, 1::2], level[1, :50], atol=1e-4, rtol=0.0)
    assert torch.all(torch.diff(level[0]) > 0.0)


def test_levels_stay_in_range_for_absurd_embeddings(model: Autoencoder) -> None:
    rows = model.decoder(torch.full((1, 80), 1e6), torch.tensor([60.0]), torch.tensor([100.0]))
    assert torch.all(torch.isfinite(rows))
    assert rows[:, :-1].min().item() >= -120.0
    assert rows[:, :-1].max().item() <= 20.0


def test_configuration_survives_as_a_dictionary() -> None:
    assert AutoencoderConfig.from_dict(TINY.to_dict()) == TINY
    with pytest.raises(TypeError, match="depth"):
        AutoencoderConfig.from_dict({"depth": 3})
