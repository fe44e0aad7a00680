"""Recording notes from a microphone: choosing it, playing, trimming what came, and making an instrument of it."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from kivy.factory import Factory
from kivy.lang import Builder
from kivy.properties import BooleanProperty, ListProperty, NumericProperty, ObjectProperty, StringProperty
from kivy.uix.behaviors import ButtonBehavior
from kivy.uix.boxlayout import BoxLayout

from ui.fonts import font_for, short
from ui.pages.instruments.takes import Take, state_text, takes_of
from ui.texts import text
from ui.widgets.dialog import ask_text, confirm
from ui.widgets.list import List

if TYPE_CHECKING:
    from ui.pages.instruments.page import InstrumentsPage

Builder.load_file(str(Path(__file__).with_suffix(".kv")))

ROW_MM = 10.0
NOTES = (0, 1, 3, 5, 8)
"""So many notes and it is ready; 0: until it is stopped."""


class TakeRow(ButtonBehavior, BoxLayout):
    """One note that was recorded."""

    number = NumericProperty(0)
    words = StringProperty("")
    peaks = ListProperty([])
    start = NumericProperty(0.0)
    end = NumericProperty(1.0)
    keep = BooleanProperty(True)
    selected = BooleanProperty(False)

    def __init__(self, panel: "RecordPanel", **values: object) -> None:
        super().__init__(**values)
        self._panel = panel

    def show(self, take: Take) -> None:
        """It stands for this one now."""
        self.number, self.words, self.keep = take.number, take.words, take.keep
        self.peaks, self.start, self.end = list(take.peaks), take.start, take.end
        self.selected = take.number == self._panel.selected

    def on_release(self) -> None:
        self._panel.selected = self.number


class RecordPanel(BoxLayout):
    """state: of the input, as the status says it; running: it is not off. selected: number of the take whose ends are
    moved; 0 for none. device: what is recorded from next; "" for what the engine finds. notes: one of NOTES."""

    page: "InstrumentsPage" = ObjectProperty(None)
    state = StringProperty("off")
    running = BooleanProperty(False)
    title = StringProperty("")
    words = StringProperty("")
    device = StringProperty("")
    notes = NumericProperty(0)
    unpitched = BooleanProperty(False)
    selected = NumericProperty(0)
    n_takes = NumericProperty(0)
    n_kept = NumericProperty(0)
    take: Take | None = ObjectProperty(None, allownone=True)

    def __init__(self, page: "InstrumentsPage", **values: object) -> None:
        self.list = List(lambda: TakeRow(self))
        super().__init__(page=page, **values)
        self._takes: list[Take] = []
        self._failure = ""
        self._input_chips: list[tuple[Any, str]] = []
        self._note_chips: list[tuple[Any, int]] = []
        self.ids.list_place.add_widget(self.list)
        page.app.bind(sizes=self._resized)
        page.app.mirror.bind(input=self._take_status, connection=self._take_status)
        self.bind(selected=self._select, device=self._mark, notes=self._mark)
        self._make_notes()
        self._resized()
        self._take_status()

    def entered(self) -> None:
        self.look()

    def left(self) -> None:
        """A recording goes on: it is the engine's."""

    def look(self) -> None:
        """Which inputs there are now."""
        self._show_inputs([], text("instruments.reading"))
        self.page.app.link.ask(
            "inputs",
            then=lambda result: self._take_inputs(result.get("inputs")),
            failed=lambda words: self._show_inputs([], words),
        )

    def begin(self) -> None:
        """Listen to the input from now on."""
        fields: dict[str, Any] = {"device": self.device} if self.device else {}
        if self.notes:
            fields["notes"] = int(self.notes)
        self._failure = ""
        self.page.app.link.ask("record_input_start", failed=self._failed, **fields)

    def cancel(self) -> None:
        """Nothing is kept; asked once more where there is something."""
        if self.n_takes:
            words = text("instruments.cancel_words", n=self.n_takes)
            confirm(text("instruments.cancel_title"), words, text("instruments.throw_away"), self._cancel)
        else:
            self._cancel()

    def finish(self) -> None:
        """What was recorded becomes an instrument; asks how it is called."""
        ask_text(text("instruments.name_it"), self._make, value=text("instruments.recording"), most=100)

    def trimmed(self, start: float, end: float) -> None:
        """The selected take's ends were moved, to 0..1 of its length."""
        take = self.take
        if take is None:
            return
        fields: dict[str, Any] = {"start_s": round(start * take.seconds, 3)}
        if end < 1.0:
            fields["end_s"] = round(end * take.seconds, 3)
        self._trim(take, **fields)

    def leave_out(self) -> None:
        """The selected take is no part of the instrument, or is again."""
        if self.take is not None:
            self._trim(self.take, keep=not self.take.keep)

    def _trim(self, take: Take, **fields: Any) -> None:
        link = self.page.app.link
        link.ask("record_input_trim", take=take.number, then=self._take_status, failed=self._not_trimmed, **fields)

    def _not_trimmed(self, words: str) -> None:
        self.page.app.mirror.say(words, "warning")
        self._select()

    def _make(self, display_name: str) -> None:
        fields: dict[str, Any] = {"unpitched": True} if self.unpitched else {}
        self.page.app.link.ask(
            "record_input_stop",
            display_name=display_name,
            then=lambda _: self.page.show_view("imports"),
            failed=self._failed,
            **fields,
        )

    def _cancel(self) -> None:
        self.page.app.link.ask("record_input_cancel", failed=self._failed)

    def _failed(self, words: str) -> None:
        self._failure = words
        self._take_status()

    def _take_status(self, *_: Any) -> None:
        mirror = self.page.app.mirror
        about = mirror.input
        self.state = about["state"] or "off"
        self.running = self.state != "off"
        if self.running:
            self._failure = ""
        self.title = state_text(self.state) if mirror.connection == "connected" else text("instruments.input.gone")
        self.words = short(self._failure or about["words"], 240)
        takes = takes_of(about["takes"]) if self.running else []
        if takes != self._takes:
            grew = len(takes) > len(self._takes)
            self._takes = self.list.items = takes
            self.n_takes, self.n_kept = len(takes), sum(take.keep for take in takes)
            if grew or self.selected > len(takes):
                self.selected = len(takes)
                self.list.reveal(len(takes) - 1)
            self._select()

    def _select(self, *_: Any) -> None:
        number = int(self.selected)
        self.take = self._takes[number - 1] if 1 <= number <= len(self._takes) else None
        self.list.refresh()
        wave = self.ids.wave
        if self.take is None:
            wave.peaks = []
        elif not wave.moving:
            wave.peaks, wave.kept = list(self.take.peaks), self.take.keep
            wave.start, wave.end = self.take.start, self.take.end

    def _take_inputs(self, inputs: object) -> None:
        given = inputs if isinstance(inputs, list) else []
        devices = [one["device"] for one in given if isinstance(one, dict) and isinstance(one.get("device"), str)]
        self._show_inputs(devices, "" if devices else text("instruments.no_inputs"))

    def _show_inputs(self, devices: list[str], words: str) -> None:
        row = self.ids.inputs
        row.clear_widgets()
        self.ids.inputs_words.text = short(words, 200)
        if self.device not in devices:
            self.device = ""
        self._input_chips = []
        for device in ["", *devices] if devices else []:
            shown = short(device, 40) if device else text("instruments.any_input")
            chip = Factory.Chip(text=shown, font_name=font_for(shown))
            chip.bind(on_release=lambda _, device=device: setattr(self, "device", device))
            row.add_widget(chip)
            self._input_chips.append((chip, device))
        self._mark()

    def _make_notes(self) -> None:
        for notes in NOTES:
            chip = Factory.Chip(text=str(notes) if notes else text("instruments.until_stop"))
            chip.bind(on_release=lambda _, notes=notes: setattr(self, "notes", notes))
            self.ids.notes.add_widget(chip)
            self._note_chips.append((chip, notes))
        self._mark()

    def _mark(self, *_: Any) -> None:
        for chip, device in self._input_chips:
            chip.active = device == self.device
        for chip, notes in self._note_chips:
            chip.active = notes == self.notes

    def _resized(self, *_: Any) -> None:
        sizes = self.page.app.sizes
        self.list.row_height, self.list.bar_width = sizes.mm(ROW_MM), sizes.mm(1.5)
