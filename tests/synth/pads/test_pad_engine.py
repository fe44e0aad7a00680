"""The engine that plays pads: rows come out as they are, crossfades keep the power, loops have no seam."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from synth.control.events import (
    Dimension,
    Event,
    NoteExpression,
    NoteOff,
    NoteOn,
    PitchBend,
    SetParameter,
    SustainPedal,
)
from synth.errors import TetradError
from synth.instruments.silence import silent_instrument
from synth.pads.loaded_pad import LoadedPad, load_pad
from synth.pads.pad_engine import PadEngine
from synth.pads.pad_file import Pad
from tests.synth.pads.pad_parts import Samples, level_at, make_pad, play

RATE = 48_000
N = RATE
FULL = [SetParameter(0, "volume", 0.0)]
LOOP, RELEASE = (12_000, 30_000), 36_000


def touch(x: float, y: float, time: int = 0) -> list[Event]:
    return [SetParameter(time, "x", x), SetParameter(time, "y", y)]


def in_step(y: int, x: int, hz: float) -> Samples:
    """The same sine in all cells."""
    return 0.25 * np.sin(2.0 * np.pi * hz * np.arange(N) / RATE)


def noise(y: int, x: int, hz: float) -> Samples:
    """Cells that have nothing in common but their power."""
    return np.random.default_rng([y, x, round(hz)]).normal(0.0, 0.1, N)


def cell_number(y: int, x: int, hz: float) -> Samples:
    """Each cell has a partial of its own."""
    return 0.25 * np.sin(2.0 * np.pi * hz * (2 + 3 * y + x) * np.arange(N) / RATE)


@pytest.fixture(scope="module")
def steady(tmp_path_factory: pytest.TempPathFactory) -> LoadedPad:
    path = tmp_path_factory.mktemp("pads") / "in-step.tetrad-pad"
    return make_pad(path, in_step, loop=LOOP, release_start=RELEASE)


@pytest.fixture(scope="module")
def noisy(tmp_path_factory: pytest.TempPathFactory) -> LoadedPad:
    return make_pad(tmp_path_factory.mktemp("pads") / "noise.tetrad-pad", noise, loop=LOOP)


def rms_db(sound: Samples) -> float:
    return float(10.0 * np.log10(np.mean(sound**2)))


@pytest.mark.long
def test_on_a_cell_a_note_is_its_row(tmp_path: Path) -> None:
    pad = make_pad(tmp_path / "a.tetrad-pad", cell_number)
    for y, x in ((0, 0), (1, 1), (2, 0), (0, 2), (2, 2)):
        sound = play(pad, [*FULL, *touch(x / 2, y / 2), NoteOn(100, 0, 60, 100)], 1.0)
        row = pad.samples[pad.spec.row_number(y, x, 1)] / 32767.0
        np.testing.assert_allclose(sound[100:], row[: N - 100], atol=2e-7)
        assert not sound[:100].any()


def test_blocks_do_not_matter(steady: LoadedPad) -> None:
    events = [
        *FULL,
        *touch(0.1, 0.9),
        NoteOn(7, 0, 50, 90),
        NoteOn(300, 1, 67, 60),
        *touch(0.8, 0.3, 5000),
        PitchBend(9000, 0, 1.5),
        NoteExpression(12_000, 1, 67, Dimension.X, -0.4),
        SetParameter(13_000, "reverb", 0.3),
        NoteOff(20_011, 0, 50),
        NoteOff(22_000, 1, 67),
    ]
    whole = play(steady, events, 1.0)
    engine = PadEngine(steady, warm_up=False)
    for event in events:
        engine.push(event)
    sizes = np.random.default_rng(3).integers(1, 700, 400)
    parts, n = [], 0
    for size in sizes:
        n_block = min(int(size), RATE - n)
        parts.append(engine.render(n_block)[:, 0])
        n += n_block
    assert n == RATE
    np.testing.assert_array_equal(np.concatenate(parts), whole.astype(np.float32))
    assert engine.late_frames == 0


@pytest.mark.parametrize("place", [(0.25, 0.25), (0.5, 0.1), (0.75, 0.6), (0.33, 0.5)])
def test_between_cells_the_power_stays(steady: LoadedPad, noisy: LoadedPad, place: tuple[float, float]) -> None:
    for pad, tolerance_db in ((steady, 0.05), (noisy, 0.3)):
        on_a_cell = play(pad, [*FULL, *touch(0.5, 0.5), NoteOn(0, 0, 60, 100)], 0.5)
        between = play(pad, [*FULL, *touch(*place), NoteOn(0, 0, 60, 100)], 0.5)
        assert rms_db(between[2000:]) == pytest.approx(rms_db(on_a_cell[2000:]), abs=tolerance_db)


def test_a_sounding_note_follows_the_finger_without_a_click(steady: LoadedPad) -> None:
    way = [event for i in range(200) for event in touch(i / 199, 0.5 + 0.4 * np.sin(i / 9), 4800 + 120 * i)]
    sound = play(steady, [*FULL, *touch(0.0, 0.5), NoteOn(0, 0, 60, 100), *way], 1.0)
    # The same sine in every cell: whatever the finger does, it goes on.
    still = play(steady, [*FULL, *touch(0.0, 0.5), NoteOn(0, 0, 60, 100)], 1.0)
    assert rms_db(sound - still) < rms_db(still) - 45.0


def test_the_finger_moves_the_sound(tmp_path: Path) -> None:
    pad = make_pad(tmp_path / "a.tetrad-pad", cell_number)
    sound = play(pad, [*FULL, *touch(0.0, 0.0), NoteOn(0, 0, 60, 100), *touch(1.0, 1.0, 24_000)], 1.0)
    before, after = sound[4000:22_000], sound[28_000:46_000]
    f0 = 261.6255653
    assert level_at(before, 2 * f0) == pytest.approx(0.25, rel=0.02)
    assert level_at(after, 10 * f0) == pytest.approx(0.25, rel=0.02)
    assert level_at(after, 2 * f0) < 0.001


@pytest.mark.parametrize(("key", "bend"), [(60, 0.0), (62, 0.0), (57, 0.0), (60, 0.7), (75, 0.0)])
def test_keys_between_rendered_pitches(steady: LoadedPad, key: int, bend: float) -> None:
    sound = play(steady, [*FULL, PitchBend(0, 0, bend), NoteOn(0, 0, key, 100)], 1.0)
    hz = 440.0 * 2.0 ** ((key + bend - 69) / 12)
    assert level_at(sound[4800:], hz) == pytest.approx(0.25, rel=0.03)


@pytest.mark.parametrize("rate_hz", [16_000, 44_100, 96_000])
def test_other_sample_rates(steady: LoadedPad, rate_hz: int) -> None:
    sound = play(steady, [*FULL, NoteOn(0, 0, 60, 100)], 0.8, rate_hz=rate_hz)
    assert level_at(sound[rate_hz // 10 :], 261.6255653, rate_hz) == pytest.approx(0.25, rel=0.02)


def test_a_loop_goes_on_without_a_seam(steady: LoadedPad) -> None:
    sound = play(steady, [*FULL, NoteOn(0, 0, 60, 100)], 4.0)
    # A sine, and nothing else: what is left without it, in each tenth of a second.
    for first in range(4800, 4 * RATE - 4800, 4800):
        part = sound[first : first + 4800]
        t = np.arange(4800) / RATE
        basis = np.stack([np.sin(2 * np.pi * 261.6255653 * t), np.cos(2 * np.pi * 261.6255653 * t)], axis=1)
        left = part - basis @ np.linalg.lstsq(basis, part, rcond=None)[0]
        assert rms_db(left) < rms_db(part) - 35.0


def test_a_loop_of_noise_keeps_its_power(noisy: LoadedPad) -> None:
    sound = play(noisy, [*FULL, *touch(0.5, 0.5), NoteOn(0, 0, 60, 100)], 4.0)
    levels = [rms_db(sound[first : first + 2400]) for first in range(2400, 4 * RATE - 2400, 2400)]
    assert max(levels) - min(levels) < 1.0


def test_a_recorded_release_is_played(tmp_path: Path) -> None:
    def note(y: int, x: int, hz: float) -> Samples:
        t = np.arange(N) / RATE
        held = 0.25 * np.sin(2 * np.pi * hz * t)
        held[RELEASE:] = (0.25 * np.sin(2 * np.pi * 3 * hz * t) * np.linspace(1.0, 0.0, N - RELEASE)[0])[RELEASE:]
        held[RELEASE:] *= np.linspace(1.0, 0.0, N - RELEASE)
        return held

    pad = make_pad(tmp_path / "a.tetrad-pad", note, loop=LOOP, release_start=RELEASE)
    engine = PadEngine(pad, warm_up=False)
    for event in (*FULL, NoteOn(0, 0, 60, 100), NoteOff(RATE, 0, 60)):
        engine.push(event)
    sound = engine.render(2 * RATE)[:, 0].astype(np.float64)
    f0 = 261.6255653
    tail = sound[RATE + 1500 : RATE + 6300]
    assert level_at(tail, 3 * f0) == pytest.approx(0.25 * (1 - 3900 / 12_000), rel=0.05)
    assert level_at(tail, f0) < 0.005
    assert rms_db(sound[RATE - 4800 : RATE]) == pytest.approx(20 * np.log10(0.25) - 3.01, abs=0.2)
    assert not sound[RATE + 13_000 :].any()
    assert engine.n_sounding == 0


def test_without_a_recorded_release_a_note_fades(noisy: LoadedPad) -> None:
    engine = PadEngine(noisy, warm_up=False)
    for event in (*FULL, NoteOn(0, 0, 60, 100), NoteOff(RATE, 0, 60)):
        engine.push(event)
    sound = engine.render(2 * RATE)[:, 0].astype(np.float64)
    held, tail = rms_db(sound[RATE - 4800 : RATE]), rms_db(sound[RATE + 6000 : RATE + 6960])
    assert held - tail == pytest.approx(240 * 6480 / RATE, abs=1.5)
    assert engine.n_sounding == 0


def test_a_pedal_holds_and_velocity_counts(noisy: LoadedPad) -> None:
    pedalled = [SustainPedal(0, 0, True), NoteOn(0, 0, 60, 100), NoteOff(4800, 0, 60), SustainPedal(24_000, 0, False)]
    sound = play(noisy, [*FULL, *pedalled], 1.0)
    assert rms_db(sound[20_000:24_000]) == pytest.approx(-20.0, abs=0.5)
    assert not sound[42_000:].any()
    soft = play(noisy, [*FULL, NoteOn(0, 0, 60, 50)], 0.5)
    # Half of 40 dB per decade: velocity_depth is 0.5.
    assert rms_db(soft[4000:]) == pytest.approx(-20.0 - 20.0 * np.log10(2.0), abs=0.3)


def test_a_note_without_a_loop_ends(tmp_path: Path) -> None:
    pad = make_pad(tmp_path / "a.tetrad-pad", in_step)
    engine = PadEngine(pad, warm_up=False)
    engine.push(NoteOn(0, 0, 60, 100))
    engine.render(N - 2000)
    assert engine.n_sounding == 1
    engine.render(4000)
    assert engine.n_sounding == 0
    assert not engine.render(1000).any()


def test_position_starts_later(steady: LoadedPad) -> None:
    sound = play(steady, [*FULL, SetParameter(0, "position", 0.5), NoteOn(0, 0, 60, 100)], 0.5)
    row = steady.samples[steady.spec.row_number(1, 1, 1)] / 32767.0
    start = int(0.5 * steady.rows["loop_end"][steady.spec.row_number(1, 1, 1)])
    np.testing.assert_allclose(sound[200:5000], row[start + 200 : start + 5000], atol=2e-6)
    assert abs(sound[0]) < 0.01


def test_only_silence_may_be_put_into_a_corner(steady: LoadedPad) -> None:
    engine = PadEngine(steady, warm_up=False)
    silence = silent_instrument(engine.model_id)
    assert engine.prepare(silence) is engine.prepare(engine.prepare(silence))
    with pytest.raises(TetradError, match="flute was to be put into a corner while the pad test plays"):
        engine.prepare(replace(silence, name="flute"))


def test_a_pad_that_is_too_large_is_refused(tmp_path: Path) -> None:
    make_pad(tmp_path / "a.tetrad-pad", in_step)
    with pytest.raises(TetradError, match=r"has 3 MB of samples; at most 1 MB are kept in memory"):
        load_pad(Pad.open(tmp_path / "a.tetrad-pad"), most_bytes=1_000_000)


def test_damaged_rows_are_told_when_loaded(tmp_path: Path) -> None:
    path = tmp_path / "a.tetrad-pad"
    make_pad(path, in_step)
    data = bytearray(path.read_bytes())
    data[-1] ^= 0x40
    path.write_bytes(data)
    with pytest.raises(TetradError, match="cell x 2, y 2 and pitch 72 does not match its checksum"):
        load_pad(Pad.open(path))
