"""Real SFZ libraries, where there are any: `TETRAD_SFZ_LIBRARIES` names their folder, benchmarks/sfz_libraries.py lists
them."""

import os
from pathlib import Path

import numpy as np
import pytest

from benchmarks.sfz_libraries import LIBRARIES, Library, mapping
from synth.instruments.sfz import find_sfz

FOLDER = os.environ.get("TETRAD_SFZ_LIBRARIES", "")


@pytest.mark.skipif(not FOLDER, reason="TETRAD_SFZ_LIBRARIES names no folder with SFZ libraries")
@pytest.mark.parametrize("library", LIBRARIES, ids=lambda library: library.name)
def test_every_sounding_region_is_mapped(library: Library) -> None:
    folder = Path(FOLDER) / library.name
    program = folder / library.program
    found = mapping(program, folder)
    assert (found.regions, found.sounding, found.notes) == (library.regions, library.sounding, library.notes)
    assert found.mapped == found.sounding
    assert all("regions left out" in problem for problem in found.problems)  # nothing missing, nothing misread
    for note in find_sfz(program, folder=folder).notes[::10]:
        audio = note.read()
        assert np.isfinite(audio.samples).all()
        assert np.abs(audio.samples).max() > 0.0
        assert note.loop_s is None or note.loop_s[1] <= len(audio.samples) / audio.rate_hz
