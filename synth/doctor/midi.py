"""MIDI inputs: which there are, and whether those that the player chose are among them."""

from synth.doctor.check import Check, ok, warn
from synth.doctor.engine import RunningEngine
from synth.doctor.machine import Machine
from synth.io.midi_ports import input_ports, lasting_name
from synth.settings import Settings

_PLUG_IN = "plug in a MIDI keyboard; until then the screen's keys, the terminal and scripts play"
_GROUP = "sudo usermod -aG audio $USER, log out and in again"
_NO_DRIVER = "sudo modprobe snd-seq; in a container its host has to give it /dev/snd"


def checks(machine: Machine, settings: Settings, engine: RunningEngine | None) -> list[Check]:
    """What a running engine has open, or what one would find."""
    if engine is not None:
        midi = engine.part("midi")
        return [
            inputs(machine, list(midi.get("ports", [])), settings.midi_inputs, f"{midi.get('messages', 0)} messages")
        ]
    return [inputs(machine, [str(port) for port in input_ports()], settings.midi_inputs)]


def inputs(machine: Machine, there: list[str], chosen: tuple[str, ...] | None, more: str = "") -> Check:
    """there: names of ports. chosen: those that the player wants; None: all. more: what else is known of them."""
    name = "MIDI inputs"
    value = "; ".join(filter(None, (", ".join(there), more if there else "")))
    missing = sorted(set(chosen or ()) - {lasting_name(port) for port in there})
    if missing:
        have = f"there are {value}" if value else "there are none"
        return warn(name, f"not there: {', '.join(missing)}; {have}", "plug it in, or choose another (Settings, MIDI)")
    if there:
        return ok(name, value)
    sequencer = machine.path("/dev/snd/seq")
    if not sequencer.exists():
        return warn(name, "none: the kernel has no MIDI (there is no /dev/snd/seq)", _NO_DRIVER)
    if not machine.may_open(sequencer):
        return warn(name, "none: /dev/snd/seq may not be opened by this user", _GROUP)
    return warn(name, "none", _PLUG_IN)
