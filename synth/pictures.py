"""Pictures that other packages draw: found by entry points of the group `tetrad.pictures`, so no import runs upward.

[project.entry-points."tetrad.pictures"]
grid-path = "models.morph.path_sheet:write_path_sheet"
"""

import importlib.metadata
from collections.abc import Callable
from typing import Any

from synth.errors import TetradError


def drawing(name: str) -> Callable[..., Any]:
    """The function that draws what is called so. Raises TetradError where no installed package has it."""
    found = importlib.metadata.entry_points(group="tetrad.pictures", name=name)
    for entry_point in found:
        draw: Callable[..., Any] = entry_point.load()
        return draw
    raise TetradError(
        f"nothing here draws {name}; the package models was expected to; install Tetrad whole: pip install "
        "'tetrad[models]', or `make models` in a checkout"
    )
