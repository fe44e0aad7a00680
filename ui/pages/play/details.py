"""What is known of a corner's instrument, and how loud that corner is."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kivy.app import App
from kivy.lang import Builder
from kivy.properties import StringProperty
from kivy.uix.boxlayout import BoxLayout
from kivy.uix.label import Label

from ui.fonts import font_for, short
from ui.pages.play.keys import name_of
from ui.texts import text
from ui.widgets.dialog import Dialog
from ui.widgets.fader import Fader
from ui.widgets.setting import Settings

LONGEST_FACT = 110


def facts(shown: Mapping[str, Any]) -> list[str]:
    """Lines about an instrument, of what `instrument_show` tells; what is missing or empty has none."""
    lines = []
    for name in ("family", "author", "licence", "source"):
        value = shown.get(name)
        if isinstance(value, str) and value:
            lines.append(text(f"play.{name}", **{name: value}))
    tags = [tag for tag in _list(shown.get("tags")) if isinstance(tag, str)]
    if tags:
        lines.append(text("play.tags", tags=", ".join(tags)))
    pitches = [note["pitch"] for note in _list(shown.get("notes")) if _has_pitch(note)]
    if pitches:
        low, high = name_of(min(pitches)), name_of(max(pitches))
        lines.append(text("play.notes", n=len(pitches), lowest=low, highest=high))
    return lines


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _has_pitch(note: object) -> bool:
    return isinstance(note, Mapping) and isinstance(note.get("pitch"), int)


class Details(BoxLayout):
    """The body of the dialog. corner: nw, ne, sw or se; picture: a file, or ""."""

    corner = StringProperty("nw")
    picture = StringProperty("")

    def __init__(self, corner: str, **values: Any) -> None:
        super().__init__(corner=corner, **values)
        self._app = App.get_running_app()
        self._settings: Settings | None = None
        self._app.lists.want("table")
        self._app.mirror.bind(table=self._add_fader)
        self._add_fader()

    def take(self, shown: Mapping[str, Any]) -> None:
        """What the engine tells of the instrument."""
        picture = shown.get("picture")
        if isinstance(picture, str) and picture and Path(picture).is_file():
            self.picture = picture
        for line in facts(shown):
            words = FactWords(text=short(line, LONGEST_FACT), font_name=font_for(line))
            self.ids.facts.add_widget(words)

    def leave(self) -> None:
        """Nobody looks at it any more."""
        self._app.mirror.unbind(table=self._add_fader)
        if self._settings is not None:
            self._settings.listen(False)

    def _add_fader(self, *_: object) -> None:
        """The corner's level, as soon as the engine has told what that is."""
        name = f"level_{self.corner}"
        found = [parameter for parameter in self._app.mirror.table if parameter.name == name]
        if not found or self._settings is not None:
            return
        self._settings = Settings(self._app.link, self._app.mirror, found)
        self._settings.listen()
        self.ids.level.add_widget(Fader(self._settings[name]))


class FactWords(Label):
    """One line about an instrument."""


class DetailsDialog(Dialog):
    """A dialog that lets go of the mirror when it closes."""

    def __init__(self, title: str, body: Details) -> None:
        super().__init__(title, body=body)
        self._body = body

    def close(self) -> None:
        self._body.leave()
        super().close()


def open_details(corner: str) -> DetailsDialog:
    """Of the instrument in a corner; what is asked of the engine comes a moment later."""
    app = App.get_running_app()
    there = app.mirror.corners[corner]
    name = short(there["display_name"] or there["instrument"] or text("corner.empty"), LONGEST_FACT)
    body = Details(corner)
    dialog = DetailsDialog(text("play.corner", corner=text(f"corner.{corner}"), name=name), body)
    if there["instrument"]:
        app.link.ask("instrument_show", name=there["instrument"], then=body.take)
    dialog.open()
    return dialog


Builder.load_file(str(Path(__file__).with_suffix(".kv")))
