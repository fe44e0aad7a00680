"""The folder of paths: what is given away, what counts as missing, what is said."""

from pathlib import Path

import pytest

from synth.errors import TetradError
from synth.grid.pair_file import Identity
from synth.grid.store import MOST_KEPT, GridStore
from tests.synth.grid.grid_parts import pair_path

IDS = ("cello", "flute", "id of cello", "id of flute")
TURNED = ("flute", "cello", "id of flute", "id of cello")


def test_a_path_is_found_in_either_order(tmp_path: Path) -> None:
    store = GridStore(tmp_path / "grid")
    assert store.find(*IDS, "model") is None
    store.write(pair_path())
    for ends in (IDS, TURNED):
        path = store.find(*ends, "model")
        assert path is not None
        assert (path.first, path.second) == ("cello", "flute")
    assert store.find("cello", "cello", "id of cello", "id of cello", "model") is None
    assert store.take_remarks() == []


def test_paths_lie_among_the_players_own_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TETRAD_HOME", str(tmp_path))
    GridStore().write(pair_path())
    assert (tmp_path / "grid" / "cello+flute.tetrad-pair").is_file()


def test_a_path_of_another_sound_is_missing(tmp_path: Path) -> None:
    store = GridStore(tmp_path)
    store.write(pair_path())
    assert store.find("cello", "flute", "id of cello", "another flute", "model") is None
    assert store.find("cello", "flute", "id of flute", "id of cello", "model") is None
    assert store.take_remarks() == []


def test_a_path_of_another_network_is_refused_and_said_once(tmp_path: Path) -> None:
    store = GridStore(tmp_path)
    store.write(pair_path(model_id="old-net"))
    assert store.find(*IDS, "new-net") is None
    assert store.find(*TURNED, "new-net") is None
    (remark,) = store.take_remarks()
    assert "old-net" in remark
    assert "new-net" in remark
    assert "tetrad grid build --rebuild" in remark
    store.find(*IDS, "new-net")
    assert store.take_remarks() == []


def test_a_damaged_file_is_missing_and_said_once(tmp_path: Path) -> None:
    store = GridStore(tmp_path)
    store.write(pair_path())
    file = store.path_of("flute", "cello")
    file.write_bytes(file.read_bytes()[:-5])
    assert store.find(*IDS, "model") is None
    assert store.find(*IDS, "model") is None
    (remark,) = store.take_remarks()
    assert file.name in remark
    assert "\n" not in remark
    store.write(pair_path())
    assert store.find(*IDS, "model") is not None


def test_a_path_that_was_replaced_is_read_anew(tmp_path: Path) -> None:
    store, other = GridStore(tmp_path), GridStore(tmp_path)
    store.write(pair_path(n_notes=2))
    first = store.find(*IDS, "model")
    assert first is not None
    assert store.find(*IDS, "model") is first
    other.write(pair_path(n_notes=3))
    second = store.find(*IDS, "model")
    assert second is not None
    assert len(second.notes) == 3


def test_memory_is_bounded(tmp_path: Path) -> None:
    store = GridStore(tmp_path)
    names = [f"voice-{i:03d}" for i in range(MOST_KEPT + 6)]
    for name in names:
        store.write(pair_path("cello", name, n_notes=1))
    for name in names:
        assert store.find("cello", name, "id of cello", f"id of {name}", "model") is not None
    assert len(store._kept) == MOST_KEPT


def test_only_what_is_missing_is_to_be_built(tmp_path: Path) -> None:
    store = GridStore(tmp_path)
    who = {name: Identity(name, f"id of {name}", "model") for name in ("oboe", "cello", "flute")}
    assert store.missing(who.values()) == [
        (who["cello"], who["flute"]),
        (who["cello"], who["oboe"]),
        (who["flute"], who["oboe"]),
    ]
    store.write(pair_path("cello", "flute"))
    store.write(pair_path("flute", "oboe"))
    assert store.missing(who.values()) == [(who["cello"], who["oboe"])]
    changed = who["oboe"]._replace(sound_id="recorded again")
    assert store.missing([who["cello"], who["flute"], changed]) == [(who["cello"], changed), (who["flute"], changed)]
    assert store.missing([who["cello"], Identity("harp", "id of harp", "another")]) == []


def test_a_summary_counts_what_can_be_used(tmp_path: Path) -> None:
    store = GridStore(tmp_path / "grid")
    assert store.summary() == (0, 0, 0, 0, {}, ())
    size = store.write(pair_path("cello", "flute")) + store.write(pair_path("cello", "oboe", 3, "other"))
    store.path_of("flute", "oboe").write_bytes(b"nothing")
    summary = store.summary()
    assert summary[:5] == (2, size, 7, 3, {"model": 1, "other": 1})
    (problem,) = summary.problems
    assert "flute+oboe" in problem
    assert store.names() == [("cello", "flute"), ("cello", "oboe"), ("flute", "oboe")]


def test_a_folder_that_cannot_be_made_is_said_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "grid").write_text("a file")
    with pytest.raises(TetradError, match="a folder for the grid was expected"):
        GridStore(tmp_path / "grid").write(pair_path())
