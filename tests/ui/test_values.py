"""Values in words: the unit, the sign and the decimals that a player reads."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synth.control.parameters import PARAMETERS, Parameter, parameter_named
from ui.values import name_words, travel_of, value_words


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("attack", 0.0, "0 ms"),
        ("attack", 0.0004, "0.4 ms"),
        ("attack", 0.012, "12 ms"),
        ("attack", 0.9994, "999 ms"),
        ("attack", 0.9996, "1.00 s"),
        ("attack", 1.2, "1.20 s"),
        ("attack", 10.0, "10.0 s"),
        ("volume", -6.0, "-6.0 dB"),
        ("volume", 3.25, "+3.2 dB"),
        ("volume", 0.0, "0.0 dB"),
        ("brightness", 1.5, "+1.5 dB/octave"),
        ("detune", 3.0, "+3 cents"),
        ("detune", -3.4, "-3.4 cents"),
        ("detune", -0.01, "0 cents"),
        ("vibrato_depth", 40.0, "40 cents"),
        ("vibrato_rate", 5.5, "5.50 Hz"),
        ("vibrato_rate", 12.0, "12.0 Hz"),
        ("release", 1.0, "1.00 x"),
        ("reverb", 0.4, "40 %"),
        ("velocity_curve", 0.25, "+25 %"),
        ("unison", 1.0, "1 voice"),
        ("unison", 3.0, "3 voices"),
        ("arp_octaves", 2.2, "2 octaves"),
        ("tempo", 120.5, "120.5 bpm"),
        ("play_mode", 2.0, "legato"),
        ("play_mode", 9.0, "legato"),
        ("delay_sync", 0.0, "off"),
        ("volume", math.nan, "?"),
        ("volume", -math.inf, "?"),
    ],
)
def test_words_of_a_value(name: str, value: float, words: str) -> None:
    assert value_words(parameter_named(name), value) == words


def test_no_minus_before_zero() -> None:
    for name in ("volume", "brightness", "detune", "velocity_curve"):
        assert "-" not in value_words(parameter_named(name), -0.0001), name


def test_a_name_for_people() -> None:
    assert name_words("vibrato_depth") == "Vibrato depth"


@given(parameter=st.sampled_from(PARAMETERS), travel=st.floats(0.0, 1.0))
def test_travel_there_and_back(parameter: Parameter, travel: float) -> None:
    value = parameter.from_travel(travel)
    assert parameter.from_travel(travel_of(parameter, value)) == pytest.approx(value, rel=1e-9, abs=1e-9)


@given(parameter=st.sampled_from(PARAMETERS), value=st.floats())
def test_any_number_has_words(parameter: Parameter, value: float) -> None:
    words = value_words(parameter, value)
    assert 0 < len(words) <= 20
    assert 0.0 <= travel_of(parameter, value) <= 1.0
