"""Settings: MIDI inputs, and how their messages are understood."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kivy.clock import Clock
from kivy.lang import Builder
from kivy.properties import BooleanProperty, ListProperty, StringProperty

from ui.pages.settings import midi_model
from ui.pages.settings.devices import Input, inputs_of
from ui.pages.settings.midi_section import MidiSettingsSection
from ui.texts import text

Builder.load_file(str(Path(__file__).with_suffix(".kv")))

LIT_S = 0.25
"""The light stays on so long after a message."""


class MidiSection(MidiSettingsSection):
    """lit: a message came just now. everything: all inputs are listened to, those to come too."""

    inputs: list[Input] = ListProperty([])
    everything = BooleanProperty(True)
    trouble = StringProperty("")
    lit = BooleanProperty(False)

    def __init__(self, **values: Any) -> None:
        self._n_messages = -1
        self._dark = Clock.create_trigger(self._put_out, LIT_S)
        super().__init__(**values)
        self.mirror.bind(midi=self._counted, on_notice=self._noticed, connections=self._connected)
        self.look()

    def look(self) -> None:
        """Ask which inputs there are."""
        self.link.ask("midi_inputs", then=self._told, failed=self._fail)

    def use_all(self, everything: bool) -> None:
        """Listen to all inputs, or to those that are heard now."""
        if everything:
            self.link.ask("midi_use", then=self._told, failed=self._fail)
        else:
            self.use(tuple(one.name for one in self.inputs if one.used))

    def use(self, names: tuple[str, ...]) -> None:
        """Listen to these inputs."""
        self.link.ask("midi_use", ports=list(names), then=self._told, failed=self._fail)

    def hear(self, chosen: tuple[int, ...]) -> None:
        """Hear these channels, 1..16."""
        self.change(midi_model.with_channels(chosen))

    def _connected(self, *_: object) -> None:
        self.look()

    def _told(self, answer: Mapping[str, Any]) -> None:
        found, self.everything = inputs_of(answer)
        self.inputs, self.trouble = list(found), ""

    def _fail(self, words: str) -> None:
        self.trouble = self.refusal(words)

    def _noticed(self, _: Any, notice: str, __: Mapping[str, Any]) -> None:
        if notice == "midi_ports_changed":
            self.look()

    def _counted(self, _: Any, midi: Mapping[str, Any]) -> None:
        if self._n_messages >= 0 and midi["messages"] > self._n_messages:
            self.lit = True
            self._dark.cancel()
            self._dark()
        self._n_messages = midi["messages"]

    def _put_out(self, _: float) -> None:
        self.lit = False

    # What the rules show.

    @staticmethod
    def input_choices(inputs: list[Input], midi: Mapping[str, Any]) -> list[tuple[str, str]]:
        """The inputs by name; those that are open, where the engine tells of no others."""
        if not inputs:
            return [(str(name), str(name)) for name in midi["ports"]]
        return [(one.name, one.name if one.there else text("settings.midi.gone", name=one.name)) for one in inputs]

    @staticmethod
    def inputs_used(inputs: list[Input], midi: Mapping[str, Any]) -> tuple[str, ...]:
        """The names of those that are listened to."""
        if not inputs:
            return tuple(str(name) for name in midi["ports"])
        return tuple(one.name for one in inputs if one.used)

    @staticmethod
    def channel_choices() -> list[tuple[int, str]]:
        """1 to 16."""
        return [(one, str(one)) for one in range(1, midi_model.N_CHANNELS + 1)]

    @staticmethod
    def channels(settings: dict[str, Any]) -> tuple[int, ...]:
        """Those that are chosen; () for all."""
        return midi_model.channels(settings)

    @staticmethod
    def clock_words(clock: Mapping[str, Any]) -> str:
        """Its source and tempo."""
        source = text("settings.midi.clock_midi" if clock["source"] == "midi" else "settings.midi.clock_own")
        return text("settings.midi.clock_is", source=source, tempo=clock["tempo_bpm"])
