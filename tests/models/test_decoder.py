"""The decoder three times: in torch, which is the reference, its weights in ONNX Runtime, and as the engine runs it."""

import copy
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch

from models.autoencoder import HarmonicDecoder
from models.checkpoint import load_model
from synth.errors import TetradError
from synth.frames import LEVEL_FLOOR_DB, N_PARTIALS, ROW_WIDTH, Float32Array, envelope_scale
from synth.onnx import Network
from synth.paths import pretrained_dir
from synth.voices.decoder import Decoder, read


@pytest.fixture(scope="module")
def reference() -> HarmonicDecoder:
    """In float64: in float32 its own rounding is 2e-4 dB for what instruments have, and 1e-3 for these embeddings."""
    model, _ = load_model(pretrained_dir() / "checkpoint.safetensors")
    return copy.deepcopy(model.decoder).double().eval()


def notes(n: int) -> tuple[Float32Array, Float32Array, Float32Array]:
    rng = np.random.default_rng(n)
    numbers = rng.permutation(128)[:n], rng.permutation(127)[:n] + 1
    pitch, velocity = (a.astype(np.float32) for a in numbers)
    return rng.standard_normal((n, 80)).astype(np.float32), pitch, velocity


def agree(found: Float32Array, wanted: np.ndarray) -> None:
    np.testing.assert_allclose(found, wanted, atol=2e-3, rtol=0.0)
    assert np.abs(found - wanted).mean() < 5e-5


def test_torch_onnx_and_the_engine_agree(reference: HarmonicDecoder) -> None:
    decoder = Decoder()
    core = Network(pretrained_dir() / "decoder.onnx", "decoder", ("features",))
    told = set()
    for n in range(1, 71):
        given = notes(n)
        told |= set(given[1].tolist())
        with torch.no_grad():
            tensors = [torch.from_numpy(a).double() for a in given]
            wanted = reference(*tensors).numpy()
            out = core.run(None, {"features": reference.features(*tensors).float().numpy()})[0]
            by_onnx = reference.rows(torch.from_numpy(out).double(), tensors[1]).numpy()
        agree(by_onnx, wanted)
        agree(decoder.run(*given), wanted)
    assert told == set(range(128))


def test_limits_are_those_of_torch(reference: HarmonicDecoder) -> None:
    rng = np.random.default_rng(0)
    out = (4.0 * rng.standard_normal((128, reference.n_envelope + ROW_WIDTH))).astype(np.float32)
    out[0, reference.n_envelope :] = np.inf
    out[1, reference.n_envelope :] = -np.inf
    out[2, reference.n_envelope :] = np.nan
    pitch = np.arange(128, dtype=np.float32)
    rows = np.empty((128, ROW_WIDTH), np.float32)
    read(out, pitch, 0, 128, *envelope_scale(reference.n_envelope), rows)
    wanted = reference.rows(torch.from_numpy(out).double(), torch.from_numpy(pitch).double()).numpy()
    np.testing.assert_allclose(rows, wanted, atol=3e-3, rtol=1e-6)
    for limit in (LEVEL_FLOOR_DB, 20.0):
        at = wanted[:, :-1] == limit
        assert np.count_nonzero(at[:, :N_PARTIALS]) > 500
        assert np.count_nonzero(at[:, N_PARTIALS:]) > 500
        assert np.all(np.abs(rows[:, :-1][at] - limit) == 0.0)


def test_a_decoder_of_the_version_before_is_refused_with_what_to_do(tmp_path: Path) -> None:
    graph = onnx.load(pretrained_dir() / "decoder.onnx")
    next(prop for prop in graph.metadata_props if prop.key == "tetrad_version").value = "2"
    onnx.save(graph, tmp_path / "decoder.onnx")
    with pytest.raises(TetradError, match=r"decoder, version 2; expected: decoder, version 3; .*tetrad model export"):
        Decoder(tmp_path / "decoder.onnx")


def test_a_decoder_of_other_widths_is_refused(tmp_path: Path) -> None:
    given = onnx.helper.make_tensor_value_info("features", onnx.TensorProto.FLOAT, ["n", 60])
    wanted = onnx.helper.make_tensor_value_info("out", onnx.TensorProto.FLOAT, ["n", 60])
    node = onnx.helper.make_node("Identity", ["features"], ["out"])
    graph = onnx.helper.make_model(
        onnx.helper.make_graph([node], "narrow", [given], [wanted]),
        ir_version=10,
        opset_imports=[onnx.helper.make_opsetid("", 18)],
    )
    onnx.helper.set_model_props(graph, {"tetrad_kind": "decoder", "tetrad_version": "3"})
    onnx.save(graph, tmp_path / "decoder.onnx")
    with pytest.raises(TetradError, match="turns 60 numbers into 60"):
        Decoder(tmp_path / "decoder.onnx")


def test_the_shipped_pair_is_of_the_shipped_checkpoint(reference: HarmonicDecoder) -> None:
    graph = onnx.load(pretrained_dir() / "decoder.onnx")
    held = {entry.name: onnx.numpy_helper.to_array(entry) for entry in graph.graph.initializer}
    for name, value in reference.state_dict().items():
        assert np.array_equal(held[f"decoder.{name}"], value.float().numpy()), name
