"""The classifier: pitch, family and qualities of a note at once, as for NSynth's Table 1 (Engel et al. 2017, 4.2).

The paper judges reconstructions by a convolutional network on spectra with several outputs. In this one a key is the
same pattern as the next, three bins further: pitch is scored by one filter for all keys, so that it holds for timbres
that were never heard at that key. Family and qualities see where in frequency things are.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.classifier.features import BINS_PER_SEMITONE, N_FRAMES, N_PITCHES, RANGE_DB, STEPS_PER_DB
from models.classifier.qualities import QUALITIES
from synth.instruments.format import FAMILIES

_BELOW, _ABOVE = 12, 36
"""Semitones around a key that decide whether it is the pitch: an octave below (else that is it), partials 1 to 8."""


@dataclass(frozen=True)
class ClassifierConfig:
    """`width` channels at semitone resolution, `embedding` numbers before the last layer."""

    width: int = 16
    embedding: int = 128
    dropout: float = 0.3

    def to_dict(self) -> dict[str, float]:
        return asdict(self)

    @staticmethod
    def from_dict(values: dict[str, float]) -> ClassifierConfig:
        """Raises ValueError for unknown and missing keys."""
        known = {field.name for field in fields(ClassifierConfig)}
        if set(values) != known:
            raise ValueError(f"keys {sorted(values)}, expected {sorted(known)}")
        return ClassifierConfig(int(values["width"]), int(values["embedding"]), float(values["dropout"]))


@dataclass(frozen=True)
class Scores:
    """Logits `pitch` [B, 98], `family` [B, 12], `quality` [B, 8]; `embedding` [B, 128], which family is read from."""

    pitch: Tensor
    family: Tensor
    quality: Tensor
    embedding: Tensor


class Classifier(nn.Module):
    """Features to scores. 0.3 M weights, 9 million products a note."""

    def __init__(self, config: ClassifierConfig | None = None) -> None:
        super().__init__()
        self.config = config or ClassifierConfig()
        w = self.config.width
        # Three frames (96 ms) and the bins of three semitones become `w` numbers. Kernel and padding put output i on
        # the bins of semitone i: 3 i - 3 to 3 i + 5.
        self.stem = _Layer(1, w, (3, 9), (3, BINS_PER_SEMITONE), (1, 3))  # [B, w, 42, 98]
        self.harmonics = nn.Conv1d(2 * w, w, 1 + _BELOW + _ABOVE)
        self.key = nn.Conv1d(w, 1, 1)
        self.timbre = nn.Sequential(
            _Layer(w, 3 * w // 2, (3, 3), (3, 2), (1, 1)),  # [B, 1.5 w, 14, 49]
            _Layer(3 * w // 2, 2 * w, (3, 3), (2, 2), (1, 1)),  # [B, 2 w, 7, 25]
            _Layer(2 * w, 3 * w, (3, 3), (1, 2), (1, 1)),  # [B, 3 w, 7, 13]
        )
        self.gather = nn.Linear(2 * 3 * w * 13, self.config.embedding)
        self.family = nn.Linear(self.config.embedding, len(FAMILIES))
        self.quality = nn.Linear(self.config.embedding, len(QUALITIES))
        self.dropout = nn.Dropout(self.config.dropout)
        for weight in self.parameters():  # channels last: two thirds of the time on a CPU
            if weight.dim() == 4:
                weight.data = weight.data.contiguous(memory_format=torch.channels_last)

    def forward(self, levels: Tensor) -> Scores:
        """`levels` float [B, 125, 294], 0 (80 dB below the loudest) to 1; see `levels_of`."""
        x = self.stem(levels[:, None])
        over_time = torch.cat([x.mean(dim=2), x.amax(dim=2)], dim=1)  # [B, 2 w, 98]
        partials = functional.relu(self.harmonics(functional.pad(over_time, (_BELOW, _ABOVE))))
        timbre = self.timbre(x)
        summary = torch.cat([timbre.mean(dim=2), timbre.amax(dim=2)], dim=1).flatten(1)  # [B, 6 w 13]
        embedding = functional.relu(self.gather(self.dropout(summary)))
        last = self.dropout(embedding)
        return Scores(self.key(partials)[:, 0], self.family(last), self.quality(last), embedding)


class _Layer(nn.Sequential):
    def __init__(
        self, n_in: int, n_out: int, kernel: tuple[int, int], stride: tuple[int, int], padding: tuple[int, int]
    ) -> None:
        convolution = nn.Conv2d(n_in, n_out, kernel, stride, padding, bias=False)
        super().__init__(convolution, nn.BatchNorm2d(n_out), nn.ReLU())


def levels_of(features: Tensor) -> Tensor:
    """uint8 features [B, 125, 294] to float 0..1."""
    assert features.shape[1:] == (N_FRAMES, BINS_PER_SEMITONE * N_PITCHES), features.shape
    return features.float() / (RANGE_DB * STEPS_PER_DB)
