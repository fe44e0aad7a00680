"""Let a trained classifier judge sounds: pitch, family and qualities, how sure it is, and how near two sounds are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from models.classifier.features import LOWEST_PITCH, Features, features
from models.classifier.network import Classifier, levels_of
from synth.frames import SAMPLE_RATE_HZ, Float32Array
from synth.instruments.format import FAMILIES

_BATCH = 64


@dataclass(frozen=True)
class Judgement:
    """Of n sounds: `pitch` MIDI note int64 [n], the likeliest; `family_share` float32 [n, 12], the probability of each
    of FAMILIES; `quality_share` float32 [n, 8], of each of QUALITIES; `embedding` float32 [n, 128], at least 0.
    """

    pitch: npt.NDArray[np.int64]
    family_share: Float32Array
    quality_share: Float32Array
    embedding: Float32Array

    @property
    def family(self) -> npt.NDArray[np.int64]:
        """Index of the likeliest family, int64 [n]."""
        return self.family_share.argmax(axis=1)

    @property
    def quality(self) -> npt.NDArray[np.bool_]:
        """The qualities that are likelier than not, bool [n, 8]."""
        return self.quality_share > 0.5


def judge(model: Classifier, heard: Features) -> Judgement:
    """Judge notes by their features, uint8 [n, 125, 294], at least one."""
    parts: list[tuple[torch.Tensor, ...]] = []
    with torch.no_grad():
        for start in range(0, len(heard), _BATCH):
            scores = model(levels_of(torch.from_numpy(heard[start : start + _BATCH])))
            pitch = scores.pitch.argmax(dim=1) + LOWEST_PITCH
            parts.append((pitch, scores.family.softmax(dim=1), scores.quality.sigmoid(), scores.embedding))
    return Judgement(*(torch.cat(column).numpy() for column in zip(*parts, strict=True)))


def classify(model: Classifier, sounds: Sequence[npt.NDArray[np.floating]], rate_hz: int = SAMPLE_RATE_HZ) -> Judgement:
    """Judge sounds of one channel at 48 or 16 kHz, of any level; the first 4 s count, held for 3 s as in a note set.

    Raises TetradError for a sound that is silent, not finite, or of another shape or rate.
    """
    return judge(model, np.stack([features(sound, rate_hz) for sound in sounds]))


def family_confidence(model: Classifier, sound: npt.NDArray[np.floating], rate_hz: int = SAMPLE_RATE_HZ) -> float:
    """Probability of the likeliest family, 1/12..1: how much a sound is like one kind of instrument."""
    return float(classify(model, [sound], rate_hz).family_share.max())


def name_of_family(judgement: Judgement, index: int) -> str:
    """The word for what sound `index` was taken for."""
    return FAMILIES[int(judgement.family[index])]


def distance_to_nearest(embedding: Float32Array, real: Float32Array) -> Float32Array:
    """Cosine distance (0..1) of each sound, float32 [n, 128], to the nearest of some real notes, [m, 128]: float32 [n].

    Embeddings have no negative entry, so sounds that excite none of the same channels are 1 apart.
    """
    unit, real_unit = (e / np.maximum(np.linalg.norm(e, axis=1, keepdims=True), 1e-9) for e in (embedding, real))
    nearest: Float32Array = (1.0 - (unit @ real_unit.T).max(axis=1)).clip(0.0, 1.0).astype(np.float32)
    return nearest
