"""When a note begins and ends: clicks, hum, two notes, one that fades slowly, one that never ends."""

import numpy as np
import pytest

from synth.frames import Float32Array
from synth.instruments.trigger import State, TakeSound, Trigger

RATE = 48_000
PREROLL = RATE // 5


def noise(seconds: float, dbfs: float = -70.0, seed: int = 1) -> Float32Array:
    """A room, float32 [n, 1]."""
    generator = np.random.default_rng(seed)
    return generator.normal(0.0, 10.0 ** (dbfs / 20.0), (round(seconds * RATE), 1)).astype(np.float32)


def note(seconds: float, peak_dbfs: float = -12.0, fade_db_per_s: float = 0.0, hz: float = 220.0) -> Float32Array:
    t = np.arange(round(seconds * RATE)) / RATE
    level = 10.0 ** ((peak_dbfs - fade_db_per_s * t) / 20.0)
    envelope = np.minimum(np.minimum(t / 0.01, (seconds - t) / 0.05), 1.0)
    return np.asarray(level * envelope * np.sin(2.0 * np.pi * hz * t), np.float32)[:, None]


def at(times_s: list[float], sounds: list[Float32Array], room: Float32Array) -> Float32Array:
    """The sounds in a room, from these times on."""
    sound = room.copy()
    for time_s, one in zip(times_s, sounds, strict=True):
        begin = round(time_s * RATE)
        sound[begin : begin + len(one)] += one
    return sound


def takes_of(sound: Float32Array, trigger: Trigger, block: int = 1024) -> list[TakeSound]:
    return [take for n in range(0, len(sound), block) for take in trigger.feed(sound[n : n + block])]


def test_a_note_has_a_preroll_and_its_end() -> None:
    trigger = Trigger(RATE, 1)
    sound = at([1.0], [note(1.5)], noise(4.0))
    (take,) = takes_of(sound, trigger)
    assert take.onset == PREROLL
    begin = round(1.0 * RATE) - PREROLL
    assert abs(len(take.sound) - round((0.2 + 1.5 + 0.5) * RATE)) <= round(0.06 * RATE)
    first = next(n for n in range(len(sound)) if np.array_equal(sound[n : n + 64], take.sound[:64]))
    assert begin <= first <= begin + round(0.02 * RATE)
    assert np.array_equal(take.sound, sound[first : first + len(take.sound)])  # nothing lost, nothing changed
    assert not take.cut
    assert trigger.state is State.WAITING
    assert trigger.finish() is None


@pytest.mark.parametrize("block", [1, 64, 479, 480, 4800, 1 << 18])
def test_it_does_not_matter_how_the_sound_comes(block: int) -> None:
    sound = at([0.6], [note(0.3)], noise(1.6))
    if block == 1:
        sound = sound[: RATE // 2]
    expected = takes_of(sound, Trigger(RATE, 1))
    found = takes_of(sound, Trigger(RATE, 1), block)
    assert len(found) == len(expected) == (0 if block == 1 else 1)
    assert all(np.array_equal(one.sound, other.sound) for one, other in zip(found, expected, strict=True))


def test_noise_and_clicks_are_no_notes() -> None:
    click = note(0.012, -3.0, hz=2000.0)
    assert takes_of(at([0.8, 1.4, 1.5, 3.0], [click] * 4, noise(5.0, -50.0)), Trigger(RATE, 1)) == []
    assert takes_of(np.zeros((3 * RATE, 1), np.float32), Trigger(RATE, 1)) == []


def test_hum_is_the_room_and_a_note_over_it_is_found() -> None:
    t = np.arange(6 * RATE) / RATE
    hum = np.asarray(0.01 * np.sin(2 * np.pi * 50.0 * t) + 0.004 * np.sin(2 * np.pi * 150.0 * t), np.float32)[:, None]
    trigger = Trigger(RATE, 1)
    (take,) = takes_of(at([2.0], [note(1.0, -10.0)], hum + noise(6.0)), trigger)
    assert abs(len(take.sound) / RATE - 1.7) < 0.1
    assert -44.0 < trigger.floor_dbfs < -40.0


def test_an_offset_of_the_card_is_no_sound() -> None:
    sound = at([1.5], [note(1.0, -30.0)], noise(4.0)) + np.float32(0.2)
    (take,) = takes_of(sound, Trigger(RATE, 1))
    assert abs(len(take.sound) / RATE - 1.7) < 0.15


def test_notes_in_a_row_are_takes_in_a_row() -> None:
    trigger = Trigger(RATE, 1)
    takes = takes_of(at([0.6, 2.0, 3.6], [note(0.6), note(0.9, -20.0), note(0.4)], noise(6.0)), trigger)
    lengths = [len(take.sound) / RATE - 0.7 for take in takes]
    assert lengths == pytest.approx([0.6, 0.9, 0.4], abs=0.06)


def test_a_note_that_fades_slowly_is_one_take_down_to_the_room() -> None:
    (take,) = takes_of(at([0.5], [note(9.0, -6.0, fade_db_per_s=8.0)], noise(11.0)), Trigger(RATE, 1))
    # From -9 dBFS (RMS) to 6 dB over the room's -70, at 8 dB/s: 6.9 s.
    assert abs(len(take.sound) / RATE - (0.2 + 6.9 + 0.5)) < 0.4


def test_a_tremolo_and_a_short_breath_are_no_end() -> None:
    t = np.arange(3 * RATE) / RATE
    deep = note(3.0) * np.asarray(0.5 + 0.5 * np.cos(2 * np.pi * 4.0 * t), np.float32)[:, None]
    deep[RATE : RATE + round(0.3 * RATE)] = 0.0
    assert len(takes_of(at([0.5], [deep], noise(5.0)), Trigger(RATE, 1))) == 1


def test_what_never_ends_is_cut_and_becomes_the_room() -> None:
    trigger = Trigger(RATE, 1, longest_s=2.0)
    takes = takes_of(at([0.5, 9.0], [note(6.0), note(0.5)], noise(11.0)), trigger)
    assert [take.cut for take in takes] == [True, False]
    assert len(takes[0].sound) / RATE == pytest.approx(2.0, abs=0.011)
    assert len(takes[1].sound) / RATE == pytest.approx(1.2, abs=0.06)


def test_a_note_from_the_very_start_is_missed_and_the_next_is_not() -> None:
    takes = takes_of(at([0.0, 2.0], [note(0.8), note(0.8)], noise(4.0)), Trigger(RATE, 1))
    assert [round(len(take.sound) / RATE, 1) for take in takes] == [1.5]


def test_an_end_that_is_told_gives_what_there_is() -> None:
    trigger = Trigger(RATE, 2)
    sound = np.repeat(at([0.5], [note(2.0)], noise(3.0)), 2, axis=1)
    assert takes_of(sound[: round(1.5 * RATE)], trigger) == []
    assert trigger.state is State.RECORDING
    take = trigger.finish()
    assert take is not None
    assert take.cut
    assert take.sound.shape[1] == 2
    assert len(take.sound) / RATE == pytest.approx(1.2, abs=0.03)


def test_one_channel_of_two_is_enough() -> None:
    sound = np.concatenate([noise(3.0), at([1.0], [note(1.0)], noise(3.0, seed=2))], axis=1)
    sound[100] = np.nan
    (take,) = takes_of(sound, Trigger(RATE, 2))
    assert len(take.sound) / RATE == pytest.approx(1.7, abs=0.06)
