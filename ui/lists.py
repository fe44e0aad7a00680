"""Lists that the engine is asked for: kept in the mirror from when a page first wants them, through every change."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from kivy.clock import Clock

from synth.control.parameters import Parameter
from ui.link import EngineLink
from ui.mirror import Mirror

# List -> the command that asks for it, the notices after which it is asked for again.
SOURCES: dict[str, tuple[str, frozenset[str]]] = {
    "table": ("parameters", frozenset()),
    "instruments": ("instruments", frozenset({"instruments_changed"})),
    "patches": ("patches", frozenset({"patches_changed"})),
    "import_jobs": ("imports", frozenset({"import_changed"})),
    "midi_settings": ("midi_settings", frozenset({"midi_settings_changed", "midi_learned", "patch_changed"})),
}
AGAIN_S = 0.2
"""At most one question in this time: an import tells of itself several times a second."""
_PARAMETER_FIELDS = {field.name for field in fields(Parameter)}


def parameter(entry: Mapping[str, Any]) -> Parameter | None:
    """An entry of the table; None where it lacks what a parameter needs. What a newer engine adds is left."""
    known = {name: value for name, value in entry.items() if name in _PARAMETER_FIELDS}
    known["choices"] = tuple(known.get("choices") or ())
    known.setdefault("midi_cc", None)
    try:
        return Parameter(**known)
    except TypeError:
        return None


class Lists:
    """`want("instruments")`, and `mirror.instruments` is kept from then on."""

    def __init__(self, link: EngineLink, mirror: Mirror) -> None:
        self._link, self._mirror = link, mirror
        self._wanted: dict[str, Any] = {}
        mirror.bind(connections=self._connected, on_notice=self._noticed)

    def want(self, name: str) -> None:
        """From now on. Raises KeyError for a list that there isn't."""
        if name not in self._wanted:
            command, _ = SOURCES[name]
            self._wanted[name] = Clock.create_trigger(lambda _: self._ask(name, command), AGAIN_S)
            self._ask(name, command)

    def _connected(self, *_: object) -> None:
        for name in self._wanted:
            self._ask(name, SOURCES[name][0])

    def _noticed(self, _: Mirror, notice: str, __: Mapping[str, Any]) -> None:
        for name, again in self._wanted.items():
            if notice in SOURCES[name][1]:
                again()

    def _ask(self, name: str, command: str) -> None:
        if self._mirror.connection == "connected":
            self._link.ask(command, then=lambda result: self._take(name, result))

    def _take(self, name: str, result: Mapping[str, Any]) -> None:
        match name:
            case "table":
                entries = result.get("parameters")
                given = entries if isinstance(entries, list) else []
                found = [parameter(entry) for entry in given if isinstance(entry, Mapping)]
                self._mirror.table = [one for one in found if one is not None]
            case "midi_settings":
                settings = result.get("settings")
                self._mirror.midi_settings = dict(settings) if isinstance(settings, Mapping) else {}
            case _:
                entries = result.get("imports" if name == "import_jobs" else name)
                given = entries if isinstance(entries, list) else []
                setattr(self._mirror, name, [one for one in given if isinstance(one, dict)])
