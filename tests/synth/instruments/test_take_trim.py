"""Takes that are cut at their ends, or left out, before they become an instrument."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from synth.errors import TetradError
from synth.frames import SAMPLE_RATE_HZ, Float32Array
from synth.instruments.pitch import PitchEstimate
from synth.instruments.takes import N_PEAKS, TakeRecorder, Trim
from tests.synth.instruments.singer import song, sung


class Tape:
    """A source of sound, by hand."""

    sample_rate_hz, channels, lost_samples, interruptions, problem = SAMPLE_RATE_HZ, 1, 0, 0, ""

    def __init__(self, *sounds: Float32Array) -> None:
        whole = song(*sounds)
        self._sound = whole + np.random.default_rng(3).normal(0.0, 3e-4, whole.size).astype(np.float32)

    def read(self) -> Float32Array:
        block, self._sound = self._sound[:4800], self._sound[4800:]
        return np.ascontiguousarray(block[:, None])

    @property
    def empty(self) -> bool:
        return not self._sound.size


@pytest.fixture
def recorder(tmp_path: Path) -> TakeRecorder:
    """With three takes of 60, 62 and 64, of 0.8 s and what is around them."""
    tape = Tape(*(sung(key, 0.8) for key in (60.0, 62.0, 64.0)))
    recorder = TakeRecorder(tape, tmp_path, estimate=lambda audio: PitchEstimate(60.0, 0.0, False))
    while not tape.empty:
        recorder.step()
    recorder.finish()
    assert len(recorder.takes) == 3
    return recorder


def test_a_trimmed_take_holds_that_stretch_sample_by_sample(recorder: TakeRecorder) -> None:
    first, second, third = recorder.takes
    before = {take.path: soundfile.read(take.path)[0] for take in recorder.takes}
    recorder.trim({1: Trim(0.3, 0.75), 3: Trim(0.5), 9: Trim(0.1, 0.2)})
    assert recorder.takes == (first, second, third)
    for take, start, end in ((first, 14_400, 36_000), (second, 0, None), (third, 24_000, None)):
        assert np.array_equal(soundfile.read(take.path)[0], before[take.path][start:end])
        assert take.seconds == pytest.approx(soundfile.info(take.path).duration)
    assert sorted(before) == sorted(first.path.parent.iterdir())


def test_takes_that_are_left_out_are_gone(recorder: TakeRecorder) -> None:
    first, second, third = recorder.takes
    recorder.trim({1: Trim(keep=False), 3: Trim(keep=False)})
    assert recorder.takes == (second,)
    assert [take.path.exists() for take in (first, second, third)] == [False, True, False]


def test_a_take_that_can_not_be_shortened_stays_whole(recorder: TakeRecorder) -> None:
    take = recorder.takes[0]
    before = take.path.read_bytes()
    with pytest.raises(TetradError, match="nothing is left of it from 30"):
        recorder.trim({1: Trim(30.0)})
    assert take.path.read_bytes() == before


def test_the_picture_of_a_take_is_loud_where_the_take_is(recorder: TakeRecorder) -> None:
    take = recorder.takes[0]
    sound, rate_hz = soundfile.read(take.path)
    assert len(take.peaks) == N_PEAKS
    assert max(take.peaks) == pytest.approx(np.abs(sound).max(), abs=0.006)
    onset = round(0.2 * rate_hz / len(sound) * N_PEAKS)  # of the pre-roll
    assert max(take.peaks[: onset - 1]) < 0.02
    assert take.to_json()["peaks"] == list(take.peaks)
