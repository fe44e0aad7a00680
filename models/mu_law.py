"""8-bit mu-law as NSynth uses it: a sample is one of 256 classes.

Engel et al. 2017 (after van den Oord et al. 2016, section 2.2) quantise `sign(x) log(1 + 255 |x|) / log 256` to 256
levels: q = floor(128 ...), in -128..127. Encoder and decoder read q / 128; what is predicted is the class q + 128.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

MU = 255.0
N_CLASSES = 256
_HALF = N_CLASSES // 2


def scale(wave: Tensor) -> Tensor:
    """Waveform in [-1, 1], any shape, float -> what the networks read: q / 128, q in -128..127, of the same shape.

    What lies outside [-1, 1] is taken for its end, and +1 for class 255: the formula gives it 128, one class too many,
    and NSynth has no answer to it.
    """
    # Not log1p: a sample of -1e-12 has q = 0 in NSynth, whose 1 + 255|x| rounds to 1, and q = -1 by log1p.
    level = torch.sign(wave) * torch.log(1.0 + MU * wave.abs()) / math.log1p(MU)
    return torch.floor(level * _HALF).clamp(-_HALF, _HALF - 1) / _HALF


def classes(scaled: Tensor) -> Tensor:
    """What `scale` gave -> class 0..255, int64, of the same shape."""
    return (scaled * _HALF).round().long() + _HALF


def scaled_of(classes: Tensor) -> Tensor:
    """Class 0..255 -> what the networks read, float32: the inverse of `classes`."""
    return (classes - _HALF).float() / _HALF


def expand(classes: Tensor) -> Tensor:
    """Class 0..255 -> waveform in (-1, 1), float32: the middle of the class on the mu-law scale."""
    level = (classes.float() - _HALF + 0.5) / _HALF
    return torch.sign(level) * torch.expm1(level.abs() * math.log1p(MU)) / MU
