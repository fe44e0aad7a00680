"""Settings: which controllers of a keyboard or a box move which parameter; learning and forgetting them."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from kivy.lang import Builder
from kivy.properties import ListProperty, NumericProperty, ObjectProperty, StringProperty
from kivy.uix.boxlayout import BoxLayout

from synth.control.parameters import Parameter
from ui.mirror import CORNER_NAMES
from ui.pages.settings import midi_model
from ui.pages.settings.midi_section import MidiSettingsSection
from ui.texts import text
from ui.values import name_words
from ui.widgets.dialog import Dialog
from ui.widgets.touch_button import TouchButton

Builder.load_file(str(Path(__file__).with_suffix(".kv")))

FIRST_FREE = 20
"""Controllers 20 to 31 are undefined in MIDI 1.0: a good place to begin."""


class ControlLine(TouchButton):
    """One parameter and its controllers."""

    name = StringProperty("")
    label = StringProperty("")
    words = StringProperty("")
    section = ObjectProperty(None, allownone=True)

    def on_release(self) -> None:
        if self.section is not None:
            self.section.open(self.name)


class ControllerBody(BoxLayout):
    """In the dialog: a controller's number, and giving it to the parameter."""

    number = NumericProperty(FIRST_FREE)
    taken = StringProperty("")

    def __init__(self, section: "ControlsSection", name: str, **values: Any) -> None:
        self._section, self._name = section, name
        super().__init__(**values)
        self._tell()

    def move(self, direction: int) -> None:
        """To the next number that may be assigned."""
        self.number = midi_model.next_assignable(int(self.number), direction)
        self._tell()

    def _tell(self) -> None:
        section = self._section
        holders = midi_model.controllers(section.settings, section.mirror.table)
        others = [one for one, numbers in holders.items() if int(self.number) in numbers and one != self._name]
        self.taken = text("settings.controls.taken", name=name_words(others[0])) if others else ""


class ControlsSection(MidiSettingsSection):
    """A line for every parameter of the engine's table; a touch on it opens what can be done."""

    SCROLLS = False
    lines: list[dict[str, Any]] = ListProperty([])

    def __init__(self, **values: Any) -> None:
        super().__init__(**values)
        self.lists.want("table")
        self.mirror.bind(table=self._list)
        self.bind(settings=self._list)
        self._list()

    def open(self, name: str) -> None:
        """What can be done with one parameter's controllers."""
        body = ControllerBody(self, name)
        numbers = midi_model.controllers(self.settings, self.mirror.table).get(name, [])
        buttons = [
            (text("close"), "normal", None),
            (text("settings.controls.give"), "normal", lambda: self.assign(int(body.number), name)),
            (text("settings.controls.learn"), "primary", lambda: self.learn(name)),
        ]
        if numbers:
            buttons.insert(1, (text("settings.controls.forget"), "danger", lambda: self.forget(name)))
        words = (
            text("settings.controls.has", numbers=_numbers(numbers)) if numbers else text("settings.controls.has_none")
        )
        Dialog(name_words(name), words, body=body, buttons=buttons).open()

    def learn(self, name: str) -> None:
        """The next controller that moves sets this parameter."""
        self.link.send("midi_learn", parameter=name)

    def unlearn(self) -> None:
        """Never mind."""
        self.link.send("midi_learn")

    def assign(self, controller: int, name: str) -> None:
        """A controller sets this parameter from now on."""
        self.change(midi_model.with_assignment(self.settings, controller, name))

    def forget(self, name: str) -> None:
        """No controller sets it any more."""
        self.change(midi_model.without(self.settings, name, self.mirror.table))

    def reset(self) -> None:
        """All controllers as in the table."""
        self.change({"assignments": {}})

    def _list(self, *_: object) -> None:
        holders = midi_model.controllers(self.settings, self.mirror.table)
        self.lines = [self._line(one, holders.get(one.name, ())) for one in self.mirror.table]

    def _line(self, parameter: Parameter, numbers: Sequence[int]) -> dict[str, Any]:
        words = text("settings.controls.cc", numbers=_numbers(numbers)) if numbers else text("settings.none")
        return {"name": parameter.name, "label": name_words(parameter.name), "words": words, "section": self}

    # What the rules show.

    @staticmethod
    def learning_words(midi: Mapping[str, Any]) -> str:
        """What waits for a controller; "" for nothing."""
        return text("settings.controls.learning", name=name_words(midi["learning"])) if midi["learning"] else ""

    @staticmethod
    def focus_words(focus: Mapping[str, Any]) -> str:
        """What a finger or a knob holds; "" for nothing, and of an engine that doesn't tell."""
        target = focus.get("target")
        if not target:
            return ""
        name = text(f"corner.{target}") if target in CORNER_NAMES else name_words(target)
        return text("settings.controls.focus", name=name, by=focus.get("by") or text("settings.unknown"))


def _numbers(numbers: Sequence[int]) -> str:
    return ", ".join(str(one) for one in numbers)
