"""Which keys are down, in the order in which they went down: what a monophonic instrument goes back to."""

from typing import NamedTuple


class Key(NamedTuple):
    """A key of a channel."""

    channel: int
    key: int


class KeyStack:
    """Keys that are down, each with its velocity 1..127; at most 16 channels of 128 keys."""

    def __init__(self) -> None:
        self._down: dict[Key, int] = {}

    def press(self, key: Key, velocity: int) -> None:
        """The key becomes the last one, also when it was down already."""
        self._down.pop(key, None)
        self._down[key] = velocity

    def lift(self, key: Key) -> None:
        """The key is up, whether it was down or not."""
        self._down.pop(key, None)

    def lift_all(self, channel: int) -> None:
        """All keys of a channel are up."""
        for key in [key for key in self._down if key.channel == channel]:
            del self._down[key]

    def last(self) -> tuple[Key, int] | None:
        """The key that went down last of those that are down, and its velocity."""
        return next(reversed(self._down.items()), None)
