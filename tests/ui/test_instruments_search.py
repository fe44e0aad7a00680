"""Finding instruments: words, families, tags, order; and what a strange engine may say of them."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ui.pages.instruments.search import MOST_TAG_CHIPS, Entry, Index, Wanted, entry_of, folded, key_name, key_range

UNHURRIED = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def about(name: str, display_name: str = "", **more: object) -> dict[str, object]:
    return {"name": name, "display_name": display_name or name, "family": "keys", "tags": [], **more}


INDEX = Index(
    [
        about("flute", "Flûte à bec", family="flute", tags=["warm", "Breathy"], shipped=True, author="E. Cowgill"),
        about("cowbell", "Cowbell", family="percussion", tags=["bright"], shipped=True),
        about("my-voice", "Großmutter", family="vocal", tags=["warm", "home"], favourite=True),
        about("take-10", "take 10", family="vocal"),
        about("a", "日本語 🎻 ..//x", family="string"),
    ]
)


def names(**wanted: object) -> list[str]:
    return [entry.name for entry in INDEX.find(Wanted(**wanted))]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("", ["my-voice", "cowbell", "flute", "take-10", "a"]),
        ("FLUTE BEC", ["flute"]),
        ("flûte", ["flute"]),
        ("grossmutter", ["my-voice"]),
        ("warm", ["my-voice", "flute"]),
        ("warm vocal", ["my-voice"]),
        ("warm bright", []),
        ("cow", ["cowbell"]),  # a whole word of the author it is not
        ("cowgill", ["flute"]),
        ("日本", ["a"]),
        ("🎻", ["a"]),
        ("   ", ["my-voice", "cowbell", "flute", "take-10", "a"]),
    ],
)
def test_all_words_count_and_case_and_accents_do_not(words: str, found: list[str]) -> None:
    assert names(words=words) == found


def test_filters_go_together() -> None:
    assert names(family="VOCAL") == ["my-voice", "take-10"]
    assert names(tag="breathy") == ["flute"]
    assert names(favourites=True) == ["my-voice"]
    assert names(own=True) == ["my-voice", "take-10", "a"]
    assert names(own=True, family="vocal", words="take") == ["take-10"]
    assert INDEX.families() == ["flute", "percussion", "string", "vocal"]
    assert INDEX.tags() == ["warm", "Breathy", "bright", "home"]


def test_of_five_thousand_tags_the_most_frequent_become_chips() -> None:
    index = Index(about(f"n{number}", tags=["often", f"tag {number}"]) for number in range(5000))
    assert len(index.tags()) == MOST_TAG_CHIPS
    assert index.tags()[0] == "often"
    assert [entry.name for entry in index.find(Wanted(words="TAG 4999"))] == ["n4999"]


@UNHURRIED
@given(
    st.dictionaries(
        st.sampled_from([*Entry._fields, "display_name"]),
        st.none() | st.booleans() | st.integers() | st.text() | st.lists(st.none() | st.text()) | st.floats(),
    )
)
def test_whatever_the_engine_says_is_survived(strange: dict[str, object]) -> None:
    entry = entry_of(strange)
    assert (entry is None) == (not isinstance(strange.get("name"), str) or not strange["name"])
    index = Index([strange, about("sound")])
    assert "sound" in [found.name for found in index.find(Wanted(words="sound"))]
    assert all(key_range(found) is not None for found in index.entries)


@UNHURRIED
@given(st.text(), st.text())
def test_what_is_found_by_its_own_name(title: str, other: str) -> None:
    index = Index([about("one", title), about("two", other)])
    assert "one" in [entry.name for entry in index.find(Wanted(words=title))]


def test_keys_have_names() -> None:
    assert [key_name(key) for key in (0, 60, 61, 127)] == ["C-1", "C4", "C#4", "G9"]
    low = entry_of(about("x", notes=3, lowest_key=36, highest_key=84))
    assert low is not None
    assert key_range(low) == "C2 – C6"
    assert key_range(low._replace(highest_key=36)) == "C2"
    assert key_range(low._replace(notes=0)) == ""
    assert folded("Ünïcödé") == "unicode"
