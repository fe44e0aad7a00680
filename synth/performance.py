"""A score and a finger, performed by the engine without a clock: events in, blocks of sound out."""

import heapq
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from synth.command import progress_bar
from synth.control.corners import Corner
from synth.control.events import (
    N_CHANNELS,
    AllNotesOff,
    AllSoundOff,
    Event,
    NoteOn,
    SessionEvent,
    SetParameter,
    SustainPedal,
)
from synth.control.midi_map import MidiMap
from synth.control.midi_settings import MidiSettings
from synth.frames import HOP, SAMPLE_RATE_HZ, Float32Array
from synth.grid.store import GridStore
from synth.grid.surface_pairs import surface_pairs
from synth.instruments.library import Library
from synth.io.midi_file import TimedMessage
from synth.io.wav import open_wav
from synth.surface_path import PathPoint, position_at
from synth.voices.decoder import Decoder
from synth.voices.engine import Engine

DEFAULT_CORNERS = ("flute", "strings", "electric-piano", "choir")
"""Shipped instruments in the order NW, NE, SW, SE."""
BLOCK = 16 * HOP
"""Samples between two looks at the clock and the progress bar. No sample depends on it."""
SILENCE = 1e-5
"""-100 dBFS, linear."""
LONGEST_TAIL_S = 30.0


class Summary(NamedTuple):
    """What came out of a rendering."""

    duration_s: float
    notes: int
    stolen: int
    peak_dbfs: float
    real_time_factor: float


def make_engine(corner_names: Sequence[str], *, n_voices: int, seed: int = 0, grid: GridStore | None = None) -> Engine:
    """An engine with four instruments of the library in its corners, NW, NE, SW, SE, and the paths between them that
    are in `grid`; without one, straight lines.

    Raises TetradError for an unknown name (the message offers the nearest), a damaged file or a missing network.
    """
    library = Library()
    decoder = Decoder()
    instruments = [library.load(name) for name in corner_names]
    pairs = [] if grid is None else surface_pairs(dict(zip(Corner, instruments, strict=True)))
    found = [] if grid is None else [grid.find(*pair, decoder.model_id) for pair in pairs]
    paths = [path for path in found if path is not None]
    return Engine(instruments, decoder, n_voices=n_voices, seed=seed, paths=paths)


def score_events(messages: Iterable[TimedMessage], sample_rate_hz: int = SAMPLE_RATE_HZ) -> list[Event]:
    """Engine events of MIDI messages, in order of time, without the percussion channel."""
    midi_map = MidiMap(MidiSettings(ignore_percussion=True))
    events = [event for time_s, data in messages for event in midi_map.events(data, round(time_s * sample_rate_hz))]
    return [event for event in events if not isinstance(event, SessionEvent)]


def path_events(
    points: Sequence[PathPoint], end_s: float, sample_rate_hz: int = SAMPLE_RATE_HZ
) -> Iterator[SetParameter]:
    """The finger's way as events every control frame (8 ms; the engine ramps between them) while it moves."""
    before: tuple[float | None, float | None] = (None, None)
    for time_samples in range(0, round(min(end_s, points[-1].time_s) * sample_rate_hz) + HOP, HOP):
        now = position_at(points, time_samples / sample_rate_hz)
        for name, value, last in zip(("x", "y"), now, before, strict=True):
            if value != last:
                yield SetParameter(time_samples, name, value)
        before = now


def ending(time_samples: int) -> list[Event]:
    """Events that let go of every key and pedal."""
    pedals = [SustainPedal(time_samples, channel, down=False) for channel in range(N_CHANNELS)]
    return [*pedals, *(AllNotesOff(time_samples, channel) for channel in range(N_CHANNELS))]


def perform(engine: Engine, events: Sequence[Event]) -> Iterator[Float32Array]:
    """Render `events` (in order of time) and then what rings on, as blocks float32 [n, 2], until nothing sounds.

    Keys and pedals that the score never lets go of are let go with its last event. What still rings after
    LONGEST_TAIL_S is cut by a short fade.
    """
    last_sample = events[-1].time_samples if events else engine.clock_samples
    cut_sample = last_sample + round(LONGEST_TAIL_S * engine.sample_rate_hz)
    cut: list[Event] = [AllSoundOff(cut_sample, channel) for channel in range(N_CHANNELS)]
    queue = iter((*events, *ending(last_sample), *cut))
    event = next(queue, None)
    while True:
        end = engine.clock_samples + BLOCK
        while event is not None and event.time_samples < end:
            engine.push(event)
            event = next(queue, None)
        block = engine.render(BLOCK)
        yield block
        if end > last_sample and engine.n_sounding == 0 and np.abs(block[-HOP:]).max() < SILENCE:
            return


def with_path(events: Sequence[Event], points: Sequence[PathPoint]) -> list[Event]:
    """A score's events and a finger's, merged in order of time; at one time the finger is first."""
    end_s = events[-1].time_samples / SAMPLE_RATE_HZ if events else 0.0
    return list(heapq.merge(path_events(points, end_s), events, key=lambda event: event.time_samples))


def render_to_wav(
    engine: Engine, events: Sequence[Event], path: Path | str, *, keep: list[Float32Array] | None = None
) -> Summary:
    """Perform `events` into a WAV file (24 bits, stereo), which appears when it is complete.

    `keep`, if given, receives the blocks too. Raises TetradError when the file cannot be written.
    """
    duration_s = events[-1].time_samples / engine.sample_rate_hz if events else 0.0
    begin_s = time.perf_counter()
    with (
        open_wav(path, engine.sample_rate_hz) as wav,
        progress_bar(duration_s, description="rendering", unit="s") as bar,
    ):
        for block in perform(engine, events):
            wav.write(block)
            if keep is not None:
                keep.append(block)
            bar.update(min(len(block) / engine.sample_rate_hz, max(duration_s - bar.n, 0.0)))
    took_s = time.perf_counter() - begin_s
    rendered_s = wav.n_samples / engine.sample_rate_hz
    status = engine.status()
    return Summary(
        duration_s=rendered_s,
        notes=sum(isinstance(event, NoteOn) for event in events),
        stolen=int(status["stolen"]),
        peak_dbfs=20.0 * float(np.log10(max(wav.peak, 1e-6))),
        real_time_factor=rendered_s / took_s,
    )
