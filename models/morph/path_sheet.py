"""A path of the pair grid as a sheet of rainbowgrams: the straight line above, and what the grid makes of it below."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from models.rainbowgram import Labelled, write_rainbowgrams
from synth.grid.pair_path import N_WARP, PairPath
from synth.instruments.fidelity import Place, render_path
from synth.instruments.library import Library
from synth.voices.decoder import Decoder

MIDDLE_KEY = 60
HELD_S, LASTS_S = 3.0, 4.0


def write_path_sheet(path: PairPath, out: Path, *, key: int | None = None, n_points: int = 5) -> None:
    """Draw `n_points` along a path of the library's instruments at `key` (None: its note nearest middle C).

    Raises TetradError for instruments that the library doesn't have and a file that can't be written.
    """
    library, decoder = Library(), Decoder()
    note = min(path.notes, key=lambda n: (abs(n.pitch - (MIDDLE_KEY if key is None else key)), -n.velocity))
    played_key = note.pitch if key is None else key
    ends = [library.load(path.first), library.load(path.second)]
    s = np.linspace(0.0, 1.0, n_points)
    u = np.interp(s, np.linspace(0.0, 1.0, N_WARP), note.warp)
    rows = []
    for label, places in (("straight", s), ("grid", u)):
        points = [Place(float(x), 0.0) for x in places]
        sounds = render_path([*ends, *ends], points, played_key, note.velocity, HELD_S, LASTS_S, decoder)
        rows.append(
            [
                Labelled(f"{label} {100 * where:.0f}%, u {x:.2f}, key {played_key}", sound)
                for where, x, sound in zip(s, places, sounds, strict=True)
            ]
        )
    write_rainbowgrams(out, rows)
