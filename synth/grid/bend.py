"""Staying on the manifold: where the sound half-way is not what its embedding says, the embedding gives way.

A path's embedding z_u is decoded, made sound, and encoded again: E(D(z_u)). Where the network knows the sounds, both
agree as well as they do at the ends. Where they don't, the decoder has been asked for what it never learned, and what
came out is elsewhere: at E(D(z_u)). The path is bent by a share of the way there, and the bend is kept only where
encoding again then agrees better; `synth.grid.compute` drops it where it makes the path longer. The ends are left alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from synth.frames import (
    EMBEDDING_HOP,
    ENCODER_RATE_HZ,
    FRAME_RATE_HZ,
    FRAMES_PER_EMBEDDING,
    Float32Array,
    Float64Array,
    pitch_to_hz,
)
from synth.grid.heard import stretch_of
from synth.grid.pair_path import BEND_TIMES_S, N_INNER, N_STEPS, NotePath
from synth.grid.played import PlayedPath
from synth.grid.sounded import sounds_16k
from synth.instruments.encoder import Encoder

PLACES = (0.0, 0.25, 0.5, 0.75, 1.0)
"""Where a path is encoded again; a bend is linear between them."""
N_EMBEDDINGS = 25
"""0.8 s of each place: the attack, and enough of what follows; longer costs in proportion."""
LISTENED = range(N_EMBEDDINGS * FRAMES_PER_EMBEDDING + 1)
"""Control frames that are played for it."""
WORTH_IT = 0.15
"""Disagreement, in units of the distance of the ends, below which a line is left alone."""
SHARE = 0.5
"""Of the way from z to what was encoded again."""
LEAST_GAIN = 0.05
"""Share of the disagreement that a bend must take away to be kept."""


@dataclass(frozen=True)
class Encoded:
    """The embeddings of a path's places, z and encoded again, both float64 [5, 25, 16]."""

    z: Float64Array
    again: Float64Array

    def disagreement(self, scale: float) -> float:
        """Root mean square of what is between the two at the inner places, less what is at the ends, over `scale`."""
        return float(np.sqrt(np.mean(self.away()[1:-1] ** 2))) / scale

    def away(self) -> Float64Array:
        """From z to what was encoded again, less the same at the ends, in proportion to their nearness: 0 at both."""
        away = self.again - self.z
        u = np.asarray(PLACES)[:, None, None]
        return np.asarray(away - (1.0 - u) * away[0] - u * away[-1])

    def ends_distance(self) -> float:
        """Root mean square of the difference between the ends' z."""
        return float(np.sqrt(np.mean((self.z[-1] - self.z[0]) ** 2)))


def encode_again(
    played: PlayedPath, pitch: int, velocity: int, stiffness: tuple[float, float], encoder: Encoder
) -> Encoded:
    """Play, hear and encode the five places of a path made for LISTENED frames; `stiffness` of the ends."""
    bank = played.play(pitch, velocity, np.asarray(PLACES), LISTENED)
    # Embedding frame i stands for the moment (i + 0.5) * 32 ms.
    z = played.embeddings()[:, FRAMES_PER_EMBEDDING // 2 :: FRAMES_PER_EMBEDDING][:, :N_EMBEDDINGS]
    sounds = sounds_16k(bank, stretch_of(bank), len(PLACES))
    f0_hz = float(pitch_to_hz(pitch))
    again = [
        encoder.run(sound, f0_hz, (1.0 - u) * stiffness[0] + u * stiffness[1])[:N_EMBEDDINGS]
        for u, sound in zip(PLACES, sounds, strict=True)
    ]
    return Encoded(np.asarray(z, np.float64), np.asarray(again, np.float64))


def bend_towards(away: Float64Array, share: float) -> Float32Array:
    """A bend, float32 [7, 8, 16], by a share of `away`, float64 [5, 25, 16]: smooth in time, linear in u.

    Around each of BEND_TIMES_S it is the mean weighted by a triangle that reaches to the neighbouring times, at least
    64 ms wide, so that one embedding frame alone bends nothing; what is later than was listened to stays as it is.
    """
    moments_s = (np.arange(N_EMBEDDINGS) + 0.5) * FRAMES_PER_EMBEDDING / FRAME_RATE_HZ
    times = np.asarray(BEND_TIMES_S)
    smooth = np.zeros((len(PLACES), times.size, away.shape[2]))
    for m, time_s in enumerate(times):
        before = time_s - max(time_s - times[max(m - 1, 0)], 2.0 * EMBEDDING_HOP / ENCODER_RATE_HZ)
        after = time_s + max(times[min(m + 1, times.size - 1)] - time_s, 2.0 * EMBEDDING_HOP / ENCODER_RATE_HZ)
        weights = np.interp(moments_s, [before, time_s, after], [0.0, 1.0, 0.0])
        if weights.sum() > 0.0:
            smooth[:, m] = np.einsum("t,ptd->pd", weights / weights.sum(), away)
        else:
            smooth[:, m] = smooth[:, m - 1]
    inner = np.arange(1, N_INNER + 1) / (N_STEPS - 1)
    at = np.interp(inner, PLACES, np.arange(len(PLACES)))
    low = np.minimum(at.astype(int), len(PLACES) - 2)
    part = (at - low)[:, None, None]
    return np.asarray(share * ((1.0 - part) * smooth[low] + part * smooth[low + 1]), np.float32)


def find_bend(
    played: PlayedPath, straight_path: NotePath, stiffness: tuple[float, float], encoder: Encoder
) -> Float32Array | None:
    """The bend, float32 [7, 8, 16], that a note's straight line is to have; None where it is better left alone.

    `played` is made for PLACES and LISTENED. 0.1 core-seconds for a line that is left alone, 0.2 for others.
    """
    pitch, velocity = straight_path.pitch, straight_path.velocity
    played.set_path(())
    line = encode_again(played, pitch, velocity, stiffness, encoder)
    scale = line.ends_distance()
    before = line.disagreement(scale) if scale > 0.0 else 0.0
    if before < WORTH_IT:
        return None
    bend = bend_towards(line.away(), SHARE)
    played.set_path([straight_path._replace(bend=bend)])
    after = encode_again(played, pitch, velocity, stiffness, encoder).disagreement(scale)
    return bend if after <= (1.0 - LEAST_GAIN) * before else None
