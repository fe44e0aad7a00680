"""What is counted of blocks."""

import time

import numpy as np

from synth.io.block_renderer import BlockRenderer, count_told_underflow
from synth.jit import cfunc
from tests.ramp import ramp


@cfunc("void(i8)")
def _told(data):  # type: ignore[no-untyped-def]
    count_told_underflow(data)


def test_a_late_block_that_a_server_tells_of_several_times_is_one() -> None:
    """As JACK2 does, once for each late client; three clients were seen to make three of one."""
    renderer = BlockRenderer(ramp(), 48_000)
    renderer.render(np.zeros((4_800, 2), np.float32))  # a tenth of a second
    for expected in (1, 2):
        for _ in range(3):
            _told.call(renderer.memory.address)
        assert renderer.health().underflows == expected
        time.sleep(0.06)
