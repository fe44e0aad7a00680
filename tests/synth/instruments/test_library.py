"""The player's library: names, tags, the trash, export; and what is left when its files are damaged."""

import json
import multiprocessing
from pathlib import Path

import pytest

from synth.errors import TetradError
from synth.instruments.catalogue import Catalogue
from synth.instruments.format import SUFFIX, read_instrument
from synth.instruments.labels import FILE_NAME, Label, change_label, read_labels
from synth.instruments.library import Library, check_name, is_name, name_from
from tests.synth.instruments.library_parts import own_library, put


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return own_library(tmp_path)


def shown(library: Library, name: str) -> tuple[str, tuple[str, ...], bool]:
    entry = next(entry for entry in Catalogue(library).entries() if entry.name == name)
    return entry.display_name, entry.tags, entry.favourite


def test_renaming_changes_what_is_shown_and_not_the_name_that_patches_know(library: Library) -> None:
    path = put(library, "mine")
    before = path.read_bytes()
    library.rename("mine", "  Grandmother's   Piano ")
    library.tag("mine", ("family", "old  piano", "family"))
    library.favour("mine", favourite=True)
    assert shown(library, "mine") == ("Grandmother's Piano", ("family", "old piano"), True)
    assert path.read_bytes() == before
    assert library.load("mine").name == "mine"


def test_a_shipped_instrument_can_be_renamed_and_tagged_but_not_removed(library: Library) -> None:
    shipped = library.path("flute").read_bytes()
    library.rename("flute", "Traverso")
    library.tag("flute", ("baroque",))
    assert shown(library, "flute")[:2] == ("Traverso", ("baroque",))
    assert library.path("flute").read_bytes() == shipped
    with pytest.raises(TetradError, match="comes with Tetrad"):
        library.remove("flute")
    with pytest.raises(TetradError, match="did you mean"):
        library.rename("flut", "Traverso")


@pytest.mark.parametrize("tags", [("",), ("x" * 41,), tuple(map(str, range(17)))])
def test_tags_that_can_not_be_are_refused(library: Library, tags: tuple[str, ...]) -> None:
    with pytest.raises(TetradError, match="at most 16 of 1 to 40 characters"):
        library.tag("flute", tags)
    assert not (library.own_folder / FILE_NAME).exists()


def test_what_was_removed_comes_back_with_its_picture_and_its_label(library: Library) -> None:
    path = put(library, "mine", picture=True)
    library.rename("mine", "Ours")
    content = path.read_bytes()
    library.remove("mine")
    assert "mine" not in library.names()
    assert library.restore() == "mine"
    assert path.read_bytes() == content
    assert library.picture("mine") == path.with_name("mine.png")
    assert shown(library, "mine")[0] == "Ours"
    with pytest.raises(TetradError, match="nothing was removed"):
        library.restore()
    with pytest.raises(TetradError, match="no instrument 'never' in the trash"):
        library.restore("never")


def test_restoring_keeps_what_has_the_name_by_now(library: Library) -> None:
    put(library, "mine", "First")
    library.remove("mine")
    put(library, "mine", "Second")
    library.restore("mine")
    assert library.load("mine").display_name == "First"
    library.restore("mine")
    assert library.load("mine").display_name == "Second"


def test_an_instrument_in_the_place_of_a_shipped_one_gives_the_place_back(library: Library) -> None:
    put(library, "flute", "My flute")
    assert shown(library, "flute")[0] == "My flute"
    library.remove("flute")
    assert shown(library, "flute")[0] == "Flute"


def test_export_is_one_file_with_what_the_player_calls_it(library: Library, tmp_path: Path) -> None:
    put(library, "mine")
    library.rename("mine", "Ours")
    path = library.export("mine", tmp_path)
    assert path == tmp_path / f"mine{SUFFIX}"
    assert read_instrument(path).display_name == "Ours"
    with pytest.raises(TetradError, match="exists"):
        library.export("mine", tmp_path)
    with pytest.raises(TetradError, match=f"ends in {SUFFIX}"):
        library.export("mine", tmp_path / "mine.wav")


def test_search_finds_words_tags_and_families(library: Library) -> None:
    put(library, "mine", "Glass Voice")
    library.tag("mine", ("Night", "choir"))
    entries = Catalogue(library).entries()

    def found(*wanted: str) -> list[str]:
        return [entry.name for entry in entries if entry.has(*wanted)]

    assert found("glass NIGHT") == ["mine"]
    assert found("player", "night") == ["mine"]
    assert found("", "nigh") == []
    assert "flute" in found("", "", "flute")
    assert found("glass day") == []
    assert len(found()) == len(library.names())


def test_a_catalogue_sees_a_label_change_at_once_and_a_removed_instrument_is_no_family_any_more(
    library: Library,
) -> None:
    put(library, "mine")
    catalogue = Catalogue(library)
    catalogue.entries()
    library.rename("mine", "Ours")
    library.remove("mine")
    assert "mine" not in [entry.name for entry in catalogue.entries()]
    assert "mine" not in catalogue.families()
    assert catalogue.get("mine").display_name == "Mine"  # it may sound still


DAMAGED = [
    b"",
    b"{",
    b"\xff\xfe",
    b"[]",
    b'{"format": "tetrad-library", "version": 2, "instruments": {}}',
    b'{"format": "tetrad-library", "version": 1, "instruments": {"a": {"colour": "red"}}}',
    b'{"format": "tetrad-library", "version": 1, "instruments": {"a": {"tags": [1]}}}',
    b'{"format": "tetrad-library", "version": 1, "instruments": {"a": {"tags": "x"}}}',
    b'{"format": "tetrad-library", "version": 1, "instruments": {"a": {"display_name": 7}}}',
    b'{"format": "tetrad-library", "version": 1, "instruments": {"a": {"favourite": "yes"}}}',
    b'{"format": "tetrad-library", "version": 1, "instruments": {"a": []}}',
    b'{"format": "tetrad-library", "version": 1, "instruments": [], "more": 1}',
    b"[" * 100_000,
]


@pytest.mark.parametrize("content", DAMAGED, ids=range(len(DAMAGED)))
def test_a_damaged_label_file_is_said_and_set_aside_at_the_next_change(library: Library, content: bytes) -> None:
    path = put(library, "mine").parent / FILE_NAME
    path.write_bytes(content)
    with pytest.raises(TetradError) as error:
        read_labels(library.own_folder)
    assert "\n" not in str(error.value)
    catalogue = Catalogue(library)
    assert "mine" in [entry.name for entry in catalogue.entries()]
    assert len(catalogue.damaged) == 1
    library.rename("mine", "Ours")
    assert shown(library, "mine")[0] == "Ours"
    assert any(other.read_bytes() == content for other in library.own_folder.glob(".library.damaged*"))


def _rename_often(folder: Path, name: str) -> None:
    for number in range(20):
        change_label(folder, name, display_name=f"{name} {number}")


def test_processes_that_change_labels_at_once_lose_none(tmp_path: Path) -> None:
    names = [f"i{number}" for number in range(4)]
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_rename_often, args=(tmp_path, name)) for name in names]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
        assert worker.exitcode == 0
    assert read_labels(tmp_path) == {name: Label(display_name=f"{name} 19") for name in names}
    assert set(json.loads((tmp_path / FILE_NAME).read_bytes())) == {"format", "version", "instruments"}


def test_names_are_made_of_any_text() -> None:
    assert name_from("Opa's Piano (1)") == "opa-s-piano-1"
    assert name_from("Für Élise") == "fur-elise"
    assert name_from("日本語") == "instrument"
    assert len(name_from("x" * 300)) == 48
    for text in ("Opa's Piano", "../../etc/passwd", "-", "\0", "a" * 47 + "-b", ".hidden"):
        assert is_name(name_from(text))
    for name in ("", "Mine", "../x", "a/b", "-a", "a" * 49, "a\n", ".a"):
        with pytest.raises(TetradError, match="can't be used"):
            check_name(name)


def test_a_taken_name_gets_a_number(library: Library) -> None:
    put(library, "mine")
    put(library, "mine-2")
    assert library.free_name("mine") == "mine-3"
    assert library.free_name("flute") == "flute-2"
    assert library.free_name("other") == "other"
