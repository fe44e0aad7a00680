"""NSynth's autoencoder against Magenta's own graph, its encoder's reach, and its file."""

import json
import zlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.nn import functional

from models import mu_law
from models.magenta.variables import variables
from models.nsynth import CONFIGS, NSynthAutoencoder, NSynthConfig, NSynthEncoder
from models.nsynth_file import load_nsynth, save_nsynth
from synth.errors import TetradError
from tests.models.tiny_nsynth import TINY

REFERENCE = Path(__file__).with_name("reference")


def reference_values(name: str, shape: tuple[int, ...]) -> npt.NDArray[np.float32]:
    """The weights that reference/README.md gives a variable."""
    values = np.random.default_rng(zlib.crc32(name.encode())).standard_normal(shape)
    return (0.8 * values / np.sqrt(np.prod(shape[:-1])) if name.endswith("/W") else 0.05 * values).astype(np.float32)


def reference_state(config: NSynthConfig) -> dict[str, Tensor]:
    """The same as a state of our network. Turned into torch's order here, apart from what the importer does."""
    state = {}
    for variable in variables(config):
        values = reference_values(variable.name, variable.shape)
        if values.ndim == 4:  # [1, filter, in, out] -> [out, in, filter]
            values = np.einsum("ufio->oif", values).copy()
        state[variable.parameter] = torch.from_numpy(values)
    return state


def check_reference_vectors(model: NSynthAutoencoder) -> None:
    """Hold a network with the reference weights against what Magenta's graph computed with them."""
    with np.load(REFERENCE / "magenta_nsynth_vectors.npz") as vectors:
        wave = torch.from_numpy(vectors["wav"])
        at = torch.from_numpy(vectors["predictions_at"]).long()
        assert torch.equal(mu_law.scale(wave) * 128.0, torch.from_numpy(vectors["quantized"]).float())
        with torch.no_grad():
            z, logits = model(wave)
        np.testing.assert_allclose(z.numpy(), vectors["encoding"], rtol=1e-4)
        found = torch.softmax(logits[:, :, at], dim=1).transpose(1, 2)
        np.testing.assert_allclose(found.numpy(), vectors["predictions"], rtol=0.0, atol=1e-5)
        loss = functional.cross_entropy(logits, mu_law.classes(mu_law.scale(wave)))
        assert loss.item() == pytest.approx(float(vectors["loss"]), rel=1e-5)


@pytest.mark.slow
def test_it_computes_what_magentas_graph_computes() -> None:
    with torch.device("meta"):
        model = NSynthAutoencoder(CONFIGS["nsynth"])
    model.load_state_dict(reference_state(CONFIGS["nsynth"]), assign=True)
    check_reference_vectors(model)


def test_the_published_networks_variables() -> None:
    listed = json.loads((REFERENCE / "magenta_nsynth_variables.json").read_text())
    ours = variables(CONFIGS["nsynth"])
    assert [{"name": v.name, "shape": list(v.shape)} for v in ours] == listed
    with torch.device("meta"):
        state = NSynthAutoencoder(CONFIGS["nsynth"]).state_dict()
    assert {v.parameter for v in ours} == set(state)
    assert sum(tensor.numel() for tensor in state.values()) == 61_804_048


@pytest.mark.parametrize("frame", [6, 7, 8])
def test_an_embedding_frame_hears_3070_samples_beyond_its_own_512(frame: int) -> None:
    config = replace(CONFIGS["nsynth"], width=4)
    assert config.encoder_margin == 3070
    torch.manual_seed(1)
    encoder = NSynthEncoder(config).double()
    with torch.no_grad():
        for parameter in encoder.parameters():
            parameter.abs_()  # so that no ReLU hides a path
    scaled = torch.full((1, 15 * 512), 0.5, dtype=torch.float64, requires_grad=True)
    encoder(scaled)[0, frame].sum().backward()
    assert scaled.grad is not None
    reached = scaled.grad[0].nonzero().flatten()
    assert (int(reached[0]), int(reached[-1])) == (frame * 512 - 3070, frame * 512 + 511 + 3070)


@pytest.mark.parametrize("n_samples", [0, 7, 9])
def test_the_encoder_refuses_part_of_a_frame(n_samples: int) -> None:
    with pytest.raises(ValueError, match=f"{n_samples} samples are no positive multiple of 8"):
        NSynthEncoder(TINY)(torch.zeros(1, n_samples))


def test_shapes_and_loss() -> None:
    torch.manual_seed(2)
    model = NSynthAutoencoder(TINY)
    wave = torch.rand(2, 40) - 0.5
    z, logits = model(wave)
    assert z.shape == (2, 5, 4)
    assert logits.shape == (2, 256, 40)
    assert torch.equal(z, model.encode(wave))
    expected = functional.cross_entropy(logits, mu_law.classes(mu_law.scale(wave)))
    assert model.loss(wave).item() == pytest.approx(expected.item(), rel=1e-6)


def test_the_embedding_is_what_the_decoder_gets() -> None:
    """The loss of the decoder reaches the encoder's weights."""
    model = NSynthAutoencoder(TINY)
    model.loss(torch.rand(1, 40) - 0.5).backward()
    gradient = model.encoder.start_conv.weight.grad
    assert gradient is not None
    assert gradient.abs().min() > 0.0


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "network.safetensors"
    save_nsynth(path, TINY, reference_state(TINY), {"checkpoint": "by hand"})
    return path


def rewrite(path: Path, tensors: Mapping[str, Tensor], **changed: str) -> None:
    """Write `tensors` under the file's own metadata, some of it changed."""
    content = path.read_bytes()
    size = int.from_bytes(content[:8], "little")
    metadata = json.loads(content[8 : 8 + size])["__metadata__"]
    save_file(dict(tensors), path, metadata | changed)


def test_a_file_holds_the_network(file: Path) -> None:
    model = load_nsynth(file)
    assert model.config == TINY
    for name, tensor in reference_state(TINY).items():
        assert torch.equal(model.state_dict()[name], tensor)
    idle = {name for name, parameter in model.named_parameters() if not parameter.requires_grad}
    assert idle == {"decoder.layers.5.residual.weight", "decoder.layers.5.residual.bias"}


def test_a_file_with_a_changed_bit_is_damaged(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[-3] ^= 1
    file.write_bytes(content)
    with pytest.raises(TetradError, match=r"network\.safetensors is damaged: its checksum differs"):
        load_nsynth(file)


@pytest.mark.parametrize("kept", [0, 7, 100, -1])
def test_part_of_a_file_is_refused(file: Path, kept: int) -> None:
    file.write_bytes(file.read_bytes()[:kept])
    with pytest.raises(
        TetradError,
        match=r"network\.safetensors can't be read .* tetrad-nsynth version 1 in a safetensors file was expected",
    ):
        load_nsynth(file)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"format": "tetrad-checkpoint"}, "is tetrad-checkpoint version 1; tetrad-nsynth version 1 was expected"),
        ({"version": "2"}, "is tetrad-nsynth version 2; tetrad-nsynth version 1 was expected"),
        ({"config": "{}"}, "a configuration that this release does not know"),
        ({"config": '{"decoder": {"depth": 1}}'}, "a configuration that this release does not know"),
        ({"config": "[]"}, "a configuration that this release does not know"),
        ({"config": json.dumps(replace(TINY, width=6).to_dict())}, "does not fit its own configuration"),
    ],
)
def test_a_file_of_another_kind_is_refused(file: Path, changed: dict[str, str], message: str) -> None:
    rewrite(file, load_file(file), **changed)
    with pytest.raises(TetradError, match=message):
        load_nsynth(file)
