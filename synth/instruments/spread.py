"""A few of many, evenly."""

import numpy as np


def spread_evenly(n_items: int, most: int | None) -> list[int]:
    """At most `most` of the indices 0..n_items-1, evenly spread and both ends among them; None takes all."""
    if most is None or most >= n_items:
        return list(range(n_items))
    return [int(i) for i in np.unique(np.linspace(0, n_items - 1, most).round())]
