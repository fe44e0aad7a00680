"""Browsing the instruments of a corner: turn to the one that might come next, push to take it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

FORGOTTEN_AFTER_S = 8.0
"""Without a push the corner stays as it is, and the next turn begins at its instrument again."""


@dataclass(frozen=True)
class Choice:
    """An instrument that can be taken."""

    name: str
    display_name: str


def in_order(rows: Iterable[Mapping[str, Any]]) -> tuple[Choice, ...]:
    """The rows of the engine's `instruments` as they are browsed: family by family, each by what people read."""
    ordered = sorted(rows, key=lambda row: (row["family"], row["display_name"].casefold(), row["name"]))
    return tuple(Choice(row["name"], row["display_name"]) for row in ordered)


class Browser:
    """Of one corner."""

    def __init__(self) -> None:
        self.chosen: Choice | None = None
        """What a push would take; None: nothing was turned to."""
        self._place = 0  # of it in the list, unless that was read anew
        self._turned_s = 0.0

    def turned(self, steps: int, choices: tuple[Choice, ...], current: str | None, now_s: float) -> Choice | None:
        """Go on by some steps, not beyond the list's ends. current: the corner's instrument, where that is known.
        None where there is nothing to choose from."""
        if not choices:
            return None
        place = self._place
        if self.chosen is None or place >= len(choices) or choices[place] is not self.chosen:
            name = current if self.chosen is None else self.chosen.name
            # From one that is not there (removed, or no corner's): from before the beginning, or from behind the end.
            outside = -1 if steps > 0 else len(choices)
            place = next((place for place, choice in enumerate(choices) if choice.name == name), outside)
        self._place = min(max(place + steps, 0), len(choices) - 1)
        self.chosen = choices[self._place]
        self._turned_s = now_s
        return self.chosen

    def taken(self) -> Choice | None:
        """What a push takes now; None: nothing was turned to."""
        chosen, self.chosen = self.chosen, None
        return chosen

    def rested_s(self, now_s: float) -> float:
        """Since the last turn."""
        return now_s - self._turned_s

    def is_turned(self, now_s: float, within_s: float) -> bool:
        """It was turned within the last seconds, and what was turned to is still to be had."""
        return self.chosen is not None and self.rested_s(now_s) < within_s

    def forget_if_late(self, now_s: float) -> bool:
        """True when what was turned to is given up just now."""
        if self.chosen is None or self.rested_s(now_s) < FORGOTTEN_AFTER_S:
            return False
        self.chosen = None
        return True
