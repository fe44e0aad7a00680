"""Import NSynth's published WaveNet from its TensorFlow checkpoint (without TensorFlow)."""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from torch import Tensor

from models.magenta.bundle import Bundle, open_bundle
from models.magenta.variables import Variable, variables
from models.nsynth import CONFIGS, NSynthConfig
from models.nsynth_file import save_nsynth
from synth.command import progress
from synth.errors import TetradError
from synth.paths import user_data_dir

AVERAGE = "/ExponentialMovingAverage"
SLOTS = ("/Adam", "/Adam_1")
BOOKKEEPING = ("global_step", "beta1_power", "beta2_power")
"""What Magenta's training keeps beside the weights: its step, and Adam's two moments (per variable) and two powers."""


def read_checkpoint(prefix: Path, config: NSynthConfig) -> tuple[dict[str, Tensor], str]:
    """A checkpoint's weights under our names, and which they are: "averaged" if it has averages, else "plain".

    Raises TetradError with the names of variables that are missing, of another shape or type, or not the network's.
    """
    bundle = open_bundle(prefix)
    wanted = variables(config)
    has_averages = any(name.endswith(AVERAGE) for name in bundle.entries)
    _check_names(bundle, wanted, has_averages)
    suffix = AVERAGE if has_averages else ""
    tensors = {}
    for variable in progress(wanted, description="variables", unit="var"):
        values = bundle.read(variable.name + suffix)
        tensors[variable.parameter] = torch.from_numpy(variable.to_torch(values))
    return tensors, "averaged" if has_averages else "plain"


def _check_names(bundle: Bundle, wanted: list[Variable], has_averages: bool) -> None:
    """Every variable there with its shape, and nothing else but what training keeps beside them."""
    shapes = {variable.name: variable.shape for variable in wanted}
    if has_averages:
        shapes |= {variable.name + AVERAGE: variable.shape for variable in wanted}
        required = [name for name in shapes if name.endswith(AVERAGE)]
    else:
        required = list(shapes)
    known = {*shapes, *BOOKKEEPING, *(variable.name + slot for variable in wanted for slot in SLOTS)}
    missing = [name for name in required if name not in bundle.entries]
    extra = [name for name in bundle.entries if name not in known]
    if missing or extra:
        found = " and ".join(
            f"{verb} {_listed(names)}" for verb, names in (("lacks", missing), ("has", extra)) if names
        )
        raise TetradError(
            f"checkpoint {bundle.prefix} {found}; the {len(wanted)} variables of NSynth's WaveNet were expected; "
            "name that network's checkpoint"
        )
    for name, shape in shapes.items():
        entry = bundle.entries.get(name)
        if entry is not None and entry.shape != shape:
            raise TetradError(
                f"checkpoint {bundle.prefix} has {name} with shape {list(entry.shape)}; {list(shape)} was expected; "
                "name the checkpoint of NSynth's WaveNet"
            )


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(names[:3]) + more


class ImportMagentaCommand:
    """`tetrad model import-magenta`"""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            "checkpoint", type=Path, help="its prefix: wavenet-ckpt/model.ckpt-200000 for files of that name"
        )
        parser.add_argument(
            "--out",
            type=Path,
            help="the file to write, 247 MB (default: nsynth.safetensors in the user data directory)",
        )

    def run(self, args: argparse.Namespace) -> int:
        config = CONFIGS["nsynth"]
        tensors, kind = read_checkpoint(args.checkpoint, config)
        out = args.out
        if out is None:
            out = user_data_dir() / "nsynth.safetensors"
            out.parent.mkdir(parents=True, exist_ok=True)
        save_nsynth(out, config, tensors, {"checkpoint": args.checkpoint.name, "weights": kind})
        n_weights = sum(tensor.numel() for tensor in tensors.values())
        print(f"wrote {out}: {len(tensors)} variables, {n_weights} {kind} weights")
        return 0
