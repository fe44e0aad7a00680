"""Checkpoints: safetensors that hold weights, their running average, the optimizer and the configuration."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from safetensors.torch import save as save_tensors
from torch import Tensor

from models.autoencoder import Autoencoder, AutoencoderConfig
from models.safetensors_file import read_safetensors
from synth.errors import TetradError
from synth.files import atomic_write_bytes

if TYPE_CHECKING:
    from models.train import Training

FORMAT = "tetrad-checkpoint"
VERSION = 2


def save_checkpoint(path: Path, run: Training) -> None:
    """Write everything that `load_checkpoint` needs to go on exactly; 18 MB for the small network."""
    tensors: dict[str, Tensor] = {}
    tensors.update({f"model.{k}": v for k, v in run.model.state_dict().items()})
    tensors.update({f"ema.{k}": v for k, v in run.ema.state_dict().items()})
    if run.joint.adversary is not None:
        tensors.update({f"adversary.{k}": v for k, v in run.joint.adversary.state_dict().items()})
    names = run.trained_names
    for index, state in run.optimizer.state_dict()["state"].items():
        tensors.update({f"optimizer.{names[index]}.{k}": v for k, v in state.items()})
    metadata = {
        "format": FORMAT,
        "version": str(VERSION),
        "config": json.dumps(run.model.config.to_dict()),
        "step": str(run.step),
        "seconds": repr(run.seconds),
    }
    contiguous = {k: v.detach().cpu().contiguous() for k, v in tensors.items()}
    atomic_write_bytes(path, save_tensors(contiguous, metadata))


def load_checkpoint(path: Path, run: Training) -> None:
    """Put a checkpoint into a fresh `run`, so that the next step is the one that would have followed."""
    tensors, metadata = read_safetensors(path, FORMAT, VERSION)
    config = _config(path, metadata)
    if config != run.model.config:
        raise TetradError(
            f"{path} holds the network {config}, but {run.model.config} was asked for; name another --out, or --fresh"
        )
    for prefix, module in (("model.", run.model), ("ema.", run.ema)):
        _load_state(path, module, tensors, prefix)
    if run.joint.adversary is not None:
        _load_state(path, run.joint.adversary, tensors, "adversary.")
    state: dict[int, dict[str, Tensor]] = {}
    for index, name in enumerate(run.trained_names):
        prefix = f"optimizer.{name}."
        found = {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
        if found:
            state[index] = found
    run.optimizer.load_state_dict({"state": state, "param_groups": run.optimizer.state_dict()["param_groups"]})
    run.step, run.seconds = int(metadata["step"]), float(metadata["seconds"])


def load_model(path: Path) -> tuple[Autoencoder, dict[str, str]]:
    """The averaged weights of a checkpoint, ready to evaluate, and its metadata."""
    tensors, metadata = read_safetensors(path, FORMAT, VERSION)
    model = Autoencoder(_config(path, metadata))
    _load_state(path, model, tensors, "ema.")
    return model.eval(), metadata


def _config(path: Path, metadata: dict[str, str]) -> AutoencoderConfig:
    try:
        return AutoencoderConfig.from_dict(json.loads(metadata["config"]))
    except (KeyError, ValueError, TypeError) as error:
        raise TetradError(f"{path} has a configuration that this release does not know ({error})") from error


def _load_state(path: Path, module: torch.nn.Module, tensors: dict[str, Tensor], prefix: str) -> None:
    state = {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
    try:
        module.load_state_dict(state)
    except RuntimeError as error:
        raise TetradError(f"{path} does not fit its own configuration: {error}") from error


def model_id(model: Autoencoder) -> str:
    """What an exported pair, and every instrument made with it, says of where it comes from."""
    return hashlib.sha256(b"".join(v.numpy().tobytes() for v in model.state_dict().values())).hexdigest()[:16]
