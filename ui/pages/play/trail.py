"""The way that the point has come in the last moments, as a ribbon that fades."""

import math
from collections import deque

from kivy.graphics import Color, InstructionGroup, Mesh

from ui.pages.play.textures import texture, trail_pixels
from ui.theme import Colour

LIVES_S = 0.6
MOST_PLACES = 48
LEAST_STEP_PX = 2.0


class Trail:
    """Places with times, (s, x px, y px); `mesh` makes a ribbon of them, thin at its old end."""

    def __init__(self) -> None:
        self._places: deque[tuple[float, float, float]] = deque(maxlen=MOST_PLACES)

    def __bool__(self) -> bool:
        return len(self._places) > 1

    def add(self, now_s: float, x_px: float, y_px: float) -> None:
        """The point is here now; a step of less than two pixels is not worth a piece."""
        if self._places:
            _, last_x, last_y = self._places[-1]
            if abs(x_px - last_x) < LEAST_STEP_PX and abs(y_px - last_y) < LEAST_STEP_PX:
                return
        self._places.append((now_s, x_px, y_px))

    def step(self, now_s: float) -> None:
        """What is older than 0.6 s is gone."""
        while self._places and now_s - self._places[0][0] > LIVES_S:
            self._places.popleft()

    def clear(self) -> None:
        """No trail: the point was put elsewhere."""
        self._places.clear()

    def mesh(self, now_s: float, width_px: float) -> list[float]:
        """Vertices x, y, u, v of a triangle strip: two for each place; u 0 is old and 1 is now."""
        places = list(self._places)
        if len(places) < 2:
            return []
        vertices: list[float] = []
        for i, (time_s, x, y) in enumerate(places):
            before, after = places[max(i - 1, 0)], places[min(i + 1, len(places) - 1)]
            along_x, along_y = after[1] - before[1], after[2] - before[2]
            length = math.hypot(along_x, along_y) or 1.0
            young = min(max(1.0 - (now_s - time_s) / LIVES_S, 0.0), 1.0)
            half = 0.5 * width_px * (0.15 + 0.85 * young)
            across_x, across_y = -along_y / length * half, along_x / length * half
            vertices += (x + across_x, y + across_y, young, 0.0, x - across_x, y - across_y, young, 1.0)
        return vertices


class TrailCanvas:
    """Draws a trail into `group`."""

    def __init__(self) -> None:
        self.group = InstructionGroup()
        self._colour = Color(1, 1, 1, 0)
        self._mesh = Mesh(mode="triangle_strip", texture=texture(trail_pixels()))
        self.group.add(self._colour)
        self.group.add(self._mesh)

    def draw(self, trail: Trail, now_s: float, width_px: float, colour: Colour) -> None:
        """Anew."""
        vertices = trail.mesh(now_s, width_px)
        if not vertices and not self._mesh.indices:
            return
        self._colour.rgba = (*colour[:3], 0.85)
        self._mesh.vertices = vertices
        self._mesh.indices = list(range(len(vertices) // 4))
