"""Sound out through PortAudio. The only file that imports sounddevice.

**What the callback may do** (`AudioOutput._callback`, on PortAudio's real-time thread, every block, 2.7 ms for 128
samples at 48 kHz): call `render_into`, which fills the whole block in place, and add to its own counters. No lock,
no log, no file, no allocation that grows, no exception out of it: one that `render_into` raises is kept for the main
thread, and the block and all after it are silence. PortAudio owns `outdata`, and only until the callback returns.
"""

import threading
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from synth.errors import TetradError

RenderInto = Callable[[NDArray[np.float32]], object]
# A running JACK server was started on purpose, so it is asked first.
PREFERRED_HOST_APIS = ("JACK", "Core Audio", "ALSA")


class OutputDevice(NamedTuple):
    """A place where sound can go, as PortAudio numbers them."""

    number: int
    name: str
    host_api: str


class AudioHealth(NamedTuple):
    """What happened to a stream so far. Blocks are counted; times in seconds."""

    blocks: int
    underflows: int
    worst_block_s: float
    worst_block_share: float  # of the time that the block lasts


def output_devices() -> list[OutputDevice]:
    """All devices with two output channels or more; the preferred one first. Empty on a machine without sound."""
    sounddevice = _sounddevice()
    host_apis = sounddevice.query_hostapis()
    defaults = {api["default_output_device"] for api in host_apis}
    devices = [
        OutputDevice(int(device["index"]), str(device["name"]), str(host_apis[device["hostapi"]]["name"]))
        for device in sounddevice.query_devices()
        if device["max_output_channels"] >= 2
    ]

    def preference(device: OutputDevice) -> tuple[int, bool, int]:
        ranks = [rank for rank, api in enumerate(PREFERRED_HOST_APIS) if device.host_api.startswith(api)]
        return (*ranks, len(PREFERRED_HOST_APIS))[0], device.number not in defaults, device.number

    return sorted(devices, key=preference)


def choose_output(wanted: str | None, sample_rate_hz: int) -> OutputDevice | None:
    """The preferred device that works, or the one that `wanted` names: its number, host API or a part of its name.

    None when nothing is wanted and no device takes stereo at the rate: ALSA lists a "default" that leads nowhere on
    many machines without a sound card. Raises TetradError, with the devices that there are, when `wanted` fits none.
    """
    devices = output_devices()
    if wanted is None:
        return next((device for device in devices if _works(device, sample_rate_hz)), None)
    if wanted.isdecimal():
        fitting = [device for device in devices if device.number == int(wanted)]
    else:
        fitting = [device for device in devices if wanted.lower() in f"{device.host_api}: {device.name}".lower()]
    if fitting:
        return fitting[0]
    there = "; ".join(f"{device.number} {device.host_api}: {device.name}" for device in devices) or "none at all"
    raise TetradError(
        f"no audio output is called {wanted!r}; a number, a host API or a part of a name was expected; "
        f"there are: {there}"
    )


class AudioOutput:
    """A running stereo float32 stream, fed by `render_into(float32 [block_size, 2])`. Use it as a context manager."""

    def __init__(
        self, device: OutputDevice, render_into: RenderInto, *, sample_rate_hz: int, block_size: int = 0
    ) -> None:
        """Opens the device; `with` starts it. Raises TetradError when the device refuses rate or format.

        `block_size` 0 takes blocks as the device has them: to cut them smaller would call back in bursts.
        """
        self._render_into = render_into
        self._blocks = 0
        self._underflows = 0
        self._worst_block_s = 0.0
        self._worst_share = 0.0
        self._sample_rate_hz = sample_rate_hz
        self.failure: BaseException | None = None
        """What `render_into` raised; the stream is silent since."""
        sounddevice = _sounddevice()
        try:
            self._stream = sounddevice.OutputStream(
                samplerate=sample_rate_hz,
                blocksize=block_size,
                device=device.number,
                channels=2,
                dtype="float32",
                latency="low",
                callback=self._callback,
            )
        except sounddevice.PortAudioError as error:
            raise TetradError(
                f"{device.host_api}: {device.name} does not open ({error}); an output with 2 channels at "
                f"{sample_rate_hz} Hz was expected; close what else uses it, or choose another with --audio"
            ) from error

    def __enter__(self) -> "AudioOutput":
        self._stream.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.stop()
        self._stream.close()

    @property
    def active(self) -> bool:
        """Whether the device still asks for sound."""
        return bool(self._stream.active)

    @property
    def latency_s(self) -> float:
        """PortAudio's figure for the way from the callback to the loudspeaker."""
        return float(self._stream.latency)

    def health(self) -> AudioHealth:
        """The counters so far."""
        return AudioHealth(self._blocks, self._underflows, self._worst_block_s, self._worst_share)

    def _callback(self, outdata: NDArray[np.float32], frames: int, _time: Any, status: Any) -> None:
        """See the top of this file for what may happen here."""
        begin_s = time.perf_counter()
        if status.output_underflow:
            self._underflows += 1
        if self.failure is None:
            try:
                self._render_into(outdata)
            except BaseException as error:  # noqa: BLE001  (nothing may leave the callback; `failure` is looked at)
                self.failure = error
        if self.failure is not None:
            outdata.fill(0.0)
        took_s = time.perf_counter() - begin_s
        self._blocks += 1
        if took_s > self._worst_block_s:
            self._worst_block_s = took_s
            self._worst_share = took_s * self._sample_rate_hz / max(frames, 1)


class NullOutput:
    """Takes the sound at the pace of the clock and throws it away: `--audio null`, where there is no sound card."""

    latency_s = 0.0
    active = True

    def __init__(self, render_into: RenderInto, *, sample_rate_hz: int, block_size: int) -> None:
        self._render_into = render_into
        self._sample_rate_hz = sample_rate_hz
        self._block = np.zeros((block_size, 2), np.float32)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="null audio", daemon=True)
        self._health = AudioHealth(0, 0, 0.0, 0.0)
        self.failure: BaseException | None = None

    def __enter__(self) -> "NullOutput":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join()

    def health(self) -> AudioHealth:
        """The counters so far."""
        return self._health

    def _run(self) -> None:
        period_s = len(self._block) / self._sample_rate_hz
        due_s = time.perf_counter()
        blocks, late, worst_s = 0, 0, 0.0
        while not self._stopping.wait(max(due_s - time.perf_counter(), 0.0)):
            begin_s = time.perf_counter()
            if begin_s - due_s > 8 * period_s:  # a sound card would have run dry long ago: forget what was missed
                late += 1
                due_s = begin_s
            try:
                self._render_into(self._block)
            except BaseException as error:  # noqa: BLE001  (kept for the main thread, as in AudioOutput)
                self.failure = error
                return
            blocks += 1
            worst_s = max(worst_s, time.perf_counter() - begin_s)
            self._health = AudioHealth(blocks, late, worst_s, worst_s / period_s)
            due_s += period_s


def _works(device: OutputDevice, sample_rate_hz: int) -> bool:
    sounddevice = _sounddevice()
    try:
        sounddevice.check_output_settings(device.number, channels=2, dtype="float32", samplerate=sample_rate_hz)
    except sounddevice.PortAudioError:
        return False
    return True


def _sounddevice() -> Any:
    """The library, imported when sound is wanted: it loads PortAudio, which may be missing."""
    try:
        import sounddevice
    except OSError as error:
        raise TetradError(
            f"PortAudio is missing ({error}); sound needs it; apt-get install libportaudio2, or use --audio null"
        ) from error
    return sounddevice
