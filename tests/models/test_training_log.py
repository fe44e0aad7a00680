"""What a training run leaves to read: the log, its curves, TensorBoard's events; and what hardware says in words."""

import struct
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from tensorboardX.proto.event_pb2 import Event

from models.hardware import Hardware, out_of_memory_in_words
from models.training_log import TrainingLog, read_log
from synth import paths
from synth.errors import TetradError


def written(path: Path, *, append: bool = False, tensorboard: bool = False) -> None:
    log = TrainingLog(path, append=append, tensorboard=tensorboard)
    log.add({"loss": 4.0, "active_frame_error_db": 3.0, "wavenet_nats": 5.0})
    log.add({"loss": 2.0, "active_frame_error_db": 2.0})
    log.write(50, 30.0, None)
    log.add({"loss": 1.0, "active_frame_error_db": 1.5})
    log.write(100, 60.0, 2.5)
    log.close()


def test_the_log_holds_means_and_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "c.safetensors"
    written(path)
    written(path, append=True)
    columns = read_log(tmp_path / "c.csv")
    assert columns["loss"] == ([0.5, 1.0, 0.5, 1.0], [3.0, 1.0, 3.0, 1.0])
    assert columns["wavenet_nats"] == ([0.5, 0.5], [5.0, 5.0])
    assert columns["held_out_error_db"] == ([1.0, 1.0], [2.5, 2.5])
    written(path)
    assert len(read_log(tmp_path / "c.csv")["loss"][0]) == 2  # begun anew


def test_the_curves_are_drawn(tmp_path: Path) -> None:
    written(tmp_path / "c.safetensors")
    with Image.open(tmp_path / "c.png") as picture:
        pixels = np.asarray(picture.convert("RGB")).astype(int)
    blue = (pixels[..., 2] - pixels[..., 0] > 100) & (pixels[..., 2] > 150)
    # The first curve falls from 3.0 on the left to 1.5 on the right.
    rows, columns = blue.nonzero()
    assert rows[columns < np.quantile(columns, 0.2)].mean() < rows[columns > np.quantile(columns, 0.8)].mean() - 50


def test_tensorboard_can_read_it(tmp_path: Path) -> None:
    written(tmp_path / "c.safetensors", tensorboard=True)
    (file,) = (tmp_path / "c.events").iterdir()
    content, at = file.read_bytes(), 0
    found: dict[tuple[str, int], float] = {}
    while at < len(content):  # TFRecord: length, its checksum, an event, its checksum
        (length,) = struct.unpack_from("<Q", content, at)
        event = Event.FromString(content[at + 12 : at + 12 + length])
        at += 16 + length
        found |= {(value.tag, event.step): value.simple_value for value in event.summary.value}
    assert found["loss", 50] == 3.0
    assert found["held_out_error_db", 100] == 2.5


def test_a_full_gpu_says_what_to_lower() -> None:
    with pytest.raises(TetradError, match=r"64 notes a step.*--batch-size"), out_of_memory_in_words(64):
        raise torch.OutOfMemoryError("CUDA out of memory")


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_gpu_that_is_not_there_is_said() -> None:
    with pytest.raises(TetradError, match="no CUDA device"), Hardware.find("cuda", 1):
        pass


def test_another_network_can_be_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("TETRAD_MODEL", raising=False)
    assert paths.model_dir() == paths.pretrained_dir()
    monkeypatch.setenv("TETRAD_MODEL", str(tmp_path))
    assert paths.model_dir() == tmp_path
