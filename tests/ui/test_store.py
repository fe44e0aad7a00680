"""What the screen remembers: kept at once, and a file that is not understood is left as it is."""

from pathlib import Path

import pytest

from synth.errors import TetradError
from ui import store as store_module
from ui.store import Kept, Store


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "ui.toml"


def test_the_first_start_has_defaults_and_no_complaint(path: Path) -> None:
    store = Store(path)
    assert store.kept == Kept()
    assert store.trouble == ""
    assert not path.exists()


def test_every_change_is_there_at_the_next_start(path: Path) -> None:
    Store(path).change(theme="studio", strip_key=36)
    Store(path).change(latch=True, locked=True, key_strip=False)
    again = Store(path)
    assert again.kept == Kept(theme="studio", strip_key=36, latch=True, locked=True, key_strip=False)
    assert again.trouble == ""


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b'theme = "neon"\n', "neon"),
        (b'theme = ["stage"]\n', "theme"),
        (b"strip_key = 128\n", "strip_key"),
        (b"strip_key = true\n", "strip_key"),
        (b"latch = 1\n", "latch"),
        (b"volume = 11\n", "volume"),
        (b"theme = \n", "line 1"),
        (b"\xff\xfe\x00", "ui.toml"),
    ],
)
def test_a_file_that_is_not_understood_is_named_and_left_alone(path: Path, content: bytes, words: str) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    store = Store(path)
    assert store.kept == Kept()
    assert words in store.trouble
    assert str(path) in store.trouble
    store.change(theme="studio")
    assert store.kept.theme == "studio"  # for this time
    assert path.read_bytes() == content


def test_a_folder_in_its_place_is_named(path: Path) -> None:
    path.mkdir(parents=True)
    assert str(path) in Store(path).trouble


def test_a_wrong_value_changes_nothing(path: Path) -> None:
    store = Store(path)
    store.change(theme="contrast")
    with pytest.raises(TetradError, match="neon"):
        store.change(theme="neon")
    assert store.kept.theme == "contrast"
    assert Store(path).kept.theme == "contrast"


def test_a_write_that_fails_leaves_the_old_file_whole(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Store(path).change(theme="studio")
    before = path.read_bytes()

    def fail(*_: object) -> None:
        raise TetradError("no space left on the disk")

    monkeypatch.setattr(store_module, "atomic_write_bytes", fail)
    with pytest.raises(TetradError, match="no space"):
        Store(path).change(theme="contrast")
    assert path.read_bytes() == before
    assert [entry.name for entry in path.parent.iterdir()] == ["ui.toml"]
