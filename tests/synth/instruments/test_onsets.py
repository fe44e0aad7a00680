"""Rows of notes are cut where they begin; a note, a chord, a strum, a loop are not."""

import numpy as np
import pytest

from synth.frames import Float32Array
from synth.instruments.notes import RawAudio
from synth.instruments.onsets import curves, cut, decide
from tests.synth.instruments.make_audio import RATE_HZ, noise, note, row

SCALE = (48, 52, 55, 60, 64, 67, 72, 76)


def _cuts_s(sound: Float32Array, **options: bool) -> list[tuple[float, float]]:
    return [(start / RATE_HZ, end / RATE_HZ) for start, end in cut(sound, RATE_HZ, **options)]


def _agree(found: list[tuple[float, float]], starts_s: list[float]) -> bool:
    """Each note is in a stretch of its own, from at most 60 ms before its onset and never after it."""
    return len(found) == len(starts_s) and all(
        start - 0.06 <= f[0] <= start + 0.005 for f, start in zip(found, starts_s, strict=True)
    )


@pytest.mark.parametrize("pause_s", [0.15, 0.5, 2.0])
@pytest.mark.parametrize("attack_s", [0.002, 0.3])
@pytest.mark.parametrize("floor_db", [-200.0, -60.0])
def test_a_row_of_notes_is_cut(pause_s: float, attack_s: float, floor_db: float) -> None:
    sound, starts_s = row([note(p, 1.2, attack_s=attack_s, decay_s=None) for p in SCALE], pause_s)
    found = _cuts_s(sound + noise(len(sound) / RATE_HZ, floor_db))
    assert len(found) == len(SCALE)
    # A slow attack comes out of the noise later than it begins.
    assert all(-0.06 <= f[0] - s <= (0.005 if attack_s < 0.01 else 0.06) for f, s in zip(found, starts_s, strict=True))
    for (_, end), start in zip(found, starts_s, strict=True):
        assert start + 1.1 < end < start + 1.2 + pause_s + 0.01


def test_notes_of_very_different_levels() -> None:
    levels = [1.0, 0.5, 0.25, 0.125, 0.06, 0.125, 0.25, 1.0]
    sound, starts_s = row([note(60) * level for level in levels], 0.5)
    assert _agree(_cuts_s(sound), starts_s)


def test_notes_that_run_into_each_other() -> None:
    sound, starts_s = row([note(p, 1.0, decay_s=0.35) for p in SCALE], 0.0)
    assert _agree(_cuts_s(sound), starts_s)


def _tremolo() -> Float32Array:
    sound = note(60, 4.0, decay_s=None)
    time_s = np.arange(len(sound)) / RATE_HZ
    return (sound * (0.5 - 0.5 * np.cos(2 * np.pi * 5.0 * time_s))).astype(np.float32)


def _vibrato() -> Float32Array:
    time_s = np.arange(4 * RATE_HZ) / RATE_HZ
    phase = 2 * np.pi * 440.0 * time_s + 8.0 * np.sin(2 * np.pi * 1.5 * time_s)
    return (0.3 * np.sin(phase) + 0.1 * np.sin(3 * phase)).astype(np.float32)


def _drum_loop() -> Float32Array:
    hits = [noise(0.25, -12.0, seed) * np.exp(-np.arange(RATE_HZ // 4) / 600.0) for seed in range(16)]
    return np.concatenate(hits).astype(np.float32)


def _beat() -> Float32Array:
    """Drums with silence between them, as even as a clock."""
    return row([note(40, 0.15, decay_s=0.03) for _ in range(12)], 0.3)[0]


def _strum() -> Float32Array:
    sound = np.zeros(3 * RATE_HZ, np.float32)
    for i, pitch in enumerate((40, 47, 52, 56, 59, 64)):
        start = round(i * 0.03 * RATE_HZ)
        sound[start : start + RATE_HZ * 2] += note(pitch, 2.0)
    return sound


def _echo() -> Float32Array:
    sound = np.zeros(6 * RATE_HZ, np.float32)
    for i in range(5):
        start = i * RATE_HZ
        sound[start : start + RATE_HZ // 2] += note(60, 0.5, decay_s=0.1) * 0.5**i
    return sound


SINGLE = {
    "a note": note(60, 3.0),
    "a held note": note(60, 3.0, decay_s=None),
    "a low note": note(28, 3.0),
    "a slow note": note(60, 4.0, attack_s=1.5, decay_s=None),
    "silence before": np.concatenate([np.zeros(RATE_HZ, np.float32), note(60, 2.0)]),
    "noise around": np.concatenate([np.zeros(RATE_HZ, np.float32), note(60, 2.0), np.zeros(RATE_HZ, np.float32)])
    + noise(4.0, -55.0),
    "tremolo": _tremolo(),
    "vibrato": _vibrato(),
    "chord": note(48, 3.0) + note(52, 3.0) + note(55, 3.0),
    "strum": _strum(),
    "drum loop": _drum_loop(),
    "beat": _beat(),
    "echo": _echo(),
    "noise": noise(5.0, -20.0),
    "click": np.concatenate([np.zeros(1000, np.float32), np.full(160, 0.5, np.float32)]),
}


@pytest.mark.parametrize("name", SINGLE)
def test_one_sound_stays_whole(name: str) -> None:
    sound = SINGLE[name]
    assert len(cut(sound, RATE_HZ)) == 1
    assert cut(sound, RATE_HZ)[0] == (0, len(sound))


def test_a_player_may_force_the_cut() -> None:
    assert len(cut(_drum_loop(), RATE_HZ, force=True)) == 16


def test_silence_holds_no_notes() -> None:
    assert cut(np.zeros(RATE_HZ, np.float32), RATE_HZ) == []
    assert cut(np.zeros(0, np.float32), RATE_HZ) == []


def test_channels_that_cancel_are_heard() -> None:
    sound, starts_s = row([note(p) for p in SCALE], 0.3)
    found = cut(np.stack([sound, -sound], axis=1), RATE_HZ)
    assert len(found) == len(starts_s)


@pytest.mark.parametrize("rate_hz", [8000, 44_100, 192_000])
def test_any_rate(rate_hz: int) -> None:
    """The same samples at another rate: a row that is faster or slower, and cut at the same places."""
    sound, starts_s = row([note(p, 2.0, decay_s=None) for p in SCALE], 1.0)
    stretched = np.interp(np.arange(0, len(sound), RATE_HZ / rate_hz), np.arange(len(sound)), sound).astype(np.float32)
    found = [(start / rate_hz, end / rate_hz) for start, end in cut(stretched, rate_hz)]
    assert _agree(found, starts_s)


def test_stretches_change_nothing() -> None:
    sound, _ = row([note(p) for p in SCALE], 0.3)
    whole = decide(curves([RawAudio(sound[:, np.newaxis], RATE_HZ)]))
    parts = [RawAudio(part[:, np.newaxis], RATE_HZ) for part in np.array_split(sound, 23)]
    assert decide(curves(parts)).notes == whole.notes


def test_any_samples() -> None:
    chance = np.random.default_rng(3)
    for _ in range(150):
        n = int(chance.integers(0, 6000))
        kind = chance.integers(4)
        sound = chance.standard_normal(n) * 10.0 ** chance.uniform(-6, 3)
        if kind == 1:
            sound[chance.random(n) < 0.9] = 0.0
        elif kind == 2:
            sound = np.repeat(chance.standard_normal(n // 500 + 1), 500)
        elif kind == 3:
            sound = np.sign(sound) * 1e9
        rate_hz = int(chance.choice([1000, 8000, 48_000, 768_000]))
        for start, end in cut(sound.astype(np.float32), rate_hz, force=bool(chance.integers(2))):
            assert 0 <= start < end <= len(sound)
