"""Settings: what this is, under which licences, and where the player's files lie."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from kivy.lang import Builder
from kivy.properties import ObjectProperty, StringProperty

from synth.paths import model_dir, user_data_dir
from ui.pages.settings import rows  # noqa: F401  (its rules are used in this file's)
from ui.pages.settings.section import Section
from ui.texts import text

Builder.load_file(str(Path(__file__).with_suffix(".kv")))

MODEL_FILE, CARD_FILE = "model.json", "README.md"


def model_words(folder: Path) -> str:
    """Name and number of the networks in a folder, and where their card is."""
    try:
        about = json.loads((folder / MODEL_FILE).read_text(encoding="utf-8"))
        name, number = about["config"]["name"], about["model_id"]
    except (OSError, ValueError, KeyError, TypeError):
        return text("settings.about.no_model", folder=folder)
    card = folder / CARD_FILE
    return text("settings.about.model_is", name=name, number=number, card=card if card.exists() else folder)


def licences(instruments: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """Licence -> the names of the shipped instruments under it, the commonest first."""
    names: dict[str, list[str]] = {}
    for one in instruments:
        if one.get("shipped") is True:
            licence = str(one.get("licence") or text("settings.unknown"))
            names.setdefault(licence, []).append(str(one.get("display_name") or one.get("name") or "?"))
    ordered = sorted(names.items(), key=lambda item: (-len(item[1]), item[0]))
    return [(licence, ", ".join(sorted(of_it, key=str.casefold))) for licence, of_it in ordered]


class AboutSection(Section):
    """licences: of the shipped instruments, as `licences` gives them."""

    licences = ObjectProperty([])
    model = StringProperty("")
    folder = StringProperty("")

    def __init__(self, **values: Any) -> None:
        super().__init__(**values)
        self.model, self.folder = model_words(model_dir()), str(user_data_dir())
        self.lists.want("instruments")
        self.mirror.bind(instruments=self._list)
        self._list()

    def _list(self, *_: object) -> None:
        found = licences(self.mirror.instruments)
        if found != self.licences:
            self.licences = found

    @staticmethod
    def licence_words(found: list[tuple[str, str]]) -> str:
        """All of them, a paragraph each."""
        if not found:
            return text("settings.about.no_instruments")
        return "\n\n".join(text("settings.about.licence_of", licence=one, names=names) for one, names in found)
