"""The surface from its edges, heard through the whole engine."""

from collections.abc import Iterable, Sequence

import numpy as np
import pytest

from synth.control.corners import surface, weights
from synth.control.events import Event, NoteOn, SetCorner, SetParameter
from synth.errors import TetradError
from synth.frames import FRAME_RATE_HZ, Float32Array, Float64Array
from synth.grid.pair_path import BEND_TIMES_S, N_WARP, NotePath, PairPath, straight
from synth.instruments.format import Instrument
from synth.voices.engine import Engine
from synth.voices.plan import FADE_S
from synth.voices.prepared_path import flipped
from tests.synth.voices.engine_parts import HOP, MODEL_ID, RATE, AnalyticDecoder, engine, instrument, steady

ONSET = 9600
S = np.linspace(0.0, 1.0, N_WARP, dtype=np.float32)
CORNERS = [
    instrument(steady({1: -20.0 - 3.0 * i, i + 2: -25.0}, seed=i), name=name)
    for i, name in enumerate(("d", "b", "c", "a"))
]
"""North-west "d", north-east "b", south-west "c", south-east "a": two edges run up the alphabet, two down."""
SOUTH, NORTH, WEST, EAST = S**2, S**0.5, S**3, S**1.5
BENDS = np.random.default_rng(5).standard_normal((7, 8, 16)).astype(np.float32)
NO_BENDS = straight(60, 100).bend


def path(begin: int, end: int, warp: Float32Array, bend: Float32Array = NO_BENDS) -> PairPath:
    """From one of CORNERS to another, stored in the order of the alphabet. bend: as it is stored."""
    one, other = CORNERS[begin], CORNERS[end]
    if one.name > other.name:
        one, other, warp = other, one, flipped(warp)
    return PairPath(one.name, other.name, one.sound_id, other.sound_id, MODEL_ID, (NotePath(60, 100, warp, bend),))


ALL = [path(2, 3, SOUTH), path(0, 1, NORTH), path(2, 0, WEST), path(3, 1, EAST)]


def made(
    x: float,
    y: float,
    paths: Iterable[PairPath] = (),
    events: Sequence[Event] = (),
    corners: Sequence[Instrument] = CORNERS,
    **parameters: float,
) -> Engine:
    settings = {"x": x, "y": y, "volume": 0.0} | parameters
    first = [SetParameter(0, name, value) for name, value in settings.items()]
    return engine(
        *corners, events=[*first, NoteOn(ONSET, velocity=100), *events], paths=paths, n_voices=2, warm_up=False
    )


def played(*args: object, n: int = 24_000, **more: object) -> Float32Array:
    return made(*args, **more).render(n)[:, 0]  # type: ignore[arg-type]


def levels(playing: Engine) -> Float32Array:
    """What its note's ramp goes to. (The phases of two sounds that once had other pitches differ for good.)"""
    found: Float32Array = playing._conductor._bank["level_to"].max(axis=0)
    return found


def rms(sound: Float32Array) -> float:
    return float(np.sqrt(np.mean(np.square(sound, dtype=np.float64))))


def timbre(sound: Float32Array) -> Float32Array:
    return sound / np.float32(rms(sound))


@pytest.mark.parametrize("place", [(0.3, 0.0), (0.3, 1.0), (0.0, 0.7), (1.0, 0.7), (0.7, 0.3), (0.9, 0.2)])
def test_a_finger_is_where_the_reference_says(place: tuple[float, float]) -> None:
    there = surface(*place, [SOUTH, NORTH, WEST, EAST])
    warped, straight_there = played(*place, ALL), played(*there)
    assert np.abs(straight_there).max() > 0.05
    assert np.abs(timbre(warped) - timbre(played(*place))).max() > 5e-3
    np.testing.assert_allclose(timbre(warped), timbre(straight_there), atol=1e-3)


@pytest.mark.parametrize("place", [(0.3, 0.0), (0.0, 0.7), (0.4, 0.6)])
def test_loudness_goes_with_the_finger_and_not_with_the_warp(place: tuple[float, float]) -> None:
    there = surface(*place, [SOUTH, NORTH, WEST, EAST])
    playing = made(*place, ALL)
    sound = playing.render(24_000)[:, 0]
    own_db = np.diag(playing._conductor._bank["middle_db"][np.flatnonzero(playing._conductor._bank["curved"])[0]])
    wanted_db = float((weights(*place) - weights(*there)) @ own_db)
    assert abs(wanted_db) > 0.05
    assert 20.0 * np.log10(rms(sound) / rms(played(*there))) == pytest.approx(wanted_db, abs=0.005)


@pytest.mark.parametrize("place", [(0.0, 0.0), (0.0, 1.0), (1.0, 0.0), (1.0, 1.0)])
def test_a_corner_is_untouched_to_the_bit(place: tuple[float, float]) -> None:
    bent = [path(2, 3, SOUTH, BENDS), path(0, 1, NORTH, BENDS), path(2, 0, WEST, BENDS), path(3, 1, EAST, BENDS)]
    np.testing.assert_array_equal(played(*place, bent), played(*place))


def test_without_evenness_it_is_the_straight_line_and_half_of_it_is_half_way() -> None:
    bent = [path(2, 3, SOUTH, BENDS)]
    np.testing.assert_array_equal(played(0.3, 0.0, bent, evenness=0.0), played(0.3, 0.0, evenness=0.0))
    half = 0.5 * (0.3 + float(np.interp(0.3, S, SOUTH)))
    np.testing.assert_allclose(
        timbre(played(0.3, 0.0, [path(2, 3, SOUTH)], evenness=0.5)), timbre(played(half, 0.0, evenness=0.5)), atol=1e-4
    )


class ListeningDecoder(AnalyticDecoder):
    def __init__(self) -> None:
        self.asked: list[Float32Array] = []

    def run(self, z_window: Float32Array, pitch: Float32Array, velocity: Float32Array) -> Float32Array:
        self.asked.append(z_window[0].copy())
        return super().run(z_window, pitch, velocity)


def asked(x: float, y: float, paths: Iterable[PairPath]) -> Float64Array:
    """What the network is asked, float64 [ticks, 5, 16]: at frame 0, 0 again as the first ramp ends, 1, 2, ..."""
    decoder = ListeningDecoder()
    playing = Engine(CORNERS, decoder, paths=paths, n_voices=1, warm_up=False)
    for event in (SetParameter(0, "x", x), SetParameter(0, "y", y), NoteOn(ONSET, velocity=100)):
        playing.push(event)
    playing.render(ONSET + 7 * HOP)
    return np.array(decoder.asked, np.float64).reshape(-1, 5, 16)


def bend_at(frame: float, u: float) -> Float64Array:
    """The table at a moment and a place, float64 [16], by NumPy: nothing before the onset, coming in over 32 ms."""
    nodes = np.concatenate([np.zeros((1, 8, 16)), BENDS, np.zeros((1, 8, 16))])
    there = (1 - u * 8 % 1) * nodes[int(u * 8)] + (u * 8 % 1) * nodes[min(int(u * 8) + 1, 8)]
    value = [np.interp(frame / FRAME_RATE_HZ, BEND_TIMES_S, there[:, d]) for d in range(16)]
    return np.array(value) * np.clip(frame / 4 + 0.5, 0.0, 1.0)


@pytest.mark.parametrize(
    ("place", "begin", "end"), [((0.3, 0.0), 2, 3), ((0.3, 1.0), 0, 1), ((0.0, 0.3), 2, 0), ((1.0, 0.3), 3, 1)]
)
def test_on_an_edge_the_embedding_is_the_line_and_the_whole_bend(
    place: tuple[float, float], begin: int, end: int
) -> None:
    added = asked(*place, [path(begin, end, S, BENDS)]) - asked(*place, [])
    u = 0.3 if CORNERS[begin].name < CORNERS[end].name else 0.7
    frames = [0, *range(1, len(added))]
    wanted = [[bend_at(frame + 4 * (j - 2), u) for j in range(5)] for frame in frames]
    np.testing.assert_allclose(added, wanted, atol=1e-5)
    assert np.abs(added).max() > 0.5


def test_inside_each_edge_adds_by_how_near_it_is() -> None:
    x, y = 0.3, 0.8
    added = asked(x, y, [path(2, 3, S, BENDS), path(2, 0, S, BENDS)]) - asked(x, y, [])
    # "a" to "c" is the southern edge from east to west, "c" to "d" the western one from south to north.
    wanted = (1.0 - y) * bend_at(6 - 4, 1.0 - x) + (1.0 - x) * bend_at(6 - 4, y)
    np.testing.assert_allclose(added[6, 1], wanted, atol=1e-5)


def test_a_path_that_arrives_takes_60_ms_and_is_then_as_if_it_had_been_there() -> None:
    arrives = 20_011
    for known, refined in ((None, path(2, 3, SOUTH, BENDS)), (path(2, 3, SOUTH, BENDS), path(2, 3, NORTH, -BENDS))):
        ways = [] if known is None else [known]
        playing = made(0.4, 0.1, ways)
        before = playing.render(arrives)[:, 0]
        playing.set_path("c", "a", refined)
        after = playing.render(20_000)[:, 0]
        changed = levels(playing)
        old, new = made(0.4, 0.1, ways), made(0.4, 0.1, [refined])
        sounds = [each.render(arrives + 20_000)[:, 0] for each in (old, new)]
        np.testing.assert_allclose(before, sounds[0][:arrives], atol=1e-6)
        assert np.abs(levels(old) - levels(new)).max() > 3e-3
        np.testing.assert_allclose(changed, levels(new), atol=1e-6)
        # Half-way it is half-way, and no sample is further from the last than in either sound.
        step = np.abs(np.diff(np.concatenate([before[-10:], after])))
        assert step.max() < 1.2 * max(np.abs(np.diff(sound)).max() for sound in sounds)


def test_half_way_through_a_change_the_warp_is_half_way() -> None:
    playing, old, new = made(0.4, 0.0), made(0.4, 0.0), made(0.4, 0.0, [path(2, 3, SOUTH)])
    for each in (playing, old, new):
        each.render(20_000)
    playing.set_path("c", "a", path(2, 3, SOUTH))
    for each in (playing, old, new):
        each.render(round(0.5 * FADE_S * RATE))
    shares = []
    for each in (playing, old, new):
        bank, work = each._conductor._bank, each._conductor._work
        assert bank["state"].max() == 1
        shares.append(float(work["place"][0, 0]))
    assert shares[1] == pytest.approx(0.4)
    assert shares[2] == pytest.approx(float(np.interp(0.4, S, SOUTH)), abs=1e-6)
    # The last tick was for the end of its frame, which is up to 8 ms later than half-way.
    assert 0.5 <= (shares[0] - shares[1]) / (shares[2] - shares[1]) <= 0.5 + 8.0 / 60.0 + 1e-3


def test_a_path_that_is_taken_away_leaves_the_straight_line() -> None:
    playing, wanted = made(0.4, 0.0, ALL), made(0.4, 0.0)
    playing.render(20_000)
    before = levels(playing)
    for known in ALL:
        playing.set_path(known.first, known.second, None)
    playing.render(10_000)
    wanted.render(30_000)
    np.testing.assert_allclose(levels(playing), levels(wanted), atol=1e-6)
    assert np.abs(before - levels(wanted)).max() > 3e-3


def test_a_new_instrument_brings_its_own_paths() -> None:
    time, over = 20_011, 20_011 + round(FADE_S * RATE) + 2 * HOP
    changed = played(0.3, 0.0, ALL, events=[SetCorner(time, corner=3, instrument=CORNERS[0])], n=40_000)  # type: ignore[arg-type]
    corners = [*CORNERS[:3], CORNERS[0]]
    wanted = played(0.3, 0.0, ALL, corners=corners, n=40_000)
    np.testing.assert_allclose(changed[over:], wanted[over:], atol=2e-6)
    # From "c" to "d" along the south as along the west.
    there = played(float(np.interp(0.3, S, WEST)), 0.0, corners=corners, n=40_000)
    np.testing.assert_allclose(timbre(wanted), timbre(there), atol=1e-4)


def test_no_sample_depends_on_the_blocks() -> None:
    whole = played(0.4, 0.6, [path(2, 3, SOUTH, BENDS), path(0, 1, NORTH, BENDS)])
    playing = made(0.4, 0.6, [path(2, 3, SOUTH, BENDS), path(0, 1, NORTH, BENDS)])
    pieces = [playing.render(n)[:, 0] for n in (1, 999, 9_000, 37, 5_000, 8_963)]
    np.testing.assert_allclose(np.concatenate(pieces), whole, atol=2e-6)


def test_a_path_of_another_sound_is_not_used() -> None:
    other = instrument(steady({1: -21.0}, seed=9), name="c")
    corners = [*CORNERS[:2], other, CORNERS[3]]
    np.testing.assert_array_equal(played(0.3, 0.0, ALL, corners=corners), played(0.3, 0.0, corners=corners))


def test_a_path_that_does_not_fit_is_refused_in_one_line() -> None:
    playing = made(0.5, 0.5)
    with pytest.raises(TetradError, match="from a to c was given for a and b"):
        playing.set_path("a", "b", path(2, 3, S))
    foreign = PairPath("a", "c", "1", "2", "another", (straight(60, 100),))
    with pytest.raises(TetradError, match="made with network another, but the decoder is analytic; build it again"):
        playing.set_path("a", "c", foreign)
    with pytest.raises(TetradError, match="build it again"):
        made(0.5, 0.5, [foreign])
