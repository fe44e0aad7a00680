"""The parameter table is consistent, and its curves reach what they promise."""

import pytest

from synth.control.parameters import BY_MIDI_CC, PARAMETERS, Parameter, parameter_named
from synth.errors import TetradError


@pytest.mark.parametrize("parameter", PARAMETERS, ids=lambda p: p.name)
def test_ranges_and_curves(parameter: Parameter) -> None:
    assert parameter.minimum <= parameter.default <= parameter.maximum
    assert parameter.from_travel(0.0) == pytest.approx(parameter.minimum)
    assert parameter.from_travel(1.0) == pytest.approx(parameter.maximum)
    values = [parameter.from_travel(step / 20) for step in range(21)]
    if parameter.curve == "step":  # every whole number between the ends, and no other
        assert sorted(set(values)) == [float(n) for n in range(int(parameter.minimum), int(parameter.maximum) + 1)]
        assert values == sorted(values)
    else:
        assert values == sorted(set(values))
    assert parameter.clamp(1e9) == parameter.maximum
    assert parameter.clamp(-1e9) == parameter.minimum


def test_names_and_controllers_are_unique() -> None:
    assert len({p.name for p in PARAMETERS}) == len(PARAMETERS)
    assert len(BY_MIDI_CC) == sum(p.midi_cc is not None for p in PARAMETERS)


def test_a_log_curve_has_equal_ratios() -> None:
    release = parameter_named("release")
    assert release.from_travel(0.5) == pytest.approx((0.05 * 10.0) ** 0.5)


def test_an_unknown_name_gets_the_nearest() -> None:
    with pytest.raises(TetradError, match="brightness"):
        parameter_named("brightnes")
