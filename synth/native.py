"""What native code needs to live without Python: memory and C functions by their addresses, counters between threads.

A C function that a sound card calls gets one number, the address of a table. A `Layout` says what is in the table:
addresses and shapes of arrays. Python packs it (`Layout.pack`) and keeps the arrays alive; kernels unpack it
(`Layout.unpack`) to the same arrays. One more array is one more name in the layout.

What one thread writes and another reads is told by counters in int64 arrays: `store_release` after the contents were
written, `load_acquire` before they are read (C11's acquire and release; on ARM one instruction each, on x86 plain
moves that the compiler may not reorder). Every counter has one writer.

A `Source` is what sound cards play: a C function and its data. Sources are put in front of each other by address:
recorder -> live engine -> renderer.
"""

import ctypes
import sys
from collections.abc import Callable
from typing import Any, NamedTuple

import numba
import numba.core.cgutils
import numba.core.sigutils
import numba.np.arrayobj
import numpy as np
import numpy.typing as npt
from llvmlite import ir
from numba.extending import intrinsic

from synth.errors import TetradError
from synth.frames import Float32Array
from synth.jit import njit

Int64Array = npt.NDArray[np.int64]
Intrinsic = Any
"""Something that only kernels can call."""
# numba's inner parts carry no types.
types: Any = numba.types
_cgutils: Any = numba.core.cgutils
_arrays: Any = numba.np.arrayobj
_normalize_signature: Any = numba.core.sigutils.normalize_signature
_WORD = ir.IntType(64)


def _for_kernels(function: Callable[..., Any]) -> Intrinsic:
    return intrinsic(function)


def _built_array(context: Any, builder: Any, array_type: Any, address: Any, shape: list[Any]) -> Any:
    """An array struct over memory that numba does not own."""
    array = _arrays.make_array(array_type)(context, builder)
    item = context.get_abi_sizeof(context.get_data_type(array_type.dtype))
    strides: list[Any] = []
    step = context.get_constant(types.intp, item)
    for size in reversed(shape):
        strides.insert(0, step)
        step = builder.mul(step, size)
    _arrays.populate_array(
        array,
        data=builder.inttoptr(address, array.data.type),
        shape=shape,
        strides=strides,
        itemsize=context.get_constant(types.intp, item),
        meminfo=None,
    )
    return array._getvalue()


class Layout:
    """Names, types and numbers of dimensions of the arrays that a C function works on.

    arrays: name=dtype for one dimension, name=(dtype, n) for n. `unpack(address)`, in kernels only, gives a tuple of
    them in this order; bind it to a name of your module.
    """

    def __init__(self, **arrays: Any) -> None:
        self._arrays: dict[str, tuple[np.dtype[Any], int]] = {}
        for name, entry in arrays.items():
            dtype, n_dimensions = entry if isinstance(entry, tuple) else (entry, 1)
            self._arrays[name] = np.dtype(dtype), n_dimensions
        self.n_bytes = 8 * sum(1 + n for _, n in self._arrays.values())
        """Of a table."""
        array_types = [
            types.Array(numba.from_dtype(dtype), n_dimensions, "C") for dtype, n_dimensions in self._arrays.values()
        ]
        self.unpack: Intrinsic = _unpacking(array_types)

    def places(self, *names: str) -> tuple[int, ...]:
        """Where in the tuple these arrays are."""
        order = list(self._arrays)
        return tuple(order.index(name) for name in names)

    def pack(self, **arrays: npt.NDArray[Any]) -> "Table":
        """A table of these arrays. TetradError for arrays that are not as the layout says."""
        if list(arrays) != list(self._arrays):
            raise TetradError(f"Arrays {', '.join(arrays)} were packed; expected {', '.join(self._arrays)}, in order.")
        words: list[int] = []
        for name, (dtype, n_dimensions) in self._arrays.items():
            array = arrays[name]
            if array.dtype != dtype or array.ndim != n_dimensions or not array.flags.c_contiguous:
                raise TetradError(
                    f"Array {name} is {array.dtype} with {array.ndim} dimensions; expected a C-contiguous one of "
                    f"{dtype} with {n_dimensions}."
                )
            words += [array.ctypes.data, *array.shape]
        return Table(np.array(words, np.int64), tuple(arrays.values()))


class Table(NamedTuple):
    """What a C function gets: of each array its address and shape. Keep it as long as the function may be called."""

    words: Int64Array
    arrays: tuple[npt.NDArray[Any], ...]
    """Kept alive: their addresses are in `words`."""

    @property
    def address(self) -> int:
        return int(self.words.ctypes.data)

    def __add__(self, other: "Table") -> "Table":  # type: ignore[override]
        """One table behind the other."""
        return Table(np.concatenate([self.words, other.words]), self.arrays + other.arrays)


def _unpacking(array_types: list[Any]) -> Intrinsic:
    @_for_kernels
    def unpack(_typing_context, _address):  # type: ignore[no-untyped-def]
        result = types.Tuple(array_types)

        def generate(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
            words = builder.inttoptr(arguments[0], _WORD.as_pointer())
            at = 0
            built = []
            for array_type in array_types:
                places = range(at, at + 1 + array_type.ndim)
                at = places.stop
                address, *shape = [builder.load(_cgutils.gep_inbounds(builder, words, place)) for place in places]
                built.append(_built_array(context, builder, array_type, address, shape))
            return context.make_tuple(builder, signature.return_type, built)

        return result(types.int64), generate

    return unpack


def view_of(dtype: Any, *inner: int) -> Intrinsic:
    """For kernels: ``view(address, n)`` is the array [n, *inner] at an address."""
    array_type = types.Array(numba.from_dtype(np.dtype(dtype)), 1 + len(inner), "C")

    @_for_kernels
    def view(_typing_context, _address, _n):  # type: ignore[no-untyped-def]
        def generate(context, builder, _signature, arguments):  # type: ignore[no-untyped-def]
            shape = [arguments[1], *(context.get_constant(types.intp, size) for size in inner)]
            return _built_array(context, builder, array_type, arguments[0], shape)

        return array_type(types.int64, types.int64), generate

    return view


@_for_kernels
def address_of(_typing_context, array):  # type: ignore[no-untyped-def]
    """For kernels: where an array's contents begin."""

    def generate(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        struct = _arrays.make_array(signature.args[0])(context, builder, arguments[0])
        return builder.ptrtoint(struct.data, _WORD)

    return types.int64(array), generate


def foreign(signature: str) -> Intrinsic:
    """For kernels: ``call(address, (arguments, ...))`` calls a C function; signature: as of `synth.jit.cfunc`."""
    argument_types, return_type = _normalize_signature(signature)

    @_for_kernels
    def call(_typing_context, _address, arguments):  # type: ignore[no-untyped-def]
        def generate(context, builder, signature, values):  # type: ignore[no-untyped-def]
            address, packed = values
            given = signature.args[1]
            passed = [
                context.cast(builder, builder.extract_value(packed, i), given[i], wanted)
                for i, wanted in enumerate(argument_types)
            ]
            returned = ir.VoidType() if return_type == types.void else context.get_value_type(return_type)
            function = ir.FunctionType(returned, [context.get_value_type(wanted) for wanted in argument_types])
            result = builder.call(builder.inttoptr(address, function.as_pointer()), passed)
            return context.get_dummy_value() if return_type == types.void else result

        return return_type(types.int64, arguments), generate

    return call


def _counter(context: Any, builder: Any, array_type: Any, array: Any, index: Any) -> Any:
    struct = _arrays.make_array(array_type)(context, builder, array)
    return _cgutils.gep_inbounds(builder, struct.data, index)


@_for_kernels
def load_acquire(_typing_context, array, _index):  # type: ignore[no-untyped-def]
    """For kernels: counter `index` of an int64 array; what its writer did before `store_release` is seen after it."""

    def generate(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        place = _counter(context, builder, signature.args[0], *arguments[:2])
        return builder.load_atomic(place, "acquire", 8)

    return types.int64(array, types.int64), generate


@_for_kernels
def store_release(_typing_context, array, _index, _value):  # type: ignore[no-untyped-def]
    """For kernels: moves counter `index` of an int64 array, after all that was written before."""

    def generate(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        place = _counter(context, builder, signature.args[0], *arguments[:2])
        builder.store_atomic(arguments[2], place, "release", 8)
        return context.get_dummy_value()

    return types.void(array, types.int64, types.int64), generate


@njit()
def count(counters, index):  # type: ignore[no-untyped-def]
    """`load_acquire` for Python: 0.2 us."""
    return load_acquire(counters, index)


@njit()
def set_count(counters, index, value):  # type: ignore[no-untyped-def]
    """`store_release` for Python."""
    store_release(counters, index, value)


@njit()
def copy_counts(source, target):  # type: ignore[no-untyped-def]
    """Snapshot of counters that another thread moves: what they count can be read afterwards."""
    for i in range(source.shape[0]):
        target[i] = load_acquire(source, i)


@njit()
def publish_counts(source, target):  # type: ignore[no-untyped-def]
    """Moves counters that another thread reads, after all that was written before."""
    for i in range(source.shape[0]):
        store_release(target, i, source[i])


SOURCE = "void(i8, i8, i8, i8, i8)"
"""Signature of a source's function: data, address of float32 [n, 2] to fill, n, time at which the block was asked for
(ns, `time.perf_counter_ns`'s clock), JACK's clock at its first sample or -1. Called by one thread at a time."""
NO_FRAME = -1
call_source: Intrinsic = foreign(SOURCE)
stereo_view: Intrinsic = view_of(np.float32, 2)
_SOURCE_TYPE = ctypes.CFUNCTYPE(None, *[ctypes.c_int64] * 5)  # lets go of the interpreter lock


class Source(NamedTuple):
    """Something that fills blocks."""

    function: int
    """Address of a C function of signature SOURCE."""
    data: int
    owner: object
    """Keeps alive what `data` points to."""

    def words(self) -> Int64Array:
        """For a layout's array of two: function and data."""
        return np.array([self.function, self.data], np.int64)


class Player:
    """Plays a source in threads of Python's, which do without the interpreter lock meanwhile."""

    def __init__(self, source: Source) -> None:
        self._function = _SOURCE_TYPE(source.function)
        self._source = source

    def __call__(self, out: Float32Array, time_ns: int = 0, frame: int = NO_FRAME) -> None:
        """Fills out, float32 [n, 2]; time_ns and frame as in SOURCE. TetradError for another array."""
        if out.dtype != np.float32 or out.ndim != 2 or out.shape[1] != 2 or not out.flags.c_contiguous:
            raise TetradError(
                f"A block of {out.dtype} {list(out.shape)} was to be filled; expected contiguous float32 [n, 2]."
            )
        self._function(self._source.data, out.ctypes.data, out.shape[0], time_ns, frame)


_CLOCK, _CLOCK_GETTIME, _USLEEP = range(3)
_usleep: Intrinsic = foreign("i4(u4)")


def _system_words() -> Int64Array:
    library = ctypes.CDLL(None)
    clock = 8 if sys.platform == "darwin" else 1  # CLOCK_UPTIME_RAW, CLOCK_MONOTONIC: perf_counter's
    addresses = (ctypes.cast(getattr(library, name), ctypes.c_void_p).value for name in ("clock_gettime", "usleep"))
    return np.array([clock, *addresses], np.int64)


_SYSTEM = _system_words()


def system_words() -> Int64Array:
    """For a layout's array `system`: what `now_ns` and `sleep_us` need of the C library, int64 [3]."""
    return _SYSTEM


@_for_kernels
def _read_clock(_typing_context, _function, _clock):  # type: ignore[no-untyped-def]
    """ns of a clock by clock_gettime at address `function`; its struct lies on the stack: nothing is allocated."""

    def generate(context, builder, _signature, arguments):  # type: ignore[no-untyped-def]
        function, clock = arguments
        spec = _cgutils.alloca_once(builder, ir.ArrayType(_WORD, 2))  # seconds, nanoseconds
        kind = ir.FunctionType(ir.IntType(32), [ir.IntType(32), spec.type])
        builder.call(builder.inttoptr(function, kind.as_pointer()), [builder.trunc(clock, ir.IntType(32)), spec])
        seconds, rest = (builder.load(_cgutils.gep_inbounds(builder, spec, 0, i)) for i in range(2))
        return builder.add(builder.mul(seconds, ir.Constant(_WORD, 1_000_000_000)), rest)

    return types.int64(types.int64, types.int64), generate


@njit()
def now_ns(system):  # type: ignore[no-untyped-def]
    """`time.perf_counter_ns`, in kernels. system: `system_words()`."""
    return _read_clock(system[_CLOCK_GETTIME], system[_CLOCK])


@njit()
def sleep_us(system, microseconds):  # type: ignore[no-untyped-def]
    """Waits for less than a second."""
    _usleep(system[_USLEEP], (microseconds,))
