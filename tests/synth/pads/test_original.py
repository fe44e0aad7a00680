"""A pad in the original's format, made by pad_parts: imported, played, and each corner measured where it belongs."""

import argparse
import json
from pathlib import Path

import numpy as np
import pytest

from synth.control.corners import PLACES, Corner
from synth.control.events import NoteOn, SetParameter
from synth.errors import TetradError
from synth.frames import pitch_to_hz
from synth.pads.loaded_pad import load_pad
from synth.pads.original import ImportCommand, read_settings
from synth.pads.pad_file import Pad
from tests.synth.pads.pad_parts import ORIGINAL_PITCHES, PARTIALS, level_at, play, write_original

# As the original's app shows them: top left, top right, bottom left, bottom right.
BELONGS = {Corner.NW: "brass", Corner.NE: "flute", Corner.SW: "synthbass", Corner.SE: "marimba"}


def import_with(settings: Path, source: Path, folder: Path, *more: str) -> int:
    parser = argparse.ArgumentParser()
    command = ImportCommand()
    command.add_arguments(parser)
    return command.run(parser.parse_args([str(source), "--settings", str(settings), "--folder", str(folder), *more]))


@pytest.mark.parametrize("of_the_app", [True, False])
def test_every_corner_sounds_where_it_belongs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], of_the_app: bool
) -> None:
    source, app, pipeline = write_original(tmp_path)
    assert import_with(app if of_the_app else pipeline, source, tmp_path) == 0
    words = capsys.readouterr().out
    assert "synthbass in the south-west" in words
    assert ("the settings have synthbass as SE" in words) is not of_the_app
    pad = Pad.open(tmp_path / "brass_flute_synthbass_marimba.tetrad-pad")
    assert {corner: pad.spec.corners[corner] for corner in Corner} == BELONGS
    loaded = load_pad(pad)
    key = ORIGINAL_PITCHES[1]
    for corner, (x, y) in PLACES.items():
        touch = [SetParameter(0, "x", x), SetParameter(0, "y", y)]
        # Two seconds of a note of one: through its loop three times.
        sound = play(loaded, [*touch, NoteOn(0, 0, key, 100)], 2.0)
        for part in (sound[2000:20_000], sound[70_000:]):
            levels = {name: level_at(part, float(pitch_to_hz(key)) * k) for name, k in PARTIALS.items()}
            loudest = max(levels, key=lambda name: levels[name])
            assert loudest == BELONGS[corner]
            # Corners of the original are pure; -6 dB are the engine's volume as it begins.
            assert levels[loudest] == pytest.approx(8000 / 32767 * 10 ** (-6 / 20), rel=0.05)
            assert max(level for name, level in levels.items() if name != loudest) < 0.01 * levels[loudest]


def test_rows_are_the_files_own(tmp_path: Path) -> None:
    source, app, _ = write_original(tmp_path, length=500)
    import_with(app, source, tmp_path)
    pad = Pad.open(tmp_path / "brass_flute_synthbass_marimba.tetrad-pad")
    data = np.fromfile(source, "<i2").reshape(3, 3, 3, 500)
    np.testing.assert_array_equal(pad.samples, data[::-1])
    assert pad.row(0, 0, 0)[:4] == (500, 100, 205, 500)
    assert pad.spec.sample_rate_hz == 16_000


def test_without_looping_there_is_no_loop(tmp_path: Path) -> None:
    source, app, _ = write_original(tmp_path, length=500)
    settings = json.loads(app.read_text(encoding="utf-8"))
    settings["nsynth"]["looping"] = False
    app.write_text(json.dumps(settings), encoding="utf-8")
    import_with(app, source, tmp_path)
    assert Pad.open(tmp_path / "brass_flute_synthbass_marimba.tetrad-pad").row(0, 0, 0).loop_end == 0


def changed(path: Path, *keys: str, value: object) -> None:
    content = json.loads(path.read_text(encoding="utf-8"))
    inner = content
    for key in keys[:-1]:
        inner = inner[key]
    inner[keys[-1]] = value
    path.write_text(json.dumps(content), encoding="utf-8")


@pytest.mark.parametrize(
    ("keys", "value", "words"),
    [
        (("nsynth", "resolution"), 9, "is truncated, or its settings are another pad's"),
        (("nsynth", "length"), 499, "does not match its settings"),
        (("nsynth", "pitches"), [48, 60], "does not match its settings"),
        (("nsynth", "pitches"), [], r"pitches are \[\]"),
        (("nsynth", "pitches"), [60, "72"], "pitches are"),
        (("nsynth", "resolution"), "9", "resolution is '9'"),
        (("nsynth", "resolution"), 10**15, "resolution is 1000"),
        (("nsynth", "loopStart"), 1.5, "loopStart is 1.5"),
        (("nsynth",), 3, '"nsynth" is not an object'),
        (("corners",), [], "not four"),
        (("corners",), [{}, {}, {}, {}], "no list of"),
        (("corners",), [{"instruments": []}] * 4, "at least one name"),
        (("corners",), [{"instruments": [{"name": str(i)} for i in range(30)]}] * 4, "810000 combinations"),
        (("corners",), [{"instruments": [{"name": "tuba"}]}] * 4, "tuba_tuba_tuba_tuba.bin"),
    ],
)
def test_settings_that_do_not_match_are_told_in_a_line(
    tmp_path: Path, keys: tuple[str, ...], value: object, words: str
) -> None:
    source, app, _ = write_original(tmp_path, length=500)
    changed(app, *keys, value=value)
    with pytest.raises(TetradError, match=words) as caught:
        import_with(app, source, tmp_path)
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.glob("*.tetrad-pad*"))


def test_a_truncated_file_is_told_with_both_sizes(tmp_path: Path) -> None:
    source, app, _ = write_original(tmp_path, length=500)
    source.write_bytes(source.read_bytes()[:-100])
    with pytest.raises(TetradError, match=r"is truncated.* it has 26900 bytes; 27000 were expected"):
        import_with(app, source, tmp_path)
    source.unlink()
    with pytest.raises(TetradError, match="cannot read"):
        import_with(app, source, tmp_path)


def test_what_is_no_settings_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    for content, words in (("[]", "has neither"), ('{"pads": 3}', "does not have lists"), ("{", "is not JSON")):
        path.write_text(content, encoding="utf-8")
        with pytest.raises(TetradError, match=words):
            read_settings(path)
