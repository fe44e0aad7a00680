"""Which notes the set consists of: instruments, keys, velocities, names and the split. Pure."""

from dataclasses import dataclass

from models.dataset.general_midi import HELD_OUT_PROGRAMS, Program, program_of_preset, slug
from models.dataset.soundfont import Preset, SoundFont

SAMPLE_RATE_HZ = 48_000
LOW_RATE_HZ = 16_000  # NSynth's rate, the encoder's
HELD_S = 3.0
RELEASED_S = 1.0
N_SAMPLES = 192_000  # of a note at SAMPLE_RATE_HZ: 4.0 s
N_LOW_SAMPLES = 64_000
VELOCITIES = (45, 80, 115)

TRAIN = "train"
HELD_OUT = "held_out"
SPLITS = (TRAIN, HELD_OUT)


@dataclass(frozen=True)
class InstrumentPlan:
    """One preset of one font and the (MIDI note, velocity) pairs to render of it."""

    name: str
    font: SoundFont
    preset: Preset
    program: Program
    strikes: tuple[tuple[int, int], ...]

    @property
    def split(self) -> str:
        """By General MIDI program, so that all fonts' and banks' versions of an instrument are on one side."""
        return HELD_OUT if self.program.number in HELD_OUT_PROGRAMS else TRAIN

    def note_name(self, pitch: int, velocity: int) -> str:
        """As in NSynth: `fluid_000_acoustic_grand_piano-060-080`."""
        return f"{self.name}-{pitch:03d}-{velocity:03d}"


def instrument_name(font_key: str, preset: Preset, program: Program) -> str:
    """`fluid_000_acoustic_grand_piano`; `fluid_025b016_mandolin` for the variation in bank 16."""
    bank = f"b{preset.bank:03d}" if preset.bank else ""
    return f"{font_key}_{preset.number:03d}{bank}_{slug(program.name)}"


def plan_instruments(fonts: list[SoundFont]) -> list[InstrumentPlan]:
    """Every pitched, playable preset of `fonts` at each key of its range and each velocity; by font, bank, program."""
    plans = []
    for font in fonts:
        for preset in font.presets:
            program = program_of_preset(preset.bank, preset.number, preset.name)
            if program is not None and (preset.bank, preset.number) not in font.unplayable:
                strikes = tuple((pitch, velocity) for pitch in program.keys for velocity in VELOCITIES)
                plans.append(InstrumentPlan(instrument_name(font.key, preset, program), font, preset, program, strikes))
    return plans


def limit_notes(plans: list[InstrumentPlan], n_notes: int) -> list[InstrumentPlan]:
    """At most `n_notes` notes, spread evenly over all that `plans` hold; instruments left without a note go."""
    flat = [(plan, strike) for plan in plans for strike in plan.strikes]
    if n_notes >= len(flat):
        return plans
    kept: dict[str, list[tuple[int, int]]] = {}
    for i in range(n_notes):
        plan, strike = flat[i * len(flat) // n_notes]
        kept.setdefault(plan.name, []).append(strike)
    return [
        InstrumentPlan(plan.name, plan.font, plan.preset, plan.program, tuple(kept[plan.name]))
        for plan in plans
        if plan.name in kept
    ]
