"""Every parameter of the sound, described once: engine, screen, encoder board, MIDI and patches read this table."""

from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal

from synth.errors import TetradError

Curve = Literal["linear", "log", "cubic"]


@dataclass(frozen=True)
class Parameter:
    """One parameter.

    minimum, maximum, default: in `unit`. curve: how a knob's travel 0..1 maps to the range: `linear`; `log` (equal
    travel, equal ratio); `cubic` (fine near the minimum, which may be 0). midi_cc: controller that sets it, or None.
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

    def clamp(self, value: float) -> float:
        """The nearest value inside the range."""
        return min(max(float(value), self.minimum), self.maximum)

    def from_travel(self, travel: float) -> float:
        """Value at a knob's travel 0..1."""
        travel = min(max(float(travel), 0.0), 1.0)
        if self.curve == "log":
            return self.clamp(self.minimum * (self.maximum / self.minimum) ** travel)
        share = travel**3 if self.curve == "cubic" else travel
        return self.clamp(self.minimum + (self.maximum - self.minimum) * share)


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
    Parameter("velocity_depth", 0.0, 1.0, "", 0.5, "linear", None, False, "Velocity's effect where no layer has it."),
    Parameter("level_nw", -60.0, 12.0, "dB", 0.0, "linear", None, True, "Level of the north-west corner."),
    Parameter("level_ne", -60.0, 12.0, "dB", 0.0, "linear", None, True, "Level of the north-east corner."),
    Parameter("level_sw", -60.0, 12.0, "dB", 0.0, "linear", None, True, "Level of the south-west corner."),
    Parameter("level_se", -60.0, 12.0, "dB", 0.0, "linear", None, True, "Level of the south-east corner."),
)

INDEX: dict[str, int] = {parameter.name: index for index, parameter in enumerate(PARAMETERS)}
BY_MIDI_CC: dict[int, Parameter] = {p.midi_cc: p for p in PARAMETERS if p.midi_cc is not None}


def parameter_named(name: str) -> Parameter:
    """The table's entry; TetradError with the nearest names when there is none."""
    if name not in INDEX:
        near = get_close_matches(name, INDEX, n=3) or list(INDEX)
        raise TetradError(f"There is no parameter {name!r}; the nearest are: {', '.join(near)}.")
    return PARAMETERS[INDEX[name]]
