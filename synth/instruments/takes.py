"""Takes: notes that come in from a microphone, cut, written and heard one after the other.

A take is a FLAC file of 24 bits as soon as it is over (`synth.io.take`: what a killed process was writing is found
beside it). Its pitch is estimated in a thread meanwhile, to be told at once; the import listens again, to the file.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np

from synth.errors import TetradError
from synth.files import full_words, is_full
from synth.frames import SAMPLE_RATE_HZ, Float32Array
from synth.instruments.audio_files import read_audio
from synth.instruments.cleaning import one_channel
from synth.instruments.keys import Estimator, key_name
from synth.instruments.resampling import to_engine_rate
from synth.instruments.trigger import LONGEST_S, State, TakeSound, Trigger
from synth.io.audio_input import InputLevel, clipped_samples
from synth.io.take import TAKE_SUFFIX, Take, TakeFile

STEM = "recording take"
"""No key can be read out of it."""
LOOK_PERIOD_S = 0.05
MOST_TAKES, MOST_SOUND_S = 512, 1800.0
"""As many sources as an import takes; half an hour in all, some 300 MB: somebody may have forgotten it."""
NICE = 10
"""Of the thread that estimates pitches: others play meanwhile."""
N_PEAKS = 64
_PITCH_FROM_S = 3.0
_DEAD_DBFS, _DEAD_S = -90.0, 3.0


class SoundIn(Protocol):
    """`synth.io.audio_input.AudioInput`, or a test's own."""

    sample_rate_hz: int
    channels: int

    def read(self) -> Float32Array: ...
    @property
    def lost_samples(self) -> int: ...
    @property
    def interruptions(self) -> int: ...
    @property
    def problem(self) -> str: ...


@dataclass
class WrittenTake:
    """heard: "C#4 +12 cents", "no pitch", or "" while nobody knows. pitch: MIDI, of a sound that has one."""

    path: Path
    seconds: float
    clipped_samples: int
    cut: bool
    heard: str = ""
    pitch: float | None = None
    peaks: tuple[float, ...] = ()
    """Highest sample of each of N_PEAKS stretches of equal length, 0..1: its picture."""

    def to_json(self) -> dict[str, Any]:
        return {
            "path": str(self.path),
            "seconds": round(self.seconds, 3),
            "clipped_samples": self.clipped_samples,
            "heard": self.heard,
            "pitch": self.pitch,
            "peaks": list(self.peaks),
        }


class Trim(NamedTuple):
    """What stays of a take: from start_s to end_s (None: to its end), or nothing of it where keep is False."""

    start_s: float = 0.0
    end_s: float | None = None
    keep: bool = True


class InputStatus(NamedTuple):
    """state: a `trigger.State`'s name, or *ready* when all takes that were wanted are there, or *lost* when the device
    has gone. level_dbfs: peak of the last 50 ms; peak_dbfs: of the last 1.5 s. words: for a person, one line."""

    state: str
    level_dbfs: float
    peak_dbfs: float
    clipped: bool
    takes: tuple[WrittenTake, ...]
    words: str

    def to_json(self) -> dict[str, Any]:
        return {**self._asdict(), "takes": [take.to_json() for take in self.takes]}


READY, LOST = "ready", "lost"
_STATE_WORDS = {
    State.MEASURING: "be quiet for a moment",
    State.WAITING: "waiting for a sound",
    State.RECORDING: "recording",
    State.SETTLING: "waiting for silence",
}


class TakeRecorder:
    """Moves what came to where it belongs, whenever its owner calls `step`: some twenty times a second."""

    def __init__(
        self,
        source: SoundIn,
        folder: Path,
        *,
        notes: int | None = None,
        longest_s: float = LONGEST_S,
        estimate: Estimator | None = None,
    ) -> None:
        """folder: is there. notes: so many takes; None goes on until `finish`. estimate: by default Tetrad's own."""
        self._source = source
        self._folder = folder
        self._wanted = MOST_TAKES if notes is None else notes
        self._trigger = Trigger(source.sample_rate_hz, source.channels, longest_s)
        self._level = InputLevel(source.sample_rate_hz)
        self._levels = self._level.update(np.zeros((0, source.channels), np.float32))
        self._estimate = estimate
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="pitch")
        self._hearing: list[tuple[WrittenTake, Future[tuple[str, float | None]]]] = []
        self._takes: list[WrittenTake] = []
        self._remarks: list[str] = []
        self._problem = ""
        self._clipped_s = self._sounding_s = time.monotonic()
        self._clipped_s -= _DEAD_S
        self._thread.submit(_warm_up, estimate)

    def step(self) -> None:
        """Take what has come. Raises TetradError when a take can't be written."""
        self._collect()
        if self.over:
            return
        sound = self._source.read()
        if len(sound):
            self._levels = self._level.update(sound)
        now_s = time.monotonic()
        if self._levels.clipped:
            self._clipped_s = now_s
        if self._levels.peak_dbfs > _DEAD_DBFS:
            self._sounding_s = now_s
        for take in self._trigger.feed(sound):
            self._write(take)
        problem = self._source.problem
        if problem:
            self._finish_take()
            self._problem = problem

    def finish(self) -> None:
        """It is over: what is under way becomes the last take, and all are heard. Raises TetradError as `step` does."""
        if not self.over:
            for take in self._trigger.feed(self._source.read()):
                self._write(take)
            self._finish_take()
        self._wanted = len(self._takes)
        self._thread.shutdown(wait=True)
        self._collect()

    def trim(self, trims: Mapping[int, Trim]) -> None:
        """After `finish`: takes, counted from 1, become shorter or go. Raises TetradError when one can't be written,
        which is whole then."""
        for number, trim in sorted(trims.items(), reverse=True):
            if not 1 <= number <= len(self._takes):
                continue
            take = self._takes[number - 1]
            if not trim.keep:
                take.path.unlink(missing_ok=True)
                del self._takes[number - 1]
            elif trim != Trim():
                take.seconds = _shortened(take.path, trim)

    def close(self) -> None:
        """Never mind what is under way."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    @property
    def takes(self) -> tuple[WrittenTake, ...]:
        return tuple(self._takes)

    @property
    def over(self) -> bool:
        """Nothing more will be recorded."""
        sound_s = sum(take.seconds for take in self._takes)
        return bool(self._problem) or len(self._takes) >= self._wanted or sound_s > MOST_SOUND_S

    @property
    def problem(self) -> str:
        """Why the device sends nothing any more; "" while it does."""
        return self._problem

    def status(self) -> InputStatus:
        state = LOST if self._problem else READY if self.over else str(self._trigger.state)
        clipped = time.monotonic() - self._clipped_s < _DEAD_S
        return InputStatus(
            state, self._levels.peak_dbfs, self._levels.hold_dbfs, clipped, self.takes, self._words(clipped)
        )

    def remarks(self) -> list[str]:
        """What was wrong with the recording as a whole, one line each."""
        found = [*self._remarks]
        if self._source.lost_samples:
            lost_s = self._source.lost_samples / self._source.sample_rate_hz
            found.append(f"{lost_s:.2f} s of sound were lost: the machine was too busy")
        if self._source.interruptions:
            found.append(f"the sound card was interrupted {self._source.interruptions} times: listen for gaps")
        clipped = [take.path.name for take in self._takes if take.clipped_samples]
        if clipped:
            found.append(f"clipped: {', '.join(clipped)}; turn the input down and record again")
        return found

    def _words(self, clipped: bool) -> str:
        if self._problem:
            return self._problem
        words = "that is all" if self.over else _STATE_WORDS[self._trigger.state]
        if not self.over and time.monotonic() - self._sounding_s > _DEAD_S:
            words = "nothing comes in; is the input connected and turned up?"
        last = next((take for take in reversed(self._takes) if take.heard), None)
        if last is not None:
            words += f"; heard {last.heard}"
        return f"CLIPPING, turn the input down; {words}" if clipped else words

    def _finish_take(self) -> None:
        take = self._trigger.finish()
        if take is not None:
            self._write(take)

    def _write(self, take: TakeSound) -> None:
        if self.over:
            return
        rate_hz = self._source.sample_rate_hz
        path = _free_path(self._folder)
        stereo = take.sound if take.sound.shape[1] == 2 else np.repeat(take.sound[:, :1], 2, axis=1)
        written = _written(path, stereo, rate_hz)
        if written.problem is not None:
            self._remarks.append(written.problem)
        clipped = clipped_samples(np.abs(take.sound))
        told = WrittenTake(written.path, len(take.sound) / rate_hz, clipped, take.cut, peaks=_peaks(take.sound))
        self._takes.append(told)
        end = take.onset + round(_PITCH_FROM_S * rate_hz)
        sound = take.sound[take.onset : end].copy()
        self._hearing.append((told, self._thread.submit(_hear, sound, rate_hz, self._estimate)))

    def _collect(self) -> None:
        """What the thread has heard by now."""
        waiting = []
        for take, future in self._hearing:
            if future.done():
                take.heard, take.pitch = future.result()
            else:
                waiting.append((take, future))
        self._hearing = waiting


def _written(path: Path, stereo: Float32Array, rate_hz: int) -> Take:
    """A take as a file, whole, or TetradError and nothing."""
    file = None
    try:
        file = TakeFile(path, rate_hz)
        file.write(stereo)
    except OSError as error:
        if file is not None:
            file.discard()
        if is_full(error):
            raise TetradError(
                f"{full_words(path.parent)}, and {path.name} of {len(stereo) / rate_hz:.1f} s needs "
                f"{stereo.size * 3e-6:.1f} MB; nothing of it was kept; make room and record it again"
            ) from error
        raise TetradError(
            f"cannot write {path}: {error.strerror}; a folder that takes files was expected; name another"
        ) from error
    return file.finish()


def _shortened(path: Path, trim: Trim) -> float:
    """A take's file holds only that stretch from now on. Gives its length in seconds."""
    raw = read_audio(path, trim.start_s, trim.end_s)
    written = _written(_free_path(path.parent), np.asarray(raw.samples, np.float32), raw.rate_hz)
    written.path.replace(path)
    return len(raw.samples) / raw.rate_hz


def _peaks(sound: Float32Array) -> tuple[float, ...]:
    """Of float32 [n, channels]: N_PEAKS stretches, fewer of less samples; two digits are enough for a picture."""
    loudest = np.abs(sound).max(axis=1)
    starts = np.unique(np.linspace(0, len(loudest), N_PEAKS, endpoint=False).astype(int))
    return tuple(round(min(float(peak), 1.0), 2) for peak in np.maximum.reduceat(loudest, starts))


def _hear(sound: Float32Array, rate_hz: int, estimate: Estimator | None) -> tuple[str, float | None]:
    """A take in words, and its pitch. sound: float32 [n, channels] from the onset."""
    mono = np.asarray(to_engine_rate(one_channel(sound, []), rate_hz), dtype=np.float32)
    try:
        heard = _estimator(estimate)(mono)
    except TetradError as error:
        return f"nothing ({error})", None
    if not heard.pitched:
        return "a sound without pitch", None
    return key_name(heard.pitch), round(float(heard.pitch), 2)


def _estimator(estimate: Estimator | None) -> Estimator:
    if estimate is not None:
        return estimate
    from synth.instruments.pitch import estimate_pitch

    return estimate_pitch


def _warm_up(estimate: Estimator | None) -> None:
    """The first estimate reads networks; it is made before there is a note to wait for. On Linux a thread is as nice as
    it likes, alone."""
    os.nice(NICE)
    t = np.arange(SAMPLE_RATE_HZ // 4) / SAMPLE_RATE_HZ
    _hear(np.asarray(0.1 * np.sin(2 * np.pi * 220.0 * t), np.float32)[:, None], SAMPLE_RATE_HZ, estimate)


def takes_folder(library_folder: Path) -> Path:
    """A new folder for takes, beside a library. Raises TetradError when it can't be made."""
    root = library_folder.parent / "takes"
    stem = time.strftime("%Y-%m-%d-%H-%M-%S")
    for number in range(1, 100):
        folder = root / (stem if number == 1 else f"{stem}-{number}")
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            continue
        except OSError as error:
            raise _no_folder(folder, error) from error
        return folder
    raise TetradError(f"{root} has a hundred folders of this second; one at a time was expected; try again")


def given_folder(folder: Path) -> Path:
    """The same for a folder that the player names, which may be there."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _no_folder(folder, error) from error
    return folder


def remove_takes(paths: Iterable[Path]) -> None:
    """Takes that nobody needs any more, and their folder if nothing else is in it."""
    folders = set()
    for path in paths:
        path.unlink(missing_ok=True)
        folders.add(path.parent)
    for folder in folders:
        remove_if_empty(folder)


def remove_if_empty(folder: Path) -> None:
    """A folder of `takes_folder`'s, and the one that it is in."""
    with contextlib.suppress(OSError):  # it has something else in it
        folder.rmdir()
        folder.parent.rmdir()


def _no_folder(folder: Path, error: OSError) -> TetradError:
    return TetradError(
        f"cannot make the folder {folder} ({error.strerror}); a place for recordings was expected; name another"
    )


def _free_path(folder: Path) -> Path:
    number = 1
    while _is_taken(folder, f"{STEM} {number}"):
        number += 1
    return folder / f"{STEM} {number}.flac"


def _is_taken(folder: Path, stem: str) -> bool:
    names = (f"{stem}.flac", f"{stem}.wav", f".{stem}.flac{TAKE_SUFFIX}")
    return any((folder / name).exists() for name in names)
