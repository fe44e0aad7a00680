"""`tetrad pads render`: real instruments, real files, played notes."""

import argparse
import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from models.pads import harmonic, wavenet
from models.pads.job import Job, named
from models.pads.plan import PadSet
from models.pads.render import RenderPadsCommand
from models.pads.writing import SetWriting
from synth.errors import TetradError
from synth.frames import Z_DIM
from synth.grid.pair_path import BEND_TIMES_S, N_INNER, N_WARP, NotePath, PairPath
from synth.instruments.fidelity import Place, render_note
from synth.instruments.library import Library
from synth.pads.pad_file import FULL_SCALE, Pad
from synth.voices.apart import SpotNote
from synth.voices.decoder import Decoder

CORNERS = ("flute", "strings", "electric-piano", "choir")
SHORT = ("--resolution", "3", "--seconds", "0.5", "--rate", "16000", "--workers", "1")
SET = """
corners = {nw = ["flute", "choir"], ne = ["strings"], sw = ["electric-piano"], se = ["choir"]}
resolution = 3
pitches = [60]
seconds = 0.5
rate = 16000
"""


def run(*argv: object) -> int:
    command = RenderPadsCommand()
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    return command.run(parser.parse_args([str(argument) for argument in argv]))


def report(capsys: pytest.CaptureFixture[str]) -> dict[str, object]:
    answer: dict[str, object] = json.loads(capsys.readouterr().out)
    return answer


def test_a_pad_has_the_engines_notes_where_they_belong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a.tetrad-pad"
    options = ("--resolution", 3, "--seconds", 0.8, "--pitches", 60, 48, "--normalise", "none", "--workers", 1)
    assert run(path, "--corners", *CORNERS, *options, "--json") == 0
    assert report(capsys)["rendered"] == 18
    pad = Pad.open(path)
    assert (pad.spec.corners, pad.spec.pitches, pad.spec.sample_rate_hz) == (CORNERS, (48, 60), 48_000)
    corners = [Library().load(name) for name in CORNERS]
    for y, x, place in ((2, 0, Place(0.0, 1.0)), (0, 2, Place(1.0, 0.0)), (1, 1, Place(0.5, 0.5))):
        wanted = render_note(corners, place, 48, 100, 0.6, 0.8, Decoder())
        found = pad.note(y, x, 0) / FULL_SCALE
        row = pad.row(y, x, 0)
        assert row.release_start == 28_800
        # Noise runs on the engine's clock, on which the two begin elsewhere: what is partials is the same.
        n = min(found.size, wanted.size) - 300
        likeness = np.corrcoef(found[:n], wanted[:n])[0, 1]
        assert likeness > 0.95
        assert abs(20.0 * np.log10(np.std(found[:n]) / np.std(wanted[:n]))) < 0.5


def test_levels(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    peaks = {}
    for how in ("pad", "note"):
        path = tmp_path / f"{how}.tetrad-pad"
        assert run(path, "--corners", *CORNERS, *SHORT, "--pitches", 48, 60, "--normalise", how, "--json") == 0
        capsys.readouterr()
        pad = Pad.open(path)
        peaks[how] = {place: float(np.abs(note.astype(float)).max()) / FULL_SCALE for place, note in pad.notes()}
    in_corners = [peak for (y, x, _), peak in peaks["pad"].items() if y != 1 and x != 1]
    assert 20.0 * np.log10(max(in_corners)) == pytest.approx(-6.0, abs=0.1)
    assert max(peaks["pad"].values()) < 0.99
    for peak in peaks["note"].values():
        assert 20.0 * np.log10(peak) == pytest.approx(-12.0, abs=0.1)


def test_a_set_makes_each_note_once_and_goes_on_where_it_was(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = tmp_path / "set.toml"
    settings.write_text(SET)
    folder = tmp_path / "pads"
    assert run(folder, "--set", settings, "--plan", "--json") == 0
    plan = report(capsys)
    assert (plan["pads"], plan["rows"], plan["bytes"]) == (2, 18, 18 * 8000 * 2)
    assert not folder.exists()
    assert run(folder, "--set", settings, "--workers", "1", "--json") == 0
    done = report(capsys)
    assert done["rendered"] == plan["distinct_notes"]
    assert done["rendered"] + done["copied"] == 18  # type: ignore[operator]
    names = ["flute+strings+electric-piano+choir", "choir+strings+electric-piano+choir"]
    first, second = (Pad.open(folder / f"{name}.tetrad-pad") for name in names)
    np.testing.assert_array_equal(first.note(0, 1, 0), second.note(0, 1, 0))  # the southern edge
    np.testing.assert_array_equal(first.note(2, 2, 0), second.note(2, 2, 0))
    np.testing.assert_array_equal(second.note(2, 0, 0), first.note(0, 2, 0))  # choir, in another corner
    assert not np.array_equal(first.note(1, 1, 0), second.note(1, 1, 0))

    before = [pad.path.read_bytes() for pad in (first, second)]
    second.path.unlink()
    assert run(folder, "--set", settings, "--workers", "1", "--json") == 0
    again = report(capsys)
    assert 0 < again["rendered"] < done["rendered"]  # type: ignore[operator]
    assert [pad.path.read_bytes() for pad in (first, second)] == before


def test_what_an_interrupted_pad_has_is_kept_and_the_rest_is_the_same(tmp_path: Path) -> None:
    pads = PadSet(
        tuple((name,) for name in CORNERS),  # type: ignore[arg-type]
        resolution=2,
        pitches=(48, 60),
        seconds=0.5,
        rate=16_000,
    )
    sounds = {name: named(name) for name in CORNERS}
    contents, rendered = [], []
    for stop_after in (None, 1):
        path = tmp_path / f"{stop_after}.tetrad-pad"
        for stop in (stop_after, None) if stop_after else (None,):
            writing = SetWriting(pads, [path], sounds, model_id="m", gain=1.0, most_notes=4)
            for index, job in enumerate(writing.jobs()):
                if index == stop:
                    break
                writing.take(index, harmonic.render(job))
            writing.close()
            rendered.append(writing.n_rendered)
        contents.append(path.read_bytes())
    assert rendered == [8, 4, 4]
    assert contents[0] == contents[1]


@pytest.mark.long
def test_several_workers_write_the_same_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    paths = [tmp_path / "one.tetrad-pad", tmp_path / "two.tetrad-pad"]
    for workers, path in enumerate(paths, 1):
        options = ("--resolution", 4, "--seconds", 0.5, "--rate", 16_000, "--pitches", *range(40, 60))
        assert run(path, "--corners", *CORNERS, *options, "--workers", workers) == 0
    capsys.readouterr()
    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_another_sound_of_that_name_is_refused() -> None:
    flute = named("flute")
    other = flute._replace(sound_id="0" * 64)
    job = Job((flute, flute, other, flute), (SpotNote(0.0, 0.0, 60),), 100, 0.5, 16_000, 0, 1.0)
    with pytest.raises(TetradError, match=r"flute is .* here; 000000000000 was expected"):
        harmonic.render(job)


def test_wrong_words(tmp_path: Path) -> None:
    out = tmp_path / "a.tetrad-pad"
    with pytest.raises(TetradError, match=r"did you mean"):
        run(out, "--corners", "flut", *CORNERS[1:], *SHORT)
    with pytest.raises(TetradError, match=r"resolution"):
        run(out, "--corners", *CORNERS, "--resolution", 1)
    with pytest.raises(TetradError, match=r"--decoder wavenet was expected"):
        run(out, "--corners", *CORNERS, *SHORT, "--compare")
    assert not out.exists()


def test_the_wavenet_decoder_sounds_at_the_engines_loudness_and_twice_alike(tmp_path: Path) -> None:
    corners = tuple(named(name) for name in CORNERS)
    notes = (SpotNote(0.0, 0.0, 60), SpotNote(1.0, 1.0, 60))
    job = Job(corners, notes, 100, 0.8, 16_000, 1, 1.0)  # type: ignore[arg-type]
    rows = wavenet.render(job)
    played = harmonic.sounds(job)
    for row, sound in zip(rows, played, strict=True):
        level_db = 20.0 * np.log10(np.std(row.samples / FULL_SCALE) / np.std(sound[: row.samples.size]))
        assert abs(level_db) < 4.0  # equal by BS.1770's weighting, not by power
        assert row.samples[0] == 0
    again = wavenet.render(job)
    np.testing.assert_array_equal(rows[0].samples, again[0].samples)
    other = wavenet.render(dataclasses.replace(job, stream=7))
    assert not np.array_equal(rows[0].samples, other[0].samples)


def test_paths_of_the_grid_are_honoured() -> None:
    names = ("choir", "flute")
    flute, choir = named("flute"), named("choir")
    warp = np.linspace(0.0, 1.0, N_WARP, dtype=np.float32) ** 2
    bend = np.zeros((N_INNER, len(BEND_TIMES_S), Z_DIM), np.float32)
    path = PairPath(*names, choir.sound_id, flute.sound_id, Decoder().model_id, (NotePath(60, 100, warp, bend),))
    corners = (choir, flute, choir, flute)
    straight = Job(corners, (SpotNote(0.25, 1.0, 60), SpotNote(0.5, 1.0, 60)), 100, 0.5, 16_000, 0, 1.0)
    warped = dataclasses.replace(straight, paths=(path,))
    # Half-way on the path is where the straight line is at a quarter.
    lines, ways = harmonic.sounds(straight), harmonic.sounds(warped)
    np.testing.assert_allclose(ways[1], lines[0], atol=2e-3)
    assert np.abs(ways[1] - lines[1]).max() > 0.01
