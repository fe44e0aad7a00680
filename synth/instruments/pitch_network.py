"""Which of 88 keys explains a note best, and whether any does: two tiny networks over `pitch_features.py`'s rows.

One network scores a key by its own row, the same weights for every key, so that what it learned of organs at key 40
holds at key 52; a softmax over the keys makes shares of the scores. The other says from the winner's row and the
sound as a whole whether it has a key at all. Some 5,000 weights in one file, learned by `models.pitch_training`.
"""

from __future__ import annotations

import functools
import hashlib
import io
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from synth.errors import TetradError
from synth.frames import Float32Array
from synth.instruments.pitch_features import N_KEYS, ROW_WIDTH, WHOLE_WIDTH, PitchFeatures

FORMAT, FORMAT_VERSION = "tetrad-pitch-network", 1
SHIPPED = Path(__file__).parent / "pitch_network.npz"
N_HIDDEN = 40
JUDGED_WIDTH = ROW_WIDTH + WHOLE_WIDTH + 2


class Judgement(NamedTuple):
    """shares: float32 [88] of each key, sum 1. pitched: probability 0..1 that the sound has a key."""

    shares: Float32Array
    pitched: float


@dataclass(frozen=True)
class PitchNetwork:
    """`score_*` [ROW_WIDTH, H], [H], [H, 1]; `judge_*` [JUDGED_WIDTH, H], [H], [H, 1], [1]; all float32."""

    score_in: Float32Array
    score_bias: Float32Array
    score_out: Float32Array
    judge_in: Float32Array
    judge_bias: Float32Array
    judge_out: Float32Array
    judge_out_bias: Float32Array

    def judge(self, features: PitchFeatures) -> Judgement:
        """Shares of the keys and the probability that one is meant."""
        hidden = np.maximum(features.rows @ self.score_in + self.score_bias, 0.0)
        score = (hidden @ self.score_out)[:, 0]
        shares = np.exp(score - score.max())
        shares /= shares.sum()
        seen = judged(features, shares)
        hidden = np.maximum(seen @ self.judge_in + self.judge_bias, 0.0)
        logit = float((hidden @ self.judge_out + self.judge_out_bias)[0])
        return Judgement(shares.astype(np.float32), float(1.0 / (1.0 + np.exp(-np.clip(logit, -50.0, 50.0)))))

    def checksum(self) -> str:
        """SHA-256 of all weights, in the order of the fields."""
        return hashlib.sha256(b"".join(getattr(self, name).tobytes() for name in self.__dataclass_fields__)).hexdigest()


def judged(features: PitchFeatures, shares: Float32Array) -> Float32Array:
    """What the second network sees, [JUDGED_WIDTH]: the winner's row, the whole, the winner's share, and that of its
    octaves and twelfths together."""
    best = int(np.argmax(shares))
    apart = np.abs(np.arange(N_KEYS) - best)
    related = float(shares[np.isin(apart, (12, 19, 24))].sum())
    return np.concatenate([features.rows[best], features.whole, (float(shares[best]), related)]).astype(np.float32)


@functools.cache
def shipped() -> PitchNetwork:
    """The network that is installed with the program."""
    return read(SHIPPED)


def read(path: Path) -> PitchNetwork:
    """The network in a file that `models.pitch_training` wrote; a TetradError says what is wrong with it."""
    try:
        stored = path.read_bytes()
        if not zipfile.is_zipfile(io.BytesIO(stored)):  # of a broken archive np.load leaves an object that raises later
            raise ValueError("it is no whole archive")
        with np.load(io.BytesIO(stored), allow_pickle=False) as content:
            found = str(content["format"]), int(content["format_version"])
            checksum = str(content["checksum"])
            arrays = {name: content[name] for name in PitchNetwork.__dataclass_fields__}
    except (OSError, EOFError, ValueError, TypeError, KeyError, zipfile.BadZipFile) as error:
        raise TetradError(
            f"the pitch network {path} can't be read ({error}); expected a {FORMAT} file; reinstall tetrad"
        ) from error
    if found != (FORMAT, FORMAT_VERSION):
        raise TetradError(
            f"{path} holds {found[0]!r} version {found[1]}; expected {FORMAT!r} version {FORMAT_VERSION}; "
            "reinstall tetrad"
        )
    hidden = arrays["score_bias"].shape[-1] if arrays["score_bias"].ndim else 0
    expected = _shapes(hidden)
    shapes = {name: array.shape for name, array in arrays.items()}
    if shapes != expected or any(a.dtype != np.float32 or not np.isfinite(a).all() for a in arrays.values()):
        raise TetradError(
            f"{path} holds arrays of shapes {shapes}; expected finite float32 {expected}; reinstall tetrad"
        )
    network = PitchNetwork(**arrays)
    if network.checksum() != checksum:
        raise TetradError(f"{path} is damaged: its weights don't have the checksum that it names; reinstall tetrad")
    return network


def _shapes(hidden: int) -> dict[str, tuple[int, ...]]:
    return {
        "score_in": (ROW_WIDTH, hidden),
        "score_bias": (hidden,),
        "score_out": (hidden, 1),
        "judge_in": (JUDGED_WIDTH, hidden),
        "judge_bias": (hidden,),
        "judge_out": (hidden, 1),
        "judge_out_bias": (1,),
    }
