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
from synth.frames import Float32Array
from synth.instruments.analysis import NoteAnalysis, analyse_note
from synth.instruments.build import RESIDUAL_STEP, measure_note
from synth.instruments.notes import SourceNote
from synth.instruments.residual_codec import encode_residuals, quantise_residual
from synth.instruments.resynthesis import resynthesise
from synth.lsd import log_spectral_distance_db

KEYS = range(36, 97, 12)
VELOCITY = 90
INAUDIBLE_PEAK = 1e-4


HELD_S = 3.0


def measure(font_path: Path, programs: range, keys: range, every: int) -> dict[str, object]:
    """Of each `every`-th note: {"lsd_db": as an import measures it, "law_lsd_db": by harmonic partials and noise alone,
    each {"median", "p90", "worst"}, "worst_notes", "n_notes", "n_own_partials", "n_residuals", "residual_kb_per_note",
    "analysis_s": median}."""
    presets = {(p.bank, p.number): p for p in read_sound_font(font_path).presets}
    distance: dict[str, float] = {}
    by_law: list[float] = []
    seconds: list[float] = []
    n_own_partials = 0
    residual_bytes: list[int] = []
    wanted = [(program, key) for program in programs for key in keys][::every]
    for program, key in progress(wanted, description="notes", unit="note"):
        audio = render_note(font_path, presets[(0, program)], key, VELOCITY, 0.0).astype(np.float32)
        if np.abs(audio).max() < INAUDIBLE_PEAK:
            continue
        began = time.perf_counter()
        heard = measure_note(SourceNote(audio, key, VELOCITY, HELD_S), None)
        seconds.append(time.perf_counter() - began)
        distance[f"{program}-{key}"] = log_spectral_distance_db(audio, _rendered(heard.analysis, audio, heard.residual))
        by_law.append(log_spectral_distance_db(audio, _rendered(analyse_note(audio, key), audio, None)))
        n_own_partials += heard.analysis.ratios is not None
        if heard.residual is not None:
            kept = quantise_residual(heard.residual, float(np.abs(audio).max()) * RESIDUAL_STEP)
            residual_bytes.append(len(encode_residuals([kept])))
    worst = sorted(distance, key=lambda name: -distance[name])[:8]
    return {
        "lsd_db": _spread(list(distance.values())),
        "law_lsd_db": _spread(by_law),
        "worst_notes": {name: round(distance[name], 2) for name in worst},
        "n_notes": len(distance),
        "n_own_partials": n_own_partials,
        "n_residuals": len(residual_bytes),
        "residual_kb_per_note": round(sum(residual_bytes) / len(distance) / 1000.0, 1),
        "analysis_s": round(float(np.median(seconds)), 3),
    }


def _rendered(analysis: NoteAnalysis, audio: Float32Array, residual: Float32Array | None) -> Float32Array:
    return resynthesise(
        analysis.frames,
        analysis.f0_hz,
        analysis.inharmonicity,
        audio.size,
        ratios=analysis.ratios,
        phases=analysis.phases,
        residual=residual,
    )


def _spread(values: list[float]) -> dict[str, float]:
    return {
        "median": round(float(np.median(values)), 3),
        "p90": round(float(np.percentile(values, 90)), 3),
        "worst": round(max(values), 3),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--font", type=Path, default=None, help="default: FluidR3, as Debian installs it")
    parser.add_argument("--programs", type=int, default=112, help="this many programs, from 0 (default %(default)s)")
    parser.add_argument("--every", type=int, default=1, help="only every n-th note (default %(default)s)")
    args = parser.parse_args()
    font_path = args.font or default_font_paths()[0]
    print(json.dumps({"font": font_path.name} | measure(font_path, range(args.programs), KEYS, args.every)))


if __name__ == "__main__":
    main()
