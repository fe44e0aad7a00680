"""When a note begins and ends, for recording notes one after the other: pure, sound in and takes out.

States of a Trigger. *Measuring*: the first 0.3 s tell how loud the room is. *Waiting*: for sound 12 dB above that; the
floor follows the room. *Recording*: until 0.5 s of quiet, or until the longest time. *Settling*: after that time the
sound must end before another take begins (a hum that was switched on becomes the floor meanwhile).

A sound is one when half of a tenth of a second is loud: keys of computers and switches click for 10 to 30 ms. A take
begins 200 ms before it, for consonants, breath and bows are softer than what follows.
"""

from __future__ import annotations

import math
from collections import deque
from enum import StrEnum
from typing import NamedTuple

import numpy as np

from synth.frames import Float32Array

FRAME_S = 0.010
MEASURE_FRAMES = 30
PREROLL_FRAMES = 20
QUIET_FRAMES = 50
CONFIRM_FRAMES, CONFIRM_LOUD = 10, 5
FLOOR_FRAMES = 200
"""2 s of waiting tell the floor: the fifth of them that is softest, so that a note at the very start does not count."""
FLOOR_SHARE = 0.2
BEGIN_DB, END_DB = 12.0, 6.0
"""Over the floor: Gaussian noise wavers by 0.2 dB in such frames, a room with people by some 6."""
SOFTEST_BEGIN_DBFS, SOFTEST_END_DBFS = -54.0, -66.0
LONGEST_S = 20.0
_OFFSET_S = 0.5
_LOWEST_DBFS = -120.0


class State(StrEnum):
    """The module's text describes them."""

    MEASURING = "measuring"
    WAITING = "waiting"
    RECORDING = "recording"
    SETTLING = "settling"


class TakeSound(NamedTuple):
    """sound: float32 [n, channels]; onset: the sample where it became loud, 9600 at 48 kHz where there was a pre-roll.
    cut: it ended because it was too long, or because somebody said so, not by itself."""

    sound: Float32Array
    onset: int
    cut: bool


class Trigger:
    """Cuts a stream into takes."""

    def __init__(self, sample_rate_hz: int, channels: int, longest_s: float = LONGEST_S) -> None:
        self._frame = max(round(FRAME_S * sample_rate_hz), 1)
        self._longest_frames = max(round(longest_s / FRAME_S), CONFIRM_FRAMES)
        self._offset_step = FRAME_S / _OFFSET_S
        self._offset = np.zeros(channels, np.float32)  # of the card: it is no sound
        self._rest = np.zeros((0, channels), np.float32)
        self._recent: deque[tuple[Float32Array, float]] = deque(maxlen=PREROLL_FRAMES + CONFIRM_FRAMES)
        self._room: deque[float] = deque(maxlen=FLOOR_FRAMES)
        self._take: list[Float32Array] = []
        self._onset = self._quiet = self._taken = 0
        self._take_floor_dbfs = _LOWEST_DBFS
        self._begin_offset = True
        self.state = State.MEASURING

    @property
    def floor_dbfs(self) -> float:
        """How loud the room is, -120..0."""
        return float(np.quantile(self._room, FLOOR_SHARE)) if self._room else _LOWEST_DBFS

    def feed(self, sound: Float32Array) -> list[TakeSound]:
        """Sound that came, float32 [n, channels]. Gives takes that ended in it."""
        joined = np.concatenate([self._rest, np.nan_to_num(sound)])
        n_frames = len(joined) // self._frame
        self._rest = joined[n_frames * self._frame :]
        ended = []
        for n in range(n_frames):
            take = self._step(joined[n * self._frame : (n + 1) * self._frame])
            if take is not None:
                ended.append(take)
        return ended

    def finish(self) -> TakeSound | None:
        """Somebody says that it is over: the take that is under way."""
        return self._end(cut=True) if self.state is State.RECORDING else None

    def _step(self, frame: Float32Array) -> TakeSound | None:
        level = self._level(frame)
        match self.state:
            case State.MEASURING:
                self._keep(frame, level)
                if len(self._room) >= MEASURE_FRAMES:
                    self.state = State.WAITING
            case State.WAITING:
                self._keep(frame, level)
                self._begin_if_loud()
            case State.SETTLING:
                self._keep(frame, level)
                self._quiet = self._quiet + 1 if level < _end_dbfs(self.floor_dbfs) else 0
                if self._quiet >= CONFIRM_FRAMES:
                    self.state = State.WAITING
            case State.RECORDING:
                self._take.append(frame)
                self._quiet = self._quiet + 1 if level < _end_dbfs(self._take_floor_dbfs) else 0
                if self._quiet >= QUIET_FRAMES:
                    return self._end(cut=False)
                if len(self._take) >= self._longest_frames:
                    return self._end(cut=True)
        return None

    def _level(self, frame: Float32Array) -> float:
        """Of the louder channel, RMS in dBFS, without the card's offset."""
        mean = frame.mean(axis=0)
        self._offset = mean if self._begin_offset else self._offset + self._offset_step * (mean - self._offset)
        self._begin_offset = False
        power = float(np.square(frame - self._offset).mean(axis=0).max())
        return 10.0 * math.log10(power) if power > 1e-12 else _LOWEST_DBFS

    def _keep(self, frame: Float32Array, level: float) -> None:
        self._recent.append((frame.copy(), level))
        self._room.append(level)

    def _begin_if_loud(self) -> None:
        floor_dbfs = self.floor_dbfs
        begin_dbfs = max(floor_dbfs + BEGIN_DB, SOFTEST_BEGIN_DBFS)
        frames = list(self._recent)
        loud = [n for n, (_, level) in enumerate(frames) if level >= begin_dbfs and n >= len(frames) - CONFIRM_FRAMES]
        if len(loud) < CONFIRM_LOUD:
            return
        first = max(loud[0] - PREROLL_FRAMES, 0)
        self._take = [frame for frame, _ in frames[first:]]
        self._onset = (loud[0] - first) * self._frame
        for _ in range(len(frames) - loud[0]):  # they are no longer the room
            self._room.pop()
        # An input that was muted a moment ago told of no room: what is just before the sound counts, too.
        before = [level for _, level in frames[first : loud[0]]]
        just_before = float(np.quantile(before, FLOOR_SHARE)) if before else _LOWEST_DBFS
        self._take_floor_dbfs = max(floor_dbfs, just_before)
        self._quiet = 0
        self.state = State.RECORDING

    def _end(self, *, cut: bool) -> TakeSound:
        take = TakeSound(np.concatenate(self._take), self._onset, cut)
        self._take = []
        self._recent.clear()
        self._quiet = 0
        self.state = State.SETTLING if cut else State.WAITING
        return take


def _end_dbfs(floor_dbfs: float) -> float:
    return max(floor_dbfs + END_DB, SOFTEST_END_DBFS)
