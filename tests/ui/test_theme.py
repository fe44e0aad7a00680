"""Every theme can be read, and every target hit."""

import pytest

from ui.theme import THEMES, Theme, colour, contrast, faded, mixed, sizes

TEXT_CONTRAST, SHAPE_CONTRAST = 4.5, 3.0
"""The least that WCAG 2.2 (levels AA of 1.4.3 and 1.4.11) allows."""
TOUCH_PX = 47.0
"""9 mm of a screen with 800 px on 154 mm: 46.75 px."""

themes = pytest.mark.parametrize("theme", THEMES.values(), ids=list(THEMES))


def grounds(theme: Theme) -> dict[str, tuple[float, float, float, float]]:
    return {"background": theme.background, "panel": theme.panel, "raised": theme.raised}


@themes
@pytest.mark.parametrize("words", ["text", "muted", "warning", "danger", "good"])
def test_words_can_be_read_on_every_ground(theme: Theme, words: str) -> None:
    for ground, colour_below in grounds(theme).items():
        assert contrast(getattr(theme, words), colour_below) >= TEXT_CONTRAST, (words, ground)


@themes
def test_words_on_what_is_chosen_can_be_read(theme: Theme) -> None:
    assert contrast(theme.on_accent, theme.accent) >= TEXT_CONTRAST


@themes
def test_what_is_chosen_stands_out_from_every_ground(theme: Theme) -> None:
    for ground, below in grounds(theme).items():
        assert contrast(theme.accent, below) >= SHAPE_CONTRAST, ground


@themes
def test_corners_stand_out_and_are_told_apart(theme: Theme) -> None:
    for corner in theme.corners:
        for ground, below in grounds(theme).items():
            assert contrast(corner, below) >= SHAPE_CONTRAST, ground
    assert len(set(theme.corners)) == 4


def test_contrast_is_what_wcag_says() -> None:
    assert contrast(colour("#000000"), colour("#ffffff")) == pytest.approx(21.0)
    assert contrast(colour("#777777"), colour("#ffffff")) == pytest.approx(4.48, abs=0.005)
    assert contrast(colour("#ffffff"), colour("#777777")) == contrast(colour("#777777"), colour("#ffffff"))


def test_mixing_and_fading() -> None:
    black, white = colour("#000000"), colour("#ffffff")
    assert mixed(black, white, 0.25)[0] == pytest.approx(0.25)
    assert faded(white, 0.5) == (1.0, 1.0, 1.0, 0.5)


@pytest.mark.parametrize(("width", "height"), [(800, 480), (480, 800)])
def test_on_the_7_inch_screen_a_target_is_9_mm_and_words_16_px(width: int, height: int) -> None:
    found = sizes(width, height)
    assert found.touch >= TOUCH_PX
    assert found.small >= 16
    assert found.label >= 20
    assert found.wide == (width > height)


@pytest.mark.parametrize(("width", "height"), [(1280, 720), (1920, 1080), (320, 240), (240, 320), (200, 200)])
def test_every_window_has_sizes_in_order(width: int, height: int) -> None:
    found = sizes(width, height)
    scale = [found.small, found.body, found.label, found.title, found.large, found.huge]
    assert scale == sorted(scale)
    assert found.small >= 10
    assert found.gap < found.pad < found.touch
    assert found.mm(10.0) == pytest.approx(10.0 * found.px_per_mm)
    if width == 1280:
        assert found.touch > sizes(800, 480).touch
