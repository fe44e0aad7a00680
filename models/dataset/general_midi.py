"""The pitched General MIDI programs: name, family, range, and whether a held note goes on sounding.

Program numbers count from 0. Families are those of `synth.instruments.format`. A range is the real instrument's (for an
electronic one, the range in which it is played), cut to the keys 24 to 100.
"""

import math
import re
from dataclasses import dataclass, replace

SOURCES = ("acoustic", "electronic", "synthetic")  # NSynth's instrument_source
KEY_STEP = 5.5  # semitones between neighbouring rendered keys, before rounding

# Programs whose instruments, of every font and bank, are kept out of training. 17 of 115, from every family. Chosen by
# reading which samples the presets of FluidR3 and MuseScore General play: none of these plays a sample that a training
# program plays, but for Pad Choir, which has one of its six in common with Pad New Age and Pad Bowed in FluidR3.
# (Blown Bottle, Lead Voice and Pad Choir share samples, so they go together.)
HELD_OUT_PROGRAMS = frozenset({6, 12, 18, 26, 34, 41, 45, 53, 57, 65, 68, 75, 76, 85, 91, 106, 114})


@dataclass(frozen=True)
class Program:
    """One General MIDI program. `lowest` and `highest` are MIDI note numbers, both playable."""

    number: int
    name: str
    family: str
    source: str
    lowest: int
    highest: int
    sustains: bool

    @property
    def keys(self) -> tuple[int, ...]:
        """MIDI notes to render: lowest, highest and what lies between in steps of 5 or 6 semitones."""
        n_steps = max(1, math.ceil((self.highest - self.lowest) / KEY_STEP))
        return tuple(round(self.lowest + i * (self.highest - self.lowest) / n_steps) for i in range(n_steps + 1))


def slug(name: str) -> str:
    """Lower-case letters, digits and single underscores only: `Bass & Lead` becomes `bass_lead`."""
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")


# number, name, family, source, lowest key, highest key, sustains
_ROWS = (
    (0, "Acoustic Grand Piano", "keyboard", "acoustic", 24, 100, False),
    (1, "Bright Acoustic Piano", "keyboard", "acoustic", 24, 100, False),
    (2, "Electric Grand Piano", "keyboard", "electronic", 24, 100, False),
    (3, "Honky-tonk Piano", "keyboard", "acoustic", 24, 100, False),
    (4, "Electric Piano 1", "keyboard", "electronic", 28, 100, False),
    (5, "Electric Piano 2", "keyboard", "electronic", 28, 100, False),
    (6, "Harpsichord", "keyboard", "acoustic", 29, 89, False),
    (7, "Clavinet", "keyboard", "electronic", 29, 88, False),
    (8, "Celesta", "mallet", "acoustic", 60, 100, False),
    (9, "Glockenspiel", "mallet", "acoustic", 72, 100, False),
    (10, "Music Box", "mallet", "acoustic", 60, 96, False),
    (11, "Vibraphone", "mallet", "acoustic", 53, 89, False),
    (12, "Marimba", "mallet", "acoustic", 36, 96, False),
    (13, "Xylophone", "mallet", "acoustic", 60, 100, False),
    (14, "Tubular Bells", "mallet", "acoustic", 60, 79, False),
    (15, "Dulcimer", "mallet", "acoustic", 48, 84, False),
    (16, "Drawbar Organ", "organ", "electronic", 36, 96, True),
    (17, "Percussive Organ", "organ", "electronic", 36, 96, True),
    (18, "Rock Organ", "organ", "electronic", 36, 96, True),
    (19, "Church Organ", "organ", "acoustic", 24, 96, True),
    (20, "Reed Organ", "organ", "acoustic", 36, 96, True),
    (21, "Accordion", "organ", "acoustic", 41, 93, True),
    (22, "Harmonica", "reed", "acoustic", 60, 96, True),
    (23, "Tango Accordion", "organ", "acoustic", 41, 93, True),
    (24, "Acoustic Guitar Nylon", "guitar", "acoustic", 40, 84, False),
    (25, "Acoustic Guitar Steel", "guitar", "acoustic", 40, 84, False),
    (26, "Electric Guitar Jazz", "guitar", "electronic", 40, 86, False),
    (27, "Electric Guitar Clean", "guitar", "electronic", 40, 86, False),
    (28, "Electric Guitar Muted", "guitar", "electronic", 40, 86, False),
    (29, "Overdriven Guitar", "guitar", "electronic", 40, 86, True),
    (30, "Distortion Guitar", "guitar", "electronic", 40, 86, True),
    (31, "Guitar Harmonics", "guitar", "electronic", 40, 86, False),
    (32, "Acoustic Bass", "bass", "acoustic", 28, 60, False),
    (33, "Electric Bass Finger", "bass", "electronic", 28, 60, False),
    (34, "Electric Bass Pick", "bass", "electronic", 28, 60, False),
    (35, "Fretless Bass", "bass", "electronic", 28, 60, False),
    (36, "Slap Bass 1", "bass", "electronic", 28, 60, False),
    (37, "Slap Bass 2", "bass", "electronic", 28, 60, False),
    (38, "Synth Bass 1", "bass", "synthetic", 24, 60, True),
    (39, "Synth Bass 2", "bass", "synthetic", 24, 60, True),
    (40, "Violin", "string", "acoustic", 55, 98, True),
    (41, "Viola", "string", "acoustic", 48, 86, True),
    (42, "Cello", "string", "acoustic", 36, 79, True),
    (43, "Contrabass", "string", "acoustic", 28, 64, True),
    (44, "Tremolo Strings", "string", "acoustic", 36, 96, True),
    (45, "Pizzicato Strings", "string", "acoustic", 36, 96, False),
    (46, "Orchestral Harp", "string", "acoustic", 24, 98, False),
    (47, "Timpani", "mallet", "acoustic", 36, 57, False),
    (48, "String Ensemble 1", "string", "acoustic", 31, 96, True),
    (49, "String Ensemble 2", "string", "acoustic", 31, 96, True),
    (50, "Synth Strings 1", "string", "synthetic", 36, 96, True),
    (51, "Synth Strings 2", "string", "synthetic", 36, 96, True),
    (52, "Choir Aahs", "vocal", "acoustic", 41, 84, True),
    (53, "Voice Oohs", "vocal", "acoustic", 41, 84, True),
    (54, "Synth Voice", "vocal", "synthetic", 41, 84, True),
    (55, "Orchestra Hit", "string", "acoustic", 48, 72, False),
    (56, "Trumpet", "brass", "acoustic", 54, 86, True),
    (57, "Trombone", "brass", "acoustic", 36, 74, True),
    (58, "Tuba", "brass", "acoustic", 26, 60, True),
    (59, "Muted Trumpet", "brass", "acoustic", 54, 84, True),
    (60, "French Horn", "brass", "acoustic", 34, 77, True),
    (61, "Brass Section", "brass", "acoustic", 36, 86, True),
    (62, "Synth Brass 1", "brass", "synthetic", 36, 96, True),
    (63, "Synth Brass 2", "brass", "synthetic", 36, 96, True),
    (64, "Soprano Sax", "reed", "acoustic", 54, 88, True),
    (65, "Alto Sax", "reed", "acoustic", 49, 81, True),
    (66, "Tenor Sax", "reed", "acoustic", 44, 76, True),
    (67, "Baritone Sax", "reed", "acoustic", 36, 69, True),
    (68, "Oboe", "reed", "acoustic", 58, 91, True),
    (69, "English Horn", "reed", "acoustic", 52, 81, True),
    (70, "Bassoon", "reed", "acoustic", 34, 74, True),
    (71, "Clarinet", "reed", "acoustic", 50, 91, True),
    (72, "Piccolo", "flute", "acoustic", 74, 100, True),
    (73, "Flute", "flute", "acoustic", 60, 96, True),
    (74, "Recorder", "flute", "acoustic", 60, 96, True),
    (75, "Pan Flute", "flute", "acoustic", 60, 96, True),
    (76, "Blown Bottle", "flute", "acoustic", 60, 96, True),
    (77, "Shakuhachi", "flute", "acoustic", 55, 84, True),
    (78, "Whistle", "flute", "acoustic", 60, 96, True),
    (79, "Ocarina", "flute", "acoustic", 60, 84, True),
    (80, "Lead Square", "synth_lead", "synthetic", 36, 96, True),
    (81, "Lead Sawtooth", "synth_lead", "synthetic", 36, 96, True),
    (82, "Lead Calliope", "synth_lead", "synthetic", 36, 96, True),
    (83, "Lead Chiff", "synth_lead", "synthetic", 36, 96, True),
    (84, "Lead Charang", "synth_lead", "synthetic", 36, 96, True),
    (85, "Lead Voice", "synth_lead", "synthetic", 36, 96, True),
    (86, "Lead Fifths", "synth_lead", "synthetic", 36, 96, True),
    (87, "Lead Bass and Lead", "synth_lead", "synthetic", 24, 96, True),
    (88, "Pad New Age", "synth_pad", "synthetic", 36, 96, True),
    (89, "Pad Warm", "synth_pad", "synthetic", 36, 96, True),
    (90, "Pad Polysynth", "synth_pad", "synthetic", 36, 96, True),
    (91, "Pad Choir", "synth_pad", "synthetic", 36, 96, True),
    (92, "Pad Bowed", "synth_pad", "synthetic", 36, 96, True),
    (93, "Pad Metallic", "synth_pad", "synthetic", 36, 96, True),
    (94, "Pad Halo", "synth_pad", "synthetic", 36, 96, True),
    (95, "Pad Sweep", "synth_pad", "synthetic", 36, 96, True),
    (96, "FX Rain", "synth_pad", "synthetic", 36, 96, True),
    (97, "FX Soundtrack", "synth_pad", "synthetic", 36, 96, True),
    (98, "FX Crystal", "synth_pad", "synthetic", 36, 96, False),
    (99, "FX Atmosphere", "synth_pad", "synthetic", 36, 96, True),
    (100, "FX Brightness", "synth_pad", "synthetic", 36, 96, True),
    (101, "FX Goblins", "synth_pad", "synthetic", 36, 96, True),
    (102, "FX Echoes", "synth_pad", "synthetic", 36, 96, True),
    (103, "FX Sci-fi", "synth_pad", "synthetic", 36, 96, True),
    (104, "Sitar", "guitar", "acoustic", 48, 77, False),
    (105, "Banjo", "guitar", "acoustic", 48, 84, False),
    (106, "Shamisen", "guitar", "acoustic", 50, 79, False),
    (107, "Koto", "guitar", "acoustic", 55, 84, False),
    (108, "Kalimba", "mallet", "acoustic", 48, 79, False),
    (109, "Bagpipe", "reed", "acoustic", 36, 77, True),
    (110, "Fiddle", "string", "acoustic", 55, 96, True),
    (111, "Shanai", "reed", "acoustic", 48, 84, True),
    (112, "Tinkle Bell", "mallet", "acoustic", 72, 96, False),
    (113, "Agogo", "mallet", "acoustic", 60, 84, False),
    (114, "Steel Drums", "mallet", "acoustic", 52, 84, False),
)

PROGRAMS: dict[int, Program] = {row[0]: Program(*row) for row in _ROWS}

# Variation banks that real fonts have, where the variation's own range or nature differs from its program's.
# bank, program, name, lowest key, highest key, sustains
_VARIATION_ROWS = (
    (8, 14, "Church Bell", 48, 79, False),
    (9, 14, "Carillon", 48, 79, False),
    (11, 0, "Piano and Fading Strings", 24, 100, False),
    (11, 1, "Piano and Strings", 36, 96, True),
    (11, 8, "Tinkling Bells", 60, 100, False),
    (11, 14, "Bell Tower", 48, 79, False),
    (12, 10, "Christmas Bells", 60, 96, False),
    (13, 48, "Woodwind Choir", 36, 91, True),
    (8, 24, "Ukulele", 60, 84, False),
    (8, 30, "Feedback Guitar", 40, 86, True),
    (8, 31, "Guitar Feedback", 40, 86, True),
    (16, 25, "Mandolin", 55, 88, False),
    (20, 44, "Violins Tremolo", 55, 96, True),
    (20, 45, "Violins Pizzicato", 55, 96, False),
    (20, 48, "Violins Fast", 55, 96, True),
    (20, 49, "Violins Slow", 55, 96, True),
    (25, 44, "Second Violins Tremolo", 55, 93, True),
    (25, 45, "Second Violins Pizzicato", 55, 93, False),
    (25, 48, "Second Violins Fast", 55, 93, True),
    (25, 49, "Second Violins Slow", 55, 93, True),
    (30, 44, "Violas Tremolo", 48, 86, True),
    (30, 45, "Violas Pizzicato", 48, 86, False),
    (30, 48, "Violas Fast", 48, 86, True),
    (30, 49, "Violas Slow", 48, 86, True),
    (40, 44, "Celli Tremolo", 36, 76, True),
    (40, 45, "Celli Pizzicato", 36, 76, False),
    (40, 48, "Celli Fast", 36, 76, True),
    (40, 49, "Celli Slow", 36, 76, True),
    (50, 44, "Basses Tremolo", 28, 60, True),
    (50, 45, "Basses Pizzicato", 28, 60, False),
    (50, 48, "Basses Fast", 28, 60, True),
    (50, 49, "Basses Slow", 28, 60, True),
)
# The same where it is of another family than its program.
_VARIATION_FAMILIES = {(13, 48): "reed"}
_VARIATIONS = {(row[0], row[1]): row[2:] for row in _VARIATION_ROWS}

# The percussion bank of the SoundFont format, and the bank in which GeneralUser GS keeps a second copy of its kits.
PERCUSSION_BANKS = frozenset({120, 128})


def program_of_preset(bank: int, number: int, preset_name: str) -> Program | None:
    """What a sound font's preset is, or None when it is no pitched instrument of its own.

    Bank 0 holds the 115 programs under General MIDI's names, which fonts spell in their own ways. Other banks hold
    variations of the program with the same number; those called `... Expr.` are left out: they are the same samples
    for players who steer the level with a controller.
    """
    program = PROGRAMS.get(number)
    if program is None or bank in PERCUSSION_BANKS or preset_name.endswith("Expr."):
        return None
    if bank == 0:
        return program
    name, lowest, highest, sustains = _VARIATIONS.get(
        (bank, number), (preset_name, program.lowest, program.highest, program.sustains)
    )
    family = _VARIATION_FAMILIES.get((bank, number), program.family)
    return replace(program, name=name, family=family, lowest=lowest, highest=highest, sustains=sustains)
