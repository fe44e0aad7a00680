"""A source whose every sample is another: what a card got can be told sample by sample."""

import numpy as np

from synth.jit import cfunc
from synth.native import SOURCE, Layout, Source, stereo_view

ROUND = 1 << 21
STEP = 2.0**-22
_MEMORY = Layout(position=np.int64)
_memory = _MEMORY.unpack


@cfunc(SOURCE)
def _ramp(data, out_at, n_samples, _time_ns, _frame):  # type: ignore[no-untyped-def]
    position = _memory(data)[0]
    out = stereo_view(out_at, n_samples)
    for i in range(n_samples):
        position[0] = position[0] % ROUND + 1
        out[i, 0] = np.float32(position[0] * STEP)
        out[i, 1] = -out[i, 0]


def ramp() -> Source:
    """STEP, 2 STEP .. ROUND STEP, and again, in the left channel; its negative in the right."""
    memory = _MEMORY.pack(position=np.zeros(1, np.int64))
    return Source(_ramp.address, memory.address, (memory, _ramp))
