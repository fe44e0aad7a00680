"""What is counted of blocks that a JACK server says were late."""

import time

import pytest

from synth.io.block_renderer import BlockRenderer
from synth.io.input_ring import InputRing
from synth.io.jack_audio import JackInput, JackStream
from synth.io.jack_audio import _count_interruption as count_interruption
from synth.io.jack_audio import _count_underflow as count_underflow
from tests.ramp import ramp


@pytest.mark.parametrize("count", [count_underflow, count_interruption], ids=["output", "input"])
def test_a_late_block_that_a_server_tells_of_several_times_is_one(
    jack_environment: dict[str, str], monkeypatch: pytest.MonkeyPatch, count: object
) -> None:
    """As JACK2 does, once for each late client; three clients were seen to make three of one."""
    monkeypatch.setenv("JACK_DEFAULT_SERVER", jack_environment["JACK_DEFAULT_SERVER"])
    renderer, ring = BlockRenderer(ramp(), 48_000), InputRing(48_000, 1)
    stream = JackStream(renderer, 48_000) if count is count_underflow else JackInput(ring)
    rate_hz = stream._xruns.arrays[2]
    rate_hz[:] = (
        128 / 0.2
    )  # so that half a block of 128 samples is longer than this process may have to wait for a core
    try:
        for expected in (1, 2):
            for _ in range(3):
                count.call(stream._xruns.address)  # type: ignore[attr-defined]
            assert renderer.health().underflows + ring.n_interruptions == expected
            time.sleep(0.15)
    finally:
        stream.close()
