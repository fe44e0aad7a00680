"""As much of the DSSI plug-in interface (version 1.0) as it takes to play a synthesizer without a sound card."""

import ctypes
from ctypes import CFUNCTYPE, POINTER, c_char_p, c_float, c_int, c_ubyte, c_uint, c_ulong, c_void_p
from pathlib import Path

from benchmarks.peers.peer import PeerError

_NOTE_ON, _NOTE_OFF = 6, 7
"""Types of ALSA's sequencer events."""
_IS_AUDIO, _IS_OUTPUT = 8, 2
"""Bits of LADSPA's port descriptors."""


class _Ladspa(ctypes.Structure):
    _fields_ = [
        ("unique_id", c_ulong), ("label", c_char_p), ("properties", c_int), ("name", c_char_p), ("maker", c_char_p),
        ("copyright", c_char_p), ("port_count", c_ulong), ("port_descriptors", POINTER(c_int)),
        ("port_names", POINTER(c_char_p)), ("port_range_hints", c_void_p), ("implementation_data", c_void_p),
        ("instantiate", CFUNCTYPE(c_void_p, c_void_p, c_ulong)),
        ("connect_port", CFUNCTYPE(None, c_void_p, c_ulong, c_void_p)),
        ("activate", CFUNCTYPE(None, c_void_p)), ("run", c_void_p), ("run_adding", c_void_p),
        ("set_run_adding_gain", c_void_p), ("deactivate", c_void_p), ("cleanup", c_void_p),
    ]  # fmt: skip


class _Event(ctypes.Structure):
    """ALSA's snd_seq_event_t, 28 bytes, with the data of a note."""

    _fields_ = [
        ("type", c_ubyte), ("flags", c_ubyte), ("tag", c_ubyte), ("queue", c_ubyte), ("tick", c_uint),
        ("tick_high", c_uint), ("source", c_ubyte * 2), ("destination", c_ubyte * 2), ("channel", c_ubyte),
        ("key", c_ubyte), ("velocity", c_ubyte), ("rest", c_ubyte * 9),
    ]  # fmt: skip


class _Dssi(ctypes.Structure):
    _fields_ = [
        ("api_version", c_int), ("ladspa", POINTER(_Ladspa)), ("configure", c_void_p), ("get_program", c_void_p),
        ("select_program", c_void_p), ("get_midi_controller", c_void_p),
        ("run_synth", CFUNCTYPE(None, c_void_p, c_ulong, POINTER(_Event), c_ulong)),
    ]  # fmt: skip


class Plugin:
    """The first synthesizer of a plug-in. `left` and `right` are what the last `run` made: float32 [block]."""

    def __init__(self, path: Path, rate_hz: int, block: int, controls: dict[str, float]) -> None:
        """controls: value of each control port by the beginning of its name; the others are 64, MIDI's middle.

        Raises PeerError where the file is no such plug-in.
        """
        try:
            self._library = ctypes.CDLL(str(path))
            find = self._library.dssi_descriptor
        except (OSError, AttributeError) as error:
            raise PeerError(f"{path} is no DSSI plug-in ({error}); install it again.") from error
        find.restype, find.argtypes = POINTER(_Dssi), [c_ulong]
        self._dssi = find(0).contents
        self._ladspa = self._dssi.ladspa.contents
        self._block = block
        self._handle = self._ladspa.instantiate(ctypes.addressof(self._ladspa), rate_hz)
        if not self._handle:
            raise PeerError(f"{path} made no instance at {rate_hz} Hz; expected one; install it again.")
        self.left, self.right = (c_float * block)(), (c_float * block)()
        outputs = [self.left, self.right]
        self._controls = []  # the plug-in keeps their addresses
        for i in range(self._ladspa.port_count):
            kind, name = self._ladspa.port_descriptors[i], self._ladspa.port_names[i].decode()
            if kind & _IS_AUDIO and kind & _IS_OUTPUT and outputs:
                self._ladspa.connect_port(self._handle, i, ctypes.addressof(outputs.pop(0)))
            else:
                value = next((v for prefix, v in controls.items() if name.startswith(prefix)), 64.0)
                self._controls.append(c_float(value))
                self._ladspa.connect_port(self._handle, i, ctypes.addressof(self._controls[-1]))
        if self._ladspa.activate:
            self._ladspa.activate(self._handle)
        self._events: list[_Event] = []

    def note_on(self, channel: int, key: int, velocity: int) -> None:
        """At the beginning of the next block."""
        self._events.append(_Event(type=_NOTE_ON, channel=channel, key=key, velocity=velocity))

    def note_off(self, channel: int, key: int) -> None:
        """At the beginning of the next block."""
        self._events.append(_Event(type=_NOTE_OFF, channel=channel, key=key))

    def run(self) -> None:
        """The next block, with the notes that were given since the last one."""
        n = len(self._events)
        events = (_Event * n)(*self._events) if n else None
        self._events.clear()
        self._dssi.run_synth(self._handle, self._block, events, n)
