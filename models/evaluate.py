"""Measure a checkpoint on training and held-out instruments: frames, sound, pitch, a classifier's ear, morph paths.

Held out means by instrument: no note of a held-out General MIDI program was trained on, whichever font it is from, nor
any that sounds like one of its notes (`models.dataset.duplicates`).
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch

from models import control_data
from models.autoencoder import Autoencoder
from models.checkpoint import load_model
from models.classifier.accuracy import evaluate_classifier
from models.classifier.judge import family_confidence
from models.classifier.training import DEFAULT_WEIGHTS
from models.classifier.weights import load_classifier
from models.dataset.reader import DATA_HELP, DEFAULT_DIRECTORY, NoteSet
from models.halfway import half_way, summary
from models.losses import active_error_db
from models.morph.evaluate import GridPaths, measure_morphs
from models.pitch_check import estimate_pitch_hz
from models.train import decode_frames
from synth.command import add_json_argument, print_report, progress
from synth.errors import TetradError
from synth.frames import ENCODER_RATE_HZ, ControlFrames, pitch_to_hz
from synth.grid.store import GridStore
from synth.instruments.encoder import Encoder
from synth.instruments.library import Library
from synth.instruments.resynthesis import resynthesise
from synth.instruments.spread import spread_evenly
from synth.lsd import log_spectral_distance_db
from synth.paths import pretrained_dir
from synth.voices.decoder import Decoder


def decode_notes(model: Autoencoder, data: control_data.ControlSet, batch_size: int = 8) -> np.ndarray:
    """Encode and decode every note: float16 [n, T, 165]."""
    n_frames = data.rows.shape[1]
    rows = np.empty(data.rows.shape, dtype=np.float16)
    frame = torch.arange(n_frames, dtype=torch.float32)
    with torch.no_grad():
        for start in progress(range(0, data.n_notes, batch_size), description="decoding", unit="batch"):
            part = slice(start, start + batch_size)
            rows[part] = decode_frames(model, data, part, frame).numpy().astype(np.float16)
    return rows


def note_errors_db(rows: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Active-frame error of each note in dB, float64 [n]."""
    errors = []
    for found, wanted in zip(rows, target, strict=True):
        peak = torch.tensor(float(np.nanmax(wanted[:, :-1]))).reshape(1, 1, 1)
        decoded, measured = (torch.from_numpy(a[None].astype(np.float32)) for a in (found, wanted))
        errors.append(float(active_error_db(decoded, measured, peak)[0]))
    return np.array(errors)


def evaluate(checkpoint: Path, directory: Path, n_listened: int, limit: int | None) -> dict[str, object]:
    """-> the object of `tetrad model evaluate --json`; see DESIGN section 9 for the measures.

    `lsd_db` and `pitch_error_cents` compare the decoder alone (no detail) with the recordings of `n_listened` held-out
    notes, evenly spread; `limit` keeps that many notes of either side.
    """
    model, metadata = load_model(checkpoint)
    note_set = NoteSet.open(directory)
    control_data.prepare(note_set)
    error_db: dict[str, float] = {}
    by_instrument: dict[str, float] = {}
    lsd: list[float] = []
    cents: list[float] = []
    n_notes: dict[str, int] = {}
    for split in ("train", "held_out"):
        data = control_data.load(directory, note_set.instruments(split=split)).spread(limit)
        rows = decode_notes(model, data)
        errors = note_errors_db(rows, data.rows)
        error_db[split] = float(errors.mean())
        n_notes[split] = data.n_notes
        if split == "held_out":
            names = np.array(data.instrument)
            by_instrument = {str(n): round(float(errors[names == n].mean()), 2) for n in np.unique(names)}
            chosen = spread_evenly(data.n_notes, n_listened)
            for i in progress(chosen, description="listening", unit="note"):
                frames = ControlFrames.from_rows(rows[i].astype(np.float32))
                gain = np.float32(10.0 ** (data.gain_db[i] / 20.0))
                source = note_set.audio_48k(data.note_str[i]) * gain
                tuned_hz = float(pitch_to_hz(data.pitch[i] + data.tuning_cents[i] / 100.0))
                sound = resynthesise(frames, tuned_hz, float(data.inharmonicity[i]), source.size)
                lsd.append(log_spectral_distance_db(source, sound))
                found_hz, confidence = estimate_pitch_hz(sound, near_hz=tuned_hz)
                if confidence > 0.5:
                    cents.append(abs(1200.0 * np.log2(found_hz / tuned_hz)))
    return {
        "active_frame_error_db": error_db,
        "lsd_db": {"median": _percentile(lsd, 50), "p90": _percentile(lsd, 90)},
        "pitch_error_cents": {"p95": _percentile(cents, 95), "n_judged": len(cents)},
        "n_notes": n_notes | {"listened": len(lsd)},
        "step": int(metadata["step"]),
        "training_minutes": float(metadata["seconds"]) / 60.0,
        "held_out_instruments": by_instrument,
    }


def _percentile(values: list[float], percent: float) -> float:
    """NaN, which JSON shows as null, when no note could be judged."""
    return float(np.percentile(values, percent)) if values else float("nan")


def evaluate_half_way(n_pairs: int | None) -> dict[str, object]:
    """The pitch half-way between all pairs of shipped instruments, or `n_pairs` of them, evenly spread."""
    library, decoder = Library(), Decoder()
    instruments = [library.load(name) for name in library.names()]
    return summary(half_way(instruments, decoder, n_pairs))


def evaluate_by_ear(
    checkpoint: Path,
    directory: Path,
    classifier: Path,
    n_judged: int | None,
    n_morphs: int,
    pictures: Path | None,
    grid: Path | None,
) -> dict[str, object]:
    """-> "classifier" and "morph" of `tetrad model evaluate --json`.

    The classifier judges `n_judged` held-out notes as recorded and as decoded by the network alone; `n_morphs` of the
    40 fixed pairs are played as the engine does, with the shipped instruments and the exported pair, along the paths in
    the folder `grid` (None: the user's); what is missing there is computed.
    """
    note_set = NoteSet.open(directory)
    judge = load_classifier(classifier)
    result: dict[str, object] = {}
    if n_judged != 0:
        model, _ = load_model(checkpoint)
        data = control_data.load(directory, note_set.instruments(split="held_out")).spread(n_judged)
        result["classifier"] = evaluate_classifier(judge, note_set, data, lambda notes: decode_notes(model, notes))
    if n_morphs != 0:
        decoder, encoder = Decoder(), Encoder()
        result["morph"] = measure_morphs(
            note_set,
            decoder,
            encode=encoder.run,
            find_path=GridPaths(GridStore(grid), decoder, encoder),
            family_confidence=lambda sound: family_confidence(judge, sound, ENCODER_RATE_HZ),
            limit=n_morphs,
            pictures=pictures,
        )
    return result


class EvaluateCommand:
    """`tetrad model evaluate`"""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("data", type=Path, nargs="?", default=DEFAULT_DIRECTORY, help=DATA_HELP)
        parser.add_argument("--checkpoint", type=Path, default=pretrained_dir() / "checkpoint.safetensors")
        parser.add_argument("--listen", type=int, default=60, help="held-out notes to render (default %(default)s)")
        parser.add_argument("--limit", type=int, help="at most this many notes of either side")
        parser.add_argument("--pairs", type=int, help="pairs of instruments to play half-way (default: all, 0: none)")
        parser.add_argument("--classifier", type=Path, default=DEFAULT_WEIGHTS, help="weights (default %(default)s)")
        parser.add_argument("--judged", type=int, help="held-out notes for the classifier (default: all, 0: none)")
        parser.add_argument("--morphs", type=int, default=40, help="of the 40 morph paths (default: all, 0: none)")
        parser.add_argument("--pictures", type=Path, help="folder for a picture of each morph path")
        parser.add_argument(
            "--grid", type=Path, help="folder of the pair grid (default: the user's; missing: computed)"
        )
        add_json_argument(parser)

    def run(self, args: argparse.Namespace) -> int:
        by_ear = args.judged != 0 or args.morphs != 0
        if by_ear and not args.classifier.is_file():
            raise TetradError(
                f"there is no classifier at {args.classifier}; its weights were expected; train one with `tetrad model "
                f"train-classifier {args.data}`, or leave out what it judges with --judged 0 --morphs 0"
            )
        if args.pictures is not None:
            args.pictures.mkdir(parents=True, exist_ok=True)
        result = evaluate(args.checkpoint, args.data, args.listen, args.limit)
        if args.pairs != 0:
            result["half_way_pitch"] = evaluate_half_way(args.pairs)
        if by_ear:
            result |= evaluate_by_ear(
                args.checkpoint, args.data, args.classifier, args.judged, args.morphs, args.pictures, args.grid
            )
        print_report(result, as_json=args.json)
        return 0
