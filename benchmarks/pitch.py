"""How often the key of a note is found: ours, swift-f0 alone, and others where they are installed.

Rendered notes of every third program of a note set (`make data`), which the shipped network did not learn from;
recordings by others (`benchmarks.pitch_recordings`), which it has never seen; and drums, noise, speech and chords,
which have no key. `--others` adds librosa's pyin and torchcrepe, which are no dependencies: install them somewhere and
put that on PYTHONPATH.
"""

from __future__ import annotations

import argparse
import importlib
import json
import math
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.pitch_recordings import labelled_files
from models.dataset.soundfont import default_font_paths
from models.pitch_data import (
    FromFile,
    Task,
    chord_tasks,
    drum_tasks,
    make,
    noise_tasks,
    note_tasks,
    sounding_key,
    speech_tasks,
)
from synth.command import progress
from synth.frames import HOP, SAMPLE_RATE_HZ, Float32Array
from synth.instruments.pitch import estimate_pitch
from synth.instruments.pitch_features import hz_to_key, pitch_features, tracker

KEYS = range(28, 97)
UNSEEN_VOICES = ("en-us+f2", "es", "it")
OCTAVES = (12, 24, 36)
SURE = 0.9
Answer = tuple[float, float, bool, float]
"""Key with its fraction (NaN: none), confidence, pitched, seconds."""


def ours(audio: Float32Array) -> tuple[float, float, bool]:
    """What an import asks."""
    found = estimate_pitch(audio)
    return found.pitch, found.confidence, found.pitched


def swift_f0_alone(audio: Float32Array) -> tuple[float, float, bool]:
    """The median of swift-f0's voiced frames; pitched where half of them are."""
    result = tracker().detect(audio, SAMPLE_RATE_HZ)
    voiced = result.confidence >= 0.5
    key = float(hz_to_key(float(np.median(result.pitch_hz[voiced])))) if voiced.any() else float("nan")
    return key, float(result.confidence.mean()), bool(voiced.mean() >= 0.5)


def pyin(audio: Float32Array) -> tuple[float, float, bool]:
    """The median of librosa's pyin (Mauch and Dixon 2014) at 24 kHz, 30 Hz to 2.2 kHz."""
    librosa = importlib.import_module("librosa")
    low = librosa.resample(audio[: 3 * SAMPLE_RATE_HZ], orig_sr=SAMPLE_RATE_HZ, target_sr=24_000)
    hz, voiced, probability = librosa.pyin(low, fmin=30.0, fmax=2200.0, sr=24_000, frame_length=4096)
    key = float(hz_to_key(float(np.nanmedian(hz[voiced])))) if voiced.any() else float("nan")
    return key, float(np.nanmean(probability)), bool(voiced.mean() >= 0.5)


def crepe(audio: Float32Array) -> tuple[float, float, bool]:
    """The median of torchcrepe's (Kim et al. 2018) confident frames, the full model, 32.7 Hz to 1,975 Hz."""
    torch, torchcrepe = importlib.import_module("torch"), importlib.import_module("torchcrepe")
    torch.set_num_threads(1)
    given = torch.tensor(audio[: 3 * SAMPLE_RATE_HZ])[None]
    options: dict[str, Any] = {"fmin": 32.7, "fmax": 1975.5, "model": "full", "return_periodicity": True}
    options["decoder"] = torchcrepe.decode.weighted_argmax
    with torch.no_grad():
        hz, periodicity = torchcrepe.predict(given, SAMPLE_RATE_HZ, SAMPLE_RATE_HZ // 20, batch_size=64, **options)
    sure = (periodicity[0] >= 0.5).numpy()
    key = float(hz_to_key(float(np.median(hz[0].numpy()[sure])))) if sure.any() else float("nan")
    return key, float(periodicity.mean()), bool(sure.mean() >= 0.5)


ESTIMATORS: dict[str, Callable[[Float32Array], tuple[float, float, bool]]] = {
    "ours": ours,
    "swift_f0": swift_f0_alone,
    "pyin": pyin,
    "crepe": crepe,
}


def answers(task: Task, names: tuple[str, ...], disturb: bool) -> dict[str, Answer] | None:
    """What each estimator says of one sound, None where it is silent or too short. The sound is loaded once."""
    example = make(task, disturb=disturb)
    if example is None or example.audio.size < 2 * HOP:
        return None
    pitched = not math.isnan(example.key)
    told: dict[str, Answer] = {"truth": (example.key, 1.0, pitched, 0.0)}
    if pitched:
        told["foot"] = (sounding_key(pitch_features(example.audio), example.key), 1.0, True, 0.0)
    for name in names:
        began_s = time.perf_counter()
        told[name] = (*ESTIMATORS[name](example.audio), time.perf_counter() - began_s)
    return told


def keys_found(told: list[dict[str, Answer]], name: str) -> dict[str, Any]:
    """Shares of the right semitone, of octave errors, of notes called pitched, of those it is sure of and right.

    `right_or_foot`, `octave_errors_but_foot`: where the sound's own fundamental is not the key's (`sounding_key`),
    either is an answer.
    """
    off = np.array([answer[name][0] - answer["truth"][0] for answer in told])
    from_foot = np.array([answer[name][0] - answer.get("foot", answer["truth"])[0] for answer in told])
    right, at_foot = np.abs(off) <= 0.5, np.abs(from_foot) <= 0.5
    sure = np.array([answer[name][1] > SURE for answer in told])
    whole = np.rint(np.abs(np.nan_to_num(off, nan=99.0)))
    return {
        "n": len(told),
        "right": _share(right),
        "octave_errors": _share(np.isin(whole, OCTAVES)),
        "right_or_foot": _share(right | at_foot),
        "octave_errors_but_foot": _share(np.isin(whole, OCTAVES) & ~at_foot),
        "called_pitched": _share(np.array([answer[name][2] for answer in told])),
        "sure": _share(sure),
        "right_where_sure": _share(right[sure]) if sure.any() else None,
        "seconds": round(float(np.median([answer[name][3] for answer in told])), 4),
    }


def _share(hits: np.ndarray) -> float:
    return round(float(np.mean(hits)), 4)


def measure(pitched: list[Task], unpitched: list[Task], names: tuple[str, ...], jobs: int) -> dict[str, Any]:
    """-> per estimator: keys overall and by family, and what of the unpitched is called unpitched."""
    told = _all_answers(pitched, names, jobs, disturb=False)
    quiet = _all_answers(unpitched, names, jobs, disturb=False)
    report: dict[str, Any] = {}
    for name in names:
        families = sorted({task.family for task, _ in told})
        by_family = {f: keys_found([a for task, a in told if task.family == f], name) for f in families}
        kinds = sorted({task.family for task, _ in quiet})
        rejected = {kind: _share(np.array([not a[name][2] for t, a in quiet if t.family == kind])) for kind in kinds}
        wrong = [
            f"{task.name}: {a[name][0] - task.key:+.1f}" for task, a in told if not abs(a[name][0] - task.key) <= 0.5
        ]
        report[name] = keys_found([a for _, a in told], name) | {
            "families": by_family,
            "unpitched_called_so": rejected,
            "wrong": wrong,
        }
    return report


def _all_answers(
    tasks: list[Task], names: tuple[str, ...], jobs: int, *, disturb: bool
) -> list[tuple[Task, dict[str, Answer]]]:
    with ProcessPoolExecutor(jobs) as pool:
        made = pool.map(answers, tasks, [names] * len(tasks), [disturb] * len(tasks), chunksize=4)
        told = list(progress(made, description="sounds", unit="sound", total=len(tasks)))
    return [(task, answer) for task, answer in zip(tasks, told, strict=True) if answer is not None]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=None, help="a note set, as `make data` makes it")
    parser.add_argument("--notes", type=int, default=800, help="of the note set (default %(default)s)")
    parser.add_argument("--recordings", type=Path, default=None, help="what benchmarks.pitch_recordings fetched")
    parser.add_argument("--others", nargs="*", choices=("pyin", "crepe"), default=[])
    parser.add_argument("--every", type=int, default=1, help="take one sound of so many (default %(default)s)")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    names = ("ours", "swift_f0", *args.others)
    report: dict[str, Any] = {}
    if args.data:
        notes = note_tasks(args.data, args.notes, measuring=True, seed=77, keys=KEYS)
        without = drum_tasks(default_font_paths(), 200, 12) + noise_tasks(50, 14) + speech_tasks(50, 18, UNSEEN_VOICES)
        without += chord_tasks(notes, 80, 20)
        report["rendered"] = measure(notes[:: args.every], without[:: args.every], names, args.jobs)
    if args.recordings:
        files = labelled_files(args.recordings)
        tasks = [
            Task(f.path.name, f.family, float("nan") if f.key is None else float(f.key), FromFile(f.path), i)
            for i, f in enumerate(files)
            if f.key is None or f.key in KEYS
        ]
        pitched = [task for task in tasks if not math.isnan(task.key)]
        unpitched = [task for task in tasks if math.isnan(task.key)]
        report["recorded"] = measure(pitched[:: args.every], unpitched[:: args.every], names, args.jobs)
    if args.json:
        print(json.dumps(report))
        return
    for kind, by_name in report.items():
        for name, found in by_name.items():
            print(f"{kind} {name}: { ({k: v for k, v in found.items() if k not in ('families', 'wrong')}) }")
            for family, of_family in found["families"].items():
                print(f"    {family}: {of_family}")
            print(f"    wrong: {'; '.join(found['wrong'])}")


if __name__ == "__main__":
    main()
