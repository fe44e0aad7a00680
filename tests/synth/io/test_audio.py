"""Sound on a real JACK server: what is rendered is what comes out, sample for sample."""

import subprocess
import sys
import time

import numpy as np
import pytest

from synth.errors import TetradError
from synth.io import audio
from tests.listening import Recorder, wait_until
from tests.ramp import ramp

PROGRAM = """
import sys
from synth.io.audio import AudioOutput, choose_output
from tests.ramp import ramp

device = choose_output("jack", 48_000)
print(device.host_api, flush=True)
source = ramp()
with AudioOutput(device, source, sample_rate_hz=48_000, block_size=128) as output:
    sys.stdin.readline()
print(output.health().blocks * 128 == source.owner[0].arrays[0][0])
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
    assert output.splitlines() == ["JACK Audio Connection Kit", "True"]
    sound = recorder.samples()
    sounding = np.flatnonzero(sound.all(axis=1))  # from when both channels are connected
    run = sound[sounding[0] : sounding[0] + 90_000].astype(np.float64) * 2**22
    assert np.array_equal(run[:, 0], run[0, 0] + np.arange(90_000))
    assert np.array_equal(run[:, 1], -run[:, 0])


HOLD = """
import ctypes
import numpy as np
from synth.io.audio import AudioOutput, settle
from tests.listening import wait_until
from tests.ramp import ramp

usleep = ctypes.PyDLL(None).usleep  # keeps the interpreter lock
settled = settle("jack", 48_000)
with AudioOutput(settled.device, ramp(), sample_rate_hz=48_000) as output:
    wait_until(lambda: output.health().blocks > 10, "the first blocks")
    health = output._renderer._health
    before = int(health["blocks"][0])
    for _ in range(300):
        usleep(100_000)
        if int(health["blocks"][0]) >= before + 100:
            break
    # In one go: no other thread of Python's has run since, and the card has had its blocks.
    print(int(health["blocks"][0]) - before >= 100)
"""


def test_the_card_has_its_blocks_while_another_thread_holds_the_interpreter_lock(
    jack_environment: dict[str, str],
) -> None:
    command = [sys.executable, "-c", HOLD]
    done = subprocess.run(command, env=jack_environment, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.splitlines() == ["True"]


def test_an_unknown_device_is_one_line_with_what_there_is() -> None:
    with pytest.raises(TetradError, match=r"no audio output is called 'harpsichord'.*there are: "):
        audio.choose_output("harpsichord", 48_000)


def test_null_output_keeps_the_pace_of_the_clock() -> None:
    """It cannot run ahead: N blocks need at least N - 1 periods. (That it is not late, no test can promise.)"""
    source = ramp()
    output = audio.NullOutput(source, sample_rate_hz=48_000, block_size=480)
    begin_s = time.perf_counter()
    with output:
        wait_until(lambda: output.health().blocks >= 20, "20 blocks")
    took_s = time.perf_counter() - begin_s
    blocks = output.health().blocks
    assert took_s >= (blocks - 1) * 0.010
    assert source.owner[0].arrays[0][0] == 480 * blocks  # type: ignore[index]
    assert 8 <= len(output.recent_shares()) <= 64
    assert 0.0 < output.health().worst_block_share == max(output.health().worst_block_share, *output.recent_shares())
