"""Log-spectral distance between recordings and their analysis, resynthesised: no network takes part.

General MIDI programs 0 to 111 of a sound font at keys 36, 48, ..., 96, velocity 90. `make models` sets it up.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np

from models.dataset.render import render_note
from models.dataset.soundfont import default_font_paths, read_sound_font
from synth.command import progress
from synth.instruments.analysis import analyse_note
from synth.instruments.resynthesis import resynthesise
from synth.lsd import log_spectral_distance_db

KEYS = range(36, 97, 12)
VELOCITY = 90
INAUDIBLE_PEAK = 1e-4


def measure(font_path: Path, programs: range, keys: range) -> dict[str, object]:
    """-> {"lsd_db": {"median", "p90", "worst"}, "worst_notes", "n_notes", "n_unpitched", "analysis_s": median}."""
    presets = {(p.bank, p.number): p for p in read_sound_font(font_path).presets}
    distance: dict[str, float] = {}
    seconds: list[float] = []
    n_unpitched = 0
    for program in progress(programs, description="programs", unit="program"):
        for key in keys:
            audio = render_note(font_path, presets[(0, program)], key, VELOCITY, 0.0).astype(np.float32)
            if np.abs(audio).max() < INAUDIBLE_PEAK:
                continue
            began = time.perf_counter()
            analysis = analyse_note(audio, key)
            seconds.append(time.perf_counter() - began)
            sound = resynthesise(analysis.frames, analysis.f0_hz, analysis.inharmonicity, audio.size)
            distance[f"{program}-{key}"] = log_spectral_distance_db(audio, sound)
            n_unpitched += not analysis.pitched
    values = np.array(list(distance.values()))
    worst = sorted(distance, key=lambda name: -distance[name])[:8]
    return {
        "lsd_db": {
            "median": round(float(np.median(values)), 3),
            "p90": round(float(np.percentile(values, 90)), 3),
            "worst": round(float(values.max()), 3),
        },
        "worst_notes": {name: round(distance[name], 2) for name in worst},
        "n_notes": values.size,
        "n_unpitched": n_unpitched,
        "analysis_s": round(float(np.median(seconds)), 3),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--font", type=Path, default=None, help="default: FluidR3, as Debian installs it")
    parser.add_argument("--programs", type=int, default=112, help="this many programs, from 0 (default %(default)s)")
    args = parser.parse_args()
    font_path = args.font or default_font_paths()[0]
    print(json.dumps({"font": font_path.name} | measure(font_path, range(args.programs), KEYS)))


if __name__ == "__main__":
    main()
