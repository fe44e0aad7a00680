"""Soft takeover: a knob moves its parameter only once it has met the parameter's value.

A knob stays where a hand left it, while a patch or another player moves the parameter. Would the knob's next touch set
the parameter at once, it would jump. So the knob *lets go* whenever somebody else moves the parameter away from it,
and *takes hold* when it is turned to the value, or past it.
"""

MEETS_WITHIN = 0.01
"""Of a knob's travel: ten of the board's 1023 steps. A jump of so much is nowhere heard."""


class Takeover:
    """Of one knob and its parameter, both as travel: 0 to 1 of the knob's way."""

    def __init__(self) -> None:
        self._knob: float | None = None
        self._parameter: float | None = None
        self._holds = False

    @property
    def holds(self) -> bool:
        """The knob moves the parameter."""
        return self._holds

    @property
    def parameter(self) -> float | None:
        """Where the parameter is; None where that is not known."""
        return self._parameter

    def knob_is(self, travel: float) -> None:
        """The knob was found there, and nobody is said to have turned it: it moves nothing."""
        self._knob = travel
        self._holds = self._meets()

    def parameter_is(self, travel: float | None) -> None:
        """The parameter was moved there by somebody else, or is found there. None: nobody knows; let go."""
        self._parameter = travel
        self._holds = self._meets()

    def moved(self, travel: float) -> float | None:
        """The knob was turned there: what the parameter is to be set to, or None where it is to stay."""
        before, self._knob = self._knob, travel
        target = self._parameter
        if target is None:
            return None
        passed = before is not None and min(before, travel) <= target <= max(before, travel)
        if not (self._holds or passed or self._meets()):
            return None
        self._holds, self._parameter = True, travel
        return travel

    def _meets(self) -> bool:
        if self._knob is None or self._parameter is None:
            return False
        return abs(self._knob - self._parameter) <= MEETS_WITHIN
