"""How often pitch, family and qualities are told right, of recordings and of what the network makes of them.

NSynth's Table 1 (Engel et al. 2017, section 4.2). The drop from the recordings to the reconstructions is what the
network loses; the accuracy on the recordings is how much of a timbre nobody trained on can be told at all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt

from models.classifier.features import N_BINS, N_FRAMES, SILENT_PEAK, Features, features
from models.classifier.judge import Judgement, judge
from models.classifier.network import Classifier
from models.classifier.notes import Truth, recordings, truth_of
from models.classifier.qualities import QUALITIES
from models.control_data import ControlSet
from models.dataset.reader import NoteSet
from synth.command import progress
from synth.frames import LEVEL_FLOOR_DB, SAMPLE_RATE_HZ, ControlFrames
from synth.instruments.resynthesis import resynthesise

Accuracy = dict[str, float]
Rows = npt.NDArray[np.floating]


def accuracy(judgement: Judgement, truth: Truth) -> Accuracy:
    """Shares 0..1 of notes: `pitch` is right to the semitone, `family` is right, and two means over the qualities.

    `quality` is the share of notes that have it or lack it as judged; `quality_balanced` that of the notes that have it
    and of those that lack it, equally weighted: 0.5 for a judge who is deaf (a quality of all or no notes is left out).
    """
    right = judgement.quality == truth.quality
    shares = [
        0.5 * (right[has, k].mean() + right[~has, k].mean())
        for k, has in enumerate(truth.quality.T)
        if has.any() and not has.all()
    ]
    return {
        "pitch": float((judgement.pitch == truth.pitch).mean()),
        "family": float((judgement.family == truth.family).mean()),
        "quality": float(right.mean()),
        "quality_balanced": float(np.mean(shares)) if shares else float("nan"),
    }


def rendered(data: ControlSet, rows: Rows) -> Iterator[npt.NDArray[np.float32]]:
    """Each note's control frames [500, 165] as sound, float32 [192000] at 48 kHz, at its own tuning.

    Levels that are not known (NaN) are silent.
    """
    for i, note_rows in enumerate(progress(rows, description="rendering", total=len(rows), unit="note")):
        known = np.nan_to_num(np.asarray(note_rows, np.float32), nan=LEVEL_FLOOR_DB)
        frames = ControlFrames.from_rows(known)
        yield resynthesise(frames, float(data.f0_hz[i]), float(data.inharmonicity[i]), 4 * SAMPLE_RATE_HZ)


def evaluate_classifier(
    model: Classifier, note_set: NoteSet, data: ControlSet, reconstruct: Callable[[ControlSet], Rows]
) -> dict[str, object]:
    """-> `classifier` of `tetrad model evaluate --json` (DESIGN section 5): {"original": {"pitch", "family", "quality",
    "quality_balanced"}, "reconstruction": {...}, "measured": {...}, "drop": {...}, "qualities": {...}, "n_notes"}.

    `data` holds held-out notes; `reconstruct` encodes and decodes them by the network alone, to rows [n, 500, 165].
    `measured` are the measured frames, rendered in the same way: what an instrument plays at its corner, where detail
    makes up for the network, and what rendering alone costs. `drop` is original less reconstruction. `qualities` is the
    accuracy for each quality on originals and reconstructions, and how many notes have it.
    """
    truth = truth_of(data, note_set)
    original = judge(model, np.stack([features(audio) for audio in recordings(data)]))
    found = {
        "original": original,
        "reconstruction": _judge_rows(model, data, reconstruct(data)),
        "measured": _judge_rows(model, data, data.rows),
    }
    result: dict[str, object] = {name: accuracy(judgement, truth) for name, judgement in found.items()}
    first, second = (accuracy(found[name], truth) for name in ("original", "reconstruction"))
    result["drop"] = {key: first[key] - second[key] for key in first}
    result["qualities"] = {
        name: {
            "original": float((original.quality == truth.quality)[:, k].mean()),
            "reconstruction": float((found["reconstruction"].quality == truth.quality)[:, k].mean()),
            "share_of_notes": float(truth.quality[:, k].mean()),
        }
        for k, name in enumerate(QUALITIES)
    }
    result["n_notes"] = data.n_notes
    return result


def _judge_rows(model: Classifier, data: ControlSet, rows: Rows) -> Judgement:
    return judge(model, np.stack([_heard(sound) for sound in rendered(data, rows)]))


def _heard(sound: npt.NDArray[np.float32]) -> Features:
    """Features, those of nothing for a network that made no sound: it is judged, and wrong, but no error."""
    if not np.abs(sound).max() > SILENT_PEAK:
        return np.zeros((N_FRAMES, N_BINS), np.uint8)
    return features(sound, SAMPLE_RATE_HZ)
