"""ZynAddSubFX, as a DSSI plug-in: four of its additive instruments (ADsynth), one in each of four parts."""

import os
import re
import socket
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from pythonosc.osc_message_builder import OscMessageBuilder

from benchmarks.peers.dssi import Plugin
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

PACKAGES = ("zynaddsubfx", "zynaddsubfx-data", "zynaddsubfx-dssi")
PLUGIN = Path("/usr/lib/dssi/libzynaddsubfx_dssi.so")
BANK = Path("/usr/share/zynaddsubfx/banks/Collection")
INSTRUMENTS = ("0052-Great Organ", "0049-Reed Organ", "0056-Sines", "0057-Soft Flute")
_CONTROLS = {"Volume": 100.0, "Expression": 127.0, "Sustain": 0.0, "Portamento": 0.0, "Modwheel": 64.0}
_NO_KEY_LIMIT = 0
"""A part of ZynAddSubFX stops its oldest notes at 15 keys unless told otherwise."""
_LOADING_S = 3.0
"""Its loader works in a thread of its own and tells nobody when it is done; 0.5 s were enough."""


class ZynAddSubFx:
    """A peer (benchmarks.peers.peer.Keyed). Its own blocks are 256 samples, unless its settings say otherwise."""

    rate_hz = RATE_HZ
    block = BLOCK

    def open(self) -> None:
        files = [BANK / f"{name}.xiz" for name in INSTRUMENTS]
        missing = [str(path) for path in (PLUGIN, *files) if not path.is_file()]
        if missing:
            raise PeerError(f"{missing[0]} is missing; install {' '.join(PACKAGES)}.")
        said = _what_is_printed_by(self._start)
        port = osc_port(said)
        self._send_to = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._send_to.connect(("127.0.0.1", port))
        for part, path in enumerate(files):
            self._send(f"/part{part}/Penabled", True)
            self._send("/load_xiz", part, str(path))
        self._wait(_LOADING_S)
        for part in range(N_CHANNELS):  # a loaded instrument brings its own of these
            self._send(f"/part{part}/Prcvchn", part)
            self._send(f"/part{part}/Pkeylimit", _NO_KEY_LIMIT)
        self._wait(SETTLE_S)
        self._held: list[tuple[int, int]] = []

    def hold(self, n_voices: int) -> None:
        self.silence()
        self._run(2 * SETTLE_S)
        self._held = notes(n_voices)
        for channel, key in self._held:
            self._plugin.note_on(channel, key, 100)
        self._run(SETTLE_S)

    def silence(self) -> None:
        for channel, key in self._held:
            self._plugin.note_off(channel, key)
        self._held = []

    def begin_note(self) -> None:
        self._held = [(0, 60)]
        self._plugin.note_on(0, 60, 100)

    def render(self) -> None:
        self._plugin.run()

    def onsets_ms(self, n_trials: int) -> list[float]:
        return keyed_onsets_ms(self, n_trials)

    def peak(self) -> float:
        return float(max(*map(abs, self._plugin.left), *map(abs, self._plugin.right)))

    def first_audible(self) -> int | None:
        return first_above(map(max, map(abs, self._plugin.left), map(abs, self._plugin.right)), AUDIBLE)

    def _start(self) -> None:
        self._plugin = Plugin(PLUGIN, RATE_HZ, BLOCK, _CONTROLS)

    def _send(self, address: str, *values: int | str) -> None:
        message = OscMessageBuilder(address)
        for value in values:
            message.add_arg(value)
        self._send_to.send(message.build().dgram)

    def _run(self, seconds: float) -> None:
        for _ in range(int(seconds * RATE_HZ / BLOCK)):
            self.render()

    def _wait(self, seconds: float) -> None:
        """What its loader has made is taken over while it renders."""
        ends_s = time.monotonic() + seconds
        while time.monotonic() < ends_s:
            self.render()
            time.sleep(0.001)


def osc_port(said: str) -> int:
    """The UDP port that ZynAddSubFX says it listens on. Raises PeerError where it says none."""
    found = re.search(r"server running on (\d+)", said)
    if found is None:
        raise PeerError(f"ZynAddSubFX said {said.strip()[-200:]!r}; its OSC port was expected; version 3 is needed.")
    return int(found[1])


def _what_is_printed_by(start: Callable[[], None]) -> str:
    """Calls `start`; what C code printed meanwhile on stdout and stderr."""
    kept = os.dup(1), os.dup(2)
    with tempfile.TemporaryFile() as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
        try:
            start()
            time.sleep(0.2)  # one of its threads prints it
        finally:
            for descriptor, copy in zip((1, 2), kept, strict=True):
                os.dup2(copy, descriptor)
                os.close(copy)
        file.seek(0)
        return file.read().decode(errors="replace")
