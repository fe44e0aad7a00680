"""Augmented copies of training notes, so that the encoder has heard rooms, microphones and noise before a player's."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import numpy as np

from models.augment import AugmentConfig, augment
from models.control_data import ControlSet
from synth.command import progress
from synth.frames import LEVEL_FLOOR_DB

NOTES_AT_ONCE = 32
# Gain is drawn for each crop anew, so it is not drawn here.
CONFIG = AugmentConfig(gain_db=0.0)


def with_augmented(data: ControlSet, share: float, seed: int) -> ControlSet:
    """`data`, and after it augmented copies of a `share` (0..1) of its notes, evenly spread; the same for a seed.

    A copy that would be over full scale is turned down, sound and frames alike.
    """
    chosen = data.spread(round(share * data.n_notes))
    if share <= 0.0 or chosen.n_notes == 0:
        return data
    waves, all_rows = np.empty_like(chosen.wave), np.empty_like(chosen.rows)
    tuning_cents = np.empty_like(chosen.tuning_cents)
    rng = np.random.default_rng((seed, 1))
    for begin in progress(range(0, chosen.n_notes, NOTES_AT_ONCE), description="augmenting", unit="batch"):
        part = slice(begin, begin + NOTES_AT_ONCE)
        f0_hz = chosen.f0_hz[part]
        wave = chosen.wave[part].astype(np.float32) / 32767.0
        changed = augment(wave, chosen.rows[part].astype(np.float32), f0_hz, rng, CONFIG, chosen.inharmonicity[part])
        down = np.maximum(np.abs(changed.wave).max(axis=1), 1.0)
        waves[part] = np.round(changed.wave / down[:, None] * 32767.0)
        rows = changed.rows
        rows[:, :, :-1] = np.maximum(rows[:, :, :-1] - 20.0 * np.log10(down)[:, None, None], LEVEL_FLOOR_DB)
        all_rows[part] = rows
        tuning_cents[part] = chosen.tuning_cents[part] + 1200.0 * np.log2(changed.f0_hz / f0_hz)
    copies = replace(chosen, wave=waves, rows=all_rows, tuning_cents=tuning_cents)
    columns: dict[str, Any] = {}
    for field in fields(ControlSet):
        one, other = getattr(data, field.name), getattr(copies, field.name)
        columns[field.name] = one + other if isinstance(one, list) else np.concatenate([one, other])
    return ControlSet(**columns)
