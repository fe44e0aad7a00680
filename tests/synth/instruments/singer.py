"""A JACK client that sings into a recording, in a room with noise."""

import contextlib
import threading

import jack
import numpy as np

from synth.frames import Float32Array
from tests.listening import wait_until

RATE = 48_000
INPUT = "Tetrad input"
ROOM_DBFS = -70.0
_FORMANTS = ((700.0, 130.0, 1.0), (1100.0, 150.0, 0.5), (2600.0, 250.0, 0.25))


def sung(key: float, seconds: float, seed: int = 1) -> Float32Array:
    """A voice on "ah", float32 [N]: glottal pulses through three formants, with a vibrato of 25 cents, breath, and an
    attack that a voice has."""
    rng = np.random.default_rng(seed)
    t = np.arange(round(seconds * RATE)) / RATE
    vibrato = 0.25 * np.minimum(t / 0.4, 1.0) * np.sin(2.0 * np.pi * 5.4 * t)
    f0_hz = 440.0 * 2.0 ** ((key + vibrato - 69.0) / 12.0)
    phase = 2.0 * np.pi * np.cumsum(f0_hz) / RATE
    sound = np.zeros(t.size)
    for k in range(1, 30):
        level = sum(gain / (1.0 + ((k * f0_hz - at) / width) ** 2) for at, width, gain in _FORMANTS)
        sound += (level + 0.02) / k**0.5 * np.sin(k * phase + k * k)
    sound *= 0.2 / np.abs(sound).max()
    sound += rng.normal(0.0, 0.002, t.size)
    return np.asarray(sound * np.clip(np.minimum(t / 0.08, (seconds - t) / 0.15), 0.0, 1.0), np.float32)


def song(*sounds: Float32Array, pause_s: float = 1.2) -> Float32Array:
    """Sounds with pauses between them, and before and after."""
    pause = np.zeros(round(pause_s * RATE), np.float32)
    return np.concatenate([pause, *(part for sound in sounds for part in (sound, pause))])


class Singer:
    """Plays a song as soon as something records, and the noise of the room for ever."""

    def __init__(self, server: str) -> None:
        self.client = jack.Client("singer", servername=server, no_start_server=True)
        self._output = self.client.outports.register("out")
        rng = np.random.default_rng(7)
        self._room = rng.normal(0.0, 10.0 ** (ROOM_DBFS / 20.0), RATE).astype(np.float32)
        self._song = np.zeros(0, np.float32)
        self._at = self._room_at = 0
        self._waiting: threading.Thread | None = None
        self._closed = threading.Event()
        self.client.set_process_callback(self._process)
        self.client.activate()

    def sing(self, song: Float32Array) -> None:
        """Once an input is there."""
        wait_until(lambda: self._closed.is_set() or self._connected(), "an input")
        self._at, self._song = 0, song

    def _connected(self) -> bool:
        """Ports are there before their client is active, and can't be connected yet."""
        wanted = {port.name for port in self._inputs()}
        for name in wanted - {port.name for port in self._output.connections}:
            with contextlib.suppress(jack.JackErrorCode):
                self.client.connect(self._output, name)
        return bool(wanted) and wanted <= {port.name for port in self._output.connections}

    def sing_later(self, song: Float32Array) -> None:
        """The same in a thread, for tests that wait for a program meanwhile."""
        self._waiting = threading.Thread(target=self.sing, args=(song,), daemon=True)
        self._waiting.start()

    @property
    def silent(self) -> bool:
        """The song is over."""
        return self._at >= self._song.size

    def close(self) -> None:
        self._closed.set()
        if self._waiting is not None:
            self._waiting.join()
        self.client.deactivate()
        self.client.close()

    def _inputs(self) -> list[jack.Port]:
        return self.client.get_ports(f"{INPUT}.*", is_audio=True, is_input=True)

    def _process(self, frames: int) -> None:
        out = self._output.get_array()
        self._room_at = (self._room_at + frames) % (RATE - frames)
        out[:] = self._room[self._room_at : self._room_at + frames]
        part = self._song[self._at : self._at + frames]
        out[: part.size] += part
        self._at += part.size
