"""The trash: what goes in comes out, with what belongs to it; the oldest go when there is too much."""

from pathlib import Path

import pytest

from synth.errors import TetradError
from synth.trash import Trash, Why


def make_pair(folder: Path, name: str, content: str = "sound") -> Path:
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.png").write_text(f"picture of {content}")
    (folder / f"{name}.note").write_text(content)
    return folder / f"{name}.note"


@pytest.fixture
def trash(tmp_path: Path) -> Trash:
    return Trash(tmp_path / "trash", ".note", (".png",))


def test_a_file_comes_back_with_its_companion(trash: Trash, tmp_path: Path) -> None:
    path = make_pair(tmp_path / "library", "a-b")
    trash.take(path, "a-b")
    assert list(path.parent.iterdir()) == []
    (file,) = trash.files()
    assert (file.order, file.why, file.label) == (1, Why.REMOVED, "a-b")
    trash.give_back(file, path)
    assert path.read_text() == "sound"
    assert path.with_name("a-b.png").read_text() == "picture of sound"
    assert list(trash.folder.iterdir()) == []


def test_a_copy_survives_that_its_original_is_replaced(trash: Trash, tmp_path: Path) -> None:
    path = make_pair(tmp_path / "library", "x", "old")
    trash.keep_copy(path, "x")
    make_pair(tmp_path / "new", "x", "new").replace(path)
    (file,) = trash.files()
    assert file.why is Why.REPLACED
    assert file.path.read_text() == "old"
    assert path.read_text() == "new"


def test_what_has_no_companion_goes_alone_and_what_is_missing_is_named(trash: Trash, tmp_path: Path) -> None:
    path = make_pair(tmp_path / "library", "x")
    path.with_name("x.png").unlink()
    trash.take(path, "x")
    assert [file.name for file in trash.folder.iterdir()] == ["000001-removed-x.note"]
    with pytest.raises(TetradError, match="cannot move"):
        trash.take(path, "x")
    with pytest.raises(TetradError, match="cannot copy"):
        trash.keep_copy(path, "x")


def test_the_oldest_go_with_their_companions(trash: Trash, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("synth.trash.MOST_FILES", 2)
    for name in ("first", "second", "third"):
        trash.take(make_pair(tmp_path / "library", name), name)
    assert [file.label for file in trash.files()] == ["second", "third"]
    assert len(list(trash.folder.iterdir())) == 4
