"""Training: the loss means what it says, learning learns, and an interrupted run is the run."""

import copy
import os
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from safetensors.torch import load_file

import models.export
from models.autoencoder import Autoencoder
from models.batches import BatchConfig, Batches, smooth_curve
from models.checkpoint import load_checkpoint, load_model, save_checkpoint
from models.control_data import ControlSet
from models.export import TOLERANCE, export
from models.losses import Adversary, active_error_db
from models.train import Budget, TrainConfig, Training, learning_rate, train_step
from synth.errors import TetradError
from synth.instruments.encoder import Encoder
from synth.voices.decoder import Decoder
from tests.models.test_autoencoder import TINY

FAST = TrainConfig(
    batch=BatchConfig(batch_size=6, frames_per_note=24, wavenet_batch=2, wavenet_embeddings=2),
    learning_rate=5e-3,
    wavenet_every=2,
    adversary_weight=0.1,
)
CPU = torch.device("cpu")


def batches_of(tones: ControlSet, config: TrainConfig = FAST) -> Batches:
    return Batches(tones, Autoencoder(TINY).encoder.spectrum, config.batch, CPU)


def train_steps(run: Training, batches: Batches, n_steps: int) -> list[dict[str, float]]:
    return [train_step(run, batches(run.step), 5e-3) for _ in range(n_steps)]


def test_the_error_is_the_mean_over_what_can_be_heard() -> None:
    target = torch.full((1, 40, 165), -120.0)
    target[..., -1] = 0.0
    target[0, :, :5] = -20.0
    target[0, 0, 6] = -60.0
    target[0, 0, 7] = -101.0  # 81 dB under the peak: not heard
    rows = target.clone()
    rows[0, :, 0] += 2.0
    rows[0, 0, 6] -= 5.0
    rows[0, 0, 7] -= 19.0
    error, loss = active_error_db(rows, target, torch.tensor(-20.0).reshape(1, 1, 1))
    assert float(error) == pytest.approx((40 * 2.0 + 5.0) / 201.0)
    assert float(loss) == pytest.approx(float(error))
    rows[0, 0, 7] = -94.0  # six dB into the audible range, where nothing should be
    loss = active_error_db(rows, target, torch.tensor(-20.0).reshape(1, 1, 1))[1]
    assert float(loss) == pytest.approx(float(error) + 0.5 * 6.0 / 201.0)


def test_every_note_counts_alike_and_what_is_not_known_not_at_all() -> None:
    target = torch.full((2, 40, 165), -120.0)
    target[..., -1] = 0.0
    target[0, :, :5] = -20.0
    target[1, :, :50] = -20.0
    rows = target.clone()
    rows[0, :, :5] += 1.0
    rows[1, :, :50] += 3.0
    target[1, :, 50:100] = torch.nan
    rows[1, :, 50:100] = 0.0
    rows.requires_grad_(True)
    error, loss = active_error_db(rows, target, torch.tensor([-20.0, -20.0]).reshape(2, 1, 1))
    assert float(error.detach()) == pytest.approx(2.0)
    loss.backward()
    assert rows.grad is not None
    assert torch.all(torch.isfinite(rows.grad))
    assert torch.all(rows.grad[1, :, 50:100] == 0.0)


def test_learning_learns(tones: ControlSet) -> None:
    run = Training.start(TINY, FAST)
    batch = batches_of(tones)(0)
    shown = [train_step(run, batch, 5e-3) for _ in range(100)]
    errors = [s["active_frame_error_db"] for s in shown]
    assert np.mean(errors[-5:]) < 0.6 * np.mean(errors[:5])
    nats = [s["wavenet_nats"] for s in shown if "wavenet_nats" in s]
    assert len(nats) == 50
    assert np.mean(nats[-5:]) < nats[0] - 0.5


def test_the_wavenet_teaches_the_encoder(tones: ControlSet) -> None:
    run = Training.start(TINY, FAST)
    loss, shown = run.joint(batches_of(tones)(0), 0)
    (loss - loss.detach()).backward(retain_graph=True)
    whole = run.model.encoder.to_z.weight.grad
    assert whole is not None
    whole = whole.clone()
    run.optimizer.zero_grad()
    without, _ = run.joint(batches_of(tones)(0), 1)  # FAST asks the WaveNet every other step
    without.backward()
    other = run.model.encoder.to_z.weight.grad
    assert other is not None
    assert "wavenet_nats" in shown
    assert float((whole - other).abs().max()) > 1e-4 * float(whole.abs().max())


def test_the_adversary_learns_the_pitch_and_the_encoder_unlearns_it() -> None:
    torch.manual_seed(0)
    adversary = Adversary()
    pitch = torch.tensor([45.0, 57.0, 69.0])
    z = torch.randn(3, 4, 16)
    z[:, :, 0] = ((pitch - 57.0) / 12.0)[:, None]
    optimizer = torch.optim.Adam(adversary.parameters(), lr=0.01)
    for _ in range(100):
        optimizer.zero_grad()
        adversary(z, pitch, 1.0).backward()
        optimizer.step()
    assert adversary(z, pitch, 1.0).item() < 0.1
    z.requires_grad_(True)
    before = adversary(z, pitch, 0.5)
    before.backward()
    assert z.grad is not None
    with torch.no_grad():  # to go down the gradient that z is given makes the guess worse
        assert adversary(z - 0.5 * z.grad / z.grad.norm(), pitch, 0.5) > before


def test_a_resumed_run_equals_an_uninterrupted_one(tones: ControlSet, tmp_path: Path) -> None:
    batches = batches_of(tones)
    whole = Training.start(TINY, FAST)
    train_steps(whole, batches, 8)
    first = Training.start(TINY, FAST)
    train_steps(first, batches, 5)
    save_checkpoint(tmp_path / "c.safetensors", first)
    second = Training.start(TINY, FAST)
    load_checkpoint(tmp_path / "c.safetensors", second)
    assert second.step == 5
    train_steps(second, batches, 3)
    for one, other in ((whole.joint, second.joint), (whole.ema, second.ema)):
        for (name, a), b in zip(one.named_parameters(), other.parameters(), strict=True):
            torch.testing.assert_close(a, b, rtol=0.0, atol=0.0, msg=name)


PLAIN = BatchConfig(batch_size=6, frames_per_note=24, equaliser_db=0.0, wavenet_batch=6, wavenet_embeddings=4)


def test_a_batch_is_cut_from_its_note(tones: ControlSet) -> None:
    batch = Batches(tones, Autoencoder(TINY).encoder.spectrum, PLAIN, CPU)(3)
    assert batch.spectrum.shape == (6, 128 + 24, 64)
    assert batch.target.shape == (6, 24, 165)
    assert torch.all(batch.velocity == 100.0)
    assert torch.all(batch.target[..., :-1].amax(dim=(1, 2)) <= batch.peak_db[:, 0, 0] + 0.1)
    # The tones decay by 10 dB/s, and so must the frames of each crop, whatever gain it was given.
    apart = batch.frame[:, 1:] - batch.frame[:, :1]
    slope = (batch.target[:, 1:, 0] - batch.target[:, :1, 0]) / apart.masked_fill(apart == 0, 1)
    expected = torch.where(apart == 0, 0.0, -10.0 / 125.0)
    # Levels around -25 dB are kept to 1/64 dB.
    assert torch.all((slope - expected).abs() * apart.abs().clamp(min=1.0) < 0.04)
    assert set(batch.pitch.tolist()) <= {40.0, 50.0, 60.0, 70.0}


def test_what_is_seen_what_is_asked_and_what_is_heard_are_the_same_moment(tones: ControlSet) -> None:
    batches = Batches(tones, Autoencoder(TINY).encoder.spectrum, PLAIN, CPU)
    n_compared = 0
    for step in range(6):
        batch = batches(step)
        for i in range(6):
            for j in range(24):
                at = int(batch.frame[i, j])
                if 8 <= at < 56:  # the first partial, seen at step k of 8 ms, whose middle is half a frame later
                    seen_db = 100.0 * (float(batch.spectrum[i, 0, at]) - 1.0)
                    assert seen_db == pytest.approx(float(batch.target[i, j, 0]), abs=0.7)
                    n_compared += 1
            middle = int(batch.wave_at[i]) * 4 + 8
            heard_db = 10.0 * np.log10(2.0 * float((batch.wave[i] ** 2).mean()))
            power = (10.0 ** (10.0 * (batch.spectrum[i, :20, middle].double() - 1.0))).sum()
            assert heard_db == pytest.approx(10.0 * float(torch.log10(power)), abs=1.0)
    assert n_compared > 300


def test_the_equaliser_is_the_same_for_what_is_seen_and_what_is_asked(tones: ControlSet) -> None:
    loud = BatchConfig(batch_size=6, frames_per_note=24, equaliser_db=6.0, wavenet_batch=0)
    spectrum = Autoencoder(TINY).encoder.spectrum
    plain = Batches(tones, spectrum, replace(loud, equaliser_db=0.0), CPU)(1)
    equalised = Batches(tones, spectrum, loud, CPU)(1)
    asked = equalised.target[:, 0, :5] - plain.target[:, 0, :5]
    seen = 100.0 * (equalised.spectrum[:, :5, 30] - plain.spectrum[:, :5, 30])
    assert float(asked.abs().max()) > 3.0
    torch.testing.assert_close(seen, asked, atol=0.1, rtol=0.0)


def test_a_curve_is_what_its_octaves_say() -> None:
    knots_db = torch.tensor([[0.0, 0.0, 3.0, -6.0, 0.0, 0.0, 0.0, 0.0, 2.0]])
    frequency_hz = torch.tensor([[125.0, 250.0, 125.0 * 2.0**0.5, 8000.0, 16_000.0, 20.0]])
    expected = torch.tensor([[3.0, -6.0, -1.5, 2.0, 2.0, 0.0]])
    torch.testing.assert_close(smooth_curve(knots_db, frequency_hz), expected, atol=0.01, rtol=0.0)


def test_processes_draw_different_batches_from_one_counter(tones: ControlSet) -> None:
    spectrum = Autoencoder(TINY).encoder.spectrum
    one, other = (Batches(tones, spectrum, FAST.batch, CPU, rank, 2)(4) for rank in (0, 1))
    alone = Batches(tones, spectrum, FAST.batch, CPU)
    torch.testing.assert_close(one.target, alone(8).target)
    torch.testing.assert_close(other.target, alone(9).target)


def test_the_learning_rate_warms_up_and_falls() -> None:
    run = Training.start(TINY, FAST)
    run.step, run.seconds = 30, 90.0
    assert Budget(None, 40).done(run) == 0.75
    assert Budget(3.0, None).done(run) == 0.5
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
    with pytest.raises(TetradError, match="can't be read"):
        load_model(path)


@pytest.mark.long
@pytest.mark.filterwarnings("ignore:`isinstance:FutureWarning")  # torch 2.13's own exporter
def test_export_agrees_with_torch_and_is_read_by_the_device(tones: ControlSet, tmp_path: Path) -> None:
    run = Training.start(TINY, FAST)
    train_steps(run, batches_of(tones), 3)
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
        z = model.encoder(torch.from_numpy(wave)[None], torch.tensor([110.0]), torch.tensor([1e-4]))[0].numpy()
    np.testing.assert_allclose(encoder.run(wave, 110.0, 1e-4), z, atol=TOLERANCE * np.abs(z).max())


@pytest.mark.long
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


@pytest.mark.long
def test_two_processes_train_one_network(tones: ControlSet, tmp_path: Path) -> None:
    """`torchrun` in small: two processes that draw different batches keep the same weights, step by step."""
    script = tmp_path / "two.py"
    script.write_text(
        "import sys\n"
        "import numpy as np\n"
        "from safetensors.torch import save_file\n"
        "from torch.nn.parallel import DistributedDataParallel\n"
        "from models.batches import Batches\n"
        "from models.control_data import ControlSet\n"
        "from models.hardware import Hardware\n"
        "from models.train import Training, train_step\n"
        "from tests.models.test_train import FAST, TINY\n"
        "with np.load(sys.argv[1]) as data:\n"
        "    tones = ControlSet(*[data[k].tolist() if data[k].dtype.kind == 'U' else data[k] for k in data])\n"
        "with Hardware.find('cpu', 1) as hardware:\n"
        "    run = Training.start(TINY, FAST, hardware.device)\n"
        "    batches = Batches(tones, run.model.encoder.spectrum, FAST.batch, hardware.device, hardware.rank, 2)\n"
        "    joint = DistributedDataParallel(run.joint, find_unused_parameters=True, broadcast_buffers=False)\n"
        "    for _ in range(3):\n"
        "        train_step(run, batches(run.step), 5e-3, joint)\n"
        "    assert hardware.agree(float(hardware.rank)) == 0.0\n"
        "    save_file(dict(run.model.state_dict()), f'{sys.argv[2]}/{hardware.rank}.safetensors')\n"
    )
    with zipfile.ZipFile(tmp_path / "tones.npz", "w") as archive:
        for name, value in vars(tones).items():
            with archive.open(f"{name}.npy", "w") as file:
                np.save(file, np.array(value))
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", str(script)]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(
        [*command, str(tmp_path / "tones.npz"), str(tmp_path)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    first, second = (load_file(tmp_path / f"{rank}.safetensors") for rank in (0, 1))
    alone = Training.start(TINY, FAST)
    train_steps(alone, batches_of(tones), 3)
    for name, tensor in first.items():
        torch.testing.assert_close(tensor, second[name], rtol=0.0, atol=0.0, msg=name)
    moved = {name for name, p in alone.model.state_dict().items() if not torch.equal(first[name], p)}
    assert "encoder.to_z.weight" in moved  # two batches a step are not one
