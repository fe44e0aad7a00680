"""All MIDI inputs of an instrument: a map for each port, and what they have in common.

The settings are the patch's, and so is what any port learns. A port's own are the channels that it was told to listen
to, and the MPE zones that its controller announced by itself (the MPE Configuration Message): they belong to what is
plugged in, and a new patch does not take them away. The tunings are one bank for all.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from synth.control.events import Event
from synth.control.midi_map import MidiMap
from synth.control.midi_settings import MidiSettings
from synth.control.tuning import TuningBank


class MidiInputs:
    """Maps by name of port; a port is known from its first message on.

    channels_of_ports: name of a port, or a part of it -> the channels 0..15 that are heard of it, in place of the
    settings' channels.
    """

    def __init__(
        self, settings: MidiSettings | None = None, channels_of_ports: Mapping[str, frozenset[int]] | None = None
    ) -> None:
        self.settings = settings or MidiSettings()
        """For the patch: with what was learned, without what ports have of their own."""
        self.tunings = TuningBank()
        self._channels_of_ports = dict(channels_of_ports or {})
        self._maps: dict[str, MidiMap] = {}
        self._announced: dict[str, tuple[int, int]] = {}
        self._learning: str | None = None
        self._map("")  # what panic needs while nothing is plugged in

    @property
    def learning(self) -> str | None:
        """The parameter that the next controller of any port is assigned to."""
        return self._learning

    def learn(self, parameter_name: str | None) -> None:
        """See MidiMap.learn."""
        for midi_map in self._maps.values():
            midi_map.learn(parameter_name)
        self._learning = parameter_name

    def events(self, port: str, message: Sequence[int], time_samples: int) -> list[Event]:
        """Events of a port's message; see MidiMap.events."""
        midi_map = self._map(port)
        before = midi_map.settings
        events = midi_map.events(message, time_samples)
        after = midi_map.settings
        if after is not before:
            if after.zones != before.zones:
                self._announced[port] = (after.lower_members, after.upper_members)
            if after.assignments != before.assignments:
                self.learn(None)
                events += self.use(replace(self.settings, assignments=after.assignments), time_samples)
        return events

    def use(self, settings: MidiSettings, time_samples: int) -> list[Event]:
        """A patch's settings for all ports. Notes of channels that are not heard any more end."""
        self.settings = settings
        events: list[Event] = []
        for port, midi_map in self._maps.items():
            events += midi_map.use(self._settings_of(port), time_samples)
        return events

    def lost(self, port: str, time_samples: int) -> list[Event]:
        """A port has disappeared: its keys go up, its controllers to rest; it begins anew when it comes back."""
        self._announced.pop(port, None)
        midi_map = self._maps.pop(port, None)
        return [] if midi_map is None else midi_map.let_go(time_samples)

    def panic(self, time_samples: int) -> list[Event]:
        """Silence, and every controller of every port at rest."""
        events: list[Event] = []
        for midi_map in self._maps.values():
            events += midi_map.panic(time_samples)
        return events

    def _map(self, port: str) -> MidiMap:
        midi_map = self._maps.get(port)
        if midi_map is None:
            midi_map = self._maps[port] = MidiMap(self._settings_of(port), self.tunings)
            midi_map.learn(self._learning)
        return midi_map

    def _settings_of(self, port: str) -> MidiSettings:
        lower, upper = self._announced.get(port, (self.settings.lower_members, self.settings.upper_members))
        own = [channels for part, channels in self._channels_of_ports.items() if part.lower() in port.lower()]
        channels = own[0] if own else self.settings.channels
        return replace(self.settings, channels=channels, lower_members=lower, upper_members=upper)
