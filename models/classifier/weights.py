"""The classifier's weights on disk: safetensors with the configuration and the words that its outputs stand for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from safetensors import SafetensorError, safe_open
from safetensors.torch import save as save_tensors

from models.classifier.network import Classifier, ClassifierConfig
from models.classifier.qualities import QUALITIES
from synth.errors import TetradError
from synth.files import atomic_write_bytes
from synth.instruments.format import FAMILIES

if TYPE_CHECKING:
    from models.classifier.training import ClassifierRun

FORMAT = "tetrad-classifier"
VERSION = 1
_REMEDY = "train one with `tetrad model train-classifier`"


def save_classifier(path: Path, run: ClassifierRun) -> None:
    """Write the averaged weights of a run, 3 MB."""
    metadata = {
        "format": FORMAT,
        "version": str(VERSION),
        "config": json.dumps(run.ema.config.to_dict()),
        "families": json.dumps(FAMILIES),
        "qualities": json.dumps(QUALITIES),
        "seed": str(run.config.seed),
        "step": str(run.done.step),
        "seconds": repr(run.done.seconds),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    atomic_write_bytes(path, save_tensors({k: v.contiguous() for k, v in run.ema.state_dict().items()}, metadata))


def load_classifier(path: Path) -> Classifier:
    """A classifier ready to judge. Raises TetradError for a missing, damaged or foreign file, or other words."""
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a mapping
    except (OSError, SafetensorError) as error:
        raise TetradError(f"{path} can't be read as a classifier ({error}); safetensors expected; {_REMEDY}") from error
    found = metadata.get("format"), metadata.get("version")
    if found != (FORMAT, str(VERSION)):
        raise TetradError(f"{path} is {found[0]} version {found[1]}; expected {FORMAT} version {VERSION}; {_REMEDY}")
    for key, words in (("families", FAMILIES), ("qualities", QUALITIES)):
        if metadata.get(key) != json.dumps(words):
            raise TetradError(
                f"{path} tells apart other {key} ({metadata.get(key)}); expected {list(words)}; {_REMEDY}"
            )
    try:
        model = Classifier(ClassifierConfig.from_dict(json.loads(metadata["config"])))
        model.load_state_dict(tensors)
    except (KeyError, ValueError, TypeError, AttributeError, RuntimeError) as error:
        reason = str(error).replace("\n", " ")
        raise TetradError(f"{path} does not fit its own configuration ({reason}); {_REMEDY}") from error
    return model.eval()
