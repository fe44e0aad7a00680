"""Time: events are exact to the sample, and no sample depends on how time is cut into blocks."""

import threading
import time

import numpy as np
import pytest

from synth.control.events import Event, NoteOff, NoteOn, PitchBend, SetParameter, SustainPedal
from synth.frames import Float32Array
from synth.instruments.format import Instrument
from tests.synth.voices.engine_parts import Sound, engine, instrument, silent_rows, steady


def noisy(level_db: float = -30.0) -> Sound:
    """Noise bands and no partial at all."""
    rows = silent_rows(200)
    rows[:, 100:164] = level_db
    return Sound(rows, (20, 150), 155)


MUSIC: list[Event] = [
    NoteOn(0, 0, 60, 100),
    NoteOn(701, 0, 67, 80),
    SetParameter(1500, "x", 0.9),
    PitchBend(2222, 0, 2.0),
    NoteOn(3001, 0, 72, 127),
    NoteOff(4097, 0, 60),
    SustainPedal(4500, 0, True),
    NoteOff(5000, 0, 67),
    SetParameter(5000, "brightness", 3.0),
    SetParameter(5100, "vibrato_depth", 40.0),
    SustainPedal(7000, 0, False),
    NoteOn(7007, 0, 72, 30),
]


@pytest.fixture(scope="module")
def corners() -> list[Instrument]:
    sounds = [steady({1: -26, 2: -30 - i, 5: -40}, pitch=60, seed=i) for i in range(3)]
    return [*(instrument(sound) for sound in sounds), instrument(noisy())]


def in_blocks(corners: list[Instrument], sizes: list[int], n_samples: int = 9000) -> Float32Array:
    made = engine(*corners, events=MUSIC)
    blocks = []
    done = i = 0
    while done < n_samples:
        size = min(sizes[i % len(sizes)], n_samples - done)
        blocks.append(made.render(size))
        done, i = done + size, i + 1
    return np.concatenate(blocks)


@pytest.mark.parametrize("sizes", [[1], [37], [128], [1000], [3, 500, 64, 1]], ids=str)
def test_any_block_size_gives_the_same_sound(corners: list[Instrument], sizes: list[int]) -> None:
    whole = in_blocks(corners, [9000])
    assert np.max(np.abs(whole)) > 0.01
    np.testing.assert_allclose(in_blocks(corners, sizes), whole, rtol=0, atol=1e-6)


def test_the_two_halves_may_run_apart(corners: list[Instrument]) -> None:
    """Live: the conductor runs two blocks ahead, the renderer in its own blocks."""
    whole = in_blocks(corners, [9000])
    made = engine(*corners, events=MUSIC)
    out = np.empty_like(whole)
    for first in range(0, 9000, 100):
        made.advance(first + 300)
        made.render_into(out[first : first + 100])
    np.testing.assert_allclose(out, whole, rtol=0, atol=1e-6)
    assert made.status()["late_frames"] == 0


def test_two_threads_make_the_offline_sound(corners: list[Instrument]) -> None:
    """As in `tetrad play`: one thread conducts ahead of the other, which renders and never waits for a late segment."""
    whole = in_blocks(corners, [9000])
    made = engine(*corners, events=MUSIC)
    out = np.empty_like(whole)
    conducted = [threading.Event() for _ in range(0, 9000, 100)]

    def conduct() -> None:
        for block, done in enumerate(conducted):
            while 100 * block - made.clock_samples > 600:
                time.sleep(0.0)
            made.advance(100 * (block + 1))
            done.set()

    thread = threading.Thread(target=conduct)
    thread.start()
    for block, done in enumerate(conducted):
        assert done.wait(10.0)
        made.render_into(out[100 * block : 100 * block + 100])
    thread.join(10.0)
    np.testing.assert_allclose(out, whole, rtol=0, atol=1e-6)
    assert made.status()["late_frames"] == 0


def test_a_late_conductor_is_counted_and_does_not_click() -> None:
    made = engine(instrument(steady({1: -20})), events=[SetParameter(0, "volume", 0.0), NoteOn(0)])
    out = np.empty((24_000, 2), np.float32)
    for first in range(0, 24_000, 100):
        if first % 2000 == 0:  # every 42 ms, for 8 ms of ticks
            made.advance(first + 100)
        made.render_into(out[first : first + 100])
    assert made.status()["late_frames"] > 0
    slope = 0.1 * 2 * np.pi * 261.63 / 48_000
    assert np.max(np.abs(np.diff(out[100:], axis=0))) < 1.05 * slope


@pytest.mark.parametrize("sound", [steady({1: -20, 3: -30}), noisy()], ids=["partials", "noise"])
@pytest.mark.parametrize("onset", [0, 1, 63, 64, 1000, 5003])
@pytest.mark.parametrize("block", [128, 1000])
def test_a_note_begins_at_its_sample(sound: Sound, onset: int, block: int) -> None:
    made = engine(instrument(sound), events=[NoteOn(onset)])
    out = np.concatenate([made.render(block) for _ in range(8000 // block)])
    assert int(np.flatnonzero(np.any(out != 0.0, axis=1))[0]) == onset


def test_the_same_events_give_the_same_samples_and_another_seed_others(corners: list[Instrument]) -> None:
    first, second, other = (engine(*corners, events=MUSIC, seed=seed).render(8000) for seed in (3, 3, 4))
    np.testing.assert_array_equal(first, second)
    assert np.max(np.abs(first - other)) > 0.01


def test_an_event_in_the_past_happens_now() -> None:
    made = engine(instrument(steady({1: -20})))
    made.render(1000)
    made.push(NoteOn(10))
    assert int(np.flatnonzero(made.render(1000)[:, 0])[0]) == 0


def test_a_note_of_no_length_is_heard() -> None:
    out = engine(instrument(steady({1: -20})), events=[NoteOn(100), NoteOff(100)]).render(48_000)
    assert np.max(np.abs(out)) > 0.01
    assert np.all(out[-4800:] == 0.0)


def test_frames_stretch_with_the_sample_rate() -> None:
    """At 44.1 kHz a frame has 353 samples: the recorded release starts at its own time."""
    made = engine(
        instrument(steady({1: -20})), events=[SetParameter(0, "volume", 0.0), NoteOn(0)], sample_rate_hz=44_100
    )
    out = made.render(44_100)
    turns = np.sum(np.diff(np.signbit(out[4410:39_690, 0]))) / 2 / 0.8
    assert turns == pytest.approx(261.63, abs=1.5)
