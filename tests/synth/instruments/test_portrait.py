"""The picture shows where the sound is, where it is repeated and let go, its pitch and its partials."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from synth.errors import TetradError
from synth.frames import FRAME_RATE_HZ, ROW_WIDTH, SAMPLE_RATE_HZ, Z_DIM, Float32Array, pitch_to_hz
from synth.instruments.format import Instrument, Note
from synth.instruments.heard import Heard
from synth.instruments.notes import SourceNote
from synth.instruments.portrait import MARGIN, WIDTH, plain, portrait, write_portrait
from synth.instruments.portrait_panels import LOOP, RELEASE, NoteView, look

SECONDS = 2.0


def tone(pitch: float) -> Float32Array:
    """Two partials, the second 20 dB softer and gone after half the time."""
    time_s = np.arange(round(SECONDS * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    f0_hz = float(pitch_to_hz(pitch))
    second = np.where(time_s < SECONDS / 2, 0.05, 0.0)
    return (0.5 * np.sin(2 * np.pi * f0_hz * time_s) + second * np.sin(4 * np.pi * f0_hz * time_s)).astype(np.float32)


def note(pitch: int, **more: object) -> Note:
    n_frames = round(SECONDS * FRAME_RATE_HZ)
    bare = Note(
        pitch=pitch,
        velocity=100,
        tuning_cents=0.0,
        inharmonicity=0.0,
        z=np.zeros((-(-n_frames // 4), Z_DIM), np.float32),
        detail=np.zeros((n_frames, ROW_WIDTH), np.float32),
        loudness_db=np.full(n_frames, -20.0, np.float32),
        loop_start=0,
        loop_end=0,
        release_start=n_frames,
    )
    return replace(bare, **more)  # type: ignore[arg-type]


def heard(pitch: int, audio: Float32Array | None = None, remarks: tuple[str, ...] = (), pitched: bool = True) -> Heard:
    source = SourceNote(tone(pitch) if audio is None else audio, pitch, 100, None)
    return Heard(
        name=f"n{pitch}",
        note=source,
        remarks=remarks,
        onset_s=0.4,
        end_s=2.4,
        noise_floor_db=None,
        clipped_samples=0,
        dc=0.0,
        pitch=float(pitch),
        pitch_confidence=0.9,
        pitched=pitched,
        tuning_cents=0.0,
        gain_db=0.0,
        key_was_given=False,
    )


def instrument(*notes: Note) -> Instrument:
    return Instrument("probe", "Probe", "reed", True, "A. Player", "CC0-1.0", "sines", "0" * 16, notes)


def columns_of(image: Image.Image, colour: tuple[int, int, int]) -> list[int]:
    """Where the waveform's upper quarter is tinted with this colour, from left to right, beside the onset."""
    tint = np.array(colour) - np.mean(colour)
    colours = np.asarray(image).astype(float)[66:90].mean(axis=0)
    likeness = (colours - colours.mean(axis=1, keepdims=True)) @ (tint / np.linalg.norm(tint))
    return [int(x) for x in np.flatnonzero(likeness > 9.0) if x > MARGIN + 10]


def at(time_s: float) -> float:
    return MARGIN + (WIDTH - 2 * MARGIN) * time_s / SECONDS


def test_loop_and_release_are_where_they_are() -> None:
    held = note(60, loop_start=63, loop_end=125, release_start=200)
    quiet = heard(60, np.concatenate([tone(60)[:200], 1e-3 * tone(60)[200:]]))  # so that the waveform hides no line
    image = portrait(instrument(held), [quiet])
    assert image.size == (800, 480)
    loop, release = columns_of(image, LOOP), columns_of(image, RELEASE)
    assert loop[0] == pytest.approx(at(63 / FRAME_RATE_HZ), abs=2)
    assert loop[-1] == pytest.approx(at(125 / FRAME_RATE_HZ), abs=2)
    assert len(loop) == pytest.approx(loop[-1] - loop[0] + 1, abs=2)
    assert 1 <= len(release) <= 4
    assert np.mean(release) == pytest.approx(at(200 / FRAME_RATE_HZ), abs=1.5)
    bare = portrait(instrument(note(60)), [quiet])
    assert columns_of(bare, LOOP) == columns_of(bare, RELEASE) == []


def test_what_is_measured_of_a_note() -> None:
    view = look(note(60, tuning_cents=30.0), tone(60.3), pitched=True)
    middle, end = round(0.25 * FRAME_RATE_HZ), round(1.75 * FRAME_RATE_HZ)
    assert view.levels_db[middle, 0] == pytest.approx(0.0, abs=0.5)
    assert view.levels_db[middle, 1] == pytest.approx(-20.0, abs=0.5)
    assert view.levels_db[end, 1] < -60.0
    assert view.cents[10:-10] == pytest.approx(30.0, abs=1.0)


def test_partials_at_frequencies_of_their_own() -> None:
    time_s = np.arange(round(SECONDS * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    bell = (0.5 * np.sin(2 * np.pi * 2.76 * 261.6256 * time_s)).astype(np.float32)
    ratios = np.zeros(100, np.float32)
    ratios[:2] = 1.0, 2.76
    view = look(note(60, ratios=ratios), bell, pitched=True)
    assert view.levels_db.shape[1] == 2
    assert view.levels_db[100, 0] < -60.0
    assert view.levels_db[100, 1] == pytest.approx(0.0, abs=0.5)


def test_the_picture_ends_where_there_are_no_more_partials() -> None:
    time_s = np.arange(48_000) / SAMPLE_RATE_HZ
    pure = (np.hanning(48_000) * np.sin(2.0 * np.pi * float(pitch_to_hz(60)) * time_s)).astype(np.float32)
    assert look(note(60), pure, pitched=True).levels_db.shape[1] == 6


def test_a_sound_without_pitch_shows_its_noise() -> None:
    noise = 0.1 * np.random.default_rng(0).standard_normal(48_000).astype(np.float32)
    view = look(note(60, pitched=False), noise, pitched=False)
    assert view.levels_db.shape[1] == 64
    assert np.isnan(view.cents).all()
    assert portrait(instrument(note(60, pitched=False)), [heard(60, noise, pitched=False)]).size == (800, 480)


def test_a_long_note_is_shown_from_its_beginning() -> None:
    view: NoteView = look(note(60), np.tile(tone(60), 10), pitched=True)
    assert view.duration_s == 12.0


@pytest.mark.parametrize("n_notes", [1, 2, 3, 4, 5, 6, 20])
def test_any_number_of_notes_fits(n_notes: int) -> None:
    pitches = [40 + 2 * i for i in range(n_notes)]
    one = tone(60)
    notes = instrument(*(note(p) for p in pitches))
    image = portrait(notes, [heard(p, one, remarks=("a remark that is rather long " * 9,)) for p in pitches])
    assert image.size == (800, 480)
    pixels = np.asarray(image).astype(int)
    assert np.abs(pixels[:, :10] - pixels[0, 0]).max() < 12  # nothing is drawn into the margins
    assert np.abs(pixels[:, -10:] - pixels[0, 0]).max() < 12


def test_notes_that_were_not_heard_and_odd_names_are_no_trouble() -> None:
    strange = replace(instrument(note(60)), display_name="Flûte 笛 " * 40, author="\n\x00")
    assert portrait(strange, []).size == (800, 480)
    assert plain("Flûte 笛 №") == "Flute ? No"


@pytest.mark.parametrize("size", [768, 4_800])
def test_the_shortest_sounds(size: int) -> None:
    click = np.random.default_rng(0).uniform(-0.5, 0.5, size).astype(np.float32)
    assert portrait(instrument(note(60)), [heard(60, click)]).size == (800, 480)


def test_the_file_is_a_small_png(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    size = write_portrait(instrument(note(60)), [heard(60)], path)
    assert size == path.stat().st_size < 150_000
    with Image.open(path) as image:
        assert (image.format, image.size) == ("PNG", (800, 480))


def test_an_unwritable_place_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(TetradError, match="there is no directory"):
        write_portrait(instrument(note(60)), [heard(60)], tmp_path / "no" / "a.png")
