"""Training: the loss means what it says, learning learns, and an interrupted run is the run."""

import copy
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch

import models.export
from models.autoencoder import Autoencoder
from models.checkpoint import load_checkpoint, load_model, save_checkpoint
from models.control_data import ControlSet
from models.export import TOLERANCE, export
from models.train import Batches, TrainConfig, Training, active_error_db, learning_rate, train_step
from synth.errors import TetradError
from synth.instruments.encoder import Encoder
from synth.voices.decoder import Decoder
from tests.models.test_autoencoder import TINY

FAST = TrainConfig(batch_size=6, frames_per_note=24, learning_rate=5e-3)


def train_steps(run: Training, batches: Batches, n_steps: int) -> list[float]:
    return [train_step(run, batches(run.step), 5e-3, FAST)[0] for _ in range(n_steps)]


def test_the_error_is_the_mean_over_what_can_be_heard() -> None:
    target = torch.full((1, 2, 165), -120.0)
    target[..., -1] = 0.0
    target[0, :, 0] = -20.0
    target[0, 0, 1] = -60.0
    target[0, 0, 2] = -101.0  # 81 dB under the peak: not heard
    rows = target.clone()
    rows[0, :, 0] += 2.0
    rows[0, 0, 1] -= 5.0
    rows[0, 0, 2] -= 19.0
    error, loss = active_error_db(rows, target, torch.tensor(-20.0).reshape(1, 1, 1))
    assert float(error) == pytest.approx((2.0 + 2.0 + 5.0) / 3.0)
    assert float(loss) == pytest.approx(float(error))
    rows[0, 0, 2] = -94.0  # six dB into the audible range, where nothing should be
    assert float(active_error_db(rows, target, torch.tensor(-20.0).reshape(1, 1, 1))[1]) == pytest.approx(
        3.0 + 0.5 * 2.0
    )


def test_learning_learns(tones: ControlSet) -> None:
    run = Training.start(TINY, FAST)
    batch = Batches(tones, FAST)(0)
    errors = [train_step(run, batch, 5e-3, FAST)[0] for _ in range(100)]
    assert np.mean(errors[-5:]) < 0.6 * np.mean(errors[:5])


def test_a_resumed_run_equals_an_uninterrupted_one(tones: ControlSet, tmp_path: Path) -> None:
    batches = Batches(tones, FAST)
    whole = Training.start(TINY, FAST)
    train_steps(whole, batches, 8)
    first = Training.start(TINY, FAST)
    train_steps(first, batches, 5)
    save_checkpoint(tmp_path / "c.safetensors", first)
    second = Training.start(TINY, FAST)
    load_checkpoint(tmp_path / "c.safetensors", second)
    assert second.step == 5
    train_steps(second, batches, 3)
    for one, other in ((whole.model, second.model), (whole.ema, second.ema)):
        for (name, a), b in zip(one.named_parameters(), other.parameters(), strict=True):
            torch.testing.assert_close(a, b, rtol=0.0, atol=0.0, msg=name)


def test_a_batch_is_cut_from_its_note(tones: ControlSet) -> None:
    wave, frame, pitch, velocity, target, peak_db = Batches(tones, FAST)(3)
    assert wave.shape == (6, 64 * 512)
    assert target.shape == (6, 24, 165)
    assert torch.all(velocity == 100.0)
    assert torch.all(target[..., :-1].amax(dim=(1, 2)) <= peak_db[:, 0, 0] + 0.1)
    # The tones decay by 10 dB/s, and so must the frames of each crop, whatever gain it was given.
    slope = (target[:, 1:, 0] - target[:, :1, 0]) / (frame[:, 1:] - frame[:, :1]).masked_fill(
        frame[:, 1:] == frame[:, :1], 1
    )
    expected = torch.where(frame[:, 1:] == frame[:, :1], 0.0, -10.0 / 125.0)
    torch.testing.assert_close(slope, expected.expand_as(slope), atol=0.03, rtol=0.0)
    assert set(pitch.tolist()) <= {40.0, 50.0, 60.0, 70.0}


def test_the_frames_of_a_batch_are_those_of_its_sound(tones: ControlSet) -> None:
    n_compared = 0
    for step in range(4):  # 24 crops, half of which begin inside their notes
        wave, frame, _, _, target, _ = Batches(tones, FAST)(step)
        for i in range(wave.shape[0]):
            for j in range(frame.shape[1]):
                middle = int(frame[i, j]) * 128
                if 1024 <= middle <= wave.shape[1] - 1024:
                    heard_db = 10.0 * np.log10(float((wave[i, middle - 1024 : middle + 1024] ** 2).mean()))
                    power = 10.0 ** (target[i, j, :-1].double().numpy() / 10.0)
                    assert heard_db == pytest.approx(10.0 * np.log10(power.sum() / 2.0), abs=1.5)
                    n_compared += 1
    assert n_compared > 300


def test_the_learning_rate_warms_up_and_falls() -> None:
    rates = [learning_rate(done, FAST) for done in (0.0, 0.005, 0.01, 0.5, 1.0)]
    assert rates[0] == 0.0
    assert rates[2] == pytest.approx(FAST.learning_rate, rel=0.01)
    assert rates[1] < rates[2] > rates[3] > rates[4] > 0.0


def test_a_checkpoint_of_another_network_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "c.safetensors"
    save_checkpoint(path, Training.start(TINY, FAST))
    other = Training.start(type(TINY)(**(TINY.to_dict() | {"decoder_width": 48, "dilations": (1, 2, 4)})), FAST)  # type: ignore[arg-type]
    with pytest.raises(TetradError, match="decoder_width=48"):
        load_checkpoint(path, other)


@pytest.mark.parametrize("content", [b"", b"hello", b"\xff" * 100])
def test_a_damaged_checkpoint_is_refused_in_words(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "c.safetensors"
    path.write_bytes(content)
    with pytest.raises(TetradError, match="can't be read as a checkpoint"):
        load_model(path)


@pytest.mark.filterwarnings("ignore:`isinstance:FutureWarning")  # torch 2.13's own exporter
def test_export_agrees_with_torch_and_is_read_by_the_device(tones: ControlSet, tmp_path: Path) -> None:
    run = Training.start(TINY, FAST)
    train_steps(run, Batches(tones, FAST), 3)
    checkpoint = tmp_path / "c.safetensors"
    save_checkpoint(checkpoint, run)
    summary = export(checkpoint, tmp_path / "pair")
    assert summary["step"] == 3
    encoder, decoder = Encoder(tmp_path / "pair" / "encoder.onnx"), Decoder(tmp_path / "pair" / "decoder.onnx")
    for name in ("encoder", "decoder"):  # no path of the machine that exported it
        assert b".py" not in (tmp_path / "pair" / f"{name}.onnx").read_bytes()
    assert encoder.model_id == decoder.model_id == summary["model_id"]
    model, _ = load_model(checkpoint)
    wave = tones.wave[5, : 20 * 512].astype(np.float32) / 32767.0
    with torch.no_grad():
        z = model.encoder(torch.from_numpy(wave)[None])[0].numpy()
    np.testing.assert_allclose(encoder.run(wave), z, atol=TOLERANCE * np.abs(z).max())


@pytest.mark.filterwarnings("ignore:`isinstance:FutureWarning")
def test_export_refuses_a_graph_that_computes_something_else(
    tones: ControlSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoint = tmp_path / "c.safetensors"
    save_checkpoint(checkpoint, Training.start(TINY, FAST))
    true_graph = models.export._decoder_graph

    def graph_of_another_network(model: Autoencoder) -> onnx.ModelProto:
        other = copy.deepcopy(model)
        other.decoder.out.bias.data += 0.001  # 0.02 dB
        return true_graph(other)

    monkeypatch.setattr(models.export, "_decoder_graph", graph_of_another_network)
    with pytest.raises(TetradError, match="differs from torch"):
        export(checkpoint, tmp_path / "pair")
    assert not list((tmp_path / "pair").glob("*.onnx"))


@pytest.mark.parametrize("content", [b"", b"not a network"])
def test_a_damaged_network_is_refused_in_words(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "decoder.onnx"
    path.write_bytes(content)
    with pytest.raises(TetradError, match="not a network that can be run"):
        Decoder(path)
    with pytest.raises(TetradError, match="can't be read"):
        Decoder(tmp_path / "none.onnx")
