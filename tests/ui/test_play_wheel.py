"""What the wheel shows first, and what the details say."""

from ui.pages.play.details import facts
from ui.pages.play.families import OTHER, PICTURES
from ui.pages.play.wheel import ordered, shown_name


def entry(name: str, family: str, favourite: bool = False, display_name: str = "") -> dict[str, object]:
    return {"name": name, "family": family, "favourite": favourite, "display_name": display_name or name.title()}


def test_favourites_come_first_then_the_family_then_the_rest() -> None:
    instruments = [
        entry("violin", "string"),
        entry("oboe", "reed"),
        entry("tuba", "brass", favourite=True),
        entry("clarinet", "reed"),
        entry("banjo", "guitar"),
    ]
    assert [one["name"] for one in ordered(instruments, "reed")] == ["tuba", "clarinet", "oboe", "banjo", "violin"]


def test_entries_that_lack_something_are_shown_by_what_they_have() -> None:
    odd: list[dict[str, object]] = [
        {"name": "a"},
        {"family": "reed"},
        {"name": 7},
        {"name": ""},
        {"name": "b", "display_name": None, "favourite": 1},
    ]
    assert [shown_name(one) for one in ordered(odd, "reed")] == ["a", "b"]


def test_facts_are_what_is_known() -> None:
    shown = {
        "family": "reed",
        "author": "",
        "licence": "CC0",
        "source": None,
        "tags": ["soft", 5, "日本語"],
        "notes": [{"pitch": 72}, {"pitch": 48}, "nothing", {"pitch": None}],
    }
    lines = facts(shown)
    assert lines == ["Family: reed", "Licence: CC0", "Tags: soft, 日本語", "2 recorded notes, C3 to C5"]
    assert facts({}) == []
    assert facts({"notes": "x", "tags": 3, "family": ["reed"]}) == []


def test_every_picture_lies_on_its_field() -> None:
    for name, drawing in {**PICTURES, "other": OTHER}.items():
        for kind, numbers in drawing:
            points = numbers if kind in ("line", "loop", "area") else numbers[:2]
            assert all(0.0 <= value <= 24.0 for value in points), name
