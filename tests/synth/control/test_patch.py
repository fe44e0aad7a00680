"""A patch and its file: every value comes back, and what means nothing is refused in words."""

import json
import math
import random
from pathlib import Path
from typing import Any

import pytest

from synth.control.corners import Corner
from synth.control.json_document import JsonObject
from synth.control.midi_settings import MidiSettings
from synth.control.parameters import PARAMETERS
from synth.control.patch import (
    MOST_BYTES,
    Patch,
    lacking,
    patch_bytes,
    read_patch,
    write_patch,
)
from synth.control.patch_parts import gesture_of, midi_settings, tuning_of
from synth.control.tuning import Tuning
from synth.errors import TetradError

INSTRUMENTS = ("flute", "strings", "warm-pad", "my own ähm", None)


def gesture(n_points: int, x: float) -> dict[str, Any]:
    """A gesture whose points all have this x."""
    points = [{"time_s": number / 125, "x": x, "y": 0.5} for number in range(n_points)]
    return {"format": "tetrad-path", "version": 1, "points": points}


def random_patch(dice: random.Random, name: str = "") -> Patch:
    """A patch with every parameter somewhere in its range."""
    values = {p.name: p.from_travel(dice.random()) for p in PARAMETERS}
    return Patch(
        name=name or "".join(dice.choices("abc äÖ名👍-.'\"\\/", k=dice.randint(1, 60))).strip() or "x",
        author=dice.choice(("", "Ada", "名前")),
        tags=tuple(dice.sample(("pad", "bass", "warm", "höll"), dice.randint(0, 3))),
        corners=tuple(dice.choice(INSTRUMENTS) for _ in Corner),
        midi=JsonObject.of(dice.choice(({}, MidiSettings(assignments={74: "reverb"}).to_json()))),
        tuning=dice.choice((None, JsonObject.of(Tuning.of_octave("bent", [dice.random()] * 12).to_json()))),
        gesture=dice.choice((None, JsonObject.of(gesture(dice.randint(1, 9), dice.random())))),
    ).with_values(values)


def document(**changes: Any) -> dict[str, Any]:
    return {**Patch(name="Glass").to_json(), **changes}


def with_parameter(name: str, value: object) -> dict[str, Any]:
    content = document()
    content["parameters"][name] = value
    return content


def without(*keys: str) -> dict[str, Any]:
    return {key: value for key, value in document().items() if key not in keys}


def test_the_default_patch_has_the_table_s_defaults() -> None:
    assert Patch().parameters() == {p.name: p.default for p in PARAMETERS}


def test_every_patch_comes_back_from_its_file(tmp_path: Path) -> None:
    dice = random.Random(1)
    for number in range(100):
        patch = random_patch(dice)
        path = tmp_path / f"{number % 7}.json"
        write_patch(path, patch)
        assert read_patch(path) == patch
        assert Patch.from_json(json.loads(json.dumps(patch.to_json()))) == patch


def test_a_file_reads_as_a_table() -> None:
    lines = patch_bytes(Patch(name="Glass").with_values({"arp_mode": 1, "unison": 3})).decode().splitlines()
    assert '    "arp_mode": "up",' in lines
    assert '    "unison": 3,' in lines
    assert '    "nw": "flute",' in lines


def test_values_outside_become_the_ends_when_set() -> None:
    patch = Patch().with_values({"x": 1e30, "volume": -1e30, "unison": 3.4})
    assert (patch.value("x"), patch.value("volume"), patch.value("unison")) == (1.0, -60.0, 3.0)
    for nothing in (math.nan, math.inf, -math.inf):
        with pytest.raises(TetradError, match="a finite number was expected"):
            patch.with_values({"x": nothing})
    with pytest.raises(TetradError, match=r"no parameter 'revreb'; the nearest are: reverb"):
        patch.with_values({"revreb": 1.0})


def test_what_is_missing_has_its_default_and_is_named() -> None:
    content = document()
    for name in ("reverb_damping", "arp_hold"):
        del content["parameters"][name]
    patch = Patch.from_json(content)
    assert patch.value("reverb_damping") == 0.5
    assert lacking(content) == ("reverb_damping", "arp_hold")
    assert lacking(document()) == ()
    assert lacking([1]) == ()


def test_a_patch_by_hand_needs_little() -> None:
    content = without("author", "tags", "midi", "tuning", "gesture", "written_by")
    content["parameters"] = {"x": 1, "arp_mode": "up", "play_mode": 2}
    patch = Patch.from_json(content)
    assert (patch.value("x"), patch.value("arp_mode"), patch.value("play_mode")) == (1.0, 1.0, 2.0)
    assert patch.tags == ()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ([1], 'does not say "format": "tetrad-patch"'),
        (None, 'does not say "format": "tetrad-patch"'),
        (document(format="tetrad-path"), 'does not say "format": "tetrad-patch"'),
        (document(version=2), "of version 2; a tetrad-patch file of version 1 was expected; take a newer Tetrad"),
        (document(version=True), "of version True"),
        (document(version="1"), "of version '1'"),
        (document(colour="red"), "'colour' is not known"),
        (document(tag=[]), "'tag' is not known; the nearest is \"tags\""),
        (without("corners"), '"corners" is missing'),
        (without("name"), '"name" is missing'),
        (without("parameters"), '"parameters" is missing'),
        (document(corners={"nw": "flute", "ne": "flute", "sw": "flute"}), '"se" is missing'),
        (document(corners={**document()["corners"], "mid": "flute"}), "'mid' is not known"),
        (document(corners={**document()["corners"], "nw": 5}), "an instrument's name is 5"),
        (document(corners={**document()["corners"], "nw": ""}), "an instrument's name is ''"),
        (document(corners=["flute"] * 4), "corners is ['flute'"),
        (document(parameters=[]), "parameters is []"),
        (document(name=""), "name is ''; 1 to 64 printable characters"),
        (document(name=7), "name is 7"),
        (document(name=None), "name is None"),
        (document(name="x" * 65), "1 to 64 printable characters"),
        (document(name="two\nlines"), "1 to 64 printable characters"),
        (document(name=" space "), "without spaces around"),
        (document(name="\ud800"), "1 to 64 printable characters"),
        (document(author=["A"]), "author is ['A']"),
        (document(tags="pad"), "tags are 'pad'; a list"),
        (document(tags=["pad", "Pad"]), "each once"),
        (document(tags=[f"t{i}" for i in range(17)]), "at most 16"),
        (document(tags=[["pad"]]), "a tag is ['pad']"),
        (document(tags=[{}]), "a tag is {}"),
        (document(midi=[]), "midi is []; an object was expected"),
        (document(tuning="equal"), "tuning is 'equal'; an object was expected"),
        (document(gesture={"x": math.inf}), "gesture is not JSON"),
        (document(gesture={"x": 1}), "a tetrad-path file of version 1 was expected"),
        (document(gesture={**gesture(1, 0.5), "version": 2}), "the gesture is of version 2"),
        (document(gesture=gesture(0, 0.5)), "the gesture has no points"),
        (document(gesture=gesture(2, 1.5)), "the gesture, point 1, x is 1.5"),
        (document(gesture={**gesture(1, 0.5), "points": [5]}), "the gesture, point 1 is 5"),
        (document(gesture={**gesture(1, 0.5), "points": gesture(1, 0.5)["points"] * 2}), "rising times were expected"),
        (document(midi={"bend_range": 2}), "unknown key 'bend_range'"),
        (document(midi={"channels": [17]}), "17"),
        (document(midi={"bend_range_semitones": 10**400}), "a whole number of 401 digits"),
        (document(tuning={"pitches": [1.0]}), "A tuning of 1 keys"),
        (document(tuning={"pitches": [10**400] * 128}), "a whole number of 401 digits"),
        (document(gesture={**gesture(1, 0.5), "points": [{"time_s": -1, "x": 0, "y": 0}]}), "point 1, time_s is -1"),
        (with_parameter("revreb", 1.0), "there is no parameter 'revreb'; the nearest is \"reverb\""),
        (with_parameter("x", math.nan), "x is nan; a number from 0 to 1 was expected"),
        (with_parameter("x", math.inf), "x is inf"),
        (with_parameter("x", 1e30), "x is 1e+30; a number from 0 to 1 was expected"),
        (with_parameter("x", 10**400), "x is 1000"),
        (with_parameter("x", "0.5"), "x is '0.5'"),
        (with_parameter("x", True), "x is True"),
        (with_parameter("x", None), "x is None"),
        (with_parameter("x", [0.5]), "x is [0.5]"),
        (with_parameter("tempo", 29.9), "tempo is 29.9; a number from 30 to 300 bpm was expected"),
        (with_parameter("unison", 2.5), "unison is 2.5; a whole number from 1 to 8 voices"),
        (with_parameter("arp_mode", "upp"), "arp_mode is 'upp'; one of off, up, down"),
        (with_parameter("arp_mode", 7), "arp_mode is 7; one of off, up, down"),
    ],
)
def test_what_means_nothing_is_refused_in_one_line(content: object, words: str) -> None:
    with pytest.raises(TetradError) as caught:
        Patch.from_json(content, "glass.json")
    message = str(caught.value)
    assert words in message
    assert message.startswith("glass.json")
    assert "\n" not in message
    assert len(message) < 600


def test_a_newer_version_s_parameter_says_whose() -> None:
    content = with_parameter("shimmer", 0.5)
    content["written_by"] = "99.1"
    with pytest.raises(TetradError, match=r"take a newer Tetrad \('99.1' wrote it, this is "):
        Patch.from_json(content)


def test_a_patch_made_in_code_is_checked_too() -> None:
    with pytest.raises(TetradError, match="3 corners were given; 4"):
        Patch(corners=("flute", "flute", "flute"))
    with pytest.raises(TetradError, match="1 parameters were given"):
        Patch(values=(0.5,))
    values = list(Patch().values)
    values[0] = math.nan
    with pytest.raises(TetradError, match="x is nan"):
        Patch(values=tuple(values))


def test_corrupt_files_are_refused_whatever_was_done_to_them(tmp_path: Path) -> None:
    """Cut anywhere, or with bytes changed: a patch comes out, or a TetradError; never anything else."""
    dice = random.Random(2)
    path = tmp_path / "p.json"
    whole = patch_bytes(random_patch(dice, "Glass"))
    refused = 0
    for _ in range(600):
        data = bytearray(whole)
        if dice.random() < 0.3:
            data = data[: dice.randrange(len(data))]
        for _ in range(dice.randint(1, 4) if data else 0):
            data[dice.randrange(len(data))] = dice.choice((dice.randrange(256), *b'"{}[],:0e-'))
        path.write_bytes(data)
        try:
            patch = read_patch(path)
        except TetradError:
            refused += 1
        else:
            assert Patch.from_json(patch.to_json()) == patch
    assert refused > 300


def test_a_file_without_end_is_not_read_into_memory(tmp_path: Path) -> None:
    path = tmp_path / "p.json"
    with path.open("wb") as file:
        file.truncate(200 * MOST_BYTES)  # sparse: takes no space
    with pytest.raises(TetradError, match="larger than 4,194,304 bytes"):
        read_patch(path)


def test_parts_are_replaced_one_by_one() -> None:
    patch = Patch().with_corner(Corner.SW, None).with_midi({"channels": [2]})
    patch = patch.with_tuning({"name": "b"}).with_gesture(gesture(3, 0.2))
    assert patch.corners == ("flute", "strings", None, "choir")
    assert patch.corner(Corner.SW) is None
    assert midi_settings(patch.midi) == MidiSettings(channels=frozenset({1}))
    assert tuning_of(patch.tuning) == Tuning("b")
    assert patch.gesture is not None
    assert gesture_of(patch.gesture).at(1.0) == (0.2, 0.5)
    assert patch.with_tuning(None).with_gesture(None).to_json()["tuning"] is None
    named = patch.with_texts(name=" New ", tags=["a", " b "])
    assert (named.name, named.author, named.tags) == ("New", "", ("a", "b"))
    assert Patch() == Patch()
