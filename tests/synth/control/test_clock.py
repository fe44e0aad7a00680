"""The clock: our own tempo to the sample, a foreign one without its jitter, and the seam between the two."""

import numpy as np
import pytest

from synth.control.clock import Clock, beats_of
from synth.control.events import NoteOn, SetParameter, Transport, TransportKind
from synth.control.parameters import NOTE_LENGTHS
from synth.errors import TetradError

RATE = 48_000


def pulse_times(tempos_bpm: list[float], jitter_s: float = 0.0, seed: int = 0, begin: int = 10_000) -> list[int]:
    """Samples of as many pulses as there are tempos, each late by up to the jitter."""
    chance = np.random.default_rng(seed)
    exact = begin + np.cumsum([0.0] + [RATE * 60.0 / tempo / 24.0 for tempo in tempos_bpm[:-1]])
    return [round(sample + chance.uniform(0.0, jitter_s) * RATE) for sample in exact]


def feed(clock: Clock, samples: list[int]) -> None:
    clock.feed(Transport(sample, TransportKind.CLOCK) for sample in samples)


def test_our_own_tempo_is_exact() -> None:
    clock = Clock(RATE)
    assert clock.beat_at(24_000) == 1.0
    assert clock.sample_at(1_000.5) == 24_012_000
    assert clock.tempo_bpm(0) == 120.0
    assert not clock.follows(0)
    assert clock.running is None


def test_a_new_tempo_counts_from_its_own_sample_on() -> None:
    clock = Clock(RATE)
    clock.feed([NoteOn(0), SetParameter(48_000, "volume", -3.0), SetParameter(48_000, "tempo", 60.0)])
    assert clock.beat_at(48_000) == 2.0
    assert clock.beat_at(96_000) == 3.0
    assert clock.sample_at(3.5) == 120_000
    assert clock.jumps == 0


@pytest.mark.parametrize(
    ("name", "beats"), list(zip(NOTE_LENGTHS, (4, 2, 1, 2 / 3, 1 / 2, 1 / 3, 1 / 4, 1 / 6, 1 / 8), strict=True))
)
def test_every_note_length_has_its_beats(name: str, beats: float) -> None:
    assert beats_of(name) == pytest.approx(beats)
    assert Clock(RATE, tempo_bpm=90.0).seconds_of(name, 0) == pytest.approx(beats / 1.5)


def test_an_unknown_note_length_is_refused() -> None:
    with pytest.raises(TetradError, match="no note length '1/7'; expected one of 1/1, 1/2"):
        beats_of("1/7")


def test_an_even_clock_is_followed_to_the_sample() -> None:
    clock = Clock(RATE)
    samples = pulse_times([96.0] * 241)
    feed(clock, samples)
    assert clock.follows(samples[-1])
    assert clock.tempo_bpm(samples[-1]) == pytest.approx(96.0, abs=0.02)
    assert clock.beat_at(samples[-1]) - clock.beat_at(samples[0]) == pytest.approx(10.0, abs=1e-3)
    assert clock.sample_at(clock.beat_at(samples[-1]) + 1.0) == pytest.approx(samples[-1] + 30_000, abs=3)


@pytest.mark.parametrize("seed", range(4))
def test_jitter_is_taken_out(seed: int) -> None:
    """2 ms of jitter are 28 samples RMS; the predicted place of the next beat wobbles by a third of that."""
    exact, jittered = pulse_times([125.0] * 2_000), pulse_times([125.0] * 2_000, 0.002, seed)
    clock = Clock(RATE)
    predicted = []
    for at, sample in zip(exact, jittered, strict=True):
        feed(clock, [sample])
        predicted.append(clock.sample_at(round(clock.beat_at(sample) * 24 + 1) / 24) - (at + 960))
    settled = np.array(predicted[100:])
    raw = np.array(jittered) - np.array(exact)
    assert settled.std() < 0.45 * raw.std()
    assert abs(settled.mean() - raw.mean()) < 5.0
    assert clock.tempo_bpm(jittered[-1]) == pytest.approx(125.0, abs=0.4)
    assert clock.beat_at(jittered[-1]) - clock.beat_at(jittered[0]) == pytest.approx(1_999 / 24, abs=0.06)


def test_one_late_pulse_moves_little() -> None:
    samples = pulse_times([120.0] * 100)
    clock = Clock(RATE)
    feed(clock, samples[:60])
    before = clock.sample_at(50.0)
    feed(clock, [samples[60] + 900])  # 19 ms late: the machine stalled
    feed(clock, samples[61:63])
    assert clock.tempo_bpm(samples[62]) == pytest.approx(120.0, abs=3.0)
    feed(clock, samples[63:])
    assert clock.sample_at(50.0) == pytest.approx(before, abs=24 * 48)
    assert clock.tempo_bpm(samples[-1]) == pytest.approx(120.0, abs=0.3)


@pytest.mark.parametrize("tempo", [60.0, 100.0, 140.0, 200.0])
def test_a_sudden_tempo_is_followed_within_a_beat(tempo: float) -> None:
    samples = pulse_times([120.0] * 60 + [tempo] * 25, 0.001, seed=3)
    clock = Clock(RATE)
    feed(clock, samples)
    assert clock.tempo_bpm(samples[-1]) == pytest.approx(tempo, rel=0.03)
    assert abs(clock.sample_at(round(clock.beat_at(samples[-1]) * 24) / 24) - samples[-1]) < 120  # 2.5 ms


def test_a_slow_change_of_tempo_stays_close() -> None:
    tempos = [120.0 + 0.2 * min(max(i - 100, 0), 100) for i in range(300)]  # 10 bpm a second
    samples = pulse_times(tempos)
    clock = Clock(RATE)
    behind = []
    for sample in samples:
        feed(clock, [sample])
        behind.append(clock.beat_at(sample))
    pulses = (np.array(behind) - behind[0]) * 24 - np.arange(300)
    assert np.abs(pulses).max() < 0.2  # of the 17 to 21 ms between two pulses
    assert clock.tempo_bpm(samples[-1]) == pytest.approx(140.0, abs=0.3)


def test_after_a_second_without_a_pulse_our_own_tempo_goes_on_without_a_jump() -> None:
    clock = Clock(RATE, tempo_bpm=60.0)
    samples = pulse_times([120.0] * 49)
    feed(clock, samples)
    lost = samples[-1] + RATE
    assert clock.follows(lost - 1)
    assert not clock.follows(lost)
    assert clock.tempo_bpm(lost) == 60.0
    assert clock.beat_at(lost) == pytest.approx(clock.beat_at(samples[-1]) + 2.0, abs=0.01)
    assert clock.beat_at(lost + RATE) == pytest.approx(clock.beat_at(lost) + 1.0)
    assert clock.sample_at(clock.beat_at(lost + 12_345)) == pytest.approx(lost + 12_345, abs=1)
    # A tempo set now is our own; the beats so far stay.
    before = clock.beat_at(lost + RATE)
    clock.feed([SetParameter(lost + RATE, "tempo", 240.0)])
    assert clock.beat_at(lost + RATE) == pytest.approx(before)
    assert clock.beat_at(lost + 2 * RATE) == pytest.approx(before + 4.0)


def test_a_tempo_set_while_a_clock_comes_waits_for_its_end() -> None:
    clock = Clock(RATE)
    samples = pulse_times([120.0] * 49)
    feed(clock, samples)
    clock.feed([SetParameter(samples[-1], "tempo", 30.0)])
    assert clock.tempo_bpm(samples[-1]) == pytest.approx(120.0, abs=0.1)
    assert clock.tempo_bpm(samples[-1] + RATE) == 30.0


def test_a_clock_that_comes_back_is_followed_from_the_nearest_pulse() -> None:
    clock = Clock(RATE)
    first, second = pulse_times([120.0] * 25), pulse_times([120.0] * 25, begin=200_333)
    feed(clock, first)
    before = clock.beat_at(200_333)
    feed(clock, second)
    assert clock.follows(second[-1])
    assert abs(clock.beat_at(second[0]) - before) <= 0.5 / 24 + 0.001
    assert clock.beat_at(second[-1]) * 24 == pytest.approx(round(clock.beat_at(second[-1]) * 24), abs=0.05)
    assert clock.jumps == 0


def test_start_takes_effect_at_the_next_pulse() -> None:
    clock = Clock(RATE)
    samples = pulse_times([120.0] * 60)
    feed(clock, samples[:50])
    clock.feed([Transport(samples[49] + 500, TransportKind.START)])
    assert (clock.running, clock.jumps) == (True, 0)
    feed(clock, samples[50:51])
    assert (clock.jumps, clock.jumped_to_beat) == (1, 0.0)
    assert clock.beat_at(samples[50]) == pytest.approx(0.0, abs=0.001)
    feed(clock, samples[51:])
    assert clock.beat_at(samples[59]) == pytest.approx(9 / 24, abs=0.005)
    assert clock.jumps == 1


def test_stop_and_continue_go_on_where_the_song_stood() -> None:
    clock = Clock(RATE)
    samples = pulse_times([120.0] * 200)
    clock.feed([Transport(samples[0] - 10, TransportKind.START)])
    feed(clock, samples[:49])  # the song has come to beat 2
    clock.feed([Transport(samples[48] + 10, TransportKind.STOP)])
    assert clock.running is False
    feed(clock, samples[49:100])  # the beats go on: an arpeggio is not silenced
    assert clock.beat_at(samples[99]) == pytest.approx(99 / 24, abs=0.01)
    clock.feed([Transport(samples[99] + 10, TransportKind.CONTINUE)])
    feed(clock, samples[100:101])
    assert (clock.running, clock.jumps) == (True, 2)
    assert clock.beat_at(samples[100]) == pytest.approx(49 / 24, abs=0.01)


def test_a_song_position_counts_from_continue_on() -> None:
    clock = Clock(RATE)
    samples = pulse_times([120.0] * 10)
    feed(clock, samples[:5])
    clock.feed(
        [
            Transport(samples[4] + 1, TransportKind.STOP),
            Transport(samples[4] + 2, TransportKind.POSITION, sixteenths=18),
            Transport(samples[4] + 3, TransportKind.CONTINUE),
        ]
    )
    feed(clock, samples[5:6])
    assert clock.beat_at(samples[5]) == pytest.approx(4.5, abs=0.002)
    clock.feed([Transport(samples[5] + 2, TransportKind.POSITION, sixteenths=4)])  # some move a song that plays
    feed(clock, samples[6:7])
    assert clock.beat_at(samples[6]) == pytest.approx(1.0, abs=0.002)
    # Start and Stop without a pulse between them leave the beginning of the song for Continue.
    for kind in (TransportKind.START, TransportKind.STOP, TransportKind.POSITION, TransportKind.CONTINUE):
        clock.feed([Transport(samples[6] + 5, kind)])
    feed(clock, samples[7:8])
    assert clock.beat_at(samples[7]) == pytest.approx(0.0, abs=0.002)


@pytest.mark.parametrize("seed", range(6))
def test_no_flood_of_messages_breaks_it(seed: int) -> None:
    """Beats are a finite number, rise while no message comes, and a sample and its beat belong together."""
    chance = np.random.default_rng(seed)
    clock = Clock(RATE)
    sample = 0
    kinds = list(TransportKind)
    for _ in range(1_500):
        sample += int(chance.choice([0, 1, 7, 40, 1_000, 60_000], p=[0.3, 0.2, 0.2, 0.2, 0.09, 0.01]))
        kind = kinds[chance.integers(len(kinds))] if chance.random() < 0.3 else TransportKind.CLOCK
        clock.feed([Transport(sample, kind, sixteenths=int(chance.integers(16_384)))])
        if chance.random() < 0.05:
            clock.feed([SetParameter(sample, "tempo", float(chance.uniform(-1e9, 1e9)))])
        now, later = clock.beat_at(sample), clock.beat_at(sample + 100_000)
        assert np.isfinite(now)
        assert now < later
        assert 20.0 - 1e-9 <= clock.tempo_bpm(sample) <= 500.0 + 1e-9
        assert clock.sample_at(later) == pytest.approx(sample + 100_000, abs=1)
