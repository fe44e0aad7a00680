"""Tetrad's own engine: four shipped instruments in the corners, and a finger that never rests between them."""

import gc
import math

import numpy as np

from benchmarks.peers.peer import BLOCK, N_CHANNELS, RATE_HZ, SETTLE_S, PeerError, notes
from synth.bench import sustaining_corners
from synth.bench_latency import LatencyBench
from synth.control.events import AllSoundOff, NoteOn, SetParameter
from synth.frames import HOP
from synth.instruments.library import Library
from synth.paths import shipped_instruments_dir
from synth.voices.decoder import Decoder
from synth.voices.engine import Engine

MOST_VOICES = 128


class Tetrad:
    """A peer (benchmarks.peers.peer.Peer): `tetrad render`'s way through the engine, network included."""

    rate_hz = RATE_HZ
    block = BLOCK

    def open(self) -> None:
        corners = sustaining_corners(Library([shipped_instruments_dir()]))
        self._engine = Engine(corners, Decoder(), sample_rate_hz=RATE_HZ, n_voices=MOST_VOICES)
        self._out = np.zeros((BLOCK, 2), np.float32)
        self._n_blocks = 0
        self.render()
        gc.collect()
        gc.freeze()
        gc.disable()  # as while it plays

    def hold(self, n_voices: int) -> None:
        for channel in range(N_CHANNELS):
            self._engine.push(AllSoundOff(self._engine.clock_samples, channel))
        self._run(SETTLE_S)
        for i, (channel, key) in enumerate(notes(n_voices)):
            # Onsets spread over a control tick, as fingers do.
            self._engine.push(NoteOn(self._engine.clock_samples + i * HOP // n_voices, channel, key, 100))
        self._run(SETTLE_S)
        found = self._engine.status()["voices"]
        if found != n_voices:
            raise PeerError(f"{found} of {n_voices} notes sound; choose instruments that sustain.")

    def render(self) -> None:
        now = self._engine.clock_samples
        self._engine.push(SetParameter(now, "x", 0.5 + 0.5 * math.sin(0.010 * self._n_blocks)))
        self._engine.push(SetParameter(now, "y", 0.5 + 0.5 * math.cos(0.013 * self._n_blocks)))
        self._engine.advance(now + BLOCK)
        self._engine.render_into(self._out)
        self._n_blocks += 1

    def peak(self) -> float:
        return float(np.abs(self._out).max())

    def onsets_ms(self, n_trials: int) -> list[float]:
        """Of the whole way through threads and a stream in real time: every key is as late as every other."""
        return [float(delay) / RATE_HZ * 1e3 for delay in LatencyBench().note_on_live(n_trials)]

    def _run(self, seconds: float) -> None:
        for _ in range(int(seconds * RATE_HZ / BLOCK)):
            self.render()
