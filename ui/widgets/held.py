"""How long a finger rests on something, told apart from a frame that came late."""

from collections.abc import Callable

from kivy.clock import Clock

LONG_PRESS_S = 0.6


class Held:
    """Calls `then` once, `after_s` from `begin()`, unless `end()` comes first.

    In a frame that comes late Kivy's clock runs before the movements of that time are read: a tap would be a long
    press, and a plus would count twice. So what is due waits until they are read, in the same frame.
    """

    def __init__(self, then: Callable[[], None], after_s: float = LONG_PRESS_S) -> None:
        self._then = Clock.create_trigger(lambda _: then(), -1)
        self._due = Clock.create_trigger(lambda _: self._then(), after_s)

    def begin(self) -> None:
        """The finger is there."""
        self.end()
        self._due()

    def end(self) -> None:
        """It is gone, or it means something else."""
        self._due.cancel()
        self._then.cancel()
