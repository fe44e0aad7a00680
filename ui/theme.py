"""How the screen looks: three themes of colours, and sizes in millimetres of a 7-inch screen; why is in README.md.

Pure values: no Kivy here, so tests compute contrasts without a window.
"""

from dataclasses import dataclass

Colour = tuple[float, float, float, float]
"""Red, green, blue, opacity, each 0..1, as Kivy takes them."""


def colour(text: str) -> Colour:
    """Of "#rrggbb"."""
    red, green, blue = (int(text[start : start + 2], 16) / 255.0 for start in (1, 3, 5))
    return red, green, blue, 1.0


def faded(of: Colour, opacity: float) -> Colour:
    """The same colour with another opacity, 0..1."""
    return *of[:3], opacity


def mixed(first: Colour, second: Colour, share: float) -> Colour:
    """`share` 0..1 of the second."""
    red, green, blue, opacity = (a + (b - a) * share for a, b in zip(first, second, strict=True))
    return red, green, blue, opacity


def luminance(of: Colour) -> float:
    """Relative luminance, 0..1 (WCAG 2.2, "relative luminance")."""
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in of[:3]]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(first: Colour, second: Colour) -> float:
    """Contrast ratio, 1..21 (WCAG 2.2): 4.5 is the least for text, 3 for large text and for shapes."""
    lighter, darker = sorted((luminance(first), luminance(second)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


@dataclass(frozen=True)
class Theme:
    """Colours by what they are for.

    background: of a page. panel: of what lies on it. raised: of what can be touched. text, muted: on all three of
    these. accent: what is chosen; on_accent: text on it. warning, danger: words and signs on the three backgrounds.
    corners: of NW, NE, SW, SE, told apart by people who don't see red and green alike (after Okabe and Ito 2008).
    """

    name: str
    background: Colour
    panel: Colour
    raised: Colour
    line: Colour
    text: Colour
    muted: Colour
    accent: Colour
    on_accent: Colour
    warning: Colour
    danger: Colour
    good: Colour
    corners: tuple[Colour, Colour, Colour, Colour]


def _corners(*texts: str) -> tuple[Colour, Colour, Colour, Colour]:
    north_west, north_east, south_west, south_east = (colour(text) for text in texts)
    return north_west, north_east, south_west, south_east


STAGE = Theme(
    "stage",
    background=colour("#0b0d12"),
    panel=colour("#141821"),
    raised=colour("#222836"),
    line=colour("#626e88"),
    text=colour("#f3f4f7"),
    muted=colour("#aeb6c6"),
    accent=colour("#ffd166"),
    on_accent=colour("#14120a"),
    warning=colour("#ffb454"),
    danger=colour("#ff8080"),
    good=colour("#6fe3a5"),
    corners=_corners("#ffa62b", "#56b4e9", "#2fd6a3", "#e58bc0"),
)
STUDIO = Theme(
    "studio",
    background=colour("#f4f2ee"),
    panel=colour("#ffffff"),
    raised=colour("#e6e3dc"),
    line=colour("#857f71"),
    text=colour("#15171c"),
    muted=colour("#4d515b"),
    accent=colour("#1d4ed8"),
    on_accent=colour("#ffffff"),
    warning=colour("#854400"),
    danger=colour("#a31515"),
    good=colour("#0a5c38"),
    corners=_corners("#9c5000", "#0a66a8", "#007a5a", "#a8326f"),
)
CONTRAST = Theme(
    "contrast",
    background=colour("#000000"),
    panel=colour("#000000"),
    raised=colour("#1c1c1c"),
    line=colour("#ffffff"),
    text=colour("#ffffff"),
    muted=colour("#e4e4e4"),
    accent=colour("#ffff00"),
    on_accent=colour("#000000"),
    warning=colour("#ffd000"),
    danger=colour("#ff9c9c"),
    good=colour("#66ff99"),
    corners=_corners("#ffb000", "#5cc8ff", "#39ffb6", "#ff9ee0"),
)
THEMES: dict[str, Theme] = {theme.name: theme for theme in (STAGE, STUDIO, CONTRAST)}

SCREEN_MM = (154.0, 86.0)
"""The long and the short side of the Raspberry Pi's 7-inch screens (154.08 mm by 85.92 mm)."""
LEAST_PX_PER_MM, MOST_PX_PER_MM = 3.2, 9.0
"""Below the first no text can be read (a 320x240 window scrolls instead); above the second a laptop's large window
shows more, not larger."""
TOUCH_MM = 9.0
"""The least side of what a finger is to hit: 9.2 mm gave the fewest errors with one thumb (Parhi et al. 2006)."""


@dataclass(frozen=True)
class Sizes:
    """Lengths in pixels for one size of window. wide: it is wider than high. px_per_mm: as if it were 7 inches."""

    px_per_mm: float
    wide: bool
    touch: float
    gap: float
    pad: float
    radius: float
    stroke: float
    small: float
    body: float
    label: float
    title: float
    large: float
    huge: float

    def mm(self, length: float) -> float:
        """Pixels of millimetres."""
        return length * self.px_per_mm


def sizes(width_px: float, height_px: float) -> Sizes:
    """Of a window, as if it were a 7-inch screen. The type scale is 3.1 mm (16 px at 800x480) times 1.2 a step."""
    longer, shorter = max(width_px, height_px), min(width_px, height_px)
    px_per_mm = min(max(min(longer / SCREEN_MM[0], shorter / SCREEN_MM[1]), LEAST_PX_PER_MM), MOST_PX_PER_MM)
    return Sizes(
        px_per_mm=px_per_mm,
        wide=width_px >= height_px,
        touch=round(TOUCH_MM * px_per_mm),
        gap=round(1.5 * px_per_mm),
        pad=round(2.5 * px_per_mm),
        radius=round(1.8 * px_per_mm),
        stroke=max(0.35 * px_per_mm, 1.0),
        small=round(3.1 * px_per_mm),
        body=round(3.6 * px_per_mm),
        label=round(4.2 * px_per_mm),
        title=round(5.2 * px_per_mm),
        large=round(7.4 * px_per_mm),
        huge=round(12.0 * px_per_mm),
    )
