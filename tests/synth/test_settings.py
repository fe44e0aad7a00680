"""The player's settings file: what is kept, and what is never written over."""

import dataclasses
import tomllib
from pathlib import Path
from typing import Any

import pytest

from synth.errors import TetradError
from synth.settings import Settings, SettingsFile, read_settings, toml_text

CHOSEN = Settings('ALSA: USB "Audio"\\ 日本語 🎻', 44_100, 0, ("ALSA: Keystation 88", "JACK: a\x7fb"))


def test_what_was_chosen_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "new folder" / "settings.toml"
    file = SettingsFile(path)
    assert (file.settings, file.trouble) == (Settings(), "")
    file.change(**dataclasses.asdict(CHOSEN))
    assert read_settings(path) == CHOSEN
    file.change(midi_inputs=None, block_samples=256)
    assert SettingsFile(path).settings == dataclasses.replace(CHOSEN, midi_inputs=None, block_samples=256)
    file.change(midi_inputs=())
    assert SettingsFile(path).settings.midi_inputs == ()


def test_any_text_survives_toml() -> None:
    texts = ["".join(map(chr, range(first, first + 64))) for first in range(0, 0x300, 64)]
    tables: dict[str, dict[str, Any]] = {
        "audio": {f"t{number}": text for number, text in enumerate(texts)},
        "midi": {"on": True, "n": [1, -2]},
    }
    assert tomllib.loads(toml_text(tables)) == tables
    with pytest.raises(TetradError, match="no place"):
        toml_text({"audio": {"gain_db": 1.5}})


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[audio]\ndevise = 'x'\n", "audio.'devise' is unknown; device, sample_rate_hz, block_samples were expected"),
        ("[video]\nsize = 3\n", "'video' is unknown; the tables audio and midi were expected"),
        ("audio = 3\n", "'audio' is unknown"),
        ("[audio]\nsample_rate_hz = 48000.5\n", "audio.sample_rate_hz is 48000.5; a whole number from 8000 to 192000"),
        ("[audio]\nblock_samples = true\n", "audio.block_samples is True; a whole number from 0 to 8192"),
        ("[audio]\ndevice = ''\n", "audio.device is ''; a text was expected"),
        ("[midi]\ninputs = 'all'\n", "midi.inputs is 'all'; a list of texts was expected"),
        ("[midi]\ninputs = [1]\n", "midi.inputs is [1]; a list of texts was expected"),
        ("[audio\n", "TOML was expected"),
        ("\udcff", "TOML was expected"),
    ],
)
def test_a_broken_file_is_one_line_and_left_alone(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "settings.toml"
    path.write_bytes(text.encode(errors="surrogateescape"))
    file = SettingsFile(path)
    assert file.settings == Settings()
    assert words in file.trouble
    assert str(path) in file.trouble
    assert "\n" not in file.trouble
    with pytest.raises(TetradError, match="the choice is not kept"):
        file.change(block_samples=64)
    assert path.read_bytes() == text.encode(errors="surrogateescape")


def test_a_choice_that_means_nothing_is_refused_and_changes_nothing(tmp_path: Path) -> None:
    file = SettingsFile(tmp_path / "settings.toml")
    file.change(block_samples=64)
    with pytest.raises(TetradError, match=r"audio\.sample_rate_hz is 3"):
        file.change(sample_rate_hz=3)
    assert read_settings(file.path) == file.settings == Settings(block_samples=64)
