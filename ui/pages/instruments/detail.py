"""What is known of one instrument, and what can be done with it."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kivy.app import App
from kivy.lang import Builder
from kivy.properties import BooleanProperty, ListProperty, ObjectProperty, StringProperty
from kivy.uix.boxlayout import BoxLayout

from ui.fonts import font_for, short
from ui.mirror import CORNER_NAMES
from ui.pages.instruments.search import Entry, key_name, key_range
from ui.texts import text
from ui.widgets.dialog import ask_text
from ui.widgets.touch_button import TouchButton

if TYPE_CHECKING:
    from ui.pages.instruments.page import InstrumentsPage

Builder.load_file(str(Path(__file__).with_suffix(".kv")))

MOST_NOTES_NAMED = 12
LONGEST = 300


class CornerButton(TouchButton):
    """Puts something into one corner; says what is there. corner: nw, ne, sw or se."""

    corner = StringProperty("nw")
    held = StringProperty("")


class Detail(BoxLayout):
    """Of `page.selected`. facts: lines of (what, words)."""

    page: "InstrumentsPage" = ObjectProperty(None)
    entry: Entry | None = ObjectProperty(None, allownone=True)
    title = StringProperty("")
    title_font = StringProperty("Roboto")
    facts = StringProperty("")
    facts_font = StringProperty("Roboto")
    picture = StringProperty("")
    picture_words = StringProperty("")
    corners = ListProperty(["", "", "", ""])
    favourite = BooleanProperty(False)
    own = BooleanProperty(False)

    def __init__(self, page: "InstrumentsPage", **values: object) -> None:
        super().__init__(page=page, **values)
        self._notes = ""
        page.bind(selected=self._chosen, index=self._show)
        page.app.mirror.bind(corners=self._hold)
        self._hold()
        self._chosen()

    def put(self, corner: str) -> None:
        """This instrument into a corner."""
        self.page.put(self.page.selected, corner)

    def rename(self) -> None:
        """Asks how it is to be shown."""
        entry = self.entry
        if entry is None:
            return
        ask_text(
            text("instruments.rename"),
            lambda words: self._change("instrument_rename", entry, display_name=words),
            value=entry.title,
            most=100,
        )

    def tag(self) -> None:
        """Asks for all tags, with commas between them."""
        entry = self.entry
        if entry is None:
            return
        ask_text(
            text("instruments.tags"),
            lambda words: self._change("instrument_tag", entry, tags=tags_of(words)),
            value=", ".join(entry.tags),
            hint=text("instruments.tags_hint"),
        )

    def export(self) -> None:
        """Asks where to."""
        entry = self.entry
        if entry is None:
            return
        ask_text(
            text("instruments.export"),
            lambda words: self.page.app.link.ask("instrument_export", name=entry.name, path=words, then=_exported),
            value=str(Path.home()),
            words=text("instruments.export_words"),
            most=4096,
        )

    def _change(self, command: str, entry: Entry, **fields: Any) -> None:
        self.page.app.link.ask(command, name=entry.name, **fields)

    def _chosen(self, *_: object) -> None:
        self._notes = ""
        name = self.page.selected
        if name:
            self.page.app.link.ask(
                "instrument_show", name=name, then=lambda about: self._take_notes(name, about), failed=self._no_notes
            )
        self.ids.scroll.scroll_y = 1.0
        self._show()

    def _take_notes(self, name: str, about: dict[str, Any]) -> None:
        if name == self.page.selected:
            self._notes = notes_text(about.get("notes"))
            self._show()

    def _no_notes(self, words: str) -> None:
        """A file that can't be read, say: its words stand where its notes would."""
        self._notes = words
        self._show()

    def _show(self, *_: object) -> None:
        entry = self.entry = self.page.entry
        if entry is None:
            self.title = self.facts = self.picture = self.picture_words = ""
            return
        self.title, self.title_font = short(entry.title, 100), font_for(entry.title)
        self.favourite, self.own = entry.favourite, not entry.shipped
        self.facts = facts_text(entry, self._notes)
        self.facts_font = font_for(self.facts)
        readable = bool(entry.picture) and os.access(entry.picture, os.R_OK)
        self.picture = entry.picture if readable else ""
        self.picture_words = text("instruments.picture_elsewhere") if entry.picture and not readable else ""

    def _hold(self, *_: object) -> None:
        held = self.page.app.mirror.corners
        self.corners = [held[name]["instrument"] for name in CORNER_NAMES]
        for button in self.ids.corners.children:
            about = held[button.corner]
            name = about["display_name"] or about["instrument"] or text("corner.empty")
            button.held, button.font_name = short(name, 40), font_for(name)


def _exported(result: dict[str, Any]) -> None:
    App.get_running_app().mirror.say(text("instruments.exported", path=result.get("path", "")))


def tags_of(words: str) -> list[str]:
    """ "a, b" as tags; none twice."""
    tags = (" ".join(tag.split()) for tag in words.split(","))
    return list(dict.fromkeys(tag for tag in tags if tag))


def notes_text(notes: object) -> str:
    """The keys that were recorded, by name, of what the engine says of each note."""
    if not isinstance(notes, list):
        return ""
    pitches = [note["pitch"] for note in notes if isinstance(note, dict) and isinstance(note.get("pitch"), int)]
    keys = list(dict.fromkeys(pitches))
    named = " ".join(map(key_name, keys[:MOST_NOTES_NAMED]))
    return f"{named} …" if len(keys) > MOST_NOTES_NAMED else named


def facts_text(entry: Entry, notes: str) -> str:
    """Everything that is known of an instrument, a line each."""
    whose = "instruments.shipped" if entry.shipped else "instruments.of_yours"
    lines = [
        f"{entry.family.replace('_', ' ')} · {text(whose)}",
        text("instruments.sustains" if entry.sustains else "instruments.decays"),
        text("instruments.notes", n=entry.notes, range=key_range(entry)),
        notes,
        *(
            text(f"instruments.{what}", words=short(words, LONGEST))
            for what, words in (
                ("tagged", ", ".join(entry.tags)),
                ("author", entry.author),
                ("licence", entry.licence),
                ("source", entry.source),
                ("name", entry.name),
            )
            if words
        ),
    ]
    return "\n".join(line for line in lines if line)
