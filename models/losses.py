"""What training descends: the error of the control frames, and what keeps the embedding in shape."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from synth.frames import N_PARTIALS, Z_DIM

ACTIVE_RANGE_DB = 80.0
DEVIATION_WEIGHT = 0.1
EXCESS_WEIGHT = 0.5
"""Of what should not be heard at all and is, against an error in what should: dB against dB."""
FEWEST_ACTIVE = 100.0
"""Entries: a crop of near silence has few, and would be all noise if each weighed as much as a thousand of others."""


def active_error_db(rows: Tensor, target: Tensor, peak_db: Tensor) -> tuple[Tensor, Tensor]:
    """Mean absolute level error in dB over entries within 80 dB of the note's peak, and the loss to descend.

    `rows`, `target` [B, M, 165], `peak_db` [B, 1, 1]; two scalars. Each note counts alike, however many of its entries
    are active, as in `tetrad model evaluate`. A target of NaN is not known (sound above 7.3 kHz of a 16 kHz recording)
    and counts nowhere. The loss adds what quiet entries exceed the 80 dB by, and the deviation in cents.
    """
    floor = peak_db - ACTIVE_RANGE_DB
    level, wanted = rows[..., :-1], target[..., :-1]
    known = ~torch.isnan(wanted)
    wanted = torch.where(known, wanted, floor)
    active = ((wanted > floor) & known).float()
    n_active = active.sum(dim=(1, 2)).clamp(min=FEWEST_ACTIVE)
    error = (((level - wanted).abs() * active).sum(dim=(1, 2)) / n_active).mean()
    excess = ((torch.relu(level - floor) * (1.0 - active) * known).sum(dim=(1, 2)) / n_active).mean()
    sounding = active[..., :N_PARTIALS].amax(dim=-1)
    bend = ((rows[..., -1] - target[..., -1]).abs() * sounding).mean()
    return error, error + EXCESS_WEIGHT * excess + DEVIATION_WEIGHT * bend


class Adversary(nn.Module):
    """Guesses the pitch from one frame of z; what it learns is taken from the encoder with the sign reversed.

    Ganin and Lempitsky, "Unsupervised Domain Adaptation by Backpropagation" (ICML 2015), section 3.
    """

    def __init__(self, width: int = 64) -> None:
        super().__init__()
        self.guess = nn.Sequential(
            nn.Linear(Z_DIM, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, 1)
        )

    def forward(self, z: Tensor, pitch: Tensor, strength: float) -> Tensor:
        """`z` [B, T, 16], `pitch` [B] MIDI -> mean error in octaves; its gradient reaches z times `-strength`."""
        reversed_z = (1.0 + strength) * z.detach() - strength * z
        guess = self.guess(reversed_z)[..., 0]  # octaves above A3
        return functional.l1_loss(guess, ((pitch - 57.0) / 12.0)[:, None].expand_as(guess))
