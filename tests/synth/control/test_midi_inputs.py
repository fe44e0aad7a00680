"""Several inputs: what they share, and what each has of its own."""

from synth.control.events import AllSoundOff, Dimension, Event, NoteExpression, NoteOff, NoteOn, PitchBend, SetParameter
from synth.control.midi_inputs import MidiInputs
from synth.control.midi_settings import MidiSettings
from synth.control.mpe import Zones

MPE_ANNOUNCED = ("b0 65 00", "b0 64 06", "b0 06 0f")


def played(inputs: MidiInputs, port: str, *messages: str) -> list[Event]:
    return [event for message in messages for event in inputs.events(port, bytes.fromhex(message), 0)]


def test_what_one_port_learns_all_know() -> None:
    inputs = MidiInputs()
    played(inputs, "knobs", "b0 30 00")
    inputs.learn("reverb")
    assert played(inputs, "new", "90 3c 40") == [NoteOn(0, 0, 60, 64)]
    assert played(inputs, "knobs", "b0 14 7f") == [SetParameter(0, "reverb", 1.0)]
    assert inputs.learning is None
    assert inputs.settings == MidiSettings(assignments={20: "reverb"})
    assert played(inputs, "new", "b0 14 00", "b0 15 7f") == [SetParameter(0, "reverb", 0.0)]


def test_a_zone_belongs_to_the_controller_that_announced_it_and_outlives_patches() -> None:
    inputs = MidiInputs()
    played(inputs, "grid", *MPE_ANNOUNCED)
    assert inputs.settings.zones == Zones()
    for _ in range(2):
        assert played(inputs, "grid", "d3 7f", "d3 00")[0] == NoteExpression(0, 3, None, Dimension.X, 0.5)
        assert played(inputs, "piano", "d3 7f", "d3 00")[0] == NoteExpression(0, 3, None, Dimension.VIBRATO, 50.0)
        inputs.use(MidiSettings(bend_range_semitones=3.0), 0)
    inputs.lost("grid", 0)
    assert played(inputs, "grid", "d3 7f") == [NoteExpression(0, 3, None, Dimension.VIBRATO, 50.0)]


def test_ports_have_channels_of_their_own() -> None:
    inputs = MidiInputs(MidiSettings(channels=frozenset({0})), {"Pads": frozenset({9})})
    assert played(inputs, "ALSA: pads 20:0", "99 24 40", "90 24 40") == [NoteOn(0, 9, 36, 64)]
    assert played(inputs, "keys", "99 24 40", "90 24 40") == [NoteOn(0, 0, 36, 64)]
    inputs.use(MidiSettings(), 0)
    assert played(inputs, "ALSA: pads 20:0", "90 24 40") == []


def test_a_lost_port_lets_go_of_its_own_notes_and_comes_back_at_rest() -> None:
    inputs = MidiInputs()
    played(inputs, "a", "90 3c 40", "e0 7f 7f")
    played(inputs, "b", "91 3e 40")
    events = inputs.lost("a", 4)
    assert [event for event in events if isinstance(event, NoteOff)] == [NoteOff(4, 0, 60)]
    assert inputs.lost("a", 5) == []
    assert inputs.lost("never there", 5) == []
    assert played(inputs, "a", "e0 00 00") == [PitchBend(0, 0, -2.0)]


def test_panic_works_with_and_without_ports() -> None:
    inputs = MidiInputs()
    silence = [AllSoundOff(7, channel) for channel in range(16)]
    assert inputs.panic(7)[:16] == silence
    played(inputs, "a", "90 3c 40")
    assert inputs.panic(7).count(silence[0]) == 2
    assert not [event for event in inputs.lost("a", 8) if isinstance(event, NoteOff)]


def test_one_bank_of_tunings_serves_all_ports() -> None:
    inputs = MidiInputs()
    played(inputs, "tuner", "f0 7f 7f 08 02 00 01 3c 3c 20 00 f7")
    assert inputs.tunings.current.pitches[60] == 60.25
