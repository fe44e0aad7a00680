"""Make the data set, train, evaluate and export the networks (needs the `models` extra)."""

from collections.abc import Mapping
from typing import ClassVar

from synth.command import Group


class ModelCommand(Group):
    """`tetrad model ...`"""

    commands: ClassVar[Mapping[str, str]] = {
        "data": "models.dataset.command:DataCommand",
        "train": "models.train:TrainCommand",
        "evaluate": "models.evaluate:EvaluateCommand",
        "export": "models.export:ExportCommand",
        "train-classifier": "models.classifier.training:TrainClassifierCommand",
        "rainbowgram": "models.rainbowgram:RainbowgramCommand",
        "import-magenta": "models.magenta.command:ImportMagentaCommand",
    }
