"""What our clients of a JACK server have in common: libjack, by JACK-Client, with C functions for callbacks.

JACK-Client would call Python from the server's real-time thread, which would wait there for the interpreter lock: when
some thread of ours keeps that, the whole server loses a block, other programs' sound too.

A client whose server has died is left alone for good, neither closed nor collected: libjack has freed what is behind it
as soon as another client was opened, and closing it then crashes. A few kilobytes for every death of a server.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from synth.errors import TetradError
from synth.jit import NativeFunction
from synth.native import Intrinsic, foreign

_FUNCTIONS = (
    "jack_port_get_buffer",
    "jack_last_frame_time",
    "jack_frame_time",
    "jack_get_buffer_size",
    "jack_midi_get_event_count",
    "jack_midi_event_get",
)
JACK = np.dtype([("client", np.int64), *((name, np.int64) for name in _FUNCTIONS)])
"""Addresses: of a client, and of what callbacks call of libjack."""
port_get_buffer: Intrinsic = foreign("i8(i8, u4)")
frame_time: Intrinsic = foreign("u4(i8)")
"""Of `jack_last_frame_time` and `jack_frame_time`."""
block_size: Intrinsic = foreign("u4(i8)")
_left_alone: list[Any] = []


def library() -> Any:
    """JACK-Client, silenced: libjack tells stderr of every server that is not there. None without libjack."""
    try:
        import jack
    except OSError:
        return None
    jack.set_error_function(_say_nothing)
    jack.set_info_function(_say_nothing)
    return jack


def _say_nothing(_message: str) -> None:
    """What libjack would print."""


def open_client(name: str, server: str | None = None) -> Any:
    """server: its name; None: the one that JACK_DEFAULT_SERVER names, or the default one.

    Starts none; raises TetradError when it does not run.
    """
    jack = library()
    if jack is None:
        raise TetradError("libjack is missing; a JACK server was asked for; install it, or choose another device")
    try:
        return jack.Client(name, servername=server, no_start_server=True)
    except jack.JackError as error:
        raise TetradError(f"no JACK server answers ({error}); a running one was expected; start it") from error


def address(pointer: Any) -> int:
    """Of a cffi function or pointer of JACK-Client's library."""
    import jack

    return int(jack._ffi.cast("uintptr_t", pointer))


def words(client: Any) -> npt.NDArray[np.void]:
    """What a client's callbacks need, JACK [1]."""
    import jack

    found = np.zeros(1, JACK)
    found["client"] = address(client._ptr)
    for name in _FUNCTIONS:
        found[name] = address(getattr(jack._lib, name))
    return found


def set_callback(client: Any, name: str, function: NativeFunction, data: int) -> None:
    """Has libjack call a C function, where JACK-Client offers a Python one. name: process (`i4(u4, i8)`) or xrun
    (`i4(i8)`). data: its last argument."""
    import jack

    kind = {"process": "JackProcessCallback", "xrun": "JackXRunCallback"}[name]
    setter = getattr(jack._lib, f"jack_set_{name}_callback")
    if setter(client._ptr, jack._ffi.cast(kind, function.address), jack._ffi.cast("void*", data)) != 0:
        raise TetradError(f"the JACK server takes no {name} callback; it was expected to; start the server again")


def end_client(client: Any, dead: bool, *in_use: object) -> None:
    """in_use: what its callbacks work on, kept with a client whose server has died."""
    if dead:
        import jack

        client._ptr = jack._ffi.NULL  # or its finaliser would close it
        _left_alone.append((client, *in_use))
    else:
        client.deactivate()
        client.close()
