"""The whole road in small: a sound font is rendered, analysed, learned, evaluated, exported, and made an instrument."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from models import control_data, ship
from models.dataset.reader import NoteSet
from models.halfway import common_key, half_way, summary
from synth import cli
from synth.errors import TetradError
from synth.instruments.library import Library
from synth.voices.decoder import Decoder
from tests.models.dataset.make_soundfont import write_sound_font

pytestmark = pytest.mark.filterwarnings("ignore:`isinstance:FutureWarning")  # torch 2.13's own exporter


@pytest.fixture(scope="module")
def note_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("road")
    write_sound_font(root / "Test Tones.sf2")
    directory = root / "notes"
    arguments = ["model", "data", str(directory), "--fonts", str(root / "Test Tones.sf2"), "--jobs", "1"]
    assert cli.main([*arguments, "--limit", "12"]) == 0
    control_data.prepare(NoteSet.open(directory), jobs=1)
    return directory


def test_prepared_frames_belong_to_their_notes(note_dir: Path) -> None:
    note_set = NoteSet.open(note_dir)
    data = control_data.load(note_dir, note_set.instruments())
    assert data.n_notes >= 3
    assert data.rows.shape[1:] == (500, 165)
    for i in range(data.n_notes):
        example = note_set[data.note_str[i]]
        assert (example.pitch, example.velocity) == (data.pitch[i], data.velocity[i])
        gain = 10.0 ** (data.gain_db[i] / 20.0)
        np.testing.assert_allclose(
            data.wave[i] / 32767.0, np.clip(note_set.audio_16k(example.name) * gain, -1, 1), atol=1e-4
        )
    assert data.spread(2).n_notes == 2


def test_velocities_that_only_differ_in_level_are_one_note(note_dir: Path) -> None:
    note_set = NoteSet.open(note_dir)
    for instrument in note_set.instruments():
        every = note_set.examples(instrument=instrument)
        kept = control_data.distinct_notes(note_set, instrument)
        assert {e.pitch for e in kept} == {e.pitch for e in every}
        assert len(kept) == len({e.pitch for e in every})  # the test font has no velocity layers


def test_a_damaged_cache_is_said(note_dir: Path, tmp_path: Path) -> None:
    name = NoteSet.open(note_dir).instruments()[0]
    (tmp_path / "control").mkdir()
    (tmp_path / "control" / f"{name}.npz").write_bytes(b"PK\x03\x04 half a file")
    with pytest.raises(TetradError, match="delete it"):
        control_data.load(tmp_path, [name])


def test_train_evaluate_export(note_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    copy = tmp_path / "notes"
    shutil.copytree(note_dir, copy)
    splits = {NoteSet.open(copy)[n].split for n in (e.name for e in NoteSet.open(copy))}
    if splits != {"train", "held_out"}:
        pytest.fail(f"the test font should have both sides of the split, has {splits}")
    checkpoint = tmp_path / "c.safetensors"
    train = ["model", "train", str(copy), "--out", str(checkpoint), "--jobs", "1", "--batch-size", "2"]
    assert cli.main([*train, "--minutes", "0.01"]) == 0
    first = json.loads(capsys.readouterr().out)
    assert first["step"] >= 1
    assert cli.main([*train, "--steps", str(first["step"] + 1)]) == 0  # goes on
    second = json.loads(capsys.readouterr().out)
    assert second["step"] > first["step"]
    evaluate = ["model", "evaluate", str(copy), "--checkpoint", str(checkpoint), "--listen", "1", "--pairs", "0"]
    assert cli.main([*evaluate, "--judged", "0", "--morphs", "0", "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert set(result["active_frame_error_db"]) == {"train", "held_out"}
    assert result["step"] == second["step"]
    pair = tmp_path / "pair"
    assert cli.main(["model", "export", str(checkpoint), "--out", str(pair)]) == 0
    assert sorted(p.name for p in pair.iterdir()) == ["decoder.onnx", "encoder.onnx", "model.json"]
    assert Decoder(pair / "decoder.onnx").model_id == json.loads((pair / "model.json").read_text())["model_id"]


def test_the_table_of_shipped_instruments_is_made(
    note_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    note_set = NoteSet.open(note_dir)
    example = next(iter(note_set))
    table = tmp_path / "shipped.toml"
    table.write_text(
        f"velocities = [{example.velocity}]\nmost_keys = 2\n"
        f'[[instrument]]\nname = "probe"\nfrom = "{example.instrument}"\n'
    )
    monkeypatch.setattr(ship, "TABLE", table)
    sizes = ship.ship(note_set, tmp_path)
    assert list(sizes) == ["probe"]
    assert Library([tmp_path]).load("probe").source.count(example.instrument) == 1
    table.write_text(table.read_text().replace(example.instrument, "nothing"))
    assert ship.main([str(note_dir), "--library", str(tmp_path)]) == 1


def test_half_way_there_is_one_pitch() -> None:
    library = Library()
    one, other = library.load("flute"), library.load("clarinet")
    assert common_key(one, other) == common_key(other, one)
    results = half_way([one, other], Decoder())
    assert len(results) == 1
    assert abs(results[0].cents) < 5.0
    report = summary(results)
    assert report["within_5_cents"] == 1.0
    assert report["worst"] == []
