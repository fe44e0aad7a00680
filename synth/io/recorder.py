"""Recording what is played: the audio callback copies blocks into a ring, a thread takes them to the disk.

The ring holds the last `keep_s` seconds, always; that is where "keep that" takes them from. `Recorder.tap` puts itself
behind a source, as a C function that copies what was filled and moves a count, without lock, allocation or file, and
never waits. A disk that
stands still for longer than the ring holds loses samples, which are counted and become silence of the same length, so
that what follows stays in time.

What was taken is on the disk within FLUSH_S, as a take (`synth.io.take`), also when the process is killed; a full
disk ends the take and keeps what it has. `stop` makes the FLAC or WAV file of it; what a killed process left,
`Recorder.rescue` makes whole at the next start.
"""

import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synth.errors import TetradError
from synth.frames import Float32Array
from synth.io.take import Take, TakeFile, checked_target, finish_take, left_takes
from synth.jit import cfunc, njit
from synth.native import (
    SOURCE,
    Int64Array,
    Layout,
    Source,
    call_source,
    count,
    stereo_view,
    store_release,
)

FLUSH_S = 0.25
"""The writer looks for new samples this often."""
SYNC_S = 5.0
MARGIN_S = 4.0
"""More than `keep_s` is in the ring: what the callback writes while `keep` copies, and while a disk stands still."""
_BLOCK_S = 1.0
"""No block of the callback's is longer: so far behind its count it may be writing."""
_CHUNK_SAMPLES = 1 << 14
"""Copied at a time: 128 KiB, some 20 us, for other threads wait for the interpreter meanwhile."""

_MEMORY = Layout(ring=(np.float32, 2), written=np.int64, source=np.int64)
_memory = _MEMORY.unpack


@njit()
def _write(ring, written, block):  # type: ignore[no-untyped-def]
    """Copies block, float32 [n, 2], behind what was `written` (int64 [1]), and then moves that."""
    at = written[0] % ring.shape[0]
    for i in range(block.shape[0]):
        ring[at, 0], ring[at, 1] = block[i, 0], block[i, 1]
        at = at + 1 if at + 1 < ring.shape[0] else 0
    store_release(written, 0, written[0] + block.shape[0])


@cfunc(SOURCE)
def _play_and_write(data, out_at, n_samples, time_ns, frame):  # type: ignore[no-untyped-def]
    ring, written, source = _memory(data)
    call_source(source[0], (source[1], out_at, n_samples, time_ns, frame))
    _write(ring, written, stereo_view(out_at, n_samples))


class Recorder:
    """Keeps the last `keep_s` seconds of a stereo stream, and records to files on demand.

    One thread (the audio callback) plays a `tap` or calls `write`; all other methods may be called from any thread, and
    take their time: `stop` and `keep` some seconds for an hour of FLAC. As a context manager it finishes a running
    recording at the end.
    """

    def __init__(self, sample_rate_hz: int, keep_s: float = 120.0) -> None:
        """keep_s: 1 to 3600. Allocates 8 bytes per sample of the ring: 48 MB for 120 s at 48 kHz."""
        if not 1.0 <= keep_s <= 3600.0:
            raise TetradError(f"{keep_s} s to keep were asked for; expected 1 to 3600; choose another number.")
        self.sample_rate_hz = sample_rate_hz
        self.keep_s = keep_s
        self._ring = np.empty((round((keep_s + MARGIN_S) * sample_rate_hz), 2), np.float32)
        self._ring.fill(0.0)  # so that no page is new to the callback
        self._written: Int64Array = np.zeros(1, np.int64)
        self._lock = threading.Lock()  # of start, stop and close; never the callback's
        self._writer: _Writer | None = None

    def __enter__(self) -> "Recorder":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def tap(self, source: Source) -> Source:
        """The source, with everything that it plays written down. A block is at most a second."""
        memory = _MEMORY.pack(ring=self._ring, written=self._written, source=source.words())
        return Source(_play_and_write.address, memory.address, (memory, source, _play_and_write))

    def write(self, block: Float32Array) -> None:
        """From Python: a block, float32 [n, 2], at most a second."""
        _write(self._ring, self._written, block)

    @property
    def n_written(self) -> int:
        """Samples written since the start."""
        return int(count(self._written, 0))

    def read(self, first: int, end: int) -> tuple[NDArray[np.float32], int]:
        """Samples number `first` to `end` since the start, float32 [end - first, 2], and how many of them, from
        `first` on, the callback has overwritten before they could be copied (silence is in their place)."""
        length = self._ring.shape[0]
        out = np.empty((end - first, 2), np.float32)
        done = first
        while done < end:
            at = done % length
            n = min(end - done, length - at, _CHUNK_SAMPLES)
            out[done - first : done - first + n] = self._ring[at : at + n]
            done += n
        oldest = self.n_written + round(_BLOCK_S * self.sample_rate_hz) - length
        lost = min(max(oldest - first, 0), end - first)
        out[:lost] = 0.0
        return out, lost

    def status(self) -> dict[str, Any]:
        """recording: the running one's path or None; its duration_s, lost_samples, problem; kept_s: what `keep` has."""
        writer = self._writer
        kept_s = min(self.n_written / self.sample_rate_hz, self.keep_s)
        if writer is None:
            return {"recording": None, "duration_s": 0.0, "lost_samples": 0, "problem": None, "kept_s": kept_s}
        return {
            "recording": str(writer.path),
            "duration_s": writer.n_samples / self.sample_rate_hz,
            "lost_samples": writer.lost_samples,
            "problem": writer.problem,
            "kept_s": kept_s,
        }

    def start(self, path: Path | str) -> None:
        """Begins to record, with the next sample, what will be at `path` (.flac or .wav) after `stop`.

        TetradError when one runs already, `path` has another ending or is there, or its folder can't be written.
        """
        with self._lock:
            if self._writer is not None:
                raise TetradError(f"a recording to {self._writer.path} runs; one at a time is expected; stop it first")
            target = checked_target(path)
            self._writer = _Writer(self, _new_take(target, self.sample_rate_hz))

    def stop(self) -> Take:
        """Ends the recording with the last sample that was written, and makes its file.

        TetradError when none runs, when it has no sound, or when no file can be made; what was recorded then stays.
        """
        with self._lock:
            writer, self._writer = self._writer, None
        if writer is None:
            raise TetradError("no recording runs; one was expected to stop; start it first")
        return writer.finish()

    def keep(self, path: Path | str, seconds: float | None = None) -> Take:
        """Writes the last `seconds` (None, or more than there are: all that is kept) to a FLAC or WAV file.

        TetradError when nothing was played yet, or as `start` and `stop`.
        """
        end = self.n_written
        wanted = self.keep_s if seconds is None else min(max(seconds, 0.0), self.keep_s)
        n = min(round(wanted * self.sample_rate_hz), end)
        target = checked_target(path)
        if n == 0:
            raise TetradError("there is nothing to keep yet; some sound was expected; play first")
        sound, lost = self.read(end - n, end)  # all at once, before the callback comes round
        take = _new_take(target, self.sample_rate_hz)
        problem = None
        try:
            for first in range(0, n, _CHUNK_SAMPLES):
                take.write(sound[first : first + _CHUNK_SAMPLES])
        except OSError as error:
            problem = _ended(target, take.n_samples, error)
        done = take.finish()
        return done._replace(lost_samples=lost, problem=problem or done.problem)

    def close(self) -> None:
        """Finishes a recording that runs."""
        with self._lock:
            writer, self._writer = self._writer, None
        if writer is not None and (writer.n_samples > 0 or self.n_written > writer.first):
            writer.finish()

    @staticmethod
    def rescue(folder: Path | str) -> list[Take]:
        """Makes files of what killed processes left in `folder`, under their names, with -2, -3 where a file has one.

        What living processes record stays. What can't be made whole stays too, and is in the list with its problem.
        """
        found = []
        for raw, target in left_takes(Path(folder)):
            try:
                found.append(finish_take(raw, target))
            except TetradError as error:
                found.append(Take(target, 0.0, 0, str(error)))
        return found


class _Writer:
    """A running recording: its take, and the thread that fills it."""

    def __init__(self, recorder: Recorder, take: TakeFile) -> None:
        self._recorder = recorder
        self._take = take
        self.path = take.path
        self.first = self._next = recorder.n_written
        self.lost_samples = 0
        self.problem: str | None = None
        self._since_sync_s = 0.0
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)
        self._thread.start()

    @property
    def n_samples(self) -> int:
        """On the disk."""
        return self._take.n_samples

    def finish(self) -> Take:
        """What is left in the ring, and the file."""
        end = self._recorder.n_written
        self._stopping.set()
        self._thread.join()
        self._take_until(end)
        done = self._take.finish()
        return done._replace(lost_samples=self.lost_samples, problem=self.problem or done.problem)

    def _run(self) -> None:
        while not self._stopping.wait(FLUSH_S):
            self._take_until(self._recorder.n_written)
            self._since_sync_s += FLUSH_S
            if self._since_sync_s >= SYNC_S and self.problem is None:
                self._since_sync_s = 0.0
                self._guarded(self._take.sync)

    def _take_until(self, end: int) -> None:
        while self._next < end and self.problem is None:
            stop = min(end, self._next + _CHUNK_SAMPLES)
            sound, lost = self._recorder.read(self._next, stop)
            self._guarded(partial(self._take.write, sound))
            self.lost_samples += lost
            self._next = stop

    def _guarded(self, act: Callable[[], None]) -> None:
        try:
            act()
        except OSError as error:
            self.problem = _ended(self.path, self.n_samples, error)


def _new_take(target: Path, sample_rate_hz: int) -> TakeFile:
    try:
        return TakeFile(target, sample_rate_hz)
    except FileExistsError as error:
        raise TetradError(
            f"{target} was being recorded when a process ended; no unfinished recording was expected; "
            "start again, so that it is rescued, or choose another name"
        ) from error
    except OSError as error:
        raise TetradError(
            f"cannot write {target}: {error.strerror}; a writable directory on a disk with room was expected; "
            "free some space or name another place"
        ) from error


def _ended(path: Path, n_samples: int, error: OSError) -> str:
    return f"{path} ends after {n_samples} samples: {error.strerror}; a disk with room was expected; free some space"
