"""Which keys count as held: fingers, both pedals and a latch, each with its own say.

A key is held while a finger is on it, while the damper pedal or the sostenuto pedal keeps it, or, with `latch`, until
a new chord begins: that is the first key that goes down when no finger is on any other.
"""

from dataclasses import dataclass

from synth.control.events import (
    N_CHANNELS,
    AllNotesOff,
    AllSoundOff,
    ChannelEvent,
    NoteOff,
    NoteOn,
    ResetControllers,
    SostenutoPedal,
    SustainPedal,
)


@dataclass
class HeldKey:
    """A key 0..127 of a channel 0..15 with the velocity 1..127 of its last stroke, and what keeps it."""

    channel: int
    key: int
    velocity: int
    finger: bool = True
    latched: bool = False
    sostenuto: bool = False


class HeldKeys:
    """The keys of 16 channels, in the order in which they were struck."""

    def __init__(self) -> None:
        self._keys: dict[tuple[int, int], HeldKey] = {}
        self.sustained = [False] * N_CHANNELS
        """Which channels' damper pedals are down."""
        self.sostenuto = [False] * N_CHANNELS
        self._latch = False

    @property
    def keys(self) -> list[HeldKey]:
        """Those that count as held, oldest stroke first."""
        return list(self._keys.values())

    @property
    def latch(self) -> bool:
        return self._latch

    @latch.setter
    def latch(self, on: bool) -> None:
        self._latch = on
        if not on:
            for key in self._keys.values():
                key.latched = False
            self._forget_free()

    def apply(self, event: ChannelEvent) -> bool:
        """Let a note, a pedal or a channel mode message work. True when it began a new chord in place of a latched."""
        replaced = False
        channel = event.channel
        match event:
            case NoteOn(key=key, velocity=velocity):
                replaced = self._strike(channel, key, velocity)
            case NoteOff(key=key) if (channel, key) in self._keys:
                held = self._keys[channel, key]
                held.finger, held.latched = False, self._latch
            case SustainPedal(down=down):
                self.sustained[channel] = down
            case SostenutoPedal(down=down) if down != self.sostenuto[channel]:
                self.sostenuto[channel] = down
                for held in self._of_channel(channel):
                    held.sostenuto = down and held.finger
            case ResetControllers():
                self.sustained[channel] = self.sostenuto[channel] = False
                for held in self._of_channel(channel):
                    held.sostenuto = False
            case AllNotesOff() | AllSoundOff():
                for held in self._of_channel(channel):
                    del self._keys[channel, held.key]
        self._forget_free()
        return replaced

    def fingers_only(self) -> None:
        """Forget what no finger is on."""
        for held in self.keys:
            held.latched = held.sostenuto = False
            if not held.finger:
                del self._keys[held.channel, held.key]

    def _strike(self, channel: int, key: int, velocity: int) -> bool:
        replaces = False
        if self._latch and not any(held.finger for held in self._keys.values()):
            for held in self.keys:
                held.latched = False
                replaces = True
            self._forget_free()
        before = self._keys.pop((channel, key), None)
        kept = before is not None and before.sostenuto
        self._keys[channel, key] = HeldKey(channel, key, velocity, sostenuto=kept)
        return replaces

    def _of_channel(self, channel: int) -> list[HeldKey]:
        return [held for held in self._keys.values() if held.channel == channel]

    def _forget_free(self) -> None:
        for held in self.keys:
            if not (held.finger or held.latched or held.sostenuto or self.sustained[held.channel]):
                del self._keys[held.channel, held.key]
