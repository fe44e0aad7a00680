"""Which notes the set consists of: instruments, keys, velocities, names and the split. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol, Self, TypeVar

from models.dataset.general_midi import HELD_OUT_PROGRAMS, SOURCES, Program, program_of_preset, slug
from models.dataset.soundfont import Preset, SoundFont
from synth.instruments.format import FAMILIES

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


class Plan(Protocol):
    """An instrument to put into the set: a preset to render, or recordings to read."""

    @property
    def name(self) -> str: ...

    @property
    def strikes(self) -> tuple[tuple[int, int], ...]:
        """(MIDI note, velocity) of each note."""

    def note_name(self, pitch: int, velocity: int) -> str: ...

    def describe(self, pitch: int, velocity: int) -> dict[str, object]: ...

    def only(self, strikes: Sequence[tuple[int, int]]) -> Self:
        """The same instrument with these notes alone."""


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

    def only(self, strikes: Sequence[tuple[int, int]]) -> "InstrumentPlan":
        """The same preset with these notes alone."""
        return replace(self, strikes=tuple(strikes))

    def describe(self, pitch: int, velocity: int) -> dict[str, object]:
        """The part of a note's entry in examples.json that is the preset's to say."""
        return {
            "instrument_family": FAMILIES.index(self.program.family),
            "instrument_family_str": self.program.family,
            "instrument_source": SOURCES.index(self.program.source),
            "instrument_source_str": self.program.source,
            "sample_rate": SAMPLE_RATE_HZ,
            "font": self.font.key,
            "bank": self.preset.bank,
            "program": self.preset.number,
            "preset": self.preset.name,
            "sustains": self.program.sustains,
            "split": self.split,
        }


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


_P = TypeVar("_P", bound=Plan)


def limit_notes(plans: Sequence[_P], n_notes: int) -> list[_P]:
    """At most `n_notes` notes, spread evenly over all that `plans` hold; instruments left without a note go."""
    flat = [(plan, strike) for plan in plans for strike in plan.strikes]
    if n_notes >= len(flat):
        return list(plans)
    kept: dict[str, list[tuple[int, int]]] = {}
    for i in range(n_notes):
        plan, strike = flat[i * len(flat) // n_notes]
        kept.setdefault(plan.name, []).append(strike)
    return [plan.only(kept[plan.name]) for plan in plans if plan.name in kept]
