"""The mirror survives every status and notice, and shows what an honest one says."""

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synth.control.status import STATUS
from ui.mirror import CORNER_NAMES, Mirror, Note, clean_note

KINDS: dict[str, tuple[type, ...]] = {
    "number": (int, float),
    "whole number": (int,),
    "text": (str,),
    "flag": (bool,),
    "list": (list,),
}
SAMPLES: dict[str, Any] = {"number": 1.5, "whole number": 3, "text": "Nebel", "flag": True, "list": [-3.0, -4.0]}
SECTIONS = sorted({entry.path.partition(".")[0] for entry in STATUS})

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**400), 10**400) | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


def fixed(section: str) -> dict[str, str]:
    """Entry -> kind, of a section whose entries have fixed names."""
    return {
        entry.path.partition(".")[2]: entry.kind
        for entry in STATUS
        if entry.path.partition(".")[0] == section and "." in entry.path and "*" not in entry.path
    }


def of_corner() -> dict[str, str]:
    return {entry.path.rpartition(".")[2]: entry.kind for entry in STATUS if entry.path.startswith("corners.*.")}


def honest_status() -> dict[str, Any]:
    """All that the table has."""
    status: dict[str, Any] = {
        section: {name: SAMPLES[kind] for name, kind in fixed(section).items()}
        for section in SECTIONS
        if fixed(section)
    }
    status["parameters"] = {"volume": -6.0, "x": 0.25}
    status["corners"] = {name: {entry: SAMPLES[kind] for entry, kind in of_corner().items()} for name in CORNER_NAMES}
    status["notes"] = [{"channel": 1, "key": 60, "x": 0.25, "y": 0.5, "level_db": -9.0, "spectrum_db": [-20.0, -30.0]}]
    return status


def assert_whole(mirror: Mirror) -> None:
    """Every entry of the table is there, of its kind, and nothing else."""
    for section in SECTIONS:
        kinds = fixed(section)
        if kinds:
            _assert_section(getattr(mirror, section), kinds)
    assert set(mirror.corners) == set(CORNER_NAMES)
    for corner in mirror.corners.values():
        _assert_section(corner, of_corner())
    assert all(isinstance(value, float) and math.isfinite(value) for value in mirror.parameters.values())
    for note in mirror.notes:
        assert isinstance(note, Note)
        assert 0.0 <= note.x <= 1.0
        assert 0.0 <= note.y <= 1.0
        assert all(math.isfinite(value) for value in (note.level_db, *note.spectrum_db))


def _assert_section(section: dict[str, Any], kinds: dict[str, str]) -> None:
    assert set(section) == set(kinds)
    for name, kind in kinds.items():
        assert isinstance(section[name], KINDS[kind]), name
        assert kind == "flag" or not isinstance(section[name], bool), name
        if kind == "number":
            assert math.isfinite(section[name]), name


@pytest.fixture
def mirror() -> Mirror:
    return Mirror()


def test_before_the_first_status_everything_is_there(mirror: Mirror) -> None:
    assert_whole(mirror)


def test_an_honest_status_is_shown_as_it_is(mirror: Mirror) -> None:
    status = honest_status()
    mirror.take_status(status)
    assert_whole(mirror)
    for section in SECTIONS:
        if section != "notes":
            assert getattr(mirror, section) == status[section], section
    assert mirror.notes == [Note(1, 60, 0.25, 0.5, -9.0, (-20.0, -30.0))]


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.sampled_from(SECTIONS) | st.text(max_size=5), json_values, max_size=6))
def test_any_status_is_survived_and_the_next_honest_one_counts(status: dict[str, Any]) -> None:
    mirror = Mirror()
    mirror.take_status(status)
    assert_whole(mirror)
    mirror.take_status(honest_status())
    assert mirror.patch["name"] == "Nebel"
    assert len(mirror.notes) == 1


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_an_entry_of_another_kind_or_none_reads_as_nothing(data: st.DataObject) -> None:
    status = honest_status()
    section = data.draw(st.sampled_from([name for name in SECTIONS if fixed(name)]))
    entry = data.draw(st.sampled_from(sorted(fixed(section))))
    kind = fixed(section)[entry]
    wrong = data.draw(json_values.filter(lambda value: not isinstance(value, KINDS[kind])))
    status[section][entry] = wrong
    mirror = Mirror()
    mirror.take_status(status)
    assert_whole(mirror)
    assert not getattr(mirror, section)[entry]
    others = {name for name in fixed(section) if name != entry}
    assert all(getattr(mirror, section)[name] == SAMPLES[fixed(section)[name]] for name in others)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.fixed_dictionaries({}, optional=dict.fromkeys(Note._fields, json_values)) | json_values, max_size=4))
def test_notes_of_any_kind_are_survived(notes: list[Any]) -> None:
    mirror = Mirror()
    mirror.take_status({"notes": notes})
    assert_whole(mirror)
    assert len(mirror.notes) == sum(clean_note(note) is not None for note in notes)


def test_a_section_that_goes_away_is_empty_again(mirror: Mirror) -> None:
    mirror.take_status(honest_status())
    mirror.take_status({})
    assert_whole(mirror)
    assert mirror.parameters == {}
    assert mirror.notes == []
    assert mirror.patch["name"] == ""


def test_only_what_changed_is_told(mirror: Mirror) -> None:
    told: list[str] = []
    for section in SECTIONS:
        mirror.bind(**{section: lambda *_, name=section: told.append(name)})
    mirror.take_status(honest_status())
    assert set(told) == set(SECTIONS)
    told.clear()
    mirror.take_status(honest_status())  # equal, and other objects
    assert told == []
    mirror.take_status({**honest_status(), "tuning": {"name": "Werckmeister"}})
    assert told == ["tuning"]


@settings(max_examples=60, deadline=None)
@given(
    st.text(max_size=8) | st.sampled_from(["warning", "refused", "audio_changed"]),
    st.dictionaries(st.just("words") | st.text(max_size=5), json_values),
)
def test_any_notice_is_survived(name: str, data: dict[str, Any]) -> None:
    mirror = Mirror()
    words: list[str] = []
    heard: list[str] = []
    mirror.bind(on_words=lambda _, said, __: words.append(said), on_notice=lambda _, name, __: heard.append(name))
    mirror.take_notice(name, data)
    assert heard == [name]
    assert all(isinstance(said, str) and said for said in words)


def test_a_hanging_engine_that_goes_on_is_not_another_connection(mirror: Mirror) -> None:
    for state in ("connected", "hanging", "connected"):
        mirror.take_state(state, "words", "tetrad 1")
    assert mirror.connections == 1
    for state in ("connecting", "connected"):
        mirror.take_state(state, "words", "tetrad 1")
    assert mirror.connections == 2
