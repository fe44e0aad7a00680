"""What a folder has for the screen: kinds, order, names of any bytes, and folders that can't be read."""

import os
from pathlib import Path

from ui.pages.instruments import files
from ui.pages.instruments.files import Kind, is_sayable, kind_of, natural, places, read_folder, shown


def test_folders_come_first_then_files_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    for name in ("take 10.wav", "take 9.WAV", "Take 2.flac", "x.sfz", "font.SF2", "a.tetrad-instrument", "notes.txt"):
        (tmp_path / name).touch()
    for name in (".hidden.wav", ".cache", "zoo", "Bells"):
        (tmp_path / name).mkdir() if "." not in name[1:] else (tmp_path / name).touch()
    listing = read_folder(str(tmp_path))
    assert [item.name for item in listing.items] == [
        "Bells",
        "zoo",
        "a.tetrad-instrument",
        "font.SF2",
        "Take 2.flac",
        "take 9.WAV",
        "take 10.wav",
        "x.sfz",
    ]
    assert [item.kind for item in listing.items][1:4] == [Kind.FOLDER, Kind.INSTRUMENT, Kind.SOUND_FONT]
    assert listing.sounds == 3
    assert listing.trouble is None


def test_names_of_any_bytes_are_shown_and_known_as_unsayable(tmp_path: Path) -> None:
    (tmp_path / "日本語 🎻 ..x.wav").touch()
    (tmp_path / "two\nlines.wav").touch()
    with Path(os.fsdecode(bytes(tmp_path) + b"/\xff\xfe odd.wav")).open("wb"):
        pass
    items = {item.name: item for item in read_folder(str(tmp_path)).items}
    assert set(items) == {"日本語 🎻 ..x.wav", "two�lines.wav", "�� odd.wav"}
    assert not items["�� odd.wav"].sayable
    assert items["日本語 🎻 ..x.wav"].sayable
    assert Path(items["�� odd.wav"].path).exists()
    assert shown("plain.wav") == "plain.wav"
    assert not is_sayable(os.fsdecode(b"/home/\xff"))


def test_what_can_not_be_read_is_said(tmp_path: Path) -> None:
    assert read_folder(str(tmp_path / "gone")).trouble == ("instruments.unreadable", "No such file or directory")
    (tmp_path / "file.wav").touch()
    assert read_folder(str(tmp_path / "file.wav")).trouble == ("instruments.unreadable", "Not a directory")
    trouble = read_folder("a\0b").trouble
    assert trouble is not None
    assert trouble[0] == "instruments.unreadable"
    assert read_folder(str(tmp_path / "gone")).items == ()
    (tmp_path / "empty").mkdir()
    assert read_folder(str(tmp_path / "empty")).trouble == ("instruments.nothing_there", "")


def test_links_that_lead_nowhere_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "round.wav").symlink_to(tmp_path / "round.wav")
    (tmp_path / "nowhere.wav").symlink_to(tmp_path / "gone.wav")
    (tmp_path / "sound.wav").touch()
    assert [item.name for item in read_folder(str(tmp_path)).items] == ["sound.wav"]


def test_a_folder_with_too_many_files_shows_the_first(tmp_path: Path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr(files, "MOST_ENTRIES", 5)
    for number in range(7):
        (tmp_path / f"{number}.wav").touch()
    listing = read_folder(str(tmp_path))
    assert len(listing.items) == 5
    assert listing.trouble == ("instruments.too_many_files", "5")


def test_places_are_home_music_and_what_is_plugged_in(tmp_path: Path) -> None:
    assert [place.key for place in places(tmp_path, ())] == ["instruments.home"]
    (tmp_path / "Music").mkdir()
    (tmp_path / "media" / "STICK").mkdir(parents=True)  # nothing is mounted there
    found = places(tmp_path, (str(tmp_path / "media"), str(tmp_path / "none")))
    assert [(place.key, place.path) for place in found] == [
        ("instruments.home", str(tmp_path)),
        ("instruments.music", str(tmp_path / "Music")),
    ]
    assert [place.name for place in places(tmp_path, ("/",)) if place.path == "/proc"] == ["proc"]


def test_kinds_and_order() -> None:
    assert [kind_of(name) for name in ("a.Mp3", "b.sf3", "c", "d.wav.txt")] == [Kind.SOUND, Kind.SOUND_FONT, None, None]
    assert sorted(["b1", "10", "9", "b", "²"], key=natural) == ["9", "10", "b", "b1", "²"]
