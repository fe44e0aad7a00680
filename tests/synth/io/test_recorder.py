"""Recording: every sample, in time, also when the disk is full or the process is killed."""

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from synth.errors import TetradError
from synth.io.recorder import MARGIN_S, Recorder
from synth.native import Player
from tests.listening import wait_until
from tests.ramp import ramp

RATE = 8_000


def noise(n_samples: int, seed: int = 0) -> NDArray[np.float32]:
    return np.random.default_rng(seed).uniform(-1.0, 1.0, (n_samples, 2)).astype(np.float32)


def feed(recorder: Recorder, sound: NDArray[np.float32], block: int = 128) -> None:
    for first in range(0, len(sound), block):
        recorder.write(sound[first : first + block])


def read(path: Path) -> NDArray[np.float64]:
    data, rate = soundfile.read(path, dtype="float64")
    assert rate == RATE
    assert soundfile.info(path).subtype == "PCM_24"
    return np.asarray(data)


@pytest.mark.parametrize("name", ["a.flac", "a.wav"])
def test_a_recording_is_what_was_written_from_start_to_stop(tmp_path: Path, name: str) -> None:
    sound = noise(5 * RATE)
    with Recorder(RATE, keep_s=1.0) as recorder:
        feed(recorder, noise(1000, seed=1))
        recorder.start(tmp_path / name)
        for second in range(5):
            feed(recorder, sound[second * RATE : (second + 1) * RATE], 77)
            wait_until(lambda n=second: recorder.status()["duration_s"] >= n, "the writer")  # type: ignore[misc]
            assert not (tmp_path / name).exists()
        take = recorder.stop()
        feed(recorder, noise(1000, seed=2))
    assert (take.path, take.duration_s, take.lost_samples, take.problem) == (tmp_path / name, 5.0, 0, None)
    np.testing.assert_array_equal(read(tmp_path / name), np.clip(np.rint(sound * 2.0**23), None, 2**23 - 1) / 2**23)
    assert os.listdir(tmp_path) == [name]


def test_a_tap_writes_down_what_its_source_plays_and_passes_it_on() -> None:
    """Across the ring's seam."""
    recorder = Recorder(RATE, keep_s=1.0)
    play, alone = Player(recorder.tap(ramp())), Player(ramp())
    heard, expected = (np.zeros((12 * RATE, 2), np.float32) for _ in range(2))
    for first in range(0, len(heard), 333):
        play(heard[first : first + 333])
        alone(expected[first : first + 333])
    np.testing.assert_array_equal(heard, expected)
    assert recorder.n_written == len(heard)
    kept = recorder.read(len(heard) - 2 * RATE, len(heard))
    np.testing.assert_array_equal(kept[0], expected[-2 * RATE :])
    assert kept[1] == 0


def test_the_last_minutes_are_kept_over_the_seam_of_the_ring(tmp_path: Path) -> None:
    recorder = Recorder(RATE, keep_s=2.0)
    sound = noise(11 * RATE + 4321)
    feed(recorder, sound[:RATE])
    assert recorder.keep(tmp_path / "short.wav").duration_s == 1.0
    feed(recorder, sound[RATE:], 333)
    take = recorder.keep(tmp_path / "all.flac")
    np.testing.assert_allclose(read(take.path), sound[-2 * RATE :], atol=2.0**-23)
    assert recorder.keep(tmp_path / "some.wav", 0.5).duration_s == 0.5
    np.testing.assert_allclose(read(tmp_path / "some.wav"), sound[-RATE // 2 :], atol=2.0**-23)


def test_what_the_ring_lost_is_counted_and_the_rest_stays_in_time(tmp_path: Path) -> None:
    """The writer's thread stands still while the ring goes round."""
    recorder = Recorder(RATE, keep_s=1.0)
    ring = round((1.0 + MARGIN_S) * RATE)
    sound = noise(2 * ring)
    recorder.start(tmp_path / "a.wav")
    writer = recorder._writer
    assert writer is not None
    writer._stopping.set()
    writer._thread.join()
    feed(recorder, sound)
    take = recorder.stop()
    assert take.lost_samples == ring + RATE  # all that may have been overwritten, with a second's doubt
    found = read(take.path)
    assert len(found) == len(sound)
    assert np.all(found[: take.lost_samples] == 0.0)
    np.testing.assert_allclose(found[take.lost_samples :], sound[take.lost_samples :], atol=2.0**-23)


CHILD = """
import sys, time
import numpy as np
from synth.io.recorder import Recorder
recorder = Recorder(8000, keep_s=1.0)
recorder.start(sys.argv[1])
sound = np.random.default_rng(0).uniform(-1.0, 1.0, (24000, 2)).astype(np.float32)
for first in range(0, 24000, 100):
    recorder.write(sound[first : first + 100])
while recorder.status()["duration_s"] < 3.0:
    time.sleep(0.01)
print("recorded", flush=True)
time.sleep(60)
"""


@pytest.mark.parametrize("name", ["lost.flac", "lost.wav"])
def test_a_killed_process_loses_nothing_that_was_written(tmp_path: Path, name: str) -> None:
    command = [sys.executable, "-c", CHILD, str(tmp_path / name)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "recorded\n"
        assert Recorder.rescue(tmp_path) == []  # it lives
        child.send_signal(signal.SIGKILL)
    assert not (tmp_path / name).exists()
    (tmp_path / name).write_bytes(b"another file of this name")
    (take,) = Recorder.rescue(tmp_path)
    assert (take.path.name, take.duration_s, take.problem) == (name.replace("lost", "lost-2"), 3.0, None)
    np.testing.assert_allclose(read(take.path), noise(24_000), atol=2.0**-23)
    assert (tmp_path / name).read_bytes() == b"another file of this name"
    assert len(os.listdir(tmp_path)) == 2
    assert Recorder.rescue(tmp_path) == []


FULL = """
import resource, signal, sys, time
import numpy as np
from synth.io.recorder import Recorder
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (60_001, 60_001))  # the disk is full at this size of a file
recorder = Recorder(8000, keep_s=1.0)
recorder.start(sys.argv[1])
sound = np.random.default_rng(0).uniform(-1.0, 1.0, (24000, 2)).astype(np.float32)
for first in range(0, 24000, 100):
    recorder.write(sound[first : first + 100])
take = recorder.stop()
print(take.path.name, take.duration_s, take.problem)
"""


@pytest.mark.parametrize("name", ["full.flac", "full.wav"])
def test_a_full_disk_keeps_what_it_has_and_says_so_in_one_line(tmp_path: Path, name: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(tmp_path / name)], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stderr == ""
    assert done.stdout.count("\n") == 1
    assert f"{name} ends after " in done.stdout
    assert "File too large" in done.stdout
    path = tmp_path / done.stdout.split()[0]
    assert os.listdir(tmp_path) == [path.name]
    found = read(path)
    assert len(found) == (60_001 - 44) // 6
    np.testing.assert_allclose(found, noise(24_000)[: len(found)], atol=2.0**-23)


def test_what_is_no_number_is_silence_and_beyond_full_scale_is_clipped(tmp_path: Path) -> None:
    recorder = Recorder(RATE, keep_s=1.0)
    recorder.write(np.array([[np.nan, 2.0], [-2.0, 0.5], [np.inf, -np.inf]], np.float32))
    recorder.keep(tmp_path / "a.wav")
    np.testing.assert_allclose(read(tmp_path / "a.wav"), [[0.0, 1.0], [-1.0, 0.5], [1.0, -1.0]], atol=2.0**-23)


def test_refusals_are_one_line_and_change_nothing(tmp_path: Path) -> None:
    (tmp_path / "old.wav").write_bytes(b"old")
    recorder = Recorder(RATE, keep_s=1.0)
    for path, words in (("a.mp3", "flac or .wav"), ("old.wav", "is there already"), ("no/a.wav", "no directory")):
        for act in (recorder.start, recorder.keep):
            with pytest.raises(TetradError, match=words):
                act(tmp_path / path)
    with pytest.raises(TetradError, match="nothing to keep"):
        recorder.keep(tmp_path / "a.wav")
    with pytest.raises(TetradError, match="no recording runs"):
        recorder.stop()
    recorder.start(tmp_path / "a.wav")
    with pytest.raises(TetradError, match="runs"):
        recorder.start(tmp_path / "b.wav")
    with pytest.raises(TetradError, match="has no sound"):
        recorder.stop()
    assert os.listdir(tmp_path) == ["old.wav"]
    with pytest.raises(TetradError, match="expected 1 to 3600"):
        Recorder(RATE, keep_s=0.0)


def test_what_is_no_take_stays_and_is_named(tmp_path: Path) -> None:
    (tmp_path / ".a.wav.tetrad-take").write_bytes(textwrap.dedent("not sound" * 10).encode())
    (take,) = Recorder.rescue(tmp_path)
    assert "can't be made whole" in str(take.problem)
    assert (tmp_path / ".a.wav.tetrad-take").exists()


def test_leaving_finishes_the_recording(tmp_path: Path) -> None:
    with Recorder(RATE, keep_s=1.0) as recorder:
        recorder.start(tmp_path / "a.flac")
        feed(recorder, noise(RATE))
    np.testing.assert_allclose(read(tmp_path / "a.flac"), noise(RATE), atol=2.0**-23)
