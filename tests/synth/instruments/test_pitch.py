"""Pitch of tones made here, of which the key is known to the cent, and of sounds that have none."""

import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from synth.errors import TetradError
from synth.frames import SAMPLE_RATE_HZ, Float32Array
from synth.instruments import pitch_network
from synth.instruments.pitch import PitchEstimate, estimate_pitch
from synth.instruments.pitch_features import N_KEYS, ROW_WIDTH, key_to_hz, pitch_features, tracker
from tests.synth.instruments.singer import sung

STEP_DB = {"saw": -6.0, "flute": -15.0, "reed": -3.0}


def tone(
    key: float,
    seconds: float = 1.0,
    *,
    db_per_octave: float = -6.0,
    inharmonicity: float = 0.0,
    decay_s: float = 100.0,
    vibrato_cents: float = 0.0,
    first: int = 1,
) -> Float32Array:
    """A harmonic tone, peak 0.5; its partials fall by `db_per_octave` and start with number `first`."""
    time_s = np.arange(int(seconds * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    cycles = key_to_hz(key) * np.cumsum(2.0 ** (vibrato_cents / 1200.0 * np.sin(2 * np.pi * 5.5 * time_s)))
    chance = np.random.default_rng(int(key * 10))
    audio = np.zeros(time_s.size)
    for k in range(first, 40):
        ratio = k * np.sqrt(1.0 + inharmonicity * k * k)
        if ratio * key_to_hz(key) > 15_000.0:
            break
        level = 10.0 ** (db_per_octave * np.log2(k) / 20.0)
        audio += (
            level * np.sin(2 * np.pi * (ratio * cycles / SAMPLE_RATE_HZ + chance.random())) * np.exp(-time_s / decay_s)
        )
    return (audio * (0.5 / np.abs(audio).max())).astype(np.float32)


def cents_off(found: PitchEstimate, key: float) -> float:
    return 100.0 * (found.pitch - key)


@pytest.mark.parametrize("timbre", STEP_DB)
@pytest.mark.parametrize("key", [28.2, 33.0, 40.7, 47.0, 55.0, 62.9, 69.0, 76.0, 84.3, 91.0, 96.0])
def test_a_harmonic_tone_has_its_key(key: float, timbre: str) -> None:
    found = estimate_pitch(tone(key, db_per_octave=STEP_DB[timbre]))
    assert found.pitched
    assert abs(cents_off(found, key)) < 5.0


def test_notes_under_the_trackers_range_are_found() -> None:
    low = tone(29.0, db_per_octave=-9.0)
    tracked = tracker().detect(low, SAMPLE_RATE_HZ)
    assert np.median(tracked.pitch_hz) > 1.06 * key_to_hz(29.0)  # swift-f0 alone is not there, its floor is 46.9 Hz
    assert abs(cents_off(estimate_pitch(low), 29.0)) < 5.0


def test_a_plucked_string_is_not_pulled_by_its_stretched_partials() -> None:
    found = estimate_pitch(tone(45.0, 2.0, inharmonicity=3e-4, decay_s=0.5))
    assert found.pitched
    assert abs(cents_off(found, 45.0)) < 10.0


@pytest.mark.parametrize("key", [40.0, 57.0, 74.0])
def test_disturbed_notes_keep_their_key(key: float) -> None:
    noise = np.random.default_rng(3).standard_normal(SAMPLE_RATE_HZ).astype(np.float32)
    clean = tone(key)
    noisy = clean + noise * np.float32(0.1 * np.sqrt(np.mean(clean**2)))  # 20 dB under it
    for audio in (noisy, np.clip(clean, -0.15, 0.15), tone(key, 0.3), tone(key, vibrato_cents=50.0), clean * 1e-3):
        found = estimate_pitch(audio.astype(np.float32))
        assert found.pitched
        assert abs(cents_off(found, key)) < 25.0


@pytest.mark.parametrize("key", [57.0, 60.0, 62.0, 64.0, 67.0])
def test_a_singer_with_vibrato_is_told_the_middle_of_it(key: float) -> None:
    assert abs(cents_off(estimate_pitch(sung(key, 2.0)), key)) < 5.0


def test_silence_before_the_note_does_not_matter() -> None:
    late = np.concatenate([np.zeros(4 * SAMPLE_RATE_HZ, np.float32), tone(64.0)])
    assert abs(cents_off(estimate_pitch(late), 64.0)) < 5.0


def _noise(seconds: float, decay_s: float, low_hz: float, high_hz: float, seed: int) -> Float32Array:
    n = int(seconds * SAMPLE_RATE_HZ)
    spectrum = np.fft.rfft(np.random.default_rng(seed).standard_normal(n))
    hz = np.fft.rfftfreq(n, 1.0 / SAMPLE_RATE_HZ)
    audio = np.fft.irfft(spectrum * ((hz > low_hz) & (hz < high_hz)), n) * np.exp(
        -np.arange(n) / decay_s / SAMPLE_RATE_HZ
    )
    return (audio * 0.5 / np.abs(audio).max()).astype(np.float32)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("seconds", "decay_s", "low_hz", "high_hz"), [(1.0, 9.0, 20, 20e3), (0.4, 0.05, 1e3, 12e3)])
def test_noise_has_no_key(seconds: float, decay_s: float, low_hz: float, high_hz: float, seed: int) -> None:
    found = estimate_pitch(_noise(seconds, decay_s, low_hz, high_hz, seed))
    assert not found.pitched
    assert found.confidence < 0.5


def test_a_click_and_silence_have_no_key() -> None:
    click = np.zeros(2000, np.float32)
    click[100] = 1.0
    assert not estimate_pitch(click).pitched
    assert estimate_pitch(np.zeros(4800, np.float32)) == PitchEstimate(60.0, 0.0, False)


@pytest.mark.parametrize("n_samples", [768, 1000, 1500, 5000])
def test_sounds_of_milliseconds_are_answered(n_samples: int) -> None:
    found = estimate_pitch(tone(69.0)[:n_samples])
    assert 20.5 <= found.pitch <= 108.5
    assert 0.0 <= found.confidence <= 1.0


@pytest.mark.parametrize(
    ("audio", "said"),
    [(np.zeros(10), "at least 768"), (np.zeros((4800, 2)), "one channel"), (np.full(4800, np.nan), "NaN")],
)
def test_what_is_no_note_is_refused(audio: np.ndarray, said: str) -> None:
    with pytest.raises(TetradError, match=said):
        estimate_pitch(audio.astype(np.float32))


def test_the_row_of_the_key_shows_its_partials_and_the_octave_below_the_gaps() -> None:
    features = pitch_features(tone(60.0, db_per_octave=0.0))
    assert features.rows.shape == (N_KEYS, ROW_WIDTH)
    assert np.isfinite(features.rows).all()
    own, below = features.rows[60 - 21], features.rows[48 - 21]
    assert own[:16].min() > 0.8  # teeth, whole spectrum
    assert own[16:30].max() < 0.2  # gaps
    assert below[1:16:2].min() > 0.8  # even teeth of the octave below are the note's partials
    assert below[0:16:2].max() < 0.2
    assert abs(features.keys[60 - 21] - 60.0) <= 0.05


def test_the_engine_starts_without_the_tracker() -> None:
    code = "import sys, synth.instruments.pitch; print('swift_f0' in sys.modules, 'onnxruntime' in sys.modules)"
    told = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert told.stdout.split() == ["False", "False"]


def _stored(**changed: object) -> dict[str, Any]:
    with np.load(pitch_network.SHIPPED) as content:
        stored: dict[str, Any] = {name: content[name] for name in content.files}
    return stored | {name: np.asarray(value) for name, value in changed.items()}


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"format_version": 2}, "version 2"),
        ({"format": "another"}, "'another'"),
        ({"score_bias": np.zeros(7, np.float32)}, "shapes"),
        ({"judge_out_bias": np.array([np.nan], np.float32)}, "finite"),
        ({"judge_out_bias": np.array([9.0], np.float32)}, "damaged"),
    ],
)
def test_a_network_that_is_not_ours_is_refused(tmp_path, changed, said) -> None:
    path = tmp_path / "network.npz"
    np.savez(path, **_stored(**changed))
    with pytest.raises(TetradError, match=said):
        pitch_network.read(path)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 broken", b"words"])
def test_a_damaged_network_is_refused(tmp_path, content) -> None:
    path = tmp_path / "network.npz"
    path.write_bytes(content)
    with pytest.raises(TetradError, match="can't be read"):
        pitch_network.read(path)
