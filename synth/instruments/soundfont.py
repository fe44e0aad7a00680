"""Notes of a preset of a sound font (SF2, SF3), as FluidSynth plays them: envelopes, filters and layers included."""

from __future__ import annotations

import difflib
import itertools
import math
from functools import partial
from pathlib import Path

from synth.errors import TetradError
from synth.instruments.notes import Finding, FoundNote
from synth.instruments.soundfont_renderer import HELD_S, PresetPlayer
from synth.instruments.soundfont_table import Preset, SoundFont, Zone, read_sound_font
from synth.instruments.thinning import MOST_NOTES, evenly, thin

WIDEST_STEP = 4
"""Semitones between rendered keys."""
BEYOND_SAMPLES = 4
"""Semitones below the lowest and above the highest sampled key: further out a font shifts samples, formants and all."""
MOST_LAYERS = 4
NARROWEST_LAYER = 8
"""Velocities; narrower ones are gaps and overlaps of those beside them."""
_DRUMS = 128
_MOST_LISTED = 40
_GENERAL_MIDI = (
    (range(8), "keyboard"), (range(8, 16), "mallet"), (range(16, 24), "organ"), (range(24, 32), "guitar"),
    (range(32, 40), "bass"), (range(40, 52), "string"), (range(52, 55), "vocal"), (range(56, 64), "brass"),
    (range(64, 72), "reed"), (range(72, 80), "flute"), (range(80, 88), "synth_lead"),
)  # fmt: skip


def find_preset(path: Path, preset: str | None = None) -> Finding:
    """Notes of one preset, each held for 3 s, every 3 to 4 semitones (every key of a drum kit), in up to 4 layers where
    the preset's zones differ by velocity.

    preset: its name, a part that only one has, or "bank:program"; may be missing where there is only one.
    Raises TetradError where the file is no sound font, has no such preset (the message lists what it has), or the
    preset has no sample. A note that can't be played says so when it is read.
    """
    font = read_sound_font(path)
    chosen = choose_preset(font, preset)
    zones = font.zones(chosen)
    if not zones:
        raise TetradError(f"{path}: its preset {chosen} has no samples; take another")
    player = PresetPlayer(path, chosen.bank, chosen.program)
    places = [(key, velocity) for key in _keys(zones, chosen.bank == _DRUMS) for velocity in _velocities(zones, key)]
    taken = thin(places, lambda place: place)
    problems = []
    if len(taken) < len(places):
        problems.append(
            f"{len(places)} notes; {len(taken)} are taken, evenly over keys and layers (at most {MOST_NOTES})"
        )
    notes = tuple(
        FoundNote(
            name=f"{chosen.name} {key} at velocity {velocity}",
            read=partial(player.render, key, velocity),
            pitch=key,
            velocity=velocity,
            release_s=HELD_S,
        )
        for key, velocity in taken
    )
    return Finding(
        name=chosen.name or path.stem,
        notes=notes,
        family=_family(font, chosen),
        problems=tuple(problems),
        author=font.author,
        licence=font.licence,
        origin=f"{path.name}, preset {chosen}",
    )


def choose_preset(font: SoundFont, wanted: str | None) -> Preset:
    """The preset that a player means. Raises TetradError, with the list, where it is none or more than one."""
    listed = ", ".join(str(preset) for preset in font.presets[:_MOST_LISTED])
    if len(font.presets) > _MOST_LISTED:
        listed += f" and {len(font.presets) - _MOST_LISTED} more"
    if wanted is None:
        if len(font.presets) == 1:
            return font.presets[0]
        raise TetradError(f"{font.path} has {len(font.presets)} presets; name one by --preset: {listed}")
    word = wanted.strip().casefold()
    by_number = [p for p in font.presets if f"{p.bank}:{p.program}" == word]
    by_name = [p for p in font.presets if p.name.casefold() == word]
    by_part = [p for p in font.presets if word and word in p.name.casefold()]
    for found in (by_number, by_name, by_part):
        if len(found) == 1 or (found and found is not by_part):
            return found[0]
    if by_part:
        several = ", ".join(str(preset) for preset in by_part[:_MOST_LISTED])
        raise TetradError(f"{font.path} has {len(by_part)} presets like {wanted!r}: {several}; name one of them")
    near = difflib.get_close_matches(word, [p.name.casefold() for p in font.presets], n=3)
    hint = [str(preset) for preset in font.presets if preset.name.casefold() in near] or [listed]
    raise TetradError(f"{font.path} has no preset {wanted[:60]!r}; it has {', '.join(hint)}")


def _keys(zones: list[Zone], drums: bool) -> list[int]:
    covered = sorted({key for low, high in {zone.keys for zone in zones} for key in range(low, high + 1)})
    if drums:  # every key is another instrument
        return covered
    low = min(max(zone.root, zone.keys[0]) for zone in zones) - BEYOND_SAMPLES
    high = max(min(zone.root, zone.keys[1]) for zone in zones) + BEYOND_SAMPLES
    covered = [key for key in covered if low <= key <= high] or covered
    keys: list[int] = []
    for start, end in _runs(covered):
        keys += evenly(range(start, end + 1), math.ceil((end - start) / WIDEST_STEP) + 1)
    return keys


def _runs(keys: list[int]) -> list[tuple[int, int]]:
    """First and last of each run of neighbouring keys."""
    starts = [key for key in keys if key - 1 not in set(keys)]
    ends = [key for key in keys if key + 1 not in set(keys)]
    return list(zip(starts, ends, strict=True))


def _velocities(zones: list[Zone], key: int) -> list[int]:
    """The middle of each velocity layer of a key; 100 where it has only one."""
    here = [zone for zone in zones if zone.keys[0] <= key <= zone.keys[1]]
    edges = sorted({max(zone.velocities[0], 1) for zone in here} | {zone.velocities[1] + 1 for zone in here})
    layers = [
        (low, high - 1)
        for low, high in itertools.pairwise(edges)
        if high - low >= NARROWEST_LAYER and any(z.velocities[0] <= low and high - 1 <= z.velocities[1] for z in here)
    ]
    if len(layers) < 2:
        low, high = layers[0] if layers else (1, 127)
        return [min(max(100, low), high)]
    return [(low + high) // 2 for low, high in evenly(layers, MOST_LAYERS)]


def _family(font: SoundFont, preset: Preset) -> str | None:
    """By its number, in a font that has most of General MIDI's; others number as they like."""
    if preset.bank == _DRUMS or sum(p.bank == 0 for p in font.presets) < 100:
        return None
    return next((family for programs, family in _GENERAL_MIDI if preset.program in programs), None)
