"""Settings: MPE, where every finger of a controller has a channel of its own."""

from pathlib import Path
from typing import Any

from kivy.lang import Builder

from ui.pages.settings import (
    midi,  # noqa: F401  (its rules are used in this file's)
    midi_model,
)
from ui.pages.settings.midi_section import MidiSettingsSection
from ui.texts import text

Builder.load_file(str(Path(__file__).with_suffix(".kv")))


class MpeSection(MidiSettingsSection):
    """Two zones, their bend range, and what pressure and slide of a finger move."""

    def set_zone(self, name: str, members: float) -> None:
        """Size of "lower_members" or "upper_members"; the other zone makes room."""
        self.change(midi_model.with_zone(self.settings, name, int(members)))

    @staticmethod
    def zone_words(members: object) -> str:
        """How large a zone is."""
        if not isinstance(members, int | float):
            return text("settings.unknown")
        return text("settings.mpe.members", n=int(members)) if members else text("settings.off")

    @staticmethod
    def channels_words(settings: dict[str, Any]) -> str:
        """Which channels the zones take."""
        lower, upper = int(settings.get("lower_members", 0)), int(settings.get("upper_members", 0))
        parts = []
        if lower:
            parts.append(text("settings.mpe.lower_is", first=2, last=1 + lower))
        if upper:
            parts.append(text("settings.mpe.upper_is", first=16 - upper, last=15))
        return " ".join(parts) if parts else text("settings.mpe.none")
