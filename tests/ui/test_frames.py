"""Grounds and outlines: round, smooth, and of the width that was asked."""

import numpy as np
import pytest

from ui.frames import border, border_px, pixels

RADIUS_PX = 9.0


def test_a_ground_is_full_within_and_empty_in_its_corners() -> None:
    opacity = pixels(RADIUS_PX)[..., 3]
    side = len(opacity)
    assert side == 2 * border_px(RADIUS_PX) + 2
    assert border(RADIUS_PX) == [border_px(RADIUS_PX)] * 4
    assert opacity[0, 0] == 0
    assert opacity[side // 2].tolist() == [255] * side
    # A square without its corners' ends, (4 - pi) r^2: smooth edges keep the area.
    assert opacity.sum() / 255.0 == pytest.approx(side**2 - (4.0 - np.pi) * RADIUS_PX**2, abs=1.0)
    assert (opacity == opacity.T).all()
    assert (opacity == opacity[::-1]).all()


@pytest.mark.parametrize("line_px", [1.0, 2.7])
def test_an_outline_is_its_rim(line_px: float) -> None:
    across = pixels(RADIUS_PX, line_px)[len(pixels(RADIUS_PX)) // 2, :, 3] / 255.0
    assert across.sum() == pytest.approx(2.0 * line_px, abs=0.02)
    assert across[len(across) // 2] == 0.0
    assert across[0] == 1.0
