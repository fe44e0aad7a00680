"""Sound fonts: what their tables say, what FluidSynth plays, and what a damaged one may not do."""

import itertools
from pathlib import Path

import numpy as np
import pytest

from synth.errors import TetradError
from synth.instruments import soundfont_renderer
from synth.instruments.soundfont import MOST_LAYERS, WIDEST_STEP, find_preset
from synth.instruments.soundfont_renderer import HELD_S, RATE_HZ, PresetPlayer
from synth.instruments.soundfont_table import read_sound_font
from tests.synth.instruments.make_sound_font import MadeZone, write_sound_font

LAYERED = [
    MadeZone((40, 60), 50, (0, 60), 0.1),
    MadeZone((40, 60), 50, (61, 127), 0.8),
    MadeZone((61, 79), 70),
]


@pytest.fixture
def font(tmp_path: Path) -> Path:
    presets = {
        ("Reed Organ", 0, 20): LAYERED,
        ("Pipe Organ", 0, 19): [MadeZone((0, 127), 60)],
        ("Kit", 128, 0): [MadeZone((key, key), 60) for key in (35, 36, 38, 42, 49)],
    }
    return write_sound_font(tmp_path / "made.sf2", presets, "Public domain")


def _pitch(audio: np.ndarray) -> float:
    """MIDI pitch of the strongest partial of the second from 0.5 s: bins of 1 Hz, a parabola through three."""
    magnitudes = np.log(np.abs(np.fft.rfft(audio[RATE_HZ // 2 : RATE_HZ // 2 + RATE_HZ] * np.hanning(RATE_HZ))) + 1e-9)
    peak = int(np.argmax(magnitudes))
    left, middle, right = magnitudes[peak - 1 : peak + 2]
    return 69.0 + 12.0 * np.log2((peak + 0.5 * (left - right) / (left - 2.0 * middle + right)) / 440.0)


def test_keys_and_layers_of_a_preset(font: Path) -> None:
    found = find_preset(font, "reed organ")
    assert (found.name, found.licence, found.origin) == (
        "Reed Organ",
        "Public domain",
        "made.sf2, preset 0:20 Reed Organ",
    )
    keys = sorted({note.pitch for note in found.notes if note.pitch is not None})
    assert keys[0] == 46  # four below the lowest sampled key, though the preset goes down to 40
    assert keys[-1] == 74
    assert {b - a for a, b in itertools.pairwise(keys)} <= {3, WIDEST_STEP}
    assert [note.velocity for note in found.notes if note.pitch == keys[0]] == [30, 94]
    assert [note.velocity for note in found.notes if note.pitch == keys[-1]] == [100]


def test_every_key_of_a_drum_kit(font: Path) -> None:
    assert [note.pitch for note in find_preset(font, "128:0").notes] == [35, 36, 38, 42, 49]


def test_layers_are_at_most_four(tmp_path: Path) -> None:
    zones = [MadeZone((60, 60), 60, (8 * n, 8 * n + 7)) for n in range(16)]
    path = write_sound_font(tmp_path / "one.sf2", {("Only", 0, 0): zones})
    assert len(find_preset(path).notes) == MOST_LAYERS


def test_notes_are_played_in_tune_for_three_seconds_and_their_layers_differ(font: Path) -> None:
    found = find_preset(font, "0:20")
    loud = {}
    for note in found.notes[:4]:
        audio = note.read()
        assert audio.rate_hz == RATE_HZ
        assert audio.samples.dtype == np.float32
        assert audio.samples.shape[1] == 2
        assert HELD_S * RATE_HZ <= len(audio.samples) <= (HELD_S + 2.0) * RATE_HZ
        assert note.pitch is not None
        assert _pitch(audio.samples[:, 0]) == pytest.approx(note.pitch, abs=0.05)
        held, released = audio.samples[RATE_HZ : int(HELD_S * RATE_HZ)], audio.samples[int((HELD_S + 0.1) * RATE_HZ) :]
        loud[note.pitch, note.velocity] = float(np.abs(held).max())
        assert len(released) == 0 or np.abs(released).max() < 0.05 * np.abs(held).max()
    assert loud[46, 94] > 8.0 * loud[46, 30]  # the sample is 8 times as loud, and the velocity adds to it


def test_notes_do_not_depend_on_what_was_played_before(font: Path) -> None:
    first, *_, last = find_preset(font, "0:20").notes
    once = first.read().samples
    last.read()
    # A late start would change every sample; a voice that was used before differs by 0.0004 in its first 64.
    again = first.read().samples
    np.testing.assert_allclose(again[:64], once[:64], atol=1e-3)
    np.testing.assert_array_equal(again[64 : 2 * RATE_HZ], once[64 : 2 * RATE_HZ])


@pytest.mark.parametrize(
    ("wanted", "what"),
    [
        (None, r"has 3 presets; name one by --preset: 0:19 Pipe Organ, 0:20 Reed Organ, 128:0 Kit"),
        ("organ", r"2 presets like 'organ': 0:19 Pipe Organ, 0:20 Reed Organ"),
        ("Pype Organ", r"no preset 'Pype Organ'; it has 0:19 Pipe Organ"),
        ("0:99", r"no preset '0:99'"),
        ("", r"no preset ''"),
    ],
)
def test_a_preset_that_is_not_meant_clearly_is_asked_for(font: Path, wanted: str | None, what: str) -> None:
    with pytest.raises(TetradError, match=what):
        find_preset(font, wanted)


def test_a_name_in_part_or_a_number_is_enough(font: Path) -> None:
    assert find_preset(font, "kit").name == find_preset(font, "128:0").name == "Kit"
    assert find_preset(font, "PIPE").name == "Pipe Organ"


@pytest.mark.parametrize("size", [0, 4, 11, 12, 40, 300, 900])
def test_what_breaks_off_is_said(font: Path, size: int) -> None:
    font.write_bytes(font.read_bytes()[:size])
    with pytest.raises(TetradError, match=r"sound font|breaks off"):
        find_preset(font, "kit")


def test_a_font_without_its_samples_is_said_when_it_is_read(font: Path) -> None:
    data = font.read_bytes()
    at = data.index(b"sdta") - 8
    end = at + 8 + int.from_bytes(data[at + 4 : at + 8], "little")
    font.write_bytes(data[:4] + (len(data) - 8 - end + at).to_bytes(4, "little") + data[8:at] + data[end:])
    with pytest.raises(TetradError, match=r"FluidSynth can't load it|is silent|gave up"):
        find_preset(font, "kit").notes[0].read()


def test_fluidsynth_missing_is_said(font: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "fluidsynth.py").write_text("raise ImportError('no library')")
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}:{Path.cwd()}")
    with pytest.raises(TetradError, match="install the package libfluidsynth3"):
        find_preset(font, "kit").notes[0].read()


def test_a_player_that_hangs_is_ended_and_said(font: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "fluidsynth.py").write_text("import time\ntime.sleep(600)")
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}:{Path.cwd()}")
    monkeypatch.setattr(soundfont_renderer, "LONGEST_WAIT_S", 0.5)
    player = PresetPlayer(font, 128, 0)
    process = player._running()
    with pytest.raises(TetradError, match="no answer within"):
        player.render(36, 100)
    assert process.returncode is not None


def test_a_player_that_dies_is_said_and_the_next_note_has_another(font: Path) -> None:
    player = PresetPlayer(font, 128, 0)
    assert len(player.render(36, 100).samples)
    process = player._process
    assert process is not None
    process.kill()
    with pytest.raises(TetradError, match="gave up on its note 36"):
        player.render(36, 100)
    assert len(player.render(36, 100).samples)
    player.close()
    assert process.returncode is not None


def test_the_process_ends_with_its_notes(font: Path) -> None:
    found = find_preset(font, "kit")
    player = found.notes[0].read.func.__self__  # type: ignore[attr-defined]
    found.notes[0].read()
    process = player._process
    assert process.poll() is None
    del found, player
    assert process.poll() is not None


def test_mutated_fonts_end_in_words_or_notes(font: Path) -> None:
    """The tables, in this process; what FluidSynth makes of such files is its process's fate, tried by a few below."""
    whole = font.read_bytes()
    tables = whole.index(b"pdta")
    random = np.random.default_rng(7)
    outcomes = {"notes": 0, "words": 0}
    for _ in range(1000):
        font.write_bytes(_mutated(whole, tables, random))
        try:
            for preset in read_sound_font(font).presets[:4]:
                notes = find_preset(font, f"{preset.bank}:{preset.program}").notes
                assert 0 < len(notes) <= 512
                assert all(
                    note.pitch is not None and 0 <= note.pitch <= 127 and 1 <= note.velocity <= 127 for note in notes
                )
            outcomes["notes"] += 1
        except TetradError:
            outcomes["words"] += 1
    assert min(outcomes.values()) > 100


@pytest.mark.slow
def test_mutated_fonts_are_played_or_refused(font: Path) -> None:
    whole = font.read_bytes()
    random = np.random.default_rng(8)
    tried = 0
    for _ in range(20):
        font.write_bytes(_mutated(whole, whole.index(b"pdta"), random))
        try:
            audio = find_preset(font, "128:0").notes[0].read()
        except TetradError:
            continue
        finally:
            tried += 1
        assert np.isfinite(audio.samples).all()
    assert tried == 20


def _mutated(whole: bytes, tables: int, random: np.random.Generator) -> bytes:
    data = bytearray(whole)
    for _ in range(int(random.integers(1, 8))):
        at = int(random.integers(tables if random.random() < 0.8 else 0, len(data)))
        kind = int(random.integers(8))
        if kind == 0:
            del data[at : at + int(random.integers(1, 60))]
        elif kind == 1:
            data[at : at + 2] = int(random.integers(65536)).to_bytes(2, "little")
        else:
            data[at] = int(random.integers(256))
    return bytes(data)
