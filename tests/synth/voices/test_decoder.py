"""The live decoder: what it tells the network, what it makes of the answer, whose its rows are."""

import numpy as np
import pytest

from synth.errors import TetradError
from synth.frames import ERB_PER_HZ, N_PARTIALS, ROW_WIDTH, Float32Array, envelope_scale, erb_number, pitch_to_hz
from synth.voices.decoder import MOST_AT_ONCE, Decoder, log2, read, tell
from synth.voices.zwindow import Z_WINDOW_WIDTH


@pytest.fixture(scope="module")
def decoder() -> Decoder:
    return Decoder()


def voices(n: int, seed: int = 0) -> tuple[Float32Array, Float32Array, Float32Array]:
    rng = np.random.default_rng(seed)
    z = rng.standard_normal((n, Z_WINDOW_WIDTH)).astype(np.float32)
    return z, rng.uniform(0.0, 127.0, n).astype(np.float32), rng.uniform(1.0, 127.0, n).astype(np.float32)


def test_the_logarithm_is_one() -> None:
    x = np.concatenate([np.linspace(1.0, 100.0, 20_001), np.geomspace(1e-30, 1e30, 2001)]).astype(np.float32)
    found = np.array([log2(value) for value in x])
    np.testing.assert_allclose(found[:20_001], np.log2(x[:20_001].astype(np.float64)), atol=4e-7)
    np.testing.assert_allclose(found, np.log2(x.astype(np.float64)), rtol=2e-7, atol=4e-7)


@pytest.mark.parametrize("n_bumps", [2, 16])
def test_a_note_is_told_as_bumps_and_lines(n_bumps: int) -> None:
    z, _, _ = voices(131)
    pitch = np.arange(-3.0, 128.0).astype(np.float32)
    velocity = np.clip(pitch, 1.0, 127.0)
    features = np.full((140, Z_WINDOW_WIDTH + n_bumps + 2), 7.0, np.float32)
    tell(z, pitch, velocity, 0, 131, features)
    assert np.array_equal(features[:131, :Z_WINDOW_WIDTH], z)
    centre = np.linspace(20.0, 108.0, n_bumps)
    wanted = np.exp(-(((pitch[:, None] - centre) / (centre[1] - centre[0])) ** 2))
    np.testing.assert_allclose(features[:131, Z_WINDOW_WIDTH:-2], wanted, atol=1e-6)
    np.testing.assert_allclose(features[:131, -2], (pitch - 60.0) / 24.0, atol=1e-6)
    np.testing.assert_allclose(features[:131, -1], (velocity - 64.0) / 64.0, atol=1e-6)
    assert np.all(features[131:] == 7.0)


def test_partials_are_read_off_the_envelope() -> None:
    n_envelope, pitch = 64, np.array([0.0, 21.3, 60.0, 108.0, 127.0], np.float32)
    rng = np.random.default_rng(1)
    out = rng.standard_normal((5, n_envelope + ROW_WIDTH)).astype(np.float32)
    rows = np.full((8, ROW_WIDTH), 7.0, np.float32)
    read(out, pitch, 0, 5, *envelope_scale(n_envelope), rows)
    points = np.linspace(erb_number(20.0), erb_number(20_000.0), n_envelope)
    number = np.arange(1, N_PARTIALS + 1)
    for i in range(5):
        level = np.interp(erb_number(float(pitch_to_hz(pitch[i])) * number), points, out[i, :n_envelope])
        wanted = np.concatenate([level, np.zeros(64)]) + out[i, n_envelope:-1]
        # 0.001 of a step is left out at 20 kHz.
        np.testing.assert_allclose(rows[i, :-1], np.clip(20.0 * wanted - 60.0, -120.0, 20.0), atol=0.1)
        inside = erb_number(float(pitch_to_hz(pitch[i])) * number) < points[-2]
        found = rows[i, :N_PARTIALS][inside]
        np.testing.assert_allclose(found, np.clip(20.0 * wanted[:N_PARTIALS][inside] - 60.0, -120.0, 20.0), atol=1e-3)
    np.testing.assert_allclose(rows[:5, -1], 5.0 * out[:, -1], rtol=1e-6)
    assert np.all(rows[5:] == 7.0)


def test_the_scale_of_an_envelope() -> None:
    slope, offset = envelope_scale(64)
    hz = np.array([20.0, 20_000.0])
    np.testing.assert_allclose(slope * np.log1p(ERB_PER_HZ * hz) + offset, [0.0, 63.0], atol=1e-9)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_not_a_number_reads_nothing_outside(value: float) -> None:
    out = np.full((1, 64 + ROW_WIDTH), np.float32(0.5))
    rows = np.empty((1, ROW_WIDTH), np.float32)
    read(out, np.array([value], np.float32), 0, 1, *envelope_scale(64), rows)
    assert np.all(rows[0, :N_PARTIALS] == -40.0)  # 0.5 of the envelope and 0.5 of its own
    assert np.all(rows[0, N_PARTIALS:-1] == -50.0)


def test_a_voice_does_not_depend_on_its_company(decoder: Decoder) -> None:
    z, pitch, velocity = voices(70)
    alone = np.concatenate([decoder.run(z[i : i + 1], pitch[i : i + 1], velocity[i : i + 1]) for i in range(70)])
    for n in (70, 2, 33, 5, 64):  # up and down: the buffers hold older voices
        np.testing.assert_allclose(decoder.run(z[:n], pitch[:n], velocity[:n]), alone[:n], atol=2e-3)


def test_a_long_batch_is_decoded_in_parts(decoder: Decoder) -> None:
    n = 2 * MOST_AT_ONCE + 3
    z, pitch, velocity = voices(n)
    rows = decoder.run(z, pitch, velocity)
    assert rows.shape == (n, ROW_WIDTH)
    for part in (slice(0, 40), slice(MOST_AT_ONCE - 2, MOST_AT_ONCE + 2), slice(n - 5, n)):
        np.testing.assert_allclose(decoder.run(z[part], pitch[part], velocity[part]), rows[part], atol=2e-3)
    assert decoder.run(z[:0], pitch[:0], velocity[:0]).shape == (0, ROW_WIDTH)


def test_rows_are_the_callers(decoder: Decoder) -> None:
    first = decoder.run(*voices(4))
    kept = first.copy()
    second = decoder.run(*voices(4, seed=1))
    assert np.array_equal(first, kept)
    assert not np.allclose(first, second)
    second[:] = 0.0
    assert np.array_equal(decoder.run(*voices(4)), kept)


def test_shapes_that_differ_are_refused(decoder: Decoder) -> None:
    z, pitch, velocity = voices(4)
    for given in ((z, pitch[:3], velocity), (z, pitch, velocity[:3]), (z[:, :64], pitch, velocity)):
        with pytest.raises(TetradError, match=r"expected \(V, 80\)"):
            decoder.run(*given)
