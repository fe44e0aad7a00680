"""From recordings to a corner that sounds like them, with the networks that ship."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from synth import cli
from synth.errors import TetradError
from synth.frames import SAMPLE_RATE_HZ, Float32Array
from synth.instruments.build import Description, build_instrument, decode_note, find_loop, find_release, measure_note
from synth.instruments.encoder import Encoder
from synth.instruments.fidelity import NORTH_WEST, Place, corner_lsd_db, render_note
from synth.instruments.folders import find_folder
from synth.instruments.format import Instrument, read_instrument, write_instrument
from synth.instruments.library import Library
from synth.instruments.note_sets import note_set, note_set_notes, read_note
from synth.instruments.notes import SourceNote
from synth.voices.decoder import Decoder

PROBE = Description("probe", "Probe", "reed", "a test", "CC0-1.0", "sines")


def recording(pitch: int, sustained: bool, seconds: float = 2.0, held_s: float = 1.5) -> Float32Array:
    """A reed-like tone (odd partials louder) that is held and let go, or a plucked one that decays."""
    time_s = np.arange(round(seconds * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    f0_hz = 440.0 * 2.0 ** ((pitch - 69) / 12.0)
    wave = np.zeros(time_s.size)
    for k in range(1, min(30, int(18_000 / f0_hz))):
        decay_db = 0.0 if sustained else (15.0 + 4.0 * k) * time_s
        level_db = -12.0 - 1.2 * k - (0.0 if k % 2 else 12.0) - decay_db
        wave += 10.0 ** (level_db / 20.0) * np.sin(2.0 * np.pi * k * f0_hz * time_s + 0.7 * k * k)
    gain = np.minimum(time_s / 0.02, 1.0) if sustained else np.minimum(time_s / 0.002, 1.0)
    gain = gain * np.where(time_s < held_s, 1.0, 10.0 ** (-60.0 * (time_s - held_s) / 0.3 / 20.0))
    noise = 10.0 ** (-70.0 / 20.0) * np.random.default_rng(pitch).standard_normal(time_s.size)
    return (0.5 * gain * (wave + noise)).astype(np.float32)


@pytest.fixture(scope="module")
def networks() -> tuple[Encoder, Decoder]:
    return Encoder(), Decoder()


@pytest.fixture(scope="module")
def reed(networks: tuple[Encoder, Decoder]) -> tuple[Instrument, list[SourceNote]]:
    notes = [SourceNote(recording(p, sustained=True), p, 100, 1.5) for p in (60, 48)]
    return build_instrument(notes, PROBE, *networks), notes


def test_a_corner_sounds_like_its_recordings(
    reed: tuple[Instrument, list[SourceNote]], networks: tuple[Encoder, Decoder]
) -> None:
    instrument, notes = reed
    distances = corner_lsd_db(instrument, notes, networks[1])
    assert len(distances) == 2
    assert max(distances) < 1.5
    # The measure would notice another sound: the lower note against the recording of the higher one.
    swapped = [SourceNote(notes[0].audio, 48, 100, 1.5)]
    assert corner_lsd_db(instrument, swapped, networks[1])[0] > 5.0


def test_what_was_found_out_about_the_notes(reed: tuple[Instrument, list[SourceNote]]) -> None:
    instrument, _ = reed
    assert [n.pitch for n in instrument.notes] == [48, 60]
    assert instrument.sustains
    for note in instrument.notes:
        assert note.release_start == round(1.5 * 125)
        assert 0 < note.loop_start < note.loop_end < note.release_start
        assert abs(note.tuning_cents) < 0.5
        assert note.z.shape == (63, 16)
        assert note.n_frames == 250
    loudest = max(float(n.loudness_db.max()) for n in instrument.notes)
    assert loudest == pytest.approx(-20.0, abs=0.01)


def test_a_plucked_sound_does_not_sustain(networks: tuple[Encoder, Decoder]) -> None:
    pluck = [SourceNote(recording(55, sustained=False), 55, 90, 1.5)]
    instrument = build_instrument(pluck, PROBE, *networks)
    assert not instrument.sustains
    assert (instrument.notes[0].loop_start, instrument.notes[0].loop_end) == (0, 0)


def test_a_held_note_outlasts_its_recording(
    reed: tuple[Instrument, list[SourceNote]], networks: tuple[Encoder, Decoder]
) -> None:
    sound = render_note([reed[0]] * 4, NORTH_WEST, 60, 100, 4.0, 5.0, networks[1])
    rms = np.sqrt(np.mean(sound[: 4 * 48_000].reshape(-1, 4800) ** 2, axis=1))
    assert np.ptp(20.0 * np.log10(rms[4:-1])) < 2.0
    assert np.abs(sound[-4800:]).max() < 1e-4


def test_every_corner_is_its_own(networks: tuple[Encoder, Decoder]) -> None:
    levels = []
    corners = []
    for index in range(4):  # the fundamental is louder from corner to corner
        wave = recording(57, sustained=True)
        time_s = np.arange(wave.size) / SAMPLE_RATE_HZ
        tone = 0.02 * (index + 1) ** 2 * np.sin(2.0 * np.pi * 220.0 * time_s) * np.minimum(time_s / 0.02, 1.0)
        note = SourceNote((0.1 * wave + tone).astype(np.float32), 57, 100, None)
        corners.append(build_instrument([note], PROBE, *networks))
    for place in (Place(0, 1), Place(1, 1), Place(0, 0), Place(1, 0)):  # NW NE SW SE
        sound = render_note(corners, place, 57, 100, 1.0, 1.0, networks[1])
        spectrum = np.abs(np.fft.rfft(sound[9600:48_000] * np.hanning(38_400)))
        levels.append(20.0 * np.log10(spectrum[176] / spectrum[528]))  # 220 Hz against 660 Hz
    assert levels == sorted(levels)
    assert np.diff(levels).min() > 1.0


def test_a_loop_is_all_of_a_steady_sound_and_the_end_of_one_that_fades() -> None:
    tremolo = -30.0 + 6.0 * np.sin(2.0 * np.pi * np.arange(400) / 40.0)
    assert find_loop(tremolo.astype(np.float32), 400) == (100, 395)
    fading = (-30.0 - 0.03 * np.arange(400)).astype(np.float32)
    start, end = find_loop(fading, 400)
    assert end == 395
    assert fading[start] - fading[end] == pytest.approx(3.0, abs=0.1)
    assert find_loop((-30.0 - 0.3 * np.arange(400)).astype(np.float32), 400) == (395 - 62, 395)
    assert find_loop(tremolo.astype(np.float32), 60) == (0, 0)


def test_only_the_notes_that_sustain_have_loops(networks: tuple[Encoder, Decoder]) -> None:
    notes = [SourceNote(recording(p, sustained=p > 50), p, 90, 1.5) for p in (48, 55, 60)]
    instrument = build_instrument(notes, PROBE, *networks)
    assert instrument.sustains
    assert [n.loop_end > 0 for n in instrument.notes] == [False, True, True]


def test_what_the_source_says_is_taken(networks: tuple[Encoder, Decoder], tmp_path: Path) -> None:
    looped = SourceNote(recording(48, sustained=True), 48, 90, 1.5, (0.5, 1.2))
    one_period = SourceNote(recording(55, sustained=False), 55, 90, None, (1.9, 1.902))
    drum = SourceNote(recording(60, sustained=True), 60, 90, None, None, False)
    described = dataclasses.replace(PROBE, tags=("mine", "old"))
    instrument = build_instrument([looped, one_period, drum], described, *networks)
    loops = [(n.loop_start, n.loop_end) for n in instrument.notes]
    assert loops == [(62, 150), (234, 238), (0, 0)]
    assert [n.pitched for n in instrument.notes] == [True, True, False]
    write_instrument(instrument, tmp_path / "x")
    assert read_instrument(tmp_path / "x").tags == ("mine", "old")


@pytest.mark.parametrize(
    "loop_s", [(0.2, 0.1), (3.0, 9.0), (-1.0, 0.3), (np.inf, np.inf), (np.nan, 1.0), (0.3, np.nan)]
)
def test_an_impossible_loop_is_none(loop_s: tuple[float, float]) -> None:
    note = SourceNote(recording(60, sustained=False, seconds=1.0), 60, 90, 1.0, loop_s)
    assert measure_note(note, None).loop == (0, 0)


def test_an_unpitched_sound_that_needs_all_of_its_recording_is_nothing_else() -> None:
    time_s = np.arange(48_000) / SAMPLE_RATE_HZ
    tone = 0.3 * np.sin(2.0 * np.pi * 700.0 * time_s) + 0.2 * np.sin(2.0 * np.pi * 1130.0 * time_s)
    sound = (tone + 0.05 * np.random.default_rng(9).standard_normal(48_000)).astype(np.float32)
    drum = measure_note(SourceNote(sound, 60, 100, None, None, False), None)
    assert not drum.analysis.pitched
    assert drum.residual is not None
    np.testing.assert_array_equal(drum.residual[:47_000], sound[:47_000])
    bell = measure_note(SourceNote(sound, 60, 100, None, None, None), None)
    assert bell.analysis.pitched
    assert bell.analysis.ratios is not None


def test_a_noise_burst_keeps_its_own_sound(networks: tuple[Encoder, Decoder], tmp_path: Path) -> None:
    rng = np.random.default_rng(8)
    burst = (0.5 * rng.standard_normal(24_000) * np.exp(-np.arange(24_000) / 3000.0)).astype(np.float32)
    notes = [SourceNote(burst, 60, 100, None), SourceNote(0.25 * burst, 60, 40, None)]
    instrument = build_instrument(notes, PROBE, *networks)
    soft, loud = instrument.notes
    assert not loud.pitched
    assert soft.residual is not None
    assert loud.residual is not None
    gain = loud.residual[:12_000] @ burst[:12_000] / (burst[:12_000] @ burst[:12_000])
    np.testing.assert_allclose(loud.residual[:12_000], gain * burst[:12_000], atol=float(gain) * 2.0**-13)
    np.testing.assert_allclose(soft.residual[:5_000], 0.25 * loud.residual[:5_000], atol=float(gain) * 2.0**-13)
    write_instrument(instrument, tmp_path / "x")
    np.testing.assert_array_equal(read_instrument(tmp_path / "x").notes[1].residual, loud.residual)


def test_a_release_is_found_and_a_decay_is_none() -> None:
    held = np.full(300, -20.0, np.float32)
    assert find_release(held) == 300
    held[200:] = np.maximum(-20.0 - 1.0 * np.arange(1, 101), -99.0)
    assert find_release(held) in range(200, 208)
    decay = (-20.0 - 0.3 * np.arange(300)).astype(np.float32)
    assert find_release(decay) == 300


@pytest.mark.parametrize(
    ("notes", "word"),
    [([], "no notes"), ([SourceNote(np.zeros(48_000, np.float32), 60, 100, None)], "silent")],
)
def test_nothing_to_hear_is_said(notes: list[SourceNote], word: str, networks: tuple[Encoder, Decoder]) -> None:
    with pytest.raises(TetradError, match=word):
        build_instrument(notes, PROBE, *networks)


def test_what_is_not_in_a_bell_is_not_decoded(networks: tuple[Encoder, Decoder]) -> None:
    time_s = np.arange(48_000) / SAMPLE_RATE_HZ
    modes = [np.sin(2.0 * np.pi * 440.0 * r * time_s + r) * np.exp(-time_s * r) for r in (1.0, 2.76, 5.4, 8.93)]
    bell = (0.2 * np.sum(modes, axis=0)).astype(np.float32)
    burst = (0.1 * np.random.default_rng(1).standard_normal(24_000)).astype(np.float32)
    for audio, pitch, audible in ((bell, 69, 4), (burst, 69, 0)):
        (note,) = build_instrument([SourceNote(audio, pitch, 100, None)], PROBE, *networks).notes
        rows = decode_note(note.z, note.n_frames, float(pitch), 100.0, networks[1]) + note.detail
        loudest = rows[:, :164].max()
        below_20_khz = 440.0 * (np.arange(100) + 1.0 if note.ratios is None else note.ratios) < 20_000.0
        assert int((rows[:, :100][:, below_20_khz].max(axis=0) > loudest - 60.0).sum()) == audible


def test_add_list_and_show(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("TETRAD_HOME", str(tmp_path / "home"))
    folder = tmp_path / "My Reed"
    folder.mkdir()
    soundfile.write(folder / "reed_48.wav", recording(48, sustained=True)[:, None].repeat(2, axis=1), SAMPLE_RATE_HZ)
    soundfile.write(folder / "reed-060-090.flac", recording(60, sustained=True), SAMPLE_RATE_HZ)
    assert cli.main(["instruments", "add", str(folder), "--family", "reed", "--licence", "CC0-1.0"]) == 0
    path = tmp_path / "home" / "instruments" / "my-reed.tetrad-instrument"
    assert [(n.pitch, n.velocity) for n in read_instrument(path).notes] == [(48, 100), (60, 90)]
    assert path.stat().st_size < 100_000
    capsys.readouterr()
    assert cli.main(["instruments", "list", "--json"]) == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)["instruments"]}
    assert rows["my-reed"] | {"size_bytes": 0} == {
        "name": "my-reed",
        "display_name": "My Reed",
        "shipped": False,
        "tags": [],
        "family": "reed",
        "notes": 2,
        "sustains": True,
        "licence": "CC0-1.0",
        "source": "My Reed",
        "size_bytes": 0,
    }
    assert cli.main(["instruments", "show", "my-reed", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["notes"][1]["pitch"] == 60


def test_a_damaged_instrument_does_not_hide_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TETRAD_HOME", str(tmp_path))
    (tmp_path / "instruments").mkdir()
    (tmp_path / "instruments" / "broken.tetrad-instrument").write_bytes(b"PK")
    assert cli.main(["instruments", "list", "--json"]) == 1
    out, err = capsys.readouterr()
    assert "flute" in {row["name"] for row in json.loads(out)["instruments"]}
    assert "broken" in err


@pytest.mark.parametrize(
    ("files", "word"),
    [
        ({}, "no recordings"),
        ({"flute_60.wav": b""}, "is empty"),
        ({"flute_60.wav": b"not a sound at all"}, "holds text"),
        ({"flute_60.wav": b"RIFF1234WAVE"}, "can't be read as audio"),
    ],
)
def test_bad_folders_leave_nothing_behind(
    files: dict[str, bytes], word: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, library = tmp_path / "flute", tmp_path / "library"
    folder.mkdir()
    library.mkdir()
    for name, content in files.items():
        (folder / name).write_bytes(content)
    assert cli.main(["instruments", "add", str(folder), "--library", str(library)]) == 1
    message = capsys.readouterr().err
    assert word in message
    assert message.count("\n") == 1
    assert list(library.iterdir()) == []


def test_nan_in_a_recording_is_refused(tmp_path: Path) -> None:
    audio = recording(60, sustained=True)
    audio[1000] = np.nan
    soundfile.write(tmp_path / "x_60.wav", audio, SAMPLE_RATE_HZ, subtype="FLOAT")
    with pytest.raises(TetradError, match="NaN"):
        read_note(find_folder(tmp_path).notes[0])


def test_another_sample_rate_keeps_the_pitch(tmp_path: Path, networks: tuple[Encoder, Decoder]) -> None:
    time_s = np.arange(44_100) / 44_100.0
    soundfile.write(tmp_path / "x_69.wav", 0.3 * np.sin(2.0 * np.pi * 440.0 * time_s), 44_100)
    instrument = build_instrument([read_note(n) for n in find_folder(tmp_path).notes], PROBE, *networks)
    assert abs(instrument.notes[0].tuning_cents) < 0.5


def test_nsynths_layout_is_read(tmp_path: Path) -> None:
    (tmp_path / "audio").mkdir()
    entry = {"pitch": 60, "velocity": 100, "instrument_str": "reed_acoustic_000", "instrument_family_str": "reed"}
    (tmp_path / "examples.json").write_text(json.dumps({"reed_acoustic_000-060-100": entry}))
    entries = note_set(tmp_path)["reed_acoustic_000"]
    with pytest.raises(TetradError, match="missing"):
        note_set_notes(tmp_path, entries, 3.0)
    soundfile.write(tmp_path / "audio" / "reed_acoustic_000-060-100.wav", np.zeros(16_000), 16_000)
    (note,) = note_set_notes(tmp_path, entries, 3.0)
    assert read_note(note).audio.size == 48_000
    (tmp_path / "examples.json").write_text("[]")
    with pytest.raises(TetradError, match="NSynth-style"):
        note_set(tmp_path)


FAMILIES = {"bass", "brass", "flute", "guitar", "keyboard", "mallet", "organ", "reed", "string", "vocal"}


def test_what_ships(networks: tuple[Encoder, Decoder]) -> None:
    library = Library()
    paths = library.paths()
    assert len(paths) >= 48
    found = set()
    for name, path in paths.items():
        instrument = library.load(name)
        assert instrument.name == name
        assert instrument.model_id == networks[1].model_id
        assert instrument.licence.startswith(("MIT", "CC0", "CC BY 3.0"))
        assert instrument.source.startswith(("preset ", "recordings "))
        assert instrument.author
        assert path.stat().st_size <= 400_000
        found.add(instrument.family)
    assert found >= FAMILIES | {"synth_lead", "synth_pad"}
