"""Every parameter of the sound, described once: engine, screen, encoder board, MIDI and patches read this table."""

import math
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal

from synth.errors import TetradError

Curve = Literal["linear", "log", "cubic", "step"]


@dataclass(frozen=True)
class Parameter:
    """One parameter.

    minimum, maximum, default: in `unit`. curve: how a knob's travel 0..1 maps to the range: `linear`; `log` (equal
    travel, equal ratio); `cubic` (fine near the minimum, which may be 0); `step` (whole numbers). choices: names of
    the values 0, 1, ... of a `step` that chooses among kinds. midi_cc: controller that sets it, or None.
    smoothed: the engine glides to a new value (one-pole, 10 ms) in notes that are sounding; the others are read when
    a note starts or ends.
    """

    name: str
    minimum: float
    maximum: float
    unit: str
    default: float
    curve: Curve
    midi_cc: int | None
    smoothed: bool
    description: str
    choices: tuple[str, ...] = ()

    def clamp(self, value: float) -> float:
        """The nearest value inside the range."""
        inside = min(max(float(value), self.minimum), self.maximum)
        return float(round(inside)) if self.curve == "step" else inside

    def from_travel(self, travel: float) -> float:
        """Value at a knob's travel 0..1."""
        travel = min(max(float(travel), 0.0), 1.0)
        if self.curve == "log":
            return self.clamp(self.minimum * (self.maximum / self.minimum) ** travel)
        share = travel**3 if self.curve == "cubic" else travel
        return self.clamp(self.minimum + (self.maximum - self.minimum) * share)

    def to_travel(self, value: float) -> float:
        """A knob's travel 0..1 at a value, clamped first: the inverse of `from_travel`, within rounding."""
        inside = self.clamp(value)
        if self.maximum <= self.minimum:
            return 0.0
        if self.curve == "log":
            return math.log(inside / self.minimum) / math.log(self.maximum / self.minimum)
        share = (inside - self.minimum) / (self.maximum - self.minimum)
        return math.cbrt(share) if self.curve == "cubic" else share

    def nudged(self, value: float, travel: float) -> float:
        """The value after a knob was turned on by a share of its travel, -1..1. One that has steps goes on by one at
        least, in the direction of the turn."""
        if self.curve == "step":
            steps = max(round(abs(travel) * (self.maximum - self.minimum)), 1) if travel else 0
            return self.clamp(value + math.copysign(steps, travel))
        return self.from_travel(self.to_travel(value) + travel)


def _choice(name: str, choices: tuple[str, ...], default: str, description: str) -> Parameter:
    """A parameter whose values 0, 1, ... mean the choices."""
    most = len(choices) - 1.0
    return Parameter(name, 0.0, most, "", float(choices.index(default)), "step", None, False, description, choices)


NOTE_LENGTHS = ("1/1", "1/2", "1/4", "1/4T", "1/8", "1/8T", "1/16", "1/16T", "1/32")
"""Of the arpeggiator and the delay, in whole notes; T is a triplet's."""

# Controllers: 5, 72 to 76 and 94 are named so by the MIDI 1.0 controller table (portamento time, release, attack,
# brightness, decay, vibrato rate, detune); 16 to 19 are its general-purpose controllers.
PARAMETERS: tuple[Parameter, ...] = (
    Parameter("x", 0.0, 1.0, "", 0.5, "linear", 16, True, "Place on the surface, from west to east."),
    Parameter("y", 0.0, 1.0, "", 0.5, "linear", 17, True, "Place on the surface, from south to north."),
    Parameter("position", 0.0, 1.0, "", 0.0, "linear", 18, False, "Where in the note to start; 0 is its onset."),
    Parameter("attack", 0.0, 10.0, "s", 0.0, "cubic", 73, False, "Fade-in on top of the recorded attack."),
    Parameter("decay", 0.0, 10.0, "s", 0.0, "cubic", 75, False, "Time from full level to the sustain level."),
    Parameter("sustain", -60.0, 0.0, "dB", 0.0, "linear", None, True, "Level of a held note after its decay."),
    Parameter("release", 0.05, 10.0, "x", 1.0, "log", 72, True, "Length of the release, 1 as recorded."),
    Parameter("volume", -60.0, 12.0, "dB", -6.0, "linear", None, True, "Level of the whole instrument."),
    Parameter("glide", 0.0, 5.0, "s", 0.0, "cubic", 5, False, "Time to slide from the key played before."),
    Parameter("vibrato_depth", 0.0, 100.0, "cents", 0.0, "linear", None, True, "Vibrato without the mod wheel."),
    Parameter("vibrato_rate", 0.1, 12.0, "Hz", 5.5, "log", 76, False, "Speed of the vibrato."),
    Parameter("brightness", -6.0, 6.0, "dB/octave", 0.0, "linear", 74, True, "Tilt of the spectrum around 1 kHz."),
    Parameter("noise_level", -60.0, 12.0, "dB", 0.0, "linear", 19, True, "Level of breath, bow and hammer noise."),
    Parameter("detune", -100.0, 100.0, "cents", 0.0, "linear", 94, True, "Tuning of the whole instrument."),
    Parameter("tuning_amount", 0.0, 1.0, "", 0.0, "linear", None, True, "How much of a recording's mistuning to keep."),
    Parameter("middle_detail", 0.0, 1.0, "", 0.4, "linear", None, True, "Recordings' own detail kept between corners."),
    Parameter(
        "evenness", 0.0, 1.0, "", 1.0, "linear", None, True, "0: straight lines; 1: even steps, attacks aligned."
    ),
    Parameter("velocity_depth", 0.0, 1.0, "", 0.5, "linear", None, False, "Velocity's effect where no layer has it."),
    Parameter("level_nw", -60.0, 12.0, "dB", 0.0, "linear", None, True, "Level of the north-west corner."),
    Parameter("level_ne", -60.0, 12.0, "dB", 0.0, "linear", None, True, "Level of the north-east corner."),
    Parameter("level_sw", -60.0, 12.0, "dB", 0.0, "linear", None, True, "Level of the south-west corner."),
    Parameter("level_se", -60.0, 12.0, "dB", 0.0, "linear", None, True, "Level of the south-east corner."),
    # How notes begin.
    _choice("play_mode", ("poly", "mono", "legato"), "poly", "Many notes; one, begun anew; one, gone on with."),
    Parameter("velocity_curve", -1.0, 1.0, "", 0.0, "linear", None, False, "Below 0 a light touch plays softer."),
    Parameter("unison", 1.0, 8.0, "voices", 1.0, "step", None, False, "Voices of a note."),
    Parameter("unison_detune", 0.0, 100.0, "cents", 12.0, "cubic", None, True, "Spread of a note's voices in pitch."),
    Parameter("unison_width", 0.0, 1.0, "", 0.7, "linear", None, True, "Spread of a note's voices in the room."),
    Parameter("key_spread", 0.0, 1.0, "", 0.0, "linear", None, True, "Low keys left, high keys right."),
    # What all voices go through together.
    Parameter("chorus", 0.0, 1.0, "", 0.0, "linear", 93, True, "Share of the chorus."),
    Parameter("chorus_rate", 0.05, 5.0, "Hz", 0.6, "log", None, True, "Speed of the chorus."),
    Parameter("delay", 0.0, 1.0, "", 0.0, "linear", 95, True, "Level of the echoes."),
    Parameter("delay_time", 0.01, 2.0, "s", 0.375, "log", None, True, "Between two echoes, without delay_sync."),
    Parameter("delay_feedback", 0.0, 0.95, "", 0.4, "linear", None, True, "Each echo's level over the one before."),
    _choice("delay_sync", ("off", *NOTE_LENGTHS), "off", "Between two echoes, in notes of the tempo."),
    Parameter("reverb", 0.0, 1.0, "", 0.0, "linear", 91, True, "Level of the room."),
    Parameter("reverb_time", 0.2, 20.0, "s", 2.0, "log", None, True, "In which the room falls by 60 dB."),
    Parameter("reverb_damping", 0.0, 1.0, "", 0.5, "linear", None, True, "How much sooner the room's treble goes."),
    # Time.
    Parameter("tempo", 30.0, 300.0, "bpm", 120.0, "linear", None, False, "Quarters a minute, without a MIDI clock."),
    _choice("arp_mode", ("off", "up", "down", "up-down", "as played", "random", "chord"), "off", "Arpeggiator."),
    _choice("arp_rate", NOTE_LENGTHS, "1/16", "Length of the arpeggiator's notes."),
    Parameter("arp_octaves", 1.0, 4.0, "octaves", 1.0, "step", None, False, "Range of the arpeggiator."),
    Parameter("arp_gate", 0.05, 1.0, "", 0.6, "linear", None, False, "Sounding share of an arpeggiator's note."),
    _choice("arp_hold", ("off", "on"), "off", "The arpeggiator goes on after the keys."),
)

INDEX: dict[str, int] = {parameter.name: index for index, parameter in enumerate(PARAMETERS)}
BY_MIDI_CC: dict[int, Parameter] = {p.midi_cc: p for p in PARAMETERS if p.midi_cc is not None}


def parameter_named(name: str) -> Parameter:
    """The table's entry; TetradError with the nearest names when there is none."""
    if name not in INDEX:
        near = get_close_matches(name, INDEX, n=3) or list(INDEX)
        raise TetradError(f"There is no parameter {name!r}; the nearest are: {', '.join(near)}.")
    return PARAMETERS[INDEX[name]]
