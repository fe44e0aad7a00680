"""Pictures are written when they show something else, and only then."""

from pathlib import Path

from PIL import Image, ImageDraw

from ui.screenshots import difference, write
from ui.theme import STAGE

ACCENTS = STAGE.corners


def picture(mark_px: int) -> Image.Image:
    image = Image.linear_gradient("L").resize((200, 100)).convert("RGB")
    ImageDraw.Draw(image).rectangle((0, 0, mark_px, mark_px), fill=(255, 160, 40))
    return image


def test_a_picture_that_shows_nearly_the_same_is_left(tmp_path: Path) -> None:
    path = tmp_path / "pictures" / "play.png"
    assert write(path, picture(60), ACCENTS)
    before = path.read_bytes()
    assert not write(path, picture(60), ACCENTS)
    assert not write(path, picture(62), ACCENTS)
    assert path.read_bytes() == before
    assert write(path, picture(90), ACCENTS)
    assert path.read_bytes() != before
    with Image.open(path) as kept:
        assert kept.mode == "P"
        assert difference(kept.convert("RGB"), picture(90)) < 0.01


def test_the_difference_is_a_share_of_the_points() -> None:
    black, white = Image.new("RGB", (10, 10)), Image.new("RGB", (10, 10))
    assert difference(black, white) == 0.0
    ImageDraw.Draw(white).rectangle((0, 0, 9, 4), fill=(255, 255, 255))
    assert difference(black, white) == 0.5
