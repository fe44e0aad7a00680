"""`board.toml`: what it says counts, what it can't say is one line."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from firmware_host.events import Knob
from firmware_host.settings import BoardSettings, parse_settings, read_settings, settings_path
from synth.control.corners import Corner
from synth.control.parameters import INDEX, PARAMETERS
from synth.errors import TetradError

UNHURRIED = hypothesis_settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
WHOLE = """
port = "/dev/ttyACM3"
brightness = 0.25
audition = false
[knobs]
position = "brightness"
volume = "reverb"
[reversed]
encoders = ["nw", "se"]
knobs = ["attack"]
"""


def test_what_it_says_counts(tmp_path: Path) -> None:
    path = tmp_path / "board.toml"
    assert read_settings(path) == BoardSettings()
    path.write_text(WHOLE, encoding="utf-8")
    settings = read_settings(path)
    assert (settings.port, settings.brightness, settings.audition) == ("/dev/ttyACM3", 0.25, False)
    assert settings.knobs == {
        Knob.POSITION: "brightness",
        Knob.ATTACK: "attack",
        Knob.DECAY: "decay",
        Knob.SUSTAIN: "sustain",
        Knob.RELEASE: "release",
        Knob.VOLUME: "reverb",
    }
    assert settings.reversed_encoders == {Corner.NW, Corner.SE}
    assert settings.reversed_knobs == {Knob.ATTACK}


def test_every_knob_has_a_parameter_of_its_own_name() -> None:
    assert all(name in INDEX for name in BoardSettings().knobs.values())


def test_it_lies_among_the_users_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TETRAD_HOME", str(tmp_path))
    (tmp_path / "board.toml").write_text("brightness = 1", encoding="utf-8")
    assert settings_path().parent == tmp_path
    assert read_settings() == BoardSettings(brightness=1.0)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("prot = 'x'", "'prot' is unknown; port, brightness, audition, knobs, reversed were expected"),
        ("port = 3", "port is 3; the name of a serial port"),
        ("port = ''", "port is ''"),
        ("brightness = 1.5", "brightness is 1.5; a number from 0 to 1 was expected"),
        ("brightness = nan", "brightness is nan"),
        ("brightness = true", "brightness is True"),
        ("audition = 'yes'", "audition is 'yes'; true or false was expected"),
        ("knobs = 'all'", "knobs is 'all'; a table, [knobs], was expected"),
        ("[knobs]\nvolum = 'x'", "knobs.'volum' is unknown; position, attack"),
        ("[knobs]\nvolume = 'atack'", "knobs.volume: There is no parameter 'atack'; the nearest are: attack"),
        ("[knobs]\nvolume = 3", "knobs.volume is 3; the name of a parameter was expected"),
        ("[knobs]\nvolume = 'attack'", "the knobs attack and volume both set attack"),
        ("[reversed]\nencoder = ['nw']", "reversed.'encoder' is unknown; encoders, knobs were expected"),
        ("[reversed]\nencoders = 'nw'", "reversed.encoders is 'nw'; a list of nw, ne, sw, se was expected"),
        ("[reversed]\nknobs = ['nw']", "reversed.knobs is ['nw']; a list of position, attack"),
        ("reversed = 1", "reversed is 1; a table"),
        ("[knobs", "TOML was expected"),
        ("\udcff", "TOML was expected"),
    ],
)
def test_a_broken_file_is_one_line_that_names_it(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "board.toml"
    path.write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(TetradError) as raised:
        read_settings(path)
    assert words in str(raised.value)
    assert str(path) in str(raised.value)
    assert "\n" not in str(raised.value)


@UNHURRIED
@given(st.permutations([parameter.name for parameter in PARAMETERS]))
def test_any_six_parameters_will_do(names: list[str]) -> None:
    chosen = dict(zip(Knob, names, strict=False))
    table = {knob.name.lower(): name for knob, name in chosen.items()}
    assert parse_settings({"knobs": table}).knobs == chosen


_VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text("nwatck1.", max_size=6)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text("knobse", max_size=6), inner, max_size=3)
    ),
)


@UNHURRIED
@given(st.dictionaries(st.sampled_from(["port", "brightness", "audition", "knobs", "reversed", "x"]), _VALUES))
def test_whatever_stands_there_it_is_settings_or_one_line(document: dict[str, object]) -> None:
    try:
        settings = parse_settings(document)
    except TetradError as error:
        words = str(error)
    else:
        words = "expected"
        assert set(settings.knobs) == set(Knob)
    assert "expected" in words or "no parameter" in words
