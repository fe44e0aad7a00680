"""Pairs from recordings to the report, in small: a sound font's notes, our analysis, a formula for a network."""

from typing import Any, cast

import numpy as np
import pytest
from PIL import Image

from models.dataset.build import build_note_set
from models.dataset.reader import NoteSet
from models.morph.evaluate import Recordings, measure_pairs
from models.morph.likeness import MiddleMeasures
from models.morph.measures import PathMeasures
from models.morph.pairs import Pair
from models.morph.summary import BASELINES, GESTURE_METHODS, METHODS, GestureMeasures, PairMeasures, summarise
from synth.errors import TetradError
from synth.grid.compute import identity
from synth.grid.pair_path import N_WARP, PairPath, straight
from synth.instruments.analysis import analyse_note
from synth.instruments.format import Instrument, write_instrument
from synth.instruments.library import Library
from synth.voices.decoder import Decoder
from tests.models.dataset.make_soundfont import write_sound_font
from tests.synth.voices.engine_parts import AnalyticDecoder, Sound, instrument

pytestmark = pytest.mark.slow  # some 10 s: it plays 150 notes and looks for their pitch

ORIGINS = {"viola": "test_tones_041_viola", "flute": "test_tones_073_flute"}
PAIRS = [Pair("viola", "flute", 70), Pair("flute", "viola", 70)]


def made(note_set: NoteSet, name: str) -> Instrument:
    sounds = []
    for i, example in enumerate(note_set.examples(instrument=ORIGINS[name])):
        analysis = analyse_note(note_set.audio_48k(example.name), example.pitch)
        rows = analysis.frames.rows()
        rows[:, :-1] = np.maximum(rows[:, :-1], -110.0)
        sounds.append(Sound(rows, (100, 300), 375, example.pitch, example.velocity, analysis.tuning_cents, 0.0, seed=i))
    return instrument(*sounds, name=name)


@pytest.fixture(scope="module")
def road(tmp_path_factory: pytest.TempPathFactory) -> tuple[NoteSet, Library, Recordings]:
    root = tmp_path_factory.mktemp("pairs")
    write_sound_font(root / "Test Tones.sf2")
    build_note_set(root / "notes", [root / "Test Tones.sf2"], jobs=1, limit=12)
    note_set = NoteSet.open(root / "notes")
    for name in ORIGINS:
        write_instrument(made(note_set, name), root / f"{name}.tetrad-instrument")
    table = "".join(f'[[instrument]]\nname = "{name}"\nfrom = "{origin}"\n' for name, origin in ORIGINS.items())
    (root / "table.toml").write_text(table)
    return note_set, Library([root]), Recordings(note_set, root / "table.toml")


def uneven_path(one: Instrument, other: Instrument) -> PairPath:
    """Steps that grow by 40 % from the mean towards the second instrument: worse than the straight line on purpose."""
    first, second = sorted((identity(one), identity(other)))
    note = straight(70, 100)._replace(warp=np.linspace(0.0, 1.0, N_WARP, dtype=np.float32) ** np.float32(1.4))
    return PairPath(first.name, second.name, first.sound_id, second.sound_id, first.model_id, (note,))


@pytest.fixture(scope="module")
def report(road: tuple[NoteSet, Library, Recordings], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    note_set, library, recordings = road
    pictures = tmp_path_factory.mktemp("pictures") / "made"
    found = measure_pairs(
        note_set,
        cast(Decoder, AnalyticDecoder()),
        PAIRS,
        library=library,
        recordings=recordings,
        encode=lambda wave, f0_hz, inharmonicity: np.zeros((wave.size // 512, 16), np.float32),
        family_confidence=lambda audio: float(np.abs(audio).max() > 0.0),
        find_path=uneven_path,
        pictures=pictures,
    )
    return summarise(found) | {"pictures": sorted(pictures.glob("*.png"))}


@pytest.mark.long
def test_the_keys_of_the_report(report: dict[str, Any]) -> None:
    for name in ("evenness", "pitch_cents", "loudness_dip_lu", "monotone_share"):
        assert set(report[name]) == set(METHODS)
        assert set(report["worst"][name]) == set(METHODS)
    assert set(report["better_than"]) == set(BASELINES)
    assert set(report["middle"]["nearest_real_db"]) == {"ours", "straight", "crossfade", "measured_blend", "ends"}
    assert [(p["west"], p["east"], p["key"]) for p in report["pairs"]] == [(p.west, p.east, p.key) for p in PAIRS]
    assert (report["n_pairs"], report["n_diagonals"]) == (2, 1)
    assert np.isnan(report["middle"]["nearest_real_db"]["ours"])  # no third instrument within 3 semitones of key 70


def path(evenness: float, dip_lu: float) -> PathMeasures:
    return PathMeasures(evenness, 1.0, 20.0, 1.0, 0.0, float("nan"), 21, dip_lu)


def test_medians_the_worst_and_who_is_better() -> None:
    middle = MiddleMeasures(3.0, "a note", float("nan"), 0.5)
    names = (*METHODS[:1], *BASELINES)
    found = summarise(
        [
            PairMeasures(
                Pair("a", "b", 60),
                0,
                dict(
                    zip(
                        names,
                        (
                            path(ours, 0.2),
                            path(1.18, 0.2),
                            path(other, -3.0),
                            path(ours + 0.005, 0.2),
                            path(1.0, 0.0),
                        ),
                        strict=True,
                    )
                ),
                {"ours": middle},
                {
                    name: GestureMeasures(0.001 * error, 0.002 * error, 1.0 - 0.01 * error)
                    for name in GESTURE_METHODS
                    if error
                },
                {},
            )
            for ours, other, error in ((1.1, 2.0, 4), (1.2, 1.0, 8), (1.6, 3.0, 0))
        ]
    )
    assert found["evenness"]["ours"] == 1.2
    assert found["worst"]["evenness"]["ours"] == 1.6
    assert found["p90"]["evenness"]["ours"] == pytest.approx(1.52)
    assert found["less_even_than_straight"] == [["a", "b"]]  # 1.6 is over 1.05 times 1.18, and 1.2 is not
    assert found["mixed_pairs"]["n"] == 2
    assert found["mixed_pairs"]["onset_error_s"]["ours"] == {"median": pytest.approx(0.006), "worst": 0.008}
    assert found["mixed_pairs"]["attack_error_s"]["ours"]["worst"] == pytest.approx(0.016)
    assert found["mixed_pairs"]["envelope_correlation"]["ours"]["worst"] == pytest.approx(0.92)
    assert found["better_than"]["crossfade"]["evenness"] == pytest.approx(2 / 3)
    assert found["better_than"]["snap"]["evenness"] == 1.0
    assert found["better_than"]["measured_blend"]["evenness"] == 0.0
    assert found["loudness_dip_lu"]["crossfade"] == -3.0
    assert found["loudness_error_lu"]["crossfade"] == found["worst"]["loudness_hump_lu"]["crossfade"] == 3.0
    assert found["better_than"]["crossfade"]["loudness_error_lu"] == 1.0  # 0.2 LU of dip against 3 LU of hump
    assert found["better_than"]["measured_blend"]["loudness_error_lu"] == 0.0
    assert np.isnan(found["pitch_cents"]["ours"])
    assert found["middle"]["nearest_real_db"] == {"ours": 3.0}


@pytest.mark.long
def test_what_must_hold_of_any_network(report: dict[str, Any]) -> None:
    for row in report["pairs"]:
        assert 1.0 <= row["evenness"]["ours"] < row["evenness"]["snap"]
        assert row["evenness"]["straight"] < row["evenness"]["ours"]  # along a path that is worse
        assert row["loudness_dip_lu"]["straight"] == row["loudness_dip_lu"]["snap"]
        assert row["pitch_cents"]["ours"] < 5.0
        assert abs(row["loudness_dip_lu"]["ours"]) < 0.7
        assert set(row["family_confidence"].values()) == {1.0}
        assert row["embedding_distance"]["straight"] == row["embedding_distance"]["crossfade"]
    worse = [p for p in report["pairs"] if p["evenness"]["ours"] > 1.05 * p["evenness"]["straight"]]
    assert worse
    assert report["less_even_than_straight"] == [[p["west"], p["east"]] for p in worse]
    # East to west is the same path backwards.
    one, other = report["pairs"]
    assert one["evenness"]["measured_blend"] == pytest.approx(other["evenness"]["measured_blend"], rel=0.05)


@pytest.mark.long
def test_a_picture_of_each_pair(report: dict[str, Any]) -> None:
    assert [path.name for path in report["pictures"]] == ["flute-viola-70.png", "viola-flute-70.png"]
    with Image.open(report["pictures"][0]) as image:
        assert image.size[0] > 21 * 40
        assert len(set(np.asarray(image).reshape(-1, 3).sum(axis=1).tolist())) > 50


def test_recordings_that_are_not_there(road: tuple[NoteSet, Library, Recordings]) -> None:
    _, library, recordings = road
    viola = library.load("viola")
    assert recordings.note(viola, viola.notes[0]).audio.shape == (192_000,)
    with pytest.raises(TetradError, match=r"no note of test_tones_041_viola at pitch 60"):
        recordings.note(viola, instrument(Sound(np.zeros((8, 165), np.float32))).notes[0])
    with pytest.raises(TetradError, match=r"test is not in shipped\.toml"):
        recordings.origin(instrument(Sound(np.zeros((8, 165), np.float32))))
