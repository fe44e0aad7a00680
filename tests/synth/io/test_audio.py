"""Sound on a real JACK server: what is rendered is what comes out, sample for sample."""

import subprocess
import sys
import threading
import time

import numpy as np
import pytest
from numpy.typing import NDArray

from synth.errors import TetradError
from synth.io import audio
from tests.listening import Recorder, wait_until

PROGRAM = """
import sys, time
import numpy as np
from synth.io.audio import AudioOutput, choose_output

position = 0
def render_into(out):
    global position
    ramp = np.arange(position + 1, position + len(out) + 1, dtype=np.float32) / 2**22
    out[:, 0], out[:, 1] = ramp, -ramp
    position += len(out)
    if position > 96_000 and "--fail" in sys.argv:
        raise ValueError("the synthesizer broke")

device = choose_output("jack", 48_000)
print(device.host_api, flush=True)
with AudioOutput(device, render_into, sample_rate_hz=48_000, block_size=128) as output:
    sys.stdin.readline()
print(output.health().blocks * 128 == position, repr(output.failure))
"""


def start(environment: dict[str, str], *arguments: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *arguments],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def test_every_sample_arrives_once(jack_environment: dict[str, str], recorder: Recorder) -> None:
    with start(jack_environment) as program:
        recorder.connect("Tetrad")
        before = len(recorder.samples())
        wait_until(lambda: len(recorder.samples()) > before + 96_000, "two seconds of sound")
        output, _ = program.communicate("stop\n", timeout=30)
    assert output.splitlines() == ["JACK Audio Connection Kit", "True None"]
    sound = recorder.samples()
    sounding = np.flatnonzero(sound.all(axis=1))  # from when both channels are connected
    run = sound[sounding[0] : sounding[0] + 90_000].astype(np.float64) * 2**22
    assert np.array_equal(run[:, 0], run[0, 0] + np.arange(90_000))
    assert np.array_equal(run[:, 1], -run[:, 0])


def test_a_failing_synthesizer_becomes_silence_and_a_reason(
    jack_environment: dict[str, str], recorder: Recorder
) -> None:
    with start(jack_environment, "--fail") as program:
        recorder.connect("Tetrad")
        wait_until(lambda: len(recorder.samples()) > 200_000, "four seconds of sound")
        output, _ = program.communicate("stop\n", timeout=30)
    assert output.splitlines()[1] == "False ValueError('the synthesizer broke')"
    sound = recorder.samples()
    last = np.flatnonzero(sound[:, 0])[-1]
    assert sound[last, 0] * 2**22 <= 96_128  # the block that failed is silent as a whole
    assert len(sound) - last > 4_800


def test_an_unknown_device_is_one_line_with_what_there_is() -> None:
    with pytest.raises(TetradError, match=r"no audio output is called 'harpsichord'.*there are: "):
        audio.choose_output("harpsichord", 48_000)


def test_null_output_keeps_the_pace_of_the_clock() -> None:
    """It cannot run ahead: N blocks need at least N - 1 periods. (That it is not late, no test can promise.)"""
    taken: list[float] = []
    enough = threading.Event()

    def render_into(block: NDArray[np.float32]) -> None:
        assert block.shape == (480, 2)
        taken.append(time.perf_counter())
        if len(taken) == 20:
            enough.set()

    output = audio.NullOutput(render_into, sample_rate_hz=48_000, block_size=480)
    with output:
        assert enough.wait(60)
    assert taken[19] - taken[0] >= 18 * 0.010
    assert output.failure is None
    assert output.health().blocks >= 20


def test_null_output_keeps_a_failure() -> None:
    def render_into(_: NDArray[np.float32]) -> None:
        raise ValueError("broken")

    output = audio.NullOutput(render_into, sample_rate_hz=48_000, block_size=128)
    with output:
        wait_until(lambda: output.failure is not None, "the failure")
    assert isinstance(output.failure, ValueError)
