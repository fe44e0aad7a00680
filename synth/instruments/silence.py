"""The instrument of a corner that has none: a way from sound to nothing."""

import numpy as np

from synth.frames import N_BANDS, N_PARTIALS, ROW_WIDTH, Z_DIM
from synth.instruments.format import Instrument, Note

NAME = "silence"
_N_FRAMES = 8
_DOWN_DB = -60.0
"""Taken from what the network makes of z = 0. With the loudness match, which gives or takes at most 24 dB, what is
left is near the engine's floor of -100 dBFS."""
_LOUDNESS_DB = -90.0
"""Inaudible, and no less: loudness blends in dB, so the way half-way down would be the steeper."""


def silent_instrument(model_id: str) -> Instrument:
    """Sustains, and says nothing, at any key. model_id: of the decoder that it is played with."""
    detail = np.full((_N_FRAMES, ROW_WIDTH), _DOWN_DB, np.float32)
    detail[:, N_PARTIALS + N_BANDS :] = 0.0  # cents
    note = Note(
        pitch=60,
        velocity=100,
        tuning_cents=0.0,
        inharmonicity=0.0,
        z=np.zeros((_N_FRAMES // 4, Z_DIM), np.float32),
        detail=detail,
        loudness_db=np.full(_N_FRAMES, _LOUDNESS_DB, np.float32),
        loop_start=1,
        loop_end=_N_FRAMES - 2,
        release_start=_N_FRAMES,
    )
    return Instrument(
        name=NAME,
        display_name="Silence",
        family="synth_pad",
        sustains=True,
        author="",
        licence="CC0-1.0",
        source="",
        model_id=model_id,
        notes=(note,),
    )
