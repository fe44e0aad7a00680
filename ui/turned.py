"""What somebody else moved a moment ago: a knob, MIDI, OSC, another screen. Values in, cards out; no clock.

The engine tells of each movement and of who made it (`parameter_changed`). An engine that doesn't is watched: a value
that differs from the last status, and that this screen did not set within OWN_S, was moved by somebody.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

SHOWN_S = 1.5
MOST_CARDS = 3
OWN_S = 0.3
"""A status is at most so much older than what this screen set: it is shown 30 times a second, and drawn once more."""
OWN_SOUND_S = 3.0
"""After this screen loaded, undid or compared: instruments come one by one, as they are read."""
MANY = 4
"""So many parameters at once are no knobs, but a patch."""
QUIET_AFTER_PATCH_S = 1.0
FINGER = frozenset({"x", "y"})
"""The point of the surface shows them."""
WHOLE_SOUND = ("patch_load", "undo", "redo", "compare", "patch_save", "set_many")
"""Commands after which everything may change."""


@dataclass(frozen=True)
class Card:
    """One thing to show. kind: "parameter", "corner", "browsed" (an encoder is turned to an instrument that the corner
    has not yet) or "patch"; name: of the parameter, corner or patch; value: of the parameter; number: of the patch;
    other: the instrument; by: who did it, "" where nobody told."""

    kind: str
    name: str
    until_s: float
    value: float = 0.0
    number: int = -1
    other: str = ""
    by: str = ""

    @property
    def key(self) -> tuple[str, str]:
        """One card of a parameter, one of a corner, one of patches at all."""
        return (self.kind, "" if self.kind == "patch" else self.name)


class Turned:
    """own_s(what): when this screen itself last set a parameter ("attack"), a corner ("corner.nw") or sent a command
    ("undo"), in seconds of the same clock as `now_s`; negative for never. me: this screen's name in the engine."""

    def __init__(self, own_s: Callable[[str], float], me: str) -> None:
        self._own_s, self._me = own_s, me
        self._cards: list[Card] = []
        self._browsed: Card | None = None
        self._parameters: Mapping[str, float] = {}
        self._corners: Mapping[str, Mapping[str, Any]] = {}
        self._patch: tuple[str, int] | None = None
        self._told = False
        self._quiet_until_s = 0.0

    def cards(self, now_s: float) -> list[Card]:
        """Those to show now, the newest last."""
        self._cards = [card for card in self._cards if card.until_s > now_s]
        browsed = [] if self._browsed is None else [self._browsed]
        return [*self._cards, *browsed][-MOST_CARDS:]

    def connected(self) -> None:
        """An engine was reached, maybe another one: what differs in its first status was moved by nobody."""
        self._cards, self._parameters, self._corners, self._patch, self._told = [], {}, {}, None, False
        self._browsed = None

    def take_notice(self, data: Mapping[str, Any], now_s: float) -> None:
        """A `parameter_changed`."""
        self._told = True
        name, value, by = data.get("parameter"), data.get("value"), data.get("by")
        if not isinstance(name, str) or isinstance(value, bool) or not isinstance(value, int | float):
            return
        if name in FINGER or by in (self._me, "patch") or self._is_mine(name, now_s, OWN_S):
            return
        self._show(Card("parameter", name, now_s + SHOWN_S, float(value), by=by if isinstance(by, str) else ""), now_s)

    def take_focus(self, focus: Mapping[str, Any]) -> None:
        """Of a status: what is browsed is shown for as long as it can be taken."""
        corner, instrument = focus.get("target"), focus.get("instrument")
        self._browsed = None
        if isinstance(corner, str) and isinstance(instrument, str) and instrument:
            by = focus.get("by")
            self._browsed = Card("browsed", corner, math.inf, other=instrument, by=by if isinstance(by, str) else "")

    def take_parameters(self, values: Mapping[str, float], now_s: float) -> None:
        """Of a status."""
        before, self._parameters = self._parameters, values
        if self._told or not before:
            return
        moved = [name for name in values if name not in FINGER and before.get(name, values[name]) != values[name]]
        if len(moved) >= MANY or self._sound_is_mine(now_s):
            return
        for name in moved:
            if not self._is_mine(name, now_s, OWN_S):
                self._show(Card("parameter", name, now_s + SHOWN_S, values[name]), now_s)

    def take_corners(self, corners: Mapping[str, Mapping[str, Any]], now_s: float) -> None:
        """Of a status: an instrument that is wanted is shown at once, and not again when it has come."""
        before, self._corners = self._corners, corners
        if not before or self._sound_is_mine(now_s):
            return
        for corner, now in corners.items():
            was = before.get(corner, now)
            new = now["wanted"] or now["instrument"]
            is_news = bool(new) and new not in (was["wanted"], was["instrument"])
            if is_news and not self._is_mine(f"corner.{corner}", now_s, OWN_SOUND_S):
                self._show(Card("corner", corner, now_s + SHOWN_S, other=new), now_s)

    def take_patch(self, name: str, number: int, now_s: float) -> None:
        """Which patch sounds. Another one takes the place of all cards: what it moved are no knobs."""
        before, self._patch = self._patch, (name, number)
        if before is None or before == self._patch or not name:
            return
        self._cards, self._quiet_until_s = [], now_s + QUIET_AFTER_PATCH_S
        if not self._sound_is_mine(now_s):
            self._cards = [Card("patch", name, now_s + SHOWN_S, number=number)]

    def _is_mine(self, what: str, now_s: float, within_s: float) -> bool:
        return 0.0 <= now_s - self._own_s(what) < within_s

    def _sound_is_mine(self, now_s: float) -> bool:
        return any(self._is_mine(command, now_s, OWN_SOUND_S) for command in WHOLE_SOUND)

    def _show(self, card: Card, now_s: float) -> None:
        if now_s < self._quiet_until_s:
            return
        present = next((one for one in self._cards if one.key == card.key), None)
        if present is not None:  # in its place: a knob that is turned does not jump about
            self._cards[self._cards.index(present)] = replace(card, by=card.by or present.by)
        else:
            self._cards = [*self._cards, card][-MOST_CARDS:]
