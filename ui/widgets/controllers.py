"""Which MIDI controllers move which parameter. Pure; no Kivy here."""

from collections.abc import Iterable, Mapping
from typing import Any

from synth.control.midi_settings import NO_PARAMETER
from synth.control.parameters import Parameter


def _assignments(midi_settings: Mapping[str, Any]) -> dict[str, str]:
    given = midi_settings.get("assignments")
    return {str(cc): str(name) for cc, name in given.items()} if isinstance(given, Mapping) else {}


def controllers(table: Iterable[Parameter], midi_settings: Mapping[str, Any]) -> dict[str, list[int]]:
    """Parameter -> its controllers in order: the table's own, but for those that the player gave to something else,
    and those that were assigned. midi_settings: as the engine tells them, {} where it has not."""
    assigned = _assignments(midi_settings)
    found: dict[str, set[int]] = {}
    for parameter in table:
        if parameter.midi_cc is not None and str(parameter.midi_cc) not in assigned:
            found.setdefault(parameter.name, set()).add(parameter.midi_cc)
    for controller, name in assigned.items():
        if name != NO_PARAMETER and controller.isdecimal():
            found.setdefault(name, set()).add(int(controller))
    return {name: sorted(numbers) for name, numbers in found.items()}


def without_controllers(parameter: Parameter, midi_settings: Mapping[str, Any]) -> dict[str, Any]:
    """The MIDI settings after which no controller moves a parameter: its own is set to move nothing."""
    kept = {cc: name for cc, name in _assignments(midi_settings).items() if name != parameter.name}
    if parameter.midi_cc is not None:
        kept.setdefault(str(parameter.midi_cc), NO_PARAMETER)
    return {**midi_settings, "assignments": kept}
