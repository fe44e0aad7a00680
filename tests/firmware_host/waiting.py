"""Waiting for what another thread does, without a JACK client in reach (tests/listening.py has one)."""

import time
from collections.abc import Callable

import pytest


def wait_until(condition: Callable[[], object], limit_s: float = 30.0) -> None:
    """Poll until `condition` is true; fail when that takes longer than any healthy machine needs."""
    end_s = time.monotonic() + limit_s
    while not condition():
        if time.monotonic() > end_s:
            pytest.fail(f"what was waited for did not happen in {limit_s:g} s")
        time.sleep(0.01)
