"""Settings: the pitch of every key, from Scala files."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kivy.lang import Builder
from kivy.properties import ListProperty, StringProperty

from ui.pages.settings import (
    rows,  # noqa: F401  (its rules are used in this file's)
    scales,
)
from ui.pages.settings.section import Section
from ui.texts import text
from ui.widgets.dialog import ask_text

Builder.load_file(str(Path(__file__).with_suffix(".kv")))


class TuningSection(Section):
    """scale, keyboard_map: paths that were chosen; "" for none."""

    scales: list[Path] = ListProperty([])
    maps: list[Path] = ListProperty([])
    scale = StringProperty("")
    keyboard_map = StringProperty("")

    def refresh(self) -> None:
        folder = scales.tunings_dir()
        self.scales = scales.files_in(folder, scales.SCALE)
        self.maps = scales.files_in(folder, scales.MAP)

    def choose_scale(self, path: str) -> None:
        """It sounds at once, with the keyboard map that was chosen."""
        self.scale = path
        self._load()

    def choose_map(self, path: str) -> None:
        """ "" for none. It counts with a scale only."""
        self.keyboard_map = path
        if self.scale:
            self._load()
        elif path:
            self.mirror.say(text("settings.tuning.map_first"))

    def equal(self) -> None:
        """Twelve equal steps."""
        self.scale = self.keyboard_map = ""
        self.link.ask("tuning_load", then=self._loaded)

    def ask_path(self) -> None:
        """The player types where a file is."""
        ask_text(text("settings.tuning.path"), self.typed, hint="~/scales/just.scl")

    def typed(self, words: str) -> None:
        """A path that was typed: of a scale or of a keyboard map."""
        path, wrong = scales.typed(words)
        if wrong:
            self.mirror.say(text("settings.tuning.no_scala", found=wrong), "warning")
        elif path.suffix.lower() == scales.SCALE:
            self.choose_scale(str(path))
        else:
            self.choose_map(str(path))

    def _load(self) -> None:
        maps = {"keyboard_map": self.keyboard_map} if self.keyboard_map else {}
        self.link.ask("tuning_load", scale=self.scale, then=self._loaded, failed=self._refused, **maps)

    def _loaded(self, answer: Mapping[str, Any]) -> None:
        self.mirror.say(text("settings.tuning.loaded", name=answer.get("tuning", "?")))

    def _refused(self, words: str) -> None:
        self.scale = self.keyboard_map = ""
        self.mirror.say(words, "warning")

    # What the rules show.

    @staticmethod
    def choices(files: list[Path], chosen: str, nothing: str = "") -> list[tuple[str, str]]:
        """The files by name; the one that was typed, too; and `nothing`, where that can be chosen."""
        paths = [str(path) for path in files]
        paths += [chosen] if chosen and chosen not in paths else []
        return [*([("", nothing)] if nothing and paths else []), *((path, Path(path).name) for path in paths)]

    @staticmethod
    def folder_words(files: list[Path]) -> str:
        """Where the files lie, or are to be put."""
        key = "settings.tuning.folder" if files else "settings.tuning.empty"
        return text(key, folder=scales.tunings_dir())
