"""Sound font files, whole and broken."""

import pytest

from models.dataset import soundfont
from models.dataset.soundfont import Preset, default_font_paths, read_sound_font
from synth.errors import TetradError


def test_presets_and_texts(font_path):
    font = read_sound_font(font_path)
    assert font.presets[0] == Preset(0, 11, "Vibes")
    assert font.presets[-1] == Preset(128, 0, "Standard Kit")
    assert len(font.presets) == 7
    assert (font.key, font.title, font.origin, font.package) == ("test_tones", "Test tones", "Nobody", "")
    assert len(font.sha256) == 64


def test_a_link_is_the_file_it_names(font_path, tmp_path):
    link = tmp_path / "link.sf2"
    link.symlink_to(font_path)
    assert read_sound_font(link) == read_sound_font(font_path)


def _refusal(path):
    with pytest.raises(TetradError) as caught:
        read_sound_font(path)
    return str(caught.value)


def test_a_missing_font_names_the_package(tmp_path):
    assert "fluid-soundfont-gm" in _refusal(tmp_path / "none.sf2")


def test_an_empty_file(tmp_path):
    (tmp_path / "empty.sf2").touch()
    assert "is empty" in _refusal(tmp_path / "empty.sf2")


def test_another_format(tmp_path):
    (tmp_path / "voice.sf2").write_bytes(b"RIFF\x24\0\0\0WAVEfmt " + bytes(32))
    assert "sfbk" in _refusal(tmp_path / "voice.sf2")


def test_a_directory(tmp_path):
    assert "cannot read" in _refusal(tmp_path)


@pytest.mark.parametrize("kept", [0.05, 0.5, 0.999])
def test_a_truncated_font_counts_its_bytes(font_path, tmp_path, kept):
    data = font_path.read_bytes()
    short = tmp_path / "short.sf2"
    short.write_bytes(data[: int(len(data) * kept)])
    assert f"ends after {int(len(data) * kept)} of {len(data)} bytes" in _refusal(short)


def test_every_damaged_length_is_refused_or_read(font_path, tmp_path):
    """A wrong chunk length must end in a TetradError, whichever chunk it is in."""
    data = font_path.read_bytes()
    bad = tmp_path / "bad.sf2"
    refused = 0
    for name in (b"LIST", b"ifil", b"INAM", b"phdr", b"pbag", b"shdr"):
        at = data.index(name) + 4
        bad.write_bytes(data[:at] + b"\xff\xff\xff\x7f" + data[at + 4 :])
        with pytest.raises(TetradError, match=r"claims|preset"):
            read_sound_font(bad)
        refused += 1
    assert refused == 6


def test_a_font_without_presets(font_path, tmp_path):
    data = font_path.read_bytes().replace(b"phdr", b"xhdr")
    (tmp_path / "no.sf2").write_bytes(data)
    assert "preset list has 0 bytes" in _refusal(tmp_path / "no.sf2")


def test_missing_default_fonts_say_what_to_install(monkeypatch):
    absent = soundfont.KnownFont("k", "some-package", ("/nowhere/font.sf2",), "t", "l", "o")
    monkeypatch.setattr(soundfont, "KNOWN_FONTS", (absent,))
    with pytest.raises(TetradError, match="apt-get install some-package"):
        default_font_paths()
