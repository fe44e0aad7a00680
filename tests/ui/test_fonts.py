"""Which font shows a text: no name may be invisible, empty, longer than its place, or an exception."""

import unicodedata
from array import array

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ui import fonts
from ui.font_list import FontFile, parsed


@pytest.fixture(scope="module", autouse=True)
def known() -> None:
    assert fonts.look_for_fonts().wait(30.0)
    assert len(fonts._KNOWN.fonts) >= 2, (
        "fontconfig (fc-scan, fc-list) is missing; a Debian package of that name has it"
    )


def _font(name: str) -> FontFile:
    number = next(n for n in range(len(fonts._KNOWN.fonts)) if fonts._name(n) == name)
    return fonts._KNOWN.fonts[number]


@given(
    words=st.text(max_size=400) | st.text(alphabet="\ud800\u202e\u0301\u3164\n\x00 aé日🎻", max_size=40),
    most=st.integers(1, 60),
)
@example(words="\ud800", most=5)
@example(words="\u202e\u200b", most=5)
@example(words="\u0301", most=1)
@example(words="e" + "\u0301" * 500, most=3)
def test_any_text_can_be_shown(words: str, most: int) -> None:
    line, name = fonts.shown(words, most)
    font = _font(name)
    line.encode("utf-8")
    assert len(line) <= most
    assert bool(line.strip()) == bool(words)
    assert all(letter == " " or font.has(letter) for letter in line)
    assert not any(unicodedata.category(letter) in ("Cc", "Cs", "Cf") for letter in line)
    assert fonts.font_for(line)


@pytest.mark.parametrize(
    ("words", "name"), [("Flöte № 2", "Roboto"), ("Ελληνικά", "Roboto"), ("Флейта", "Roboto"), ("★ Lead", "DejaVuSans")]
)
def test_the_font_that_has_the_letters(words: str, name: str) -> None:
    assert fonts.shown(words, 40) == (words, name)


def test_letters_that_no_font_has_are_a_sign() -> None:
    nowhere = next(
        chr(code)
        for code in range(0x12000, 0x12300)  # cuneiform
        if not any(font.has(chr(code)) for font in fonts._KNOWN.fonts)
    )
    assert fonts.short(f"a{nowhere}b", 9) == f"a{fonts.SIGN}b"


def test_one_line_of_visible_letters() -> None:
    assert fonts.short("two\nlines\tand \u202eturned", 40) == "two lines and turned"
    assert fonts.short("\u3164", 9) == fonts.SIGN
    assert fonts.short("", 9) == ""


def test_what_is_cut_off_ends_with_an_ellipsis() -> None:
    assert fonts.short("Bowed glass in a large room", 12) == "Bowed glass…"
    assert fonts.short("Bowed glass", 11) == "Bowed glass"
    assert fonts.short("x" * 5000, 2000).endswith("…")


def test_before_the_fonts_are_known_kivys_own_are_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fonts._KNOWN, "fonts", [])
    assert fonts.shown("Flöte…", 9) == ("Flöte…", "Roboto")
    assert fonts.shown("日本", 9) == ("日本", "DejaVuSans")
    assert fonts.shown("\ud800", 9) == (fonts.SIGN, "DejaVuSans")


def test_a_listing_of_fontconfig() -> None:
    listing = (
        "/fonts/a.ttf\t0\tFalse\t20-7e a0 100-17f\n"
        "/fonts/emoji.ttf\t0\tTrue\t1f3bb\n"
        "/fonts/many.ttc\t1\tFalse\t20-7e\n"
        "/fonts/old.pfb\t0\tFalse\t20-7e\n"
        "/fonts/odd.otf\t0\tFalse\tzz\n"
        "/fonts/none.otf\t0\tFalse\t\n"
        "nonsense\n"
        "/fonts/b.OTF\t0\t\t65e5\n"
    )
    found = parsed(listing)
    assert [font.path for font in found] == ["/fonts/a.ttf", "/fonts/b.OTF"]
    assert [found[0].has(letter) for letter in "\x1f ~\x7f\xa0\xa1\u0100\u017f\u0180"] == [
        False, True, True, False, True, False, True, True, False,
    ]  # fmt: skip
    assert found[1] == FontFile("/fonts/b.OTF", array("L", [0x65E5]), array("L", [0x65E5]))
