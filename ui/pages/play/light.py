"""Sounding notes as lights: a flower for each, a petal for each octave of its spectrum, coloured by its place.

`NoteLights` knows where and how bright each light is (no window needed); `LightCanvas` draws that. Statuses come 30
times a second; between them a light goes towards what was heard last, and when its note is gone it fades.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from kivy.graphics import Color, InstructionGroup, Mesh, Rectangle

from ui.mirror import Note
from ui.pages.play.textures import corner_mix, glow_pixels, is_dark, petal_pixels, quarters, texture
from ui.theme import Theme

Float64Array = npt.NDArray[np.float64]
Place = Callable[[float, float], tuple[float, float]]
N_PETALS = 8
MOST_LIGHTS = 32
QUIETEST_DB, LOUDEST_DB = -66.0, -6.0
"""Of a note: no light, full light."""
QUIETEST_BAND_DB, LOUDEST_BAND_DB = -84.0, -18.0
BAND_BELOW_NOTE_DB = 12.0
"""Taken for every octave of a note that says nothing of its spectrum, such as a pad's."""
MOVE_S, FADE_S = 0.045, 0.16
"""Time constants: of a light on its way, and of one whose note is gone."""
DARK = 0.01
SEEN = 0.0008
"""A change of less than this share (half a pixel, a fifth of a brightness step) is not drawn."""
SPREAD_MM, OCTAVE_MM, LEAST_SPREAD_MM = 8.0, 3.5, 3.0
"""How far from the common place of several notes the light of a key from middle C on is, and how much farther for each
octave above it."""
MIDDLE_OCTAVE = 5
LEAST_RADIUS_MM, MOST_RADIUS_MM = 4.0, 13.0

WHITE = (1.0, 1.0, 1.0, 1.0)
CORE_WHITE = 0.75
COLOUR_STEP = 0.004
"""Of the surface: a move of less changes no colour by a step of eight bits."""
POINTS_A_PETAL = 8
_ANGLES: Float64Array = np.arange(N_PETALS * POINTS_A_PETAL + 1) / POINTS_A_PETAL  # in petals, closed
_PETAL = np.round(_ANGLES).astype(np.int64) % N_PETALS
_SHAPE: Float64Array = np.cos(np.pi * (_ANGLES - np.round(_ANGLES))) ** 2
# The lowest octave points upwards, higher ones follow clockwise.
_TURNS = _ANGLES / N_PETALS
_COS, _SIN = np.sin(2.0 * np.pi * _ANGLES / N_PETALS), np.cos(2.0 * np.pi * _ANGLES / N_PETALS)


def share(level_db: float, quietest_db: float, loudest_db: float) -> float:
    """0..1 of the way from the quietest to the loudest."""
    return min(max((level_db - quietest_db) / (loudest_db - quietest_db), 0.0), 1.0)


@dataclass
class Light:
    """One note's light. x, y: 0..1 of the surface; aside_mm: how far beside that place; loudness, petals: 0..1."""

    x: float
    y: float
    aside_mm: tuple[float, float]
    loudness: float
    petals: Float64Array
    goal: Note
    petals_goal: Float64Array
    aside_goal_mm: tuple[float, float]
    gone: bool = False

    def step(self, near: float) -> float:
        """Goes this share, 0..1, of the way to its goal; gives the most that anything changed, in shares."""
        goal = self.goal
        x, y = (goal.x - self.x) * near, (goal.y - self.y) * near
        (east, north), (goal_east, goal_north) = self.aside_mm, self.aside_goal_mm
        aside_east, aside_north = (goal_east - east) * near, (goal_north - north) * near
        brighter = (share(goal.level_db, QUIETEST_DB, LOUDEST_DB) - self.loudness) * near
        longer = (self.petals_goal - self.petals) * near
        self.x, self.y = self.x + x, self.y + y
        self.aside_mm = east + aside_east, north + aside_north
        self.loudness += brighter
        self.petals += longer
        changes = (x, y, 0.01 * aside_east, 0.01 * aside_north, brighter, float(np.abs(longer).max()))
        return max(abs(change) for change in changes)

    @property
    def radius_mm(self) -> float:
        return LEAST_RADIUS_MM + (MOST_RADIUS_MM - LEAST_RADIUS_MM) * self.loudness

    def rim_mm(self) -> Float64Array:
        """Distance of the flower's rim from its centre, all around, [65]."""
        return np.asarray(self.radius_mm * (0.3 + self.petals[_PETAL] * (0.25 + 0.75 * _SHAPE)))


def petals_of(note: Note) -> Float64Array:
    """Lengths, 0..1, of a note's petals [8]; more or fewer octaves than eight are cut off or silent."""
    bands = note.spectrum_db or (note.level_db - BAND_BELOW_NOTE_DB,) * N_PETALS
    lengths = np.zeros(N_PETALS)
    given = np.array(bands[:N_PETALS])
    span_db = LOUDEST_BAND_DB - QUIETEST_BAND_DB
    lengths[: given.size] = np.clip((given - QUIETEST_BAND_DB) / span_db, 0.0, 1.0)
    return lengths


def aside_mm(key: int) -> tuple[float, float]:
    """Where a key's light goes when others are at its place: around the clock by its step, outwards by its octave."""
    angle = 2.0 * math.pi * (key % 12) / 12.0
    distance = max(SPREAD_MM + OCTAVE_MM * (key // 12 - MIDDLE_OCTAVE), LEAST_SPREAD_MM)
    return distance * math.sin(angle), distance * math.cos(angle)


class NoteLights:
    """All lights."""

    def __init__(self) -> None:
        self.lights: dict[tuple[int, int, int], Light] = {}

    def __bool__(self) -> bool:
        return bool(self.lights)

    def take(self, notes: Sequence[Note]) -> None:
        """What sounds now. Of more than MOST_LIGHTS, the first count: an engine tells of the loudest first."""
        shown = notes[:MOST_LIGHTS]
        places: dict[tuple[int, int], int] = {}
        for note in shown:
            place = round(note.x * 20.0), round(note.y * 20.0)
            places[place] = places.get(place, 0) + 1
        seen: dict[tuple[int, int], int] = {}
        heard = set()
        for note in shown:
            turn = seen.get((note.channel, note.key), 0)
            seen[note.channel, note.key] = turn + 1
            number = (note.channel, note.key, turn)
            heard.add(number)
            alone = places[round(note.x * 20.0), round(note.y * 20.0)] == 1
            beside = (0.0, 0.0) if alone else aside_mm(note.key)
            light = self.lights.get(number)
            if light is None:
                petals = petals_of(note)
                self.lights[number] = Light(note.x, note.y, beside, 0.0, petals.copy(), note, petals, beside)
            else:
                light.goal, light.petals_goal, light.aside_goal_mm, light.gone = note, petals_of(note), beside, False
        for number, light in self.lights.items():
            light.gone = number not in heard

    def step(self, seconds: float) -> bool:
        """Time goes on; lights that have become dark are no more. False when nothing moved that could be seen."""
        near = 1.0 - math.exp(-seconds / MOVE_S)
        fade = math.exp(-seconds / FADE_S)
        n_before, most = len(self.lights), 0.0
        for light in self.lights.values():
            if light.gone:
                light.loudness *= fade
                most = 1.0
            else:
                most = max(most, light.step(near))
        self.lights = {k: one for k, one in self.lights.items() if not one.gone or one.loudness > DARK}
        return most > SEEN or len(self.lights) != n_before


class _Flower:
    """The instructions of one light, used again for another when its own is gone."""

    def __init__(self, glow: object, petal: object) -> None:
        self.group = InstructionGroup()
        self._place = (-1.0, -1.0)
        self._halo_colour, self._halo = Color(1, 1, 1, 0), Rectangle(texture=glow)
        self._petal_colour = Color(1, 1, 1, 0)
        # A strip between the centre, once for each direction so that it has each one's colour, and the rim.
        self._vertices = np.zeros((_ANGLES.size, 2, 4), np.float32)  # a buffer that Kivy reads in place
        self._vertices[:, 1, 2] = 1.0
        indices = list(range(2 * _ANGLES.size))
        self._mesh = Mesh(vertices=self._vertices.ravel(), indices=indices, mode="triangle_strip", texture=petal)
        self._core_colour, self._core = Color(1, 1, 1, 0), Rectangle(texture=glow)
        for one in (self._halo_colour, self._halo, self._petal_colour, self._mesh, self._core_colour, self._core):
            self.group.add(one)

    def hide(self) -> None:
        for colour in (self._halo_colour, self._petal_colour, self._core_colour):
            colour.a = 0.0

    def show(self, light: Light, x_px: float, y_px: float, px_per_mm: float, theme: Theme, crowd: float) -> None:
        """crowd: 0..1, the dimmer the more lights there are."""
        # Light on a bright ground is white; there the petals alone have the colour.
        red, green, blue, _ = corner_mix(theme, light.x, light.y) if is_dark(theme) else WHITE
        bright = light.loudness
        halo = 0.25 + 0.4 * bright if is_dark(theme) else 0.9
        self._halo_colour.rgba = red, green, blue, halo * crowd * min(4.0 * bright, 1.0)
        half = px_per_mm * (6.0 + 15.0 * bright)
        self._halo.pos, self._halo.size = (x_px - half, y_px - half), (2.0 * half, 2.0 * half)
        self._petal_colour.a = min(0.35 + 0.65 * bright, 1.0) * min(5.0 * bright, 1.0)
        rim = light.rim_mm() * px_per_mm
        vertices = self._vertices
        vertices[:, 0, :2] = x_px, y_px
        vertices[:, 1, 0] = x_px + rim * _COS
        vertices[:, 1, 1] = y_px + rim * _SIN
        if max(abs(light.x - self._place[0]), abs(light.y - self._place[1])) > COLOUR_STEP:
            self._place = light.x, light.y
            vertices[:, :, 3] = quarters(light.x, light.y, _TURNS)[:, None]
        self._mesh.vertices = vertices.ravel()
        white = tuple(one + (1.0 - one) * CORE_WHITE for one in (red, green, blue))
        self._core_colour.rgba = (*white, min(0.2 + bright, 1.0) * min(5.0 * bright, 1.0))
        half = px_per_mm * (1.5 + 3.5 * bright)
        self._core.pos, self._core.size = (x_px - half, y_px - half), (2.0 * half, 2.0 * half)


class LightCanvas:
    """Draws lights into `group`. Textures and instructions are made once and used again."""

    def __init__(self) -> None:
        self.group = InstructionGroup()
        self._glow, self._petal = texture(glow_pixels()), None
        self._theme: Theme | None = None
        self._flowers: list[_Flower] = []

    def draw(
        self, lights: NoteLights, place: Callable[[float, float], tuple[float, float]], px_per_mm: float, theme: Theme
    ) -> None:
        """place: (x, y) shares -> pixels."""
        if theme is not self._theme:
            self._theme, self._petal = theme, texture(petal_pixels(theme))
            self._flowers.clear()
            self.group.clear()
        shown = list(lights.lights.values())
        while len(self._flowers) < len(shown):
            flower = _Flower(self._glow, self._petal)
            self._flowers.append(flower)
            self.group.add(flower.group)
        crowd = 1.0 / math.sqrt(max(len(shown), 1))
        for light, flower in zip(shown, self._flowers, strict=False):
            x_px, y_px = place(light.x, light.y)
            east_mm, north_mm = light.aside_mm
            flower.show(light, x_px + east_mm * px_per_mm, y_px + north_mm * px_per_mm, px_per_mm, theme, crowd)
        for flower in self._flowers[len(shown) :]:
            flower.hide()
