"""What each control of the board does to the engine, and what the board shows of it.

    encoder   turn: browse its corner's instruments (status `focus` names them); push: take the one turned to
    knob      its parameter, by soft takeover
    button    press: recall the patch; hold: save there; 1+2, 3+4: the page before, behind
    LEDs      `lamps`

The board's side (`hello`, `state`, `lost`, `look`) is called by one thread, the engine's side by the client's; a lock
keeps them apart, and nothing waits while it is held.
"""

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from functools import partial
from pathlib import Path
from typing import Any

from firmware_host import lamps
from firmware_host.acceleration import Acceleration
from firmware_host.browse import FORGOTTEN_AFTER_S, Browser, Choice, in_order
from firmware_host.events import Event, Knob, KnobMoved, KnobNoisy, Pressed, Reader, Reading, Stuck, Switch, Turned
from firmware_host.patch_buttons import PatchButtons, Recall, Save
from firmware_host.settings import BoardSettings
from firmware_host.takeover import Takeover
from synth.control.corners import Corner
from synth.control.fields import MOST_TEXT
from synth.control.parameters import INDEX, parameter_named
from synth.io.client import Client, ClientError, State

NAME = "board"
"""What the engine knows us by: its notices say it of what a knob moved."""
STATUS_RATE_HZ = 5.0
"""Patch, corners, and whether something sounds; what a hand moves is told by notices at once."""
FOCUS_S = 1.5
"""A knob is shown for so long after it was moved, as the engine's own `nudge` has it."""
FOCUS_AGAIN_S = 0.5
LOOK_EVERY_S = 0.05
"""While time alone brings something: an LED that flickers changes every 0.08 s."""
AUDITION_AFTER_S = 0.25
"""What is turned to is heard when the encoder has rested for so long, so that a spin is silent."""


class Panel:
    """The board's controls and the engine. say: is told, in words, what the player should know.

    path: the engine's socket; None: the usual one. `start` it, and `close` it.
    """

    def __init__(self, settings: BoardSettings, say: Callable[[str], object], path: Path | None = None) -> None:
        self._settings, self._say = settings, say
        self._lock = threading.RLock()  # guards all below; an answer that is there already comes in the asking thread
        self.engine = Client(
            path, name=NAME, on_status=self._take_status, on_notice=self._take_notice, on_state=self._take_connection
        )
        self._reader = Reader(reversed_encoders=settings.reversed_encoders, reversed_knobs=settings.reversed_knobs)
        self._accelerations = {corner: Acceleration() for corner in Corner}
        self._browsers = {corner: Browser() for corner in Corner}
        self._takeovers = {knob: Takeover() for knob in Knob}
        self._parameters = {knob: parameter_named(settings.knobs[knob]) for knob in Knob}
        self._buttons = PatchButtons()
        self._choices: tuple[Choice, ...] = ()
        self._patches: dict[int, str] = {}
        self._status: Mapping[str, Any] = {}
        self._saved: int | None = None
        self._saved_s = 0.0
        self._now_s = 0.0
        self._focused: dict[str, str] = {}  # what was said: a parameter, or a corner and perhaps an instrument
        self._focus_said_s = 0.0
        self._focus_until_s = 0.0
        self._audition: Corner | None = None
        self._presented: tuple[str, bool] | None = None
        self._n_open = 0  # questions without an answer yet

    def start(self) -> None:
        """Look for the engine from now on."""
        self.engine.subscribe(STATUS_RATE_HZ)
        self.engine.start()

    def close(self) -> None:
        """Let go of the engine."""
        self.engine.close()

    @property
    def ready(self) -> bool:
        """The engine is there and has said what there is to play with; nothing that was asked is still open."""
        with self._lock:
            return self.engine.connected and bool(self._status) and bool(self._choices) and not self._n_open

    def holds(self, knob: Knob) -> bool:
        """Whether this knob moves its parameter (`takeover`)."""
        with self._lock:
            return self._takeovers[knob].holds

    # The board's side. now_s: of a clock that never goes back.

    def present(self, words: str, well: bool) -> None:
        """What the screens are to say of the board, also of one that is not there."""
        with self._lock:
            self._presented = words, well
            self._present()

    def hello(self, counts_per_detent: int) -> None:
        """A board is there, or began anew: its next state is where everything was found."""
        with self._lock:
            self._reader.forget(counts_per_detent)
            self._buttons.forget()

    def lost(self) -> None:
        """The board is gone: nothing of it is held any more."""
        with self._lock:
            self._buttons.forget()
            self._audition = None
            for browser in self._browsers.values():
                browser.chosen = None
            self._let_go()

    def state(self, state: Reading, now_s: float) -> None:
        """The board is like this now."""
        with self._lock:
            self._now_s = now_s
            is_first = not self._reader.began
            for event in self._reader.read(state, now_s):
                self._take(event)
            if is_first:
                for knob, value in self._reader.knobs.items():
                    self._takeovers[knob].knob_is(value)

    def look(self, now_s: float) -> tuple[int, ...]:
        """What time alone brings; to be called again after `rest_s`. Returns what the LEDs are to show, as duty."""
        with self._lock:
            self._now_s = now_s
            for event in self._reader.look(now_s):
                self._take(event)
            for browser in self._browsers.values():
                browser.forget_if_late(now_s)
            if now_s >= self._focus_until_s:
                self._let_go()
            self._audition_if_due()
            if not (self.engine.connected and self._choices):  # it has not yet said what there is to play with
                return lamps.searching(now_s)
            patch = self._status.get("patch", {})
            bank = lamps.Bank(
                self._buttons.numbers,
                self._patches,
                patch.get("number"),
                patch.get("edited", False),
                self._saved,
                self._saved_s,
            )
            return lamps.levels(bank, now_s)

    def rest_s(self, now_s: float) -> float:
        """Until the next look: when LEDs blink or an audition is due, and 20 times a second while a switch is down."""
        with self._lock:
            if self._reader.touched or now_s - self._saved_s < lamps.SAVED_S:
                return LOOK_EVERY_S
            rest_s = lamps.STEP_S - now_s % lamps.STEP_S
            if self._audition is not None:
                rest_s = min(
                    rest_s, max(AUDITION_AFTER_S - self._browsers[self._audition].rested_s(now_s), LOOK_EVERY_S)
                )
            return rest_s

    # Inside: what a control does.

    def _take(self, event: Event) -> None:
        match event:
            case Turned(encoder=corner, detents=detents):
                self._browse(corner, self._accelerations[corner].steps(detents, self._now_s))
            case Pressed(switch=switch) if switch < Switch.PATCH_1:
                self._take_instrument(Corner(switch))
            case KnobMoved(knob=knob, value=value):
                self._move(knob, value)
                return
            case Stuck(switch=switch):
                words = switch.name.lower().replace("_", " ")
                self._say(f"the switch {words} is down for long; it is ignored until it comes up; look what holds it")
            case KnobNoisy(knob=knob):
                words = knob.name.lower()
                self._say(f"the knob {words} trembles; a steady voltage was expected; look at its wiper and capacitor")
        match self._buttons.take(event):
            case Recall(number=number):
                self._recall(number)
            case Save(number=number):
                self._save(number)

    def _browse(self, corner: Corner, steps: int) -> None:
        current = self._status.get("corners", {}).get(_word(corner), {}).get("instrument")
        choice = self._browsers[corner].turned(steps, self._choices, current, self._now_s)
        if choice is not None:
            self._audition = corner if self._settings.audition else None
            self._focus(self._now_s + FORGOTTEN_AFTER_S, corner=_word(corner), instrument=choice.name)

    def _take_instrument(self, corner: Corner) -> None:
        choice = self._browsers[corner].taken()
        if choice is None:
            return
        self._audition = None
        self._ask("corner", corner=_word(corner), instrument=choice.name)
        self._focus(self._now_s + FOCUS_S, corner=_word(corner))

    def _move(self, knob: Knob, value: float) -> None:
        parameter = self._parameters[knob]
        travel = self._takeovers[knob].moved(value)
        if travel is not None:
            self._send("set", parameter=parameter.name, value=parameter.from_travel(travel))
        # While both hands turn, what is browsed is shown: its name is nowhere else to be seen.
        for browser in self._browsers.values():
            if browser.chosen is not None and browser.is_turned(self._now_s, FOCUS_AGAIN_S):
                return
        self._focus(self._now_s + FOCUS_S, parameter=parameter.name)

    def _recall(self, number: int) -> None:
        if number not in self._patches and self.engine.connected:
            self._say(f"there is no patch {number} under this button; hold it to save what sounds there")
            return
        for takeover in self._takeovers.values():
            takeover.parameter_is(None)  # until the new patch has said where they are
        self._ask("patch_load", self._read_parameters, self._read_parameters, number=number)

    def _save(self, number: int) -> None:
        patch = self._status.get("patch", {})
        name = patch.get("name") or "From the board"
        if number != patch.get("number"):
            name = _free_name(name, self._patches.values())
        self._ask("patch_save", self._was_saved, name=name, number=number)

    def _was_saved(self, result: Mapping[str, Any]) -> None:
        self._saved, self._saved_s = result["number"], self._now_s

    def _audition_if_due(self) -> None:
        corner = self._audition
        if corner is None or self._browsers[corner].rested_s(self._now_s) < AUDITION_AFTER_S:
            return
        self._audition = None
        choice = self._browsers[corner].chosen
        if choice is not None and not self._status.get("notes"):
            self._ask("audition", instrument=choice.name)

    # Inside: speaking to the engine.

    def _focus(self, until_s: float, **held: str) -> None:
        """Said anew now and then: the newest that is held is the one that is shown."""
        self._focus_until_s = until_s
        if self._focused == held and self._now_s - self._focus_said_s < FOCUS_AGAIN_S:
            return
        self._focused, self._focus_said_s = held, self._now_s
        self._send("focus", **held)

    def _let_go(self) -> None:
        if self._focused:
            self._send("focus")
        self._focused = {}

    def _present(self) -> None:
        if self._presented is not None:
            words, well = self._presented
            self._send("present", words=words[:MOST_TEXT], well=well)

    def _send(self, command: str, **fields: Any) -> None:
        try:
            self.engine.send(command, **fields)
        except ClientError as error:
            self._without_engine(error)

    def _ask(
        self,
        command: str,
        then: Callable[[Mapping[str, Any]], object] | None = None,
        failed: Callable[[], object] | None = None,
        **fields: Any,
    ) -> None:
        try:
            future = self.engine.ask(command, **fields)
        except ClientError as error:
            self._without_engine(error)
            return
        self._n_open += 1
        future.add_done_callback(partial(self._answered, then, failed))

    def _without_engine(self, error: ClientError) -> None:
        if self.engine.connected:  # it is there and takes nothing: else the connection's end was told already
            self._say(str(error))

    def _answered(
        self,
        then: Callable[[Mapping[str, Any]], object] | None,
        failed: Callable[[], object] | None,
        answer: "Future[dict[str, Any]]",
    ) -> None:
        error = answer.exception()
        with self._lock:
            self._n_open -= 1
            if error is not None:
                self._say(str(error))
                if failed is not None:
                    failed()
            elif then is not None:
                then(answer.result())

    # Inside: hearing from the engine, in the client's thread.

    def _take_connection(self, state: State, words: str) -> None:
        if state is not State.CLOSED:  # our own end is nothing to tell
            self._say(words)
        if state is not State.CONNECTED:
            return
        with self._lock:
            self._focused = {}
            self._present()
            self._read_instruments()
            self._read_patches()
            self._read_parameters()

    def _take_status(self, status: Mapping[str, Any], _: Mapping[str, Any]) -> None:
        with self._lock:
            self._status = status
            self._buttons.loaded(status.get("patch", {}).get("number"))

    def _take_notice(self, notice: str, data: Mapping[str, Any]) -> None:
        with self._lock:
            match notice, data:
                case "parameter_changed", {"parameter": str(name), "value": value}:
                    self._parameter_is(name, value)
                case "patch_changed", _:
                    self._read_parameters()
                case "patches_changed", _:
                    self._read_patches()
                case "instruments_changed", _:
                    self._read_instruments()
                case "refused", {"words": words}:
                    self._say(str(words))

    def _read_instruments(self) -> None:
        self._ask("instruments", self._take_instruments)

    def _take_instruments(self, result: Mapping[str, Any]) -> None:
        self._choices = in_order(result["instruments"])

    def _read_patches(self) -> None:
        self._ask("patches", self._take_patches)

    def _take_patches(self, result: Mapping[str, Any]) -> None:
        self._patches = {row["number"]: row["name"] for row in result["patches"]}

    def _read_parameters(self, _: Mapping[str, Any] | None = None) -> None:
        self._ask("status", self._take_parameters)

    def _take_parameters(self, status: Mapping[str, Any]) -> None:
        for name, value in status.get("parameters", {}).items():
            self._parameter_is(name, value)

    def _parameter_is(self, name: str, value: float) -> None:
        for knob, parameter in self._settings.knobs.items():
            if parameter == name and name in INDEX:
                self._takeovers[knob].parameter_is(parameter_named(name).to_travel(value))


def _word(corner: Corner) -> str:
    return corner.name.lower()


def _free_name(name: str, taken: Any) -> str:
    """A name that no patch has, whatever the case: "Four rooms 2"."""
    known = {one.casefold() for one in taken}
    stem, _, last = name.rpartition(" ")
    if stem and last.isdecimal():
        name = stem
    number = 2
    while f"{name} {number}".casefold() in known:
        number += 1
    return f"{name} {number}"
