"""How near drums, bells, chords, loops and speech come to their recordings, offline: no network, no engine.

Of each: the log-spectral distance by harmonic partials and noise alone, with free partials, and with the residual that
`choose_residual` keeps, its size, and whether the onset is as sharp. See `benchmarks/unpitched_sounds.py`.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

import numpy as np
import soundfile

from benchmarks.unpitched_sounds import Sound, sounds
from synth.command import progress
from synth.frames import SAMPLE_RATE_HZ, Float32Array
from synth.instruments.analysis import NoteAnalysis, analyse_note
from synth.instruments.build import RESIDUAL_STEP, measure_note
from synth.instruments.notes import SourceNote
from synth.instruments.residual import SHARP_MS, rise_ms
from synth.instruments.residual_codec import encode_residuals, quantise_residual
from synth.instruments.resynthesis import resynthesise
from synth.lsd import log_spectral_distance_db


class Row(NamedTuple):
    """Distances in dB, kept residual in bytes and seconds, 10 to 90 % rise of recording and model in ms."""

    kind: str
    law_db: float
    partials_db: float
    whole_db: float
    residual_bytes: int
    residual_s: float
    rise_ms: int
    model_rise_ms: int
    analysis_s: float


def measure(sound: Sound, listen_to: Path | None) -> Row:
    law = analyse_note(sound.audio, sound.pitch)
    began = time.perf_counter()
    heard = measure_note(SourceNote(sound.audio, sound.pitch, 100, None, None, sound.pitched), None)
    took_s = time.perf_counter() - began
    model = _rendered(heard.analysis, sound.audio.size, heard.residual)
    if listen_to is not None:
        soundfile.write(listen_to / f"{sound.name}.wav".replace(":", ""), model, SAMPLE_RATE_HZ)
    residual = np.zeros(0, np.float32)
    if heard.residual is not None:
        residual = quantise_residual(heard.residual, float(np.abs(sound.audio).max()) * RESIDUAL_STEP)
    return Row(
        sound.kind,
        log_spectral_distance_db(sound.audio, _rendered(law, sound.audio.size, None)),
        log_spectral_distance_db(sound.audio, _rendered(heard.analysis, sound.audio.size, None)),
        log_spectral_distance_db(sound.audio, model),
        len(encode_residuals([residual])),
        residual.size / SAMPLE_RATE_HZ,
        rise_ms(sound.audio),
        rise_ms(model),
        took_s,
    )


def _rendered(analysis: NoteAnalysis, n_samples: int, residual: Float32Array | None) -> Float32Array:
    return resynthesise(
        analysis.frames,
        analysis.f0_hz,
        analysis.inharmonicity,
        n_samples,
        ratios=analysis.ratios,
        phases=analysis.phases,
        residual=residual,
    )


def summary(rows: list[Row]) -> dict[str, object]:
    """Medians and 90th percentiles over some sounds; onsets are those that rise within 10 ms in the recording."""
    table = np.array([row[1:] for row in rows])
    sharp = table[table[:, 5] < SHARP_MS]
    return {
        "n": len(rows),
        "law_db": _spread(table[:, 0]),
        "partials_db": _spread(table[:, 1]),
        "with_residual_db": _spread(table[:, 2]),
        "residual_kb_per_note": round(float(table[:, 3].mean()) / 1000.0, 1),
        "residual_s_per_note": round(float(table[:, 4].mean()), 2),
        "sharp_onsets": len(sharp),
        "kept_sharp": int((sharp[:, 6] < SHARP_MS).sum()),
        "analysis_s": _spread(table[:, 7]),
    }


def _spread(values: np.ndarray) -> list[float]:
    return [round(float(np.percentile(values, q)), 2) for q in (50, 90)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--every", type=int, default=1, help="only every n-th sound (default %(default)s)")
    parser.add_argument("--write", type=Path, default=None, help="write what the model makes of them here")
    args = parser.parse_args()
    by_kind: dict[str, list[Row]] = defaultdict(list)
    chosen = [sound for index, sound in enumerate(sounds()) if index % args.every == 0]
    for sound in progress(chosen, description="sounds", unit="sound"):
        by_kind[sound.kind].append(measure(sound, args.write))
    everything = [row for rows in by_kind.values() for row in rows]
    report = {kind: summary(rows) for kind, rows in by_kind.items()} | {"all": summary(everything)}
    print(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
