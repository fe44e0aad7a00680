"""What the ablations measure is what they say: a straight line has no bend, and a pitch that is in z is found."""

import numpy as np
import pytest
import torch

from models import ablations
from models.autoencoder import Autoencoder
from models.control_data import ControlSet
from tests.models.test_autoencoder import TINY


@pytest.fixture
def model() -> Autoencoder:
    torch.manual_seed(0)
    return Autoencoder(TINY).eval()


def test_a_decoder_that_is_linear_in_z_has_no_bend(
    model: Autoencoder, tones: ControlSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    bent = ablations.bend(model, tones)

    def linear(z: torch.Tensor, frame: torch.Tensor, pitch: torch.Tensor, velocity: torch.Tensor) -> torch.Tensor:
        return 20.0 * z.mean(dim=1, keepdim=True).repeat(1, frame.shape[1], 11)[..., :165]

    monkeypatch.setattr(model, "decode", linear)
    assert ablations.bend(model, tones) < 1e-5 < bent


@pytest.mark.parametrize("known", [True, False])
def test_pitch_is_found_in_z_where_it_is(
    model: Autoencoder, tones: ControlSet, monkeypatch: pytest.MonkeyPatch, known: bool
) -> None:
    def embeddings(_: Autoencoder, data: ControlSet) -> torch.Tensor:
        z = torch.randn(data.n_notes, 5, 16, generator=torch.Generator().manual_seed(1))
        if known:
            z[..., 3] = torch.from_numpy(data.pitch / 24.0)[:, None]
        return z

    monkeypatch.setattr(ablations, "_embeddings", embeddings)
    found = ablations.pitch_in_z(model, tones, tones)
    assert found == pytest.approx(1.0, abs=1e-4) if known else found < 0.99


@pytest.mark.long
def test_every_variant_is_trained_and_measured(tones: ControlSet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ablations.CONFIGS, "tiny", TINY)
    small = {name: ablations.VARIANTS[name] for name in ("base", "without the WaveNet's loss", "with the adversary")}
    monkeypatch.setattr(ablations, "VARIANTS", small)
    results = ablations.ablate(tones, tones.spread(8), "tiny", 4)
    assert list(results) == list(small)
    for name, measured in results.items():
        assert np.isnan(measured["wavenet_nats"]) == ("without" in name)
        assert measured["train_error_db"] > 0.0
