"""The WaveNet decoder: two call paths over one set of weights, causality, and what a prediction depends on."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from models import mu_law
from models.wavenet import CONFIGS, WaveNetConfig, WaveNetDecoder
from tests.models.tiny_nsynth import TINY

TINY_DECODER = TINY.decoder
# The published network's 30 layers and filters, with few channels: the same structure in time.
THIN_NSYNTH = replace(CONFIGS["nsynth"], name="thin", width=6, skip_width=5, n_conditioning=3)


def decoder_and_sound(config: WaveNetConfig, batch: int, n_samples: int) -> tuple[WaveNetDecoder, Tensor, Tensor]:
    """A random network, sound and conditioning. Biases too are random: the network begins with zeros."""
    torch.manual_seed(3)
    decoder = WaveNetDecoder(config)
    with torch.no_grad():
        for name, parameter in decoder.named_parameters():
            if name.endswith("bias"):
                parameter.normal_(0.0, 0.1)
    scaled = mu_law.scale(0.5 * torch.randn(batch, n_samples))
    conditioning = torch.randn(batch, -(-n_samples // config.hop), config.n_conditioning)
    return decoder, scaled, conditioning


def stepwise(decoder: WaveNetDecoder, scaled: Tensor, conditioning: Tensor) -> Tensor:
    """The logits of `forward`, sample by sample."""
    batch, n_samples = scaled.shape
    state = decoder.start(batch)
    logits = []
    for n in range(n_samples):
        before = scaled[:, n - 1] if n else torch.zeros(batch)
        logits.append(decoder.step(state, before, conditioning[:, n // decoder.config.hop]))
    return torch.stack(logits, dim=2)


@pytest.mark.parametrize(
    ("config", "batch", "n_samples"),
    [
        pytest.param(TINY_DECODER, 3, 100, id="tiny"),
        pytest.param(CONFIGS["small"].conditioned_on(18), 2, 700, id="small", marks=pytest.mark.slow),
        pytest.param(THIN_NSYNTH, 2, 1200, id="thin", marks=pytest.mark.long),  # its rings of 1,024 go round
        pytest.param(CONFIGS["nsynth"], 2, 40, id="nsynth", marks=pytest.mark.slow),
    ],
)
def test_both_call_paths_agree(config: WaveNetConfig, batch: int, n_samples: int) -> None:
    decoder, scaled, conditioning = decoder_and_sound(config, batch, n_samples)
    with torch.no_grad():
        expected = decoder(scaled, conditioning)
    found = stepwise(decoder, scaled, conditioning)
    assert expected.std() > 0.1
    torch.testing.assert_close(found, expected, rtol=0.0, atol=2e-5)


@pytest.mark.parametrize("config", [TINY_DECODER, CONFIGS["small"], THIN_NSYNTH], ids=lambda config: config.name)
@pytest.mark.parametrize("changed", [0, 1, 37, 79])
def test_a_sample_changes_nothing_up_to_itself(config: WaveNetConfig, changed: int) -> None:
    decoder, scaled, conditioning = decoder_and_sound(config, 1, 81)
    other = scaled.clone()
    other[:, changed] += 0.25
    with torch.no_grad():
        before, after = decoder(scaled, conditioning), decoder(other, conditioning)
    assert torch.equal(before[:, :, : changed + 1], after[:, :, : changed + 1])
    assert not torch.equal(before[:, :, changed + 1], after[:, :, changed + 1])


@pytest.mark.parametrize(
    ("config", "receptive_field"),
    [(TINY_DECODER, 31), (CONFIGS["small"], 2048), (THIN_NSYNTH, 6141)],
    ids=["tiny", "small", "thin"],
)
def test_receptive_field_to_the_sample(config: WaveNetConfig, receptive_field: int) -> None:
    """A prediction has a gradient at the samples n - field to n - 1, ends included, and nowhere else."""
    config = replace(config, width=8, skip_width=32)
    decoder, scaled, conditioning = decoder_and_sound(config, 1, receptive_field + 40)
    predicted = receptive_field + 20
    scaled = scaled.double().requires_grad_()
    decoder.double()(scaled, conditioning.double())[0, :, predicted].sum().backward()
    assert scaled.grad is not None
    reached = scaled.grad[0].nonzero().flatten()
    assert decoder.receptive_field == receptive_field
    assert (int(reached[0]), int(reached[-1])) == (predicted - receptive_field, predicted - 1)


def test_the_published_network_has_the_field_that_the_paper_says() -> None:
    assert CONFIGS["nsynth"].receptive_field == 6141
    assert CONFIGS["nsynth"].dilations == tuple(2**i for i in range(10)) * 3


def test_a_conditioning_frame_is_held_for_its_samples() -> None:
    decoder, scaled, conditioning = decoder_and_sound(TINY_DECODER, 1, 40)
    other = conditioning.clone()
    other[:, 2] += 1.0  # samples 16 to 23
    with torch.no_grad():
        changed = (decoder(scaled, conditioning) != decoder(scaled, other)).any(dim=1)[0]
    assert not changed[:16].any()
    assert changed[16:24].all()


def test_a_cut_sound_is_predicted_as_the_whole() -> None:
    decoder, scaled, conditioning = decoder_and_sound(TINY_DECODER, 2, 40)
    with torch.no_grad():
        whole, cut = decoder(scaled, conditioning), decoder(scaled[:, :29], conditioning[:, :4])
    torch.testing.assert_close(cut, whole[:, :, :29], rtol=0.0, atol=1e-6)


@pytest.mark.parametrize("n_frames", [0, 3, 5])
def test_conditioning_of_another_length_is_refused(n_frames: int) -> None:
    decoder, scaled, conditioning = decoder_and_sound(TINY_DECODER, 1, 32)
    conditioning = conditioning[:, :1].expand(-1, n_frames, -1)
    with pytest.raises(ValueError, match=f"{n_frames} conditioning frames of 8 samples do not fit 32 samples"):
        decoder(scaled, conditioning)


def test_loss_is_the_mean_cross_entropy_in_nats() -> None:
    decoder, scaled, conditioning = decoder_and_sound(TINY_DECODER, 2, 40)
    loss = decoder.loss(scaled, conditioning)
    logits = decoder(scaled, conditioning).detach().double().numpy()
    probability = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    wanted = np.rint(scaled.numpy() * 128).astype(int) + 128
    chosen = np.take_along_axis(probability, wanted[:, None], axis=1)
    assert loss.item() == pytest.approx(-np.log(chosen).mean(), rel=1e-5)


def test_every_weight_that_is_trained_gets_a_gradient() -> None:
    """Training on several GPUs waits for ever for one that does not."""
    decoder, scaled, conditioning = decoder_and_sound(TINY_DECODER, 1, 40)
    decoder.loss(scaled, conditioning).backward()
    idle = {name for name, parameter in decoder.named_parameters() if parameter.grad is None}
    assert idle == {"layers.5.residual.weight", "layers.5.residual.bias"}
    assert {name for name, parameter in decoder.named_parameters() if not parameter.requires_grad} == idle


def test_it_learns() -> None:
    decoder, _, conditioning = decoder_and_sound(TINY_DECODER, 2, 240)
    scaled = mu_law.scale(0.5 * torch.sin(torch.arange(240) * torch.tensor([[0.2], [0.5]])))
    optimizer = torch.optim.Adam(decoder.parameters(), lr=0.02)
    before = decoder.loss(scaled, conditioning).item()
    for _ in range(60):
        optimizer.zero_grad()
        loss = decoder.loss(scaled, conditioning)
        loss.backward()
        optimizer.step()
    assert before > 5.0
    assert loss.item() < 3.5


def test_configuration_as_a_dictionary() -> None:
    config = CONFIGS["small"].conditioned_on(18)
    assert WaveNetConfig.from_dict(config.to_dict()) == config
    with pytest.raises(TypeError, match="depth"):
        WaveNetConfig.from_dict({"depth": 3})


def test_mu_law_of_the_ends_and_of_silence() -> None:
    wave = torch.tensor([-2.0, -1.0, -1e-3, -1e-12, 0.0, 1e-3, 0.5, 0.9999, 1.0, 2.0])
    classes = mu_law.classes(mu_law.scale(wave))
    # By hand: 128 log(1.255) / log 256 = 5.24 and 128 log(128.5) / log 256 = 112.09, rounded down.
    assert classes.tolist() == [0, 0, 122, 128, 128, 133, 240, 255, 255, 255]


def test_every_class_goes_through_sound_and_back() -> None:
    classes = torch.arange(256)
    sound = mu_law.expand(classes)
    assert (sound.diff() > 0.0).all()
    assert sound.abs().max() < 1.0
    assert torch.equal(mu_law.classes(mu_law.scale(sound)), classes)
    assert torch.equal(mu_law.classes(mu_law.scaled_of(classes)), classes)
    assert torch.equal(mu_law.scaled_of(classes), mu_law.scale(sound))
