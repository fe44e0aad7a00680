"""What the LEDs show: the patch that sounds is bright (an edited one blinks), others glow, empty places are dark."""

from collections.abc import Collection
from functools import lru_cache
from typing import NamedTuple

N_LEDS = 4
BRIGHT, GLOWING, DARK = 1.0, 0.3, 0.0
"""As the eye sees it, 0 to 1."""
BLINK_S = 0.5
"""On and off again, twice a second."""
STEP_S = BLINK_S / 2.0
"""Apart from flickering all changes at multiples of this."""
SAVED_S, SAVED_BLINK_S = 0.8, 0.16
"""A place that was just saved flickers: five times."""
SEARCH_S = STEP_S
"""Without an engine a glow goes round, this long in each place."""


class Bank(NamedTuple):
    """What is to be shown. numbers: of the patches under the buttons. present: those of the bank that there are.
    loaded: the patch that sounds. saved, saved_s: the one that was saved last, and when."""

    numbers: tuple[int, ...]
    present: Collection[int]
    loaded: int | None
    edited: bool
    saved: int | None = None
    saved_s: float = 0.0


@lru_cache(16)
def duty(seen: float) -> int:
    """Share of the time, 0 to 255, in which an LED that is to look as bright as `seen` (0 to 1) must be on.

    CIE 1976 lightness, solved for luminance: half as bright to the eye is 18 % of the light.
    """
    lightness = 100.0 * min(max(seen, 0.0), 1.0)
    luminance = lightness / 903.3 if lightness <= 8.0 else ((lightness + 16.0) / 116.0) ** 3
    return round(255.0 * luminance)


def levels(bank: Bank, now_s: float) -> tuple[int, ...]:
    """Duty of each LED, 0 to 255, at a moment."""
    return tuple(duty(_seen(bank, number, now_s)) for number in bank.numbers)


def searching(now_s: float) -> tuple[int, ...]:
    """Duty of each LED while there is no engine."""
    place = int(now_s / SEARCH_S) % N_LEDS
    return tuple(duty(GLOWING if led == place else DARK) for led in range(N_LEDS))


def _seen(bank: Bank, number: int, now_s: float) -> float:
    if number == bank.saved and now_s - bank.saved_s < SAVED_S:
        return BRIGHT if (now_s - bank.saved_s) % SAVED_BLINK_S < SAVED_BLINK_S / 2.0 else DARK
    if number == bank.loaded:
        return GLOWING if bank.edited and now_s % BLINK_S >= BLINK_S / 2.0 else BRIGHT
    return GLOWING if number in bank.present else DARK
