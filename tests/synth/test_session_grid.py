"""Paths between instruments beside a playing engine: looked up, computed by a real worker, refused, switched off."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from synth.control.corners import Corner
from synth.control.status import NOTICE_NAMES, problems
from synth.grid.pair_file import SUFFIX
from synth.grid.pair_path import N_WARP, PairPath, straight
from synth.grid.store import GridStore
from synth.grid.surface_pairs import Pair
from synth.instruments.library import Library
from synth.voices.decoder import Decoder
from tests.listening import wait_until
from tests.synth.test_session import Player

LATEST = np.concatenate([np.zeros(N_WARP - 1), [1.0]]).astype(np.float32)
"""A warp that stays at the first instrument nearly all the way."""


@pytest.fixture(scope="module")
def decoder() -> Decoder:
    return Decoder()


@pytest.fixture
def store(tmp_path: Path) -> GridStore:
    return GridStore(tmp_path / "grid")


@pytest.fixture
def begin(tmp_path: Path, decoder: Decoder, store: GridStore) -> Iterator[Callable[..., Player]]:
    players: list[Player] = []

    def begin(*, refine: bool = False) -> Player:
        players.append(Player(tmp_path, decoder, grid=store, refine=refine))
        return players[-1]

    yield begin
    for player in players:
        player.session.close()


def path_between(one: str, other: str, model_id: str) -> PairPath:
    """A path that nobody would compute, and everybody hears."""
    first, second = (Library().load(name) for name in sorted((one, other)))
    note = straight(60, 100)._replace(warp=LATEST)
    return PairPath(first.name, second.name, first.sound_id, second.sound_id, model_id, (note,))


def grid(player: Player) -> dict[str, Any]:
    status = player.status()
    assert problems(status) == []
    return dict(status["grid"])


def waiting(player: Player) -> tuple[Pair, ...]:
    refiner = player.session.grid.refiner
    assert refiner is not None
    return refiner.waiting()


def corners(player: Player, *names: str) -> None:
    for corner, name in zip(Corner, names, strict=True):
        player.do("corner", corner=corner.name.lower(), instrument=name)


def middle(player: Player) -> "np.ndarray[Any, Any]":
    """What a note in the middle of the north edge sounds like, float32 [n, 2]."""
    player.do("point", x=0.5, y=1.0)
    player.play(0.5)
    player.do("note_on", key=60)
    sound = player.play(0.5)
    player.do("note_off", key=60)
    player.play(2.0)
    return sound


def distance(one: "np.ndarray[Any, Any]", other: "np.ndarray[Any, Any]") -> float:
    """Relative difference of the spectra."""
    spectra = [np.abs(np.fft.rfft(sound[:, 0] * np.hanning(len(sound)))) for sound in (one, other)]
    return float(np.linalg.norm(spectra[0] - spectra[1]) / np.linalg.norm(spectra[0]))


def test_a_path_that_is_there_sounds_when_its_instruments_are_in_their_corners(
    begin: Callable[..., Player], store: GridStore, decoder: Decoder
) -> None:
    store.write(path_between("flute", "clarinet", decoder.model_id))
    player = begin()
    assert grid(player)["refining"] is False
    corners(player, "flute", "choir", "flute", "choir")
    wait_until(lambda: waiting(player)[:1] and waiting(player)[0][:2] == ("choir", "flute"), "the look")
    assert (grid(player)["pairs"], grid(player)["known"]) == (1, 0)
    corners(player, "flute", "clarinet", "flute", "clarinet")
    wait_until(lambda: grid(player)["known"] == 1, "the path")
    assert grid(player)["pairs"] == 1
    uneven = middle(player)
    player.do("set", parameter="evenness", value=0.0)
    plain = middle(player)
    player.do("set", parameter="evenness", value=1.0)
    again = middle(player)
    player.do("corner", corner="ne", instrument="clarinet")
    player.do("corner", corner="nw", instrument="clarinet")  # the end that the path stays at
    player.do("corner", corner="ne", instrument="flute")
    turned = middle(player)
    assert distance(uneven, plain) > 0.1
    assert distance(uneven, again) < 0.3 * distance(uneven, plain)
    assert distance(uneven, turned) < 0.3 * distance(uneven, plain)


def test_instruments_side_by_side_and_silence_need_no_path(begin: Callable[..., Player]) -> None:
    player = begin()
    corners(player, "flute", "flute", "flute", "flute")
    assert grid(player) == {"pairs": 0, "known": 0, "refining": False, "waiting": grid(player)["waiting"]}


def test_a_path_of_another_network_is_said_once_and_neither_used_nor_replaced(
    begin: Callable[..., Player], store: GridStore
) -> None:
    store.write(path_between("flute", "clarinet", "0123456789abcdef"))
    file = store.path_of("clarinet", "flute")
    before = file.read_bytes()
    player = begin()
    said: list[str] = []
    player.session.grid.say = said.append
    for _ in range(2):
        corners(player, "flute", "clarinet", "flute", "clarinet")
        wait_until(lambda: said, "its words")
        corners(player, "flute", "choir", "flute", "choir")
    player.session.loader.run(lambda: said.append("looked"))
    wait_until(lambda: "looked" in said, "the last look")
    about = [words for words in said if "clarinet to flute" in words]
    assert len(about) == 1
    assert "0123456789abcdef" in about[0]
    assert player.engine.model_id in about[0]
    assert "tetrad grid build --rebuild" in about[0]
    assert ("warning", {"words": about[0]}) in player.notices
    assert file.read_bytes() == before
    assert all(pair.first != "clarinet" or pair.second != "flute" for pair in waiting(player))


def test_a_damaged_path_is_said_and_computed_again(begin: Callable[..., Player], store: GridStore) -> None:
    store.folder.mkdir()
    store.path_of("clarinet", "flute").write_bytes(b"no path")
    player = begin()
    said: list[str] = []
    player.session.grid.say = said.append
    corners(player, "flute", "clarinet", "flute", "clarinet")
    wait_until(lambda: any(pair[:2] == ("clarinet", "flute") for pair in waiting(player)), "the pair")
    assert len(said) == 1
    assert f"clarinet+flute{SUFFIX}" in said[0]


def test_the_engine_holds_a_bounded_number_of_paths(
    begin: Callable[..., Player], store: GridStore, decoder: Decoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("synth.session_grid.MOST_GIVEN", 2)
    player = begin()
    given: list[tuple[str, str, bool]] = []
    set_path = player.engine.set_path

    def listen(first: str, second: str, path: PairPath | None) -> None:
        given.append((first, second, path is not None))
        set_path(first, second, path)

    monkeypatch.setattr(player.engine, "set_path", listen)
    for other in ("clarinet", "choir", "strings", "clarinet"):
        store.write(path_between("flute", other, decoder.model_id))
        corners(player, "flute", other, "flute", other)
        wait_until(lambda: grid(player)["known"] == grid(player)["pairs"] == 1, "the path")
    wait_until(lambda: len(given) == 6, "the last path")
    assert given == [
        ("clarinet", "flute", True),
        ("choir", "flute", True),
        ("flute", "strings", True),
        ("clarinet", "flute", False),
        ("clarinet", "flute", True),
        ("choir", "flute", False),
    ]


@pytest.mark.slow
def test_a_missing_path_is_computed_while_a_note_sounds(
    begin: Callable[..., Player], store: GridStore, decoder: Decoder
) -> None:
    """The worker takes what nobody else wants of the machine: minutes where that is little."""
    player = begin(refine=True)
    player.do("note_on", key=60)
    corners(player, "flute", "clarinet", "flute", "clarinet")
    assert player.play(0.2).any()

    def computed() -> bool:
        player.play(0.05)
        return ("path_changed", {"first": "clarinet", "second": "flute"}) in player.notices

    wait_until(computed, "the path", limit_s=900.0)
    assert grid(player)["known"] == 1
    clarinet, flute = (Library().load(name).sound_id for name in ("clarinet", "flute"))
    found = store.find("clarinet", "flute", clarinet, flute, decoder.model_id)
    assert found is not None
    assert not np.array_equal(found.notes[0].warp, straight(60, 100).warp)
    assert {notice for notice, _ in player.notices} <= NOTICE_NAMES
    assert not [data for notice, data in player.notices if notice == "warning"]


def test_a_client_switches_computing_off_and_on(begin: Callable[..., Player]) -> None:
    player = begin()
    player.do("grid_refine")
    assert grid(player)["refining"] is True
    player.do("grid_refine", on=False)
    assert grid(player)["refining"] is False
