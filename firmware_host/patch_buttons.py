"""The four buttons: patches of a page of the bank. A press recalls, holding saves, two at once turn the page.

Recalling waits until the button comes up: had it sounded at once, holding would save what was recalled, and not what
was played. Buttons 1 and 2 together go to the page before, 3 and 4 to the one behind it.
"""

from dataclasses import dataclass

from firmware_host.events import Event, Held, Pressed, Released, Switch

N_BUTTONS = 4
LAST_NUMBER = 16383
BUTTONS = (Switch.PATCH_1, Switch.PATCH_2, Switch.PATCH_3, Switch.PATCH_4)
PAGE_CHORDS = {frozenset(BUTTONS[:2]): -1, frozenset(BUTTONS[2:]): 1}


@dataclass(frozen=True)
class Recall:
    """The patch of this number is to sound."""

    number: int


@dataclass(frozen=True)
class Save:
    """What sounds is to become the patch of this number."""

    number: int


class PatchButtons:
    """Their page, and what pressing them means."""

    def __init__(self) -> None:
        self.page = 0
        self._loaded: int | None = None
        self._down: set[Switch] = set()
        self._spent: set[Switch] = set()  # those that have done something since they went down

    @property
    def numbers(self) -> tuple[int, ...]:
        """Of the patches under the four buttons."""
        return tuple(range(N_BUTTONS * self.page, N_BUTTONS * (self.page + 1)))

    def loaded(self, number: int | None) -> None:
        """This patch sounds, as the status says: a new one brings its page."""
        if number is not None and number != self._loaded:
            self.page = number // N_BUTTONS
        self._loaded = number

    def forget(self) -> None:
        """The board was away: nothing is down."""
        self._down.clear()
        self._spent.clear()

    def take(self, event: Event) -> Recall | Save | None:
        """What an event asks for."""
        match event:
            case Pressed(switch=switch) if switch in BUTTONS:
                self._press(switch)
            case Held(switch=switch) if switch in self._down - self._spent:
                self._spent.add(switch)
                return Save(self.numbers[BUTTONS.index(switch)])
            case Released(switch=switch) if switch in self._down:
                self._down.discard(switch)
                if switch not in self._spent:
                    return Recall(self.numbers[BUTTONS.index(switch)])
                self._spent.discard(switch)
        return None

    def _press(self, switch: Switch) -> None:
        self._down.add(switch)
        if len(self._down) > 1:
            turn = PAGE_CHORDS.get(frozenset(self._down - self._spent), 0)
            self.page = min(max(self.page + turn, 0), LAST_NUMBER // N_BUTTONS)
            self._spent |= self._down
