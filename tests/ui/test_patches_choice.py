"""Which patches are shown, how they are numbered and called: pure."""

from hypothesis import given
from hypothesis import strategies as st

from synth.control.patch import MOST_NAME, MOST_TAG, MOST_TAGS
from ui.pages.patches import choice
from ui.pages.patches.choice import Row

ROWS = [
    Row(0, "Four Rooms", tags=("ensemble", "warm")),
    Row(7, "Cathedral", "Ada", ("organ", "Warm")),
    Row(130, "Glass", tags=("bell",)),
    Row(131, "Glass (2)"),
]
ENTRIES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda one: (
        st.lists(one, max_size=4)
        | st.dictionaries(st.sampled_from(["number", "name", "author", "tags", "shipped"]) | st.text(max_size=4), one)
    ),
    max_leaves=8,
)


def test_limits_are_the_engines() -> None:
    assert (choice.MOST_NAME, choice.MOST_TAG, choice.MOST_TAGS) == (MOST_NAME, MOST_TAG, MOST_TAGS)


@given(entries=st.lists(ENTRIES, max_size=6))
def test_whatever_the_engine_lists_is_survived(entries: list[object]) -> None:
    rows = choice.rows(entries)
    assert [row.number for row in rows] == sorted(row.number for row in rows)
    assert all(row.name and isinstance(row.tags, tuple) for row in rows)
    choice.tag_counts(rows)


def test_an_entry() -> None:
    given_entry = {"number": 3, "name": "Bell", "author": None, "tags": ["a", 7], "shipped": True, "more": 1}
    assert choice.row(given_entry) == Row(3, "Bell", "", ("a",), True)
    assert choice.row({"number": True, "name": "Bell"}) is None
    assert choice.row({"number": 3}) is None


def test_search_has_all_words_anywhere() -> None:
    def names(search: str, tag: str = "") -> list[str]:
        return [row.name for row in choice.matching(ROWS, search, tag)]

    assert names("") == [row.name for row in ROWS]
    assert names("CATH ada") == ["Cathedral"]
    assert names("1.2") == ["Glass"]
    assert names("", "warm") == ["Four Rooms", "Cathedral"]
    assert names("rooms", "organ") == []


def test_numbers_are_bank_and_program() -> None:
    assert [choice.number_words(number) for number in (0, 127, 128, 16383)] == ["0.0", "0.127", "1.0", "127.127"]


def test_tags_of_two_spellings_are_one() -> None:
    assert choice.tag_counts(ROWS) == [("bell", 1), ("ensemble", 1), ("organ", 1), ("warm", 2)]
    assert choice.tag_counts([Row(0, "A", tags=("x", "X"))]) == [("x", 1)]


def test_a_free_place_and_name() -> None:
    assert choice.free_number(ROWS) == 1
    assert choice.free_number([]) == 0
    assert choice.free_number([Row(number, "x") for number in range(choice.MOST_NUMBERS)]) is None
    assert choice.free_name("glass", ROWS) == "glass (3)"
    assert choice.free_name("Glass (2)", ROWS) == "Glass (3)"
    assert choice.free_name("Bell", ROWS) == "Bell"


@given(name=st.text(min_size=1, max_size=MOST_NAME), taken=st.integers(0, 12))
def test_a_free_name_is_free_and_fits(name: str, taken: int) -> None:
    rows: list[Row] = []
    for number in range(taken):
        free = choice.free_name(name, rows)
        assert len(free) <= MOST_NAME
        assert free.casefold() not in {row.name.casefold() for row in rows}
        rows.append(Row(number, free))


def test_tags_as_they_are_written() -> None:
    assert choice.tags_of(" pad,  very   bright ,, Pad,pad") == ["pad", "very bright"]
    assert choice.tags_of("") == []
    assert len(choice.tags_of(",".join(str(n) for n in range(99)))) == MOST_TAGS
    assert choice.tags_of("x" * 99) == ["x" * MOST_TAG]


def test_which_patch_sounds() -> None:
    assert choice.sounding(ROWS, "Cathedral", 7) == 7
    assert choice.sounding(ROWS, "Init", 0) == -1, "a patch that is not in the bank has the number 0, as nothing has"
    assert choice.sounding(ROWS, "Glass", 0) == 130
    assert choice.sounding(ROWS, "", 0) == -1


def test_pages() -> None:
    assert [choice.page_of(ROWS, row.number, 3) for row in ROWS] == [0, 0, 0, 1]
    assert choice.page_of(ROWS, 5, 3) is None
    assert [choice.n_pages(ROWS[:n], 2) for n in range(5)] == [1, 1, 1, 2, 2]
