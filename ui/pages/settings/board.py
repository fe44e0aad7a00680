"""Settings: the encoder board, as its own program tells of it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from kivy.lang import Builder
from kivy.properties import StringProperty

from synth.paths import user_data_dir
from ui.pages.settings import rows  # noqa: F401  (its rules are used in this file's)
from ui.pages.settings.section import Section
from ui.texts import text

Builder.load_file(str(Path(__file__).with_suffix(".kv")))

NAME = "board"
"""What the board's program calls itself at the engine."""
SETTINGS_FILE = "board.toml"


def told(presented: Sequence[Any]) -> tuple[str, str]:
    """Words, and "good" or "warning", of what clients say of themselves; newest last."""
    for one in reversed(presented):
        if isinstance(one, dict) and one.get("name") == NAME and isinstance(one.get("words"), str):
            return one["words"], "good" if one.get("well") is True else "warning"
    return text("settings.board.none"), ""


class BoardSection(Section):
    """words, kind: how the board is."""

    words = StringProperty("")
    kind = StringProperty("")
    file = StringProperty("")

    def __init__(self, **values: Any) -> None:
        super().__init__(**values)
        self.file = str(user_data_dir() / SETTINGS_FILE)
        self.mirror.bind(server=self._look)
        self._look()

    def _look(self, *_: object) -> None:
        self.words, self.kind = told(self.mirror.server["presented"])
