"""An event with a value that means nothing can't be made."""

from collections.abc import Callable

import pytest

from synth.control.events import ChannelLevel, Event, ModWheel, NoteOff, NoteOn, Pan, PitchBend, SetParameter
from synth.errors import TetradError

NAN = float("nan")


@pytest.mark.parametrize(
    "make",
    [
        lambda: NoteOn(0, 0, 128, 100),
        lambda: NoteOn(0, 0, -1, 100),
        lambda: NoteOn(0, 0, 60, 128),
        lambda: NoteOn(0, 0, 60, 0),
        lambda: NoteOn(0, 16, 60, 100),
        lambda: NoteOn(-1, 0, 60, 100),
        lambda: NoteOn(0, 0, 60.5, 100),  # type: ignore[arg-type]
        lambda: NoteOff(0, 0, 200),
        lambda: PitchBend(0, 0, NAN),
        lambda: PitchBend(0, 0, 200.0),
        lambda: ModWheel(0, 0, 1.5),
        lambda: Pan(0, 0, -2.0),
        lambda: ChannelLevel(0, 0, volume_db=99.0),
        lambda: SetParameter(0, "volume", NAN),
        lambda: SetParameter(0, "loudness", 0.0),
    ],
)
def test_refused(make: Callable[[], Event]) -> None:
    with pytest.raises(TetradError):
        make()


def test_a_parameter_is_moved_into_its_range() -> None:
    assert SetParameter(0, "x", 7.0).value == 1.0
