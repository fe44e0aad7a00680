"""FluidSynth, through its C interface: four looped presets of a General MIDI sound font, reverb and chorus on.

Called by ctypes and not by pyfluidsynth: so this process holds nothing but the interpreter and the synthesizer.
"""

import ctypes
import ctypes.util
from ctypes import c_char_p, c_double, c_float, c_int, c_void_p
from pathlib import Path
from typing import Any

from benchmarks.peers.peer import (
    AUDIBLE,
    BLOCK,
    N_CHANNELS,
    RATE_HZ,
    SETTLE_S,
    PeerError,
    first_above,
    keyed_onsets_ms,
    notes,
)

PACKAGES = ("fluidsynth", "libfluidsynth3", "fluid-soundfont-gm")
FONT = Path("/usr/share/sounds/sf2/FluidR3_GM.sf2")
PRESETS = (19, 48, 56, 73)
"""Church organ, strings, trumpet, flute: General MIDI's numbers from 0. All loop, so they last."""
_POLYPHONY = 512
_FUNCTIONS: dict[str, tuple[Any, list[Any]]] = {
    "new_fluid_settings": (c_void_p, []),
    "new_fluid_synth": (c_void_p, [c_void_p]),
    "fluid_settings_setnum": (c_int, [c_void_p, c_char_p, c_double]),
    "fluid_settings_setint": (c_int, [c_void_p, c_char_p, c_int]),
    "fluid_synth_sfload": (c_int, [c_void_p, c_char_p, c_int]),
    "fluid_synth_program_change": (c_int, [c_void_p, c_int, c_int]),
    "fluid_synth_noteon": (c_int, [c_void_p, c_int, c_int, c_int]),
    "fluid_synth_all_sounds_off": (c_int, [c_void_p, c_int]),
    "fluid_synth_get_active_voice_count": (c_int, [c_void_p]),
    "fluid_synth_write_float": (c_int, [c_void_p, c_int, c_void_p, c_int, c_int, c_void_p, c_int, c_int]),
}


class FluidSynth:
    """A peer (benchmarks.peers.peer.Keyed). Its own blocks are 64 samples; a note takes 1 or 2 voices."""

    rate_hz = RATE_HZ
    block = BLOCK

    def __init__(self, font: Path = FONT) -> None:
        self._font = font
        self._out = (c_float * (2 * BLOCK))()  # left, right, left, ...

    def open(self) -> None:
        name = ctypes.util.find_library("fluidsynth")
        if name is None or not self._font.is_file():
            raise PeerError(f"libfluidsynth or {self._font} is missing; install {' '.join(PACKAGES)}.")
        self._library = ctypes.CDLL(name)
        for function, (result, arguments) in _FUNCTIONS.items():
            getattr(self._library, function).restype = result
            getattr(self._library, function).argtypes = arguments
        settings = self._library.new_fluid_settings()
        self._library.fluid_settings_setnum(settings, b"synth.sample-rate", float(RATE_HZ))
        self._library.fluid_settings_setint(settings, b"synth.polyphony", _POLYPHONY)
        self._synth = self._library.new_fluid_synth(settings)
        if self._library.fluid_synth_sfload(self._synth, str(self._font).encode(), 1) < 0:
            raise PeerError(f"FluidSynth can't load {self._font}; expected a whole sound font; install it again.")
        for channel, preset in enumerate(PRESETS):
            self._library.fluid_synth_program_change(self._synth, channel, preset)
        self.render()

    def hold(self, n_voices: int) -> None:
        self.silence()
        self._run(SETTLE_S)
        for channel, key in notes(n_voices):
            self._library.fluid_synth_noteon(self._synth, channel, key, 100)
        self._run(SETTLE_S)
        if self.active_voices() < n_voices:
            raise PeerError(f"{self.active_voices()} voices sound of {n_voices} notes; choose presets that last.")

    def active_voices(self) -> int:
        """FluidSynth's own count; a stereo sample is two of them."""
        return int(self._library.fluid_synth_get_active_voice_count(self._synth))

    def silence(self) -> None:
        for channel in range(N_CHANNELS):
            self._library.fluid_synth_all_sounds_off(self._synth, channel)

    def begin_note(self) -> None:
        self._library.fluid_synth_noteon(self._synth, 0, 60, 100)

    def render(self) -> None:
        self._library.fluid_synth_write_float(self._synth, BLOCK, self._out, 0, 2, self._out, 1, 2)

    def onsets_ms(self, n_trials: int) -> list[float]:
        return keyed_onsets_ms(self, n_trials)

    def peak(self) -> float:
        return float(max(map(abs, self._out)))

    def first_audible(self) -> int | None:
        sample = first_above(self._out, AUDIBLE)
        return None if sample is None else sample // 2

    def _run(self, seconds: float) -> None:
        for _ in range(int(seconds * RATE_HZ / BLOCK)):
            self.render()
