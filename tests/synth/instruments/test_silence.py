"""A corner without an instrument is silent, and on the way to it the sound fades without a hole or a jump."""

import numpy as np
import pytest

from synth.instruments.fidelity import Place, render_note
from synth.instruments.library import Library
from synth.instruments.silence import silent_instrument
from synth.voices.decoder import Decoder


@pytest.mark.parametrize("name", ["flute", "grand-piano"])
def test_sound_fades_into_the_silent_corner(name: str) -> None:
    decoder = Decoder()
    sound, silence = Library().load(name), silent_instrument(decoder.model_id)
    levels = []
    for x in (0.0, 0.25, 0.5, 0.75, 1.0):
        heard = render_note([sound, silence, sound, silence], Place(x, 1.0), 60, 100, 0.5, 0.5, decoder)
        levels.append(20.0 * np.log10(np.sqrt(np.mean(heard[4800:] ** 2)) + 1e-9))
    assert levels[-1] < -88.0
    assert np.all(np.diff(levels) < 0.0)
    assert levels[0] - levels[2] < 40.0
