"""An NSynth autoencoder in a file: safetensors with format, version, rate, configuration, origin and checksum."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

from models.nsynth import NSynthAutoencoder, NSynthConfig
from models.safetensors_file import read_safetensors
from synth.errors import TetradError
from synth.files import atomic_path
from synth.frames import ENCODER_RATE_HZ

FORMAT = "tetrad-nsynth"
VERSION = 1


def save_nsynth(path: Path, config: NSynthConfig, tensors: Mapping[str, Tensor], origin: Mapping[str, str]) -> None:
    """Write the weights (`NSynthAutoencoder.state_dict()`), 247 MB for `nsynth`; `origin` says where they come from."""
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    metadata = {
        "format": FORMAT,
        "version": str(VERSION),
        "sample_rate_hz": str(ENCODER_RATE_HZ),
        "config": json.dumps(config.to_dict()),
        "origin": json.dumps(dict(origin)),
        "crc32": _checksum(tensors),
    }
    with atomic_path(path) as temporary:
        save_file(tensors, temporary, metadata)


def load_nsynth(path: Path) -> NSynthAutoencoder:
    """The network of a file, ready to use. A file that is anything else is a TetradError that says what is wrong."""
    tensors, metadata = read_safetensors(path, FORMAT, VERSION)
    if _checksum(tensors) != metadata.get("crc32"):
        raise TetradError(f"{path} is damaged: its checksum differs; import it again")
    try:
        config = NSynthConfig.from_dict(json.loads(metadata["config"]))
    except (KeyError, ValueError, TypeError) as error:
        raise TetradError(f"{path} has a configuration that this release does not know ({error})") from error
    with torch.device("meta"):  # no random weights first: they take 4 s
        model = NSynthAutoencoder(config)
    try:
        model.load_state_dict(tensors, assign=True)
    except RuntimeError as error:
        raise TetradError(f"{path} does not fit its own configuration: {error}") from error
    return model.eval()


def _checksum(tensors: Mapping[str, Tensor]) -> str:
    value = 0
    for name in sorted(tensors):
        value = zlib.crc32(tensors[name].view(-1).numpy().data, zlib.crc32(name.encode(), value))
    return f"{value:08x}"
