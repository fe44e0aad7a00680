"""Where the partials of a voice are: frequency over f0, from the law of strings or from frequencies of their own.

Strings follow `k sqrt(1 + B k^2)` (Fletcher 1964), and sources that do blend by their B. Bells, bars and drums have
frequencies of their own, and so has what no key moves. With one of these in the blend, partial k goes from source to
source in log frequency, by the weights; the sources of the law take part in it with their blended law.
"""

import numpy as np

from synth.frames import N_PARTIALS
from synth.jit import njit

_OCTAVES_OF_K = np.log2(np.arange(1, N_PARTIALS + 1))
_NO_SHARE = 1e-6


@njit(fastmath=True)
def fill_law(stretch, inharmonicity, n_partials):  # type: ignore[no-untyped-def]
    """stretch, float64 [100], of the first partials by the law."""
    for j in range(n_partials):
        k = j + 1.0
        stretch[j] = k * np.sqrt(1.0 + inharmonicity * k * k)


@njit(fastmath=True)
def fill_free(stretch, inharmonicity, free, octaves):  # type: ignore[no-untyped-def]
    """stretch, float64 [100], of a blend: `free` is the share of the sources with frequencies of their own and octaves,
    float64 [100], these times their weights; inharmonicity is that of the others, times theirs."""
    share = max(1.0 - free, 0.0)
    stiffness = inharmonicity / share if share > _NO_SHARE else 0.0
    for j in range(N_PARTIALS):
        k = j + 1.0
        law = _OCTAVES_OF_K[j] + 0.5 * np.log2(1.0 + stiffness * k * k)
        stretch[j] = np.exp2(octaves[j] + share * law)
