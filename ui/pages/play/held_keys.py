"""Keys that the screen holds down in the engine, and the note that a touch of the surface plays. Pure.

Whatever goes down here goes up again: a key is up when the last of those who hold it has let go, and `let_all_go` is
for a page that is left, a window that is hidden and a panel that is gone. An engine that was lost lets keys go itself.
"""

import time
from collections.abc import Callable, Hashable, Iterable

from ui.mirror import Note

CHANNEL = 0
SURFACE_KEY, SURFACE_VELOCITY = 60, 100
FORGET_TAIL_S = 1.0
"""A status is at most 33 ms old; after this a key that went up and isn't heard has rung out."""

Send = Callable[..., bool]
"""As `EngineLink.send`."""


class HeldKeys:
    """send: commands to the engine. clock: seconds that don't go back."""

    def __init__(self, send: Send, clock: Callable[[], float] = time.monotonic) -> None:
        self._send, self._clock = send, clock
        self._holders: dict[int, set[Hashable]] = {}
        self._tails: dict[int, float] = {}

    @property
    def down(self) -> frozenset[int]:
        """Keys that are down."""
        return frozenset(self._holders)

    def press(self, key: int, velocity: int, holder: Hashable) -> bool:
        """Hold a key down; struck again where another holds it already. False where the engine can't be reached."""
        if not self._send("note_on", key=key, velocity=velocity, channel=CHANNEL):
            return False
        self._holders.setdefault(key, set()).add(holder)
        self._tails.pop(key, None)
        return True

    def release(self, key: int, holder: Hashable) -> None:
        """Let go of a key; one that isn't held is let alone."""
        holders = self._holders.get(key)
        if holders is None or holder not in holders:
            return
        holders.discard(holder)
        if not holders:
            self._up(key)

    def let_all_go(self) -> None:
        """Every key goes up."""
        for key in list(self._holders):
            self._up(key)

    def forget(self) -> None:
        """Every key is up already: the engine went away, or everything was silenced."""
        self._holders.clear()
        self._tails.clear()

    def others_sound(self, notes: Iterable[Note]) -> bool:
        """Whether notes sound that are not merely ringing out after this screen let go of them."""
        keys = {note.key for note in notes if note.channel == CHANNEL}
        now_s = self._clock()
        self._tails = {k: up_s for k, up_s in self._tails.items() if k in keys or now_s - up_s < FORGET_TAIL_S}
        return any(note.channel != CHANNEL or note.key not in self._tails for note in notes)

    def _up(self, key: int) -> None:
        del self._holders[key]
        self._tails[key] = self._clock()
        self._send("note_off", key=key, channel=CHANNEL)


class SurfaceNote:
    """The note of whoever touches the surface while nothing sounds. latch: it stays when the finger leaves; then a
    finger that moves leads it on, and a tap, or the end of the latch, ends it."""

    def __init__(self, keys: HeldKeys, latch: bool = False) -> None:
        self._keys, self._latch = keys, latch
        self._finger = self._fresh = False

    @property
    def sounds(self) -> bool:
        """It is down."""
        return SURFACE_KEY in self._keys.down and self._mine

    _mine = False

    @property
    def latch(self) -> bool:
        return self._latch

    @latch.setter
    def latch(self, on: bool) -> None:
        self._latch = on
        if not on and not self._finger:
            self._end()

    def touch(self, notes: Iterable[Note]) -> None:
        """A finger came where there was none. notes: that sound now."""
        notes = list(notes)
        self._finger, self._fresh = True, False
        if self.sounds:
            if any(note.channel == CHANNEL and note.key == SURFACE_KEY for note in notes):
                return  # it is latched, and the finger leads it
            self._end()  # it is latched, and has died away by itself
        if not self._keys.others_sound(notes):
            self._mine = self._fresh = self._keys.press(SURFACE_KEY, SURFACE_VELOCITY, self)

    def lift(self, tap: bool) -> None:
        """The last finger left. tap: it did not stay, nor move."""
        self._finger = False
        if not self._latch or (tap and not self._fresh):
            self._end()

    def stop(self) -> None:
        """It ends, finger or not."""
        self._finger = False
        self._end()

    def _end(self) -> None:
        if self._mine:
            self._mine = False
            self._keys.release(SURFACE_KEY, self)
