"""Which sound card plays and which MIDI inputs are heard: chosen by clients while it plays, kept for the next start."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from synth.control.commands import Command
from synth.errors import TetradError
from synth.instruments.record_process import list_outputs
from synth.io.audio import NO_DEVICE, AudioOutput, OutputDevice
from synth.io.midi_ports import MidiPorts, lasting_name
from synth.io.sound_cards import named_output
from synth.live import LiveEngine
from synth.session_recording import in_thread
from synth.settings import Settings, SettingsFile

if TYPE_CHECKING:
    from synth.session import Session

NULL = NO_DEVICE.host_api
"""What the absence of a sound card is called: `--audio null`."""


class Devices:
    """The program's devices. Its methods take their time, up to seconds: not for the server's thread.

    say: is told of every change, in words.
    """

    def __init__(
        self,
        output: AudioOutput,
        live: LiveEngine,
        ports: MidiPorts,
        settings: SettingsFile,
        sample_rate_hz: int,
        say: Callable[[str], object],
    ) -> None:
        self._output = output
        self._live = live
        self._ports = ports
        self._settings = settings
        self._sample_rate_hz = sample_rate_hz
        self._say = say

    def outputs(self) -> dict[str, Any]:
        """The answer to `audio_devices`."""
        in_use = self._output.device
        kept = self._settings.settings
        return {
            "devices": [
                {"device": str(device), **device._asdict(), "in_use": device[1:3] == in_use[1:3]}
                for device in self._there()
            ],
            "sample_rate_hz": self._sample_rate_hz,
            "block_samples": self._output.wanted_block,
            "next_start": {
                name: value
                for name, value in (
                    ("device", kept.audio_device),
                    ("sample_rate_hz", kept.sample_rate_hz),
                    ("block_samples", kept.block_samples),
                )
                if value is not None
            },
        }

    def use_output(self, wanted: str | None, rate_hz: int | None, block_samples: int | None) -> dict[str, Any]:
        """Carry out `audio_use`. Raises TetradError in words; what was there before plays on then."""
        device = self._output.device if wanted is None else self._named(wanted)
        block = self._output.wanted_block if block_samples is None else block_samples
        words = self._needs_new_start(device, rate_hz)
        restart = bool(words)
        if not restart and (device[1:3] != self._output.device[1:3] or block != self._output.wanted_block):
            before = self._output.device
            try:
                self._output.use(device, block)
            except TetradError as error:
                self._say(f"{error}; {before} plays on")
                raise
            finally:
                self._live.forget_blocks()
            words = f"the sound goes to {self._output.device} now"
        elif not restart:
            words = f"the sound goes to {device} already"
        chosen: dict[str, Any] = {}
        if wanted is not None:
            chosen["audio_device"] = NULL if device == NO_DEVICE else str(device)
        if rate_hz is not None:
            chosen["sample_rate_hz"] = rate_hz
        if block_samples is not None:
            chosen["block_samples"] = block
        words = "; ".join(filter(None, (words, self._keep(chosen))))
        self._say(words)
        return {
            "device": str(self._output.device),
            "sample_rate_hz": self._sample_rate_hz,
            "block_samples": self._output.wanted_block,
            "restart": restart,
            "words": words,
        }

    def inputs(self) -> dict[str, Any]:
        """The answer to `midi_inputs`."""
        there, used, choice = self._ports.there, self._ports.names, self._ports.choice
        missing = sorted(set(choice or ()) - {lasting_name(name) for name in there})
        rows = [{"name": name, "there": True, "used": name in used} for name in there]
        rows += [{"name": name, "there": False, "used": False} for name in missing]
        return {"inputs": rows, "all": choice is None}

    def use_inputs(self, names: tuple[str, ...] | None) -> dict[str, Any]:
        """Carry out `midi_use`: None for all."""
        self._ports.choose(names)
        trouble = self._keep({"midi_inputs": names})
        if trouble:
            self._say(trouble)
        return self.inputs()

    def _there(self) -> list[OutputDevice]:
        """As a process sees them that has just begun. One that we have may be missing there: it is busy."""
        found = [OutputDevice(d["number"], d["name"], d["host_api"], d["rate_hz"]) for d in list_outputs()]
        in_use = self._output.device
        if all(device[1:3] != in_use[1:3] for device in (*found, NO_DEVICE)):
            found.insert(0, in_use)
        return [*found, NO_DEVICE]

    def _named(self, wanted: str) -> OutputDevice:
        return NO_DEVICE if wanted in (NULL, str(NO_DEVICE)) else named_output(wanted, self._there())

    def _needs_new_start(self, device: OutputDevice, rate_hz: int | None) -> str:
        """Why the choice counts from the next start only; empty: it doesn't."""
        needed_hz = device.rate_hz if device.is_jack else rate_hz or self._sample_rate_hz
        if needed_hz == self._sample_rate_hz:
            return ""
        return (
            f"the engine runs at {self._sample_rate_hz} Hz, and {device} is to play at {needed_hz} Hz; "
            "that counts from the next start; end Tetrad and start it again"
        )

    def _keep(self, chosen: Mapping[str, Any]) -> str:
        """Why the choice is gone at the next start; empty: it isn't."""
        try:
            self._settings.change(**chosen)
        except TetradError as error:
            return str(error)
        return ""


def with_settings(
    settings: Settings, audio: str | None, rate_hz: int | None, block_samples: int | None
) -> tuple[str | None, int | None, int | None]:
    """Device, rate and block for a start: what the command line says, else what is kept, else None."""
    return (
        settings.audio_device if audio is None else audio,
        settings.sample_rate_hz if rate_hz is None else rate_hz,
        settings.block_samples if block_samples is None else block_samples,
    )


def _of(session: Session) -> Devices:
    if session.devices is None:
        raise TetradError("this engine has no devices of its own; one that plays was expected; start `tetrad play`")
    return session.devices


def _audio_devices(session: Session, command: Command) -> Future[Any]:
    del command
    return in_thread(_of(session).outputs)


def _audio_use(session: Session, command: Command) -> Future[Any]:
    devices = _of(session)
    wanted = [command[name] for name in ("device", "sample_rate_hz", "block_samples")]
    return in_thread(lambda: devices.use_output(*wanted))


def _midi_inputs(session: Session, command: Command) -> Mapping[str, Any]:
    del command
    return _of(session).inputs()


def _midi_use(session: Session, command: Command) -> Future[Any]:
    devices = _of(session)
    return in_thread(lambda: devices.use_inputs(command["ports"]))


DEVICE_METHODS: dict[str, Callable[[Session, Command], Mapping[str, Any] | Future[Any]]] = {
    "audio_devices": _audio_devices,
    "audio_use": _audio_use,
    "midi_inputs": _midi_inputs,
    "midi_use": _midi_use,
}
