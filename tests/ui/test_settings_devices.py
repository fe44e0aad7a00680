"""Devices, tunings and licences as the settings show them."""

import json
from pathlib import Path
from typing import Any

import pytest

from ui.pages.settings import scales
from ui.pages.settings.about import licences, model_words
from ui.pages.settings.devices import Input, block_ms, inputs_of, level_share, offered, outputs_of
from ui.pages.settings.look import key_words

USB = {"device": "ALSA: USB Audio (hw:1,0)", "number": 1, "name": "USB Audio", "host_api": "ALSA", "rate_hz": 48000.0}


def test_outputs_as_the_engine_tells_them() -> None:
    answer = {
        "devices": [{**USB, "in_use": True}, {"device": "null: no device"}],
        "sample_rate_hz": 48000,
        "block_samples": 0,
    }
    outputs = outputs_of(answer | {"next_start": {"sample_rate_hz": 44100}})
    assert [one.in_use for one in outputs.devices] == [True, False]
    assert outputs.devices[0][:4] == ("ALSA: USB Audio (hw:1,0)", "USB Audio", "ALSA", 48000)
    assert outputs.devices[1].name == "null: no device"
    assert outputs.next_start == {"sample_rate_hz": 44100}


@pytest.mark.parametrize(
    "answer", [{}, {"devices": 3}, {"devices": [None, {}, {"device": 4}], "sample_rate_hz": "fast"}]
)
def test_outputs_of_another_shape(answer: dict[str, Any]) -> None:
    outputs = outputs_of(answer)
    assert (outputs.devices, outputs.sample_rate_hz, outputs.next_start) == ((), 0, {})


def test_inputs_as_the_engine_tells_them() -> None:
    rows = [{"name": "Keys", "there": True, "used": True}, {"name": "Pads", "there": False}, {"used": True}]
    assert inputs_of({"inputs": rows, "all": False}) == (
        (Input("Keys", True, True), Input("Pads", False, False)),
        False,
    )
    assert inputs_of({}) == ((), True)


def test_a_block_lasts_as_long_as_its_samples() -> None:
    assert block_ms(256, 48000) == pytest.approx(5.333, abs=0.001)
    assert block_ms(256, 0) == 0.0


def test_what_is_in_use_can_always_be_chosen() -> None:
    assert offered((64, 128), 100) == [64, 100, 128]
    assert offered((64, 128), 128) == [64, 128] == offered((64, 128), 0)


def test_a_meter_goes_from_its_floor_to_full_scale() -> None:
    assert [level_share(one) for one in (-200.0, -60.0, -30.0, 0.0, 6.0)] == [0.0, 0.0, 0.5, 1.0, 1.0]


def test_scala_files_are_found_by_name(tmp_path: Path) -> None:
    for name in ("b.scl", "A.SCL", "c.kbm", "notes.txt"):
        (tmp_path / name).write_text("!")
    (tmp_path / "folder.scl").mkdir()
    assert [one.name for one in scales.files_in(tmp_path, ".scl")] == ["A.SCL", "b.scl"]
    assert [one.name for one in scales.files_in(tmp_path, ".kbm")] == ["c.kbm"]
    assert scales.files_in(tmp_path / "missing", ".scl") == []


def test_a_typed_path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TETRAD_HOME", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path / "me"))
    assert scales.typed(" just.scl ") == (tmp_path / "tunings" / "just.scl", "")
    assert scales.typed("~/x.KBM") == (tmp_path / "me" / "x.KBM", "")
    assert scales.typed("/a/song.mid")[1] == ".mid"
    assert scales.typed("just")[1] == "just"


def test_licences_of_shipped_instruments_are_grouped() -> None:
    instruments = [
        {"name": "b", "display_name": "Banjo", "licence": "CC0", "shipped": True},
        {"name": "a", "display_name": "accordion", "licence": "CC0", "shipped": True},
        {"name": "p", "display_name": "Piano", "licence": "CC BY", "shipped": True},
        {"name": "mine", "licence": "none", "shipped": False},
        {"name": "odd", "shipped": True},
    ]
    assert licences(instruments) == [("CC0", "accordion, Banjo"), ("CC BY", "Piano"), ("not known", "odd")]


def test_the_model_has_a_name_and_a_card(tmp_path: Path) -> None:
    assert str(tmp_path) in model_words(tmp_path)
    (tmp_path / "model.json").write_text(json.dumps({"model_id": "73fd", "config": {"name": "small"}}))
    assert "small, 73fd" in model_words(tmp_path)
    (tmp_path / "model.json").write_text("[]")
    assert "none in" in model_words(tmp_path)


def test_keys_have_names() -> None:
    assert [key_words(key) for key in (0, 48, 61, 108)] == ["C-1 (0)", "C3 (48)", "C#4 (61)", "C8 (108)"]
