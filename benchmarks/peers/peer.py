"""What every measured synthesizer has to do: open, hold notes, render them, tell when a note begins."""

import random
import time
from collections.abc import Iterable
from typing import Protocol

RATE_HZ = 48_000
BLOCK = 128
LOWEST_KEY, HIGHEST_KEY = 36, 84
N_CHANNELS = 4
"""Four instruments are held at once, as Tetrad's four corners are: note i plays on channel i % 4."""
SETTLE_S = 0.5
AUDIBLE = 1e-5
"""-100 dBFS: what is below is silence."""
LONGEST_TAIL_S, LONGEST_ONSET_S = 20.0, 1.0


class PeerError(Exception):
    """A peer cannot be measured; one sentence: what was found, what was expected, what to do."""


class Peer(Protocol):
    """A synthesizer in this process. Nothing it does is timed but `render`."""

    rate_hz: int
    """Sample rate of what it renders."""
    block: int
    """Samples that one call of `render` makes."""

    def open(self) -> None:
        """Load everything that a note needs. Raises PeerError where it cannot."""

    def hold(self, n_voices: int) -> None:
        """End what sounds, and begin `n_voices` notes that last. Raises PeerError where they do not all sound."""

    def render(self) -> None:
        """Make the next block."""

    def peak(self) -> float:
        """Largest absolute sample of the last block, full scale is 1."""

    def onsets_ms(self, n_trials: int) -> list[float]:
        """Ms from a key at a random moment to the first audible sample, without the sound card's own buffers."""


class Keyed(Peer, Protocol):
    """A peer whose keys take effect with the next block."""

    def silence(self) -> None:
        """End what sounds, as fast as the synthesizer does."""

    def begin_note(self) -> None:
        """Begin one note with the next block."""

    def first_audible(self) -> int | None:
        """The first sample of the last block above AUDIBLE; None where it is silent."""


def notes(n_voices: int) -> list[tuple[int, int]]:
    """(channel, key) of `n_voices` notes, no two alike, spread over four channels and keys 36 to 84.

    Up to 128 are; more raise ValueError.
    """
    if not 1 <= n_voices <= 128:
        raise ValueError(f"{n_voices} notes were asked for; expected 1 to 128")
    per_channel = -(-n_voices // N_CHANNELS)
    step = max(1, (HIGHEST_KEY - LOWEST_KEY) // per_channel)
    return [(i % N_CHANNELS, LOWEST_KEY + i // N_CHANNELS * step) for i in range(n_voices)]


def share(peer: Peer, seconds: float) -> float:
    """CPU time of this process, all its threads, for `seconds` of sound, over those seconds: its share of one core."""
    n_blocks = max(1, round(seconds * peer.rate_hz / peer.block))
    began = time.process_time()
    for _ in range(n_blocks):
        peer.render()
    spent_s = time.process_time() - began
    if not peer.peak() > AUDIBLE:
        raise PeerError(f"Nothing sounded at the end of {seconds:g} s; held notes were expected; choose other sounds.")
    return spent_s / (n_blocks * peer.block / peer.rate_hz)


def keyed_onsets_ms(peer: Keyed, n_trials: int) -> list[float]:
    """`onsets_ms` of a peer with keys: a key at a random moment waits for the next block, and then for the sound."""
    moment = random.Random(1)
    return [
        (moment.uniform(0.0, peer.block) + _onset(peer, moment.randrange(8))) / peer.rate_hz * 1e3
        for _ in range(n_trials)
    ]


def _onset(peer: Keyed, n_blocks_before: int) -> int:
    """Samples from the beginning of a block with a note in it to the first audible sample."""
    peer.silence()
    _render_until_silent(peer)
    for _ in range(n_blocks_before):
        peer.render()
    peer.begin_note()
    for i in range(int(LONGEST_ONSET_S * peer.rate_hz / peer.block)):
        peer.render()
        first = peer.first_audible()
        if first is not None:
            return i * peer.block + first
    raise PeerError(f"A note did not sound within {LONGEST_ONSET_S:g} s; choose another sound.")


def _render_until_silent(peer: Keyed) -> None:
    quiet = 0
    for _ in range(int(LONGEST_TAIL_S * peer.rate_hz / peer.block)):
        peer.render()
        # Echoes and rooms have gaps: eight silent blocks in a row, not one.
        quiet = quiet + 1 if peer.peak() <= AUDIBLE else 0
        if quiet == 8:
            return
    raise PeerError(f"It still sounded {LONGEST_TAIL_S:g} s after its notes' end; silence was expected.")


def first_above(samples: Iterable[float], threshold: float) -> int | None:
    """Index of the first sample whose absolute value is above the threshold."""
    return next((i for i, sample in enumerate(samples) if abs(sample) > threshold), None)
