"""Which sound cards there are, and a stream on one of them. The only file that imports sounddevice.

JACK has a file of its own (`jack_audio.py`); PortAudio takes the rest, ALSA above all. What a callback may do stands in
`block_renderer.py`; PortAudio owns the callback's block, and only until the callback returns.
"""

import contextlib
import math
import os
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, TypeVar

import numpy as np

from synth.errors import TetradError
from synth.io import jack_audio
from synth.io.block_renderer import BlockRenderer, count_underflow, render_block
from synth.io.input_ring import InputRing, done, interrupted, put_channel, room_for
from synth.io.jack_library import library as silent_libjack
from synth.io.scheduling import hurry_now, scheduling_words
from synth.jit import cfunc
from synth.native import Layout, load_acquire, set_count, stereo_view, store_release

# A running JACK server was started on purpose, so it is asked first.
PREFERRED_HOST_APIS = ("JACK", "Core Audio", "ALSA")
USUAL_RATES_HZ = (44_100, 48_000, 88_200, 96_000, 176_400, 192_000, 32_000, 22_050, 16_000, 8_000)

_INPUT_OVERFLOW, _OUTPUT_UNDERFLOW = 2, 4  # PaStreamCallbackFlags
_ENDING, _HURRIED = range(2)
_UNKNOWN = -1
_MEMORY = Layout(state=np.int64, renderer=np.int64, scheduling=np.int64)
_memory = _MEMORY.unpack
_INPUT_MEMORY = Layout(state=np.int64, ring=np.int64, n_channels=np.int64, scheduling=np.int64)
_input_memory = _INPUT_MEMORY.unpack


@cfunc("i4(i8, i8, u8, i8, u8, i8)")
def _callback(_input, out_at, n_samples, _times, flags, data):  # type: ignore[no-untyped-def]
    """A PaStreamCallback; see `block_renderer` for what happens here."""
    state, renderer, scheduling = _memory(data)
    n = np.int64(n_samples)
    if state[_HURRIED] == _UNKNOWN:  # once, on the thread that it is about: JACK sees to its own, PortAudio to none
        store_release(state, _HURRIED, hurry_now(scheduling))
    if flags & np.uint64(_OUTPUT_UNDERFLOW):
        count_underflow(renderer[0])
    if load_acquire(state, _ENDING):
        stereo_view(out_at, n)[:] = np.float32(0.0)
    else:
        render_block(renderer[0], out_at, n, -1)
    return 0  # paContinue


@cfunc("i4(i8, i8, u8, i8, u8, i8)")
def _input_callback(in_at, _out, n_samples, _times, flags, data):  # type: ignore[no-untyped-def]
    """A PaStreamCallback of an input; see `input_ring` for what happens here."""
    state, ring, n_channels, scheduling = _input_memory(data)
    n = np.int64(n_samples)
    if state[_HURRIED] == _UNKNOWN:
        store_release(state, _HURRIED, hurry_now(scheduling))
    if flags & np.uint64(_INPUT_OVERFLOW):
        interrupted(ring[0])
    at = room_for(ring[0], n) if in_at != 0 else np.int64(-1)
    if at >= 0:
        for channel in range(n_channels[0]):
            put_channel(ring[0], at, channel, in_at + 4 * channel, n, n_channels[0])
        done(ring[0], n)
    return 0  # paContinue


class OutputDevice(NamedTuple):
    """A place where sound can go. The number is of this moment: it changes with what is plugged in."""

    number: int
    name: str
    host_api: str
    rate_hz: int = 0
    """Its own rate; JACK has no other."""

    @property
    def is_jack(self) -> bool:
        return self.host_api == jack_audio.HOST_API

    def __str__(self) -> str:
        return f"{self.host_api}: {self.name}"


class InputDevice(NamedTuple):
    """A place where sound comes from. The number is of this moment, and none of an output's."""

    number: int
    name: str
    host_api: str
    rate_hz: int
    """Its own rate; JACK has no other."""
    channels: int
    """That are taken: 1 or 2, the first ones."""

    @property
    def is_jack(self) -> bool:
        return self.host_api == jack_audio.HOST_API

    def __str__(self) -> str:
        return f"{self.host_api}: {self.name}"


AnyDevice = TypeVar("AnyDevice", OutputDevice, InputDevice)


class Settled(NamedTuple):
    """A device and the rate at which it works; `notice` says what is not as wanted, or is empty."""

    device: OutputDevice
    sample_rate_hz: int
    notice: str


def output_devices() -> list[OutputDevice]:
    """All devices with two output channels or more; the preferred one first. Empty on a machine without sound."""
    server = jack_audio.find_server()
    found = _attached("output")
    devices = [OutputDevice(d.number, d.name, d.host_api, d.rate_hz) for d in found if d.n_channels >= 2]
    if server is not None:
        devices.append(OutputDevice(len(found), server.name, jack_audio.HOST_API, server.sample_rate_hz))
    return _preferred_first(devices, found)


def input_devices() -> list[InputDevice]:
    """All devices that sound comes from; the preferred one first. Empty on a machine without any."""
    server = jack_audio.find_server()
    found = _attached("input")
    devices = [
        InputDevice(d.number, d.name, d.host_api, d.rate_hz, min(d.n_channels, 2)) for d in found if d.n_channels > 0
    ]
    if server is not None:
        n_channels = min(max(server.n_captures, 1), 2)
        name, rate_hz = server.capture_name, server.sample_rate_hz
        devices.append(InputDevice(len(found), name, jack_audio.HOST_API, rate_hz, n_channels))
    return _preferred_first(devices, found)


class _Attached(NamedTuple):
    """What PortAudio says of a device in one direction."""

    number: int
    name: str
    host_api: str
    rate_hz: int
    n_channels: int
    is_default: bool
    """Of its host API."""


def _attached(direction: str) -> list[_Attached]:
    """Every device PortAudio knows, "input" or "output"; without channels where it is JACK's, which we speak to."""
    sounddevice = _sounddevice()
    host_apis = sounddevice.query_hostapis()
    defaults = {api[f"default_{direction}_device"] for api in host_apis}
    devices = []
    for device in sounddevice.query_devices():
        host_api, number = str(host_apis[device["hostapi"]]["name"]), int(device["index"])
        n_channels = 0 if host_api == jack_audio.HOST_API else int(device[f"max_{direction}_channels"])
        rate_hz = round(device["default_samplerate"])
        devices.append(_Attached(number, str(device["name"]), host_api, rate_hz, n_channels, number in defaults))
    return devices


def _preferred_first(devices: Sequence[AnyDevice], found: Sequence[_Attached]) -> list[AnyDevice]:
    usual = {device.number for device in found if device.is_default}

    def preference(device: AnyDevice) -> tuple[int, bool, int]:
        host_api = device.host_api
        rank = next((n for n, api in enumerate(PREFERRED_HOST_APIS) if host_api.startswith(api)), 99)
        return rank, device.number not in usual, device.number

    return sorted(devices, key=preference)


def choose_output(wanted: str | None, sample_rate_hz: int) -> OutputDevice | None:
    """The preferred device that works, or the one that `wanted` names: its number, host API or a part of its name.

    None when nothing is wanted and no device takes stereo at the rate: ALSA lists a "default" that leads nowhere on
    many machines without a sound card. Raises TetradError, with the devices that there are, when `wanted` fits none.
    """
    devices = output_devices()
    if wanted is None:
        return next((device for device in devices if _works(device, sample_rate_hz)), None)
    return _named(wanted, devices, "output")


def choose_input(wanted: str | None, wanted_hz: int | None = None) -> tuple[InputDevice, int]:
    """The preferred input that works, or the one that `wanted` names (as `choose_output` has it), and its rate.

    wanted_hz: None takes 48 kHz where the device has it, else its own rate. Raises TetradError, with the inputs that
    there are, when `wanted` fits none, and when nothing takes the rate.
    """
    devices = input_devices()
    for device in devices if wanted is None else [_named(wanted, devices, "input")]:
        rates_hz = (48_000, device.rate_hz, *USUAL_RATES_HZ) if wanted_hz is None else (wanted_hz,)
        for rate_hz in rates_hz:
            if _takes(device, rate_hz):
                return device, rate_hz
    at = "" if wanted_hz is None else f" at {wanted_hz} Hz"
    which = "no audio input works" if wanted is None else f"the audio input {wanted!r} does not work"
    raise TetradError(
        f"{which}{at}; there are: {_listed(devices)}; plug in a microphone or a line, close what else uses it, "
        "or name another device or rate"
    )


def settle(wanted: str | None, sample_rate_hz: int) -> Settled | None:
    """A device as `choose_output` finds it, at the wanted rate or the nearest that works.

    Without a name a device that takes the wanted rate goes before one that doesn't. None when nothing is wanted and
    nothing works. Raises TetradError when `wanted` fits no device, or one that takes stereo at no rate.
    """
    devices = output_devices() if wanted is None else [_named(wanted, output_devices(), "output")]
    fitting = next((device for device in devices if _works(device, sample_rate_hz)), None)
    if fitting is not None:
        return Settled(fitting, sample_rate_hz, "")
    for device in devices:  # none takes the wanted rate
        rates_hz = {device.rate_hz, *USUAL_RATES_HZ} - {0, sample_rate_hz}
        for rate_hz in sorted(rates_hz, key=lambda rate: abs(math.log(rate / sample_rate_hz))):
            if 8_000 <= rate_hz <= 192_000 and _works(device, rate_hz):
                words = f"{device} does not run at {sample_rate_hz} Hz; it plays at {rate_hz} Hz"
                return Settled(device, rate_hz, words)
    if wanted is None:
        return None
    raise TetradError(
        f"{devices[0]} takes stereo at none of the usual rates; one from 8000 to 192000 Hz was expected; "
        "close what else uses it, or choose another with --audio"
    )


def working_rates(device: OutputDevice) -> list[int]:
    """The usual rates, in Hz and rising, at which a device takes stereo. Opens nothing."""
    return sorted(rate_hz for rate_hz in {*USUAL_RATES_HZ, device.rate_hz} - {0} if _works(device, rate_hz))


def open_latency_s(device: OutputDevice, sample_rate_hz: int, block_size: int) -> float:
    """Open a device that is not JACK's as `PortAudioStream` does, play nothing, close it: its latency in seconds.

    Raises TetradError when it does not open.
    """
    sounddevice = _sounddevice()
    try:
        stream = sounddevice.OutputStream(
            sample_rate_hz, block_size, device.number, channels=2, dtype="float32", latency="low"
        )
    except sounddevice.PortAudioError as error:
        raise TetradError(
            f"{device} does not open with blocks of {block_size} samples ({error}); an output with 2 channels at "
            f"{sample_rate_hz} Hz was expected; close what else uses it"
        ) from error
    with contextlib.closing(stream):
        return float(stream.latency)


class PortAudioStream:
    """A stereo float32 stream on a device that is not JACK's."""

    def __init__(self, device: OutputDevice, renderer: BlockRenderer, sample_rate_hz: int, block_size: int) -> None:
        self._renderer = renderer
        self._state = np.array([0, _UNKNOWN], np.int64)
        self._memory = _MEMORY.pack(state=self._state, renderer=renderer.words, scheduling=scheduling_words())
        sounddevice = _sounddevice()
        self.block_size = block_size
        try:
            try:
                self._stream = self._opened(device, sample_rate_hz, block_size)
            except sounddevice.PortAudioError:
                if block_size == 0:
                    raise
                self.block_size = 0
                self._stream = self._opened(device, sample_rate_hz, 0)
        except sounddevice.PortAudioError as error:
            raise TetradError(
                f"{device} does not open ({error}); an output with 2 channels at {sample_rate_hz} Hz was expected; "
                "close what else uses it, or choose another with --audio"
            ) from error

    @property
    def hurried(self) -> bool | None:
        """Whether the callback's thread has real-time priority; None before its first block."""
        hurried = int(self._state[_HURRIED])
        return None if hurried == _UNKNOWN else bool(hurried)

    def start(self) -> None:
        self._stream.start()

    def silence(self) -> None:
        set_count(self._state, _ENDING, 1)

    def close(self) -> None:
        self._stream.stop()
        self._stream.close()

    @property
    def active(self) -> bool:
        return bool(self._stream.active)

    @property
    def latency_s(self) -> float:
        return float(self._stream.latency)

    def _opened(self, device: OutputDevice, sample_rate_hz: int, block_size: int) -> Any:
        sounddevice = _sounddevice()
        # What OutputStream is made of, which takes C functions too (python-rtmixer is built on it).
        return sounddevice._StreamBase(
            kind="output",
            samplerate=sample_rate_hz,
            blocksize=block_size,
            device=device.number,
            channels=2,
            dtype="float32",
            latency="low",
            callback=sounddevice._ffi.cast("PaStreamCallback*", _callback.address),
            userdata=sounddevice._ffi.cast("void*", self._memory.address),
        )


class PortAudioInput:
    """A float32 input stream on a device that is not JACK's."""

    def __init__(self, device: InputDevice, ring: InputRing) -> None:
        """Raises TetradError when the device does not open at the ring's rate."""
        self._ring = ring
        self._state = np.array([0, _UNKNOWN], np.int64)
        self._memory = _INPUT_MEMORY.pack(
            state=self._state,
            ring=ring.words,
            n_channels=np.array([ring.channels], np.int64),
            scheduling=scheduling_words(),
        )
        sounddevice = _sounddevice()
        try:
            self._stream = sounddevice._StreamBase(
                kind="input",
                samplerate=ring.sample_rate_hz,
                blocksize=0,
                device=device.number,
                channels=ring.channels,
                dtype="float32",
                latency="high",  # nobody waits for it, and nothing is lost
                callback=sounddevice._ffi.cast("PaStreamCallback*", _input_callback.address),
                userdata=sounddevice._ffi.cast("void*", self._memory.address),
            )
        except sounddevice.PortAudioError as error:
            raise TetradError(
                f"{device} does not open ({error}); an input with {ring.channels} channels at {ring.sample_rate_hz} Hz "
                "was expected; close what else uses it, or choose another with --device"
            ) from error

    def start(self) -> None:
        self._stream.start()

    def close(self) -> None:
        with contextlib.suppress(_sounddevice().PortAudioError):  # a device that has gone can't be stopped
            self._stream.abort()
        self._stream.close()

    @property
    def active(self) -> bool:
        return bool(self._stream.active)


def _named(wanted: str, devices: list[AnyDevice], kind: str) -> AnyDevice:
    if wanted.isdecimal():
        fitting = [device for device in devices if device.number == int(wanted)]
    else:
        fitting = [device for device in devices if wanted.lower() in str(device).lower()]
    if fitting:
        return fitting[0]
    raise TetradError(
        f"no audio {kind} is called {wanted!r}; a number, a host API or a part of a name was expected; "
        f"there are: {_listed(devices)}"
    )


def named_output(wanted: str, devices: Sequence[OutputDevice]) -> OutputDevice:
    """The one that `wanted` names: its number, host API or a part of its name. TetradError when none fits."""
    return _named(wanted, list(devices), "output")


def _listed(devices: Sequence[AnyDevice]) -> str:
    return "; ".join(f"{device.number} {device}" for device in devices) or "none at all"


def _works(device: OutputDevice, sample_rate_hz: int) -> bool:
    if device.is_jack:
        return device.rate_hz == sample_rate_hz
    sounddevice = _sounddevice()
    try:
        sounddevice.check_output_settings(device.number, channels=2, dtype="float32", samplerate=sample_rate_hz)
    except sounddevice.PortAudioError:
        return False
    return True


def _takes(device: InputDevice, sample_rate_hz: int) -> bool:
    if device.is_jack:
        return device.rate_hz == sample_rate_hz
    sounddevice = _sounddevice()
    try:
        sounddevice.check_input_settings(
            device.number, channels=device.channels, dtype="float32", samplerate=sample_rate_hz
        )
    except sounddevice.PortAudioError:
        return False
    return True


def scan_again() -> None:
    """PortAudio lists devices once, when it begins; a new beginning finds what was plugged in since."""
    sounddevice = _sounddevice()
    with _no_jack_for_portaudio():
        try:
            sounddevice._terminate()
        finally:
            sounddevice._initialize()


def _sounddevice() -> Any:
    """The library, imported when sound is wanted: it loads PortAudio, which may be missing."""
    try:
        with _no_jack_for_portaudio():
            import sounddevice
    except OSError as error:
        raise TetradError(
            f"PortAudio is missing ({error}); sound needs it; apt-get install libportaudio2, or use --audio null"
        ) from error
    return sounddevice


@contextlib.contextmanager
def _no_jack_for_portaudio() -> Iterator[None]:
    """PortAudio finds no JACK server: it would become its client, and never get over the server's end."""
    silent_libjack()  # so that nobody tells stderr that there is none
    name = "JACK_DEFAULT_SERVER"
    before = os.environ.get(name)
    os.environ[name] = "none-for-portaudio"
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before
