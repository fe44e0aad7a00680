"""The one place that talks to numba's decorators: typed, and with the options every kernel of the engine needs."""

import hashlib
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba
import platformdirs

Kernel = Callable[..., Any]
"""Arguments are numba's business: their types are in the kernel's docstring."""

_FOLDERS = (".", "voices", "control", "grid", "io", "pads")
"""Where kernels, and the constants that are compiled into them, are."""


def _cache_folder() -> Path:
    """Where compiled kernels are kept: a folder named after what they were compiled from.

    numba looks only at the file that a kernel is in, not at the kernels and constants of other files that were compiled
    into it, and would go on using them after an update. So the folder's name is a hash of every file with kernels
    and of the tables of constants they read.
    """
    package = Path(__file__).parent
    digest = hashlib.sha256()
    for path in sorted(path for folder in _FOLDERS for path in package.glob(f"{folder}/*.py")):
        content = path.read_bytes()
        if any(word in content for word in (b"njit", b"cfunc", b"intrinsic", b"np.dtype(")) or path.name in (
            "frames.py",
            "parameters.py",
            "corners.py",
            "events.py",
            "pair_path.py",
        ):
            digest.update(path.name.encode() + content)
    local = package / "__pycache__"
    writable = os.access(local if local.exists() else package, os.W_OK)
    root = local if writable else Path(platformdirs.user_cache_dir("tetrad"))
    return root / f"kernels-{digest.hexdigest()[:12]}"


_config: Any = numba.config
if not _config.CACHE_DIR:  # NUMBA_CACHE_DIR of the environment comes first
    _config.CACHE_DIR = str(_cache_folder())


def cache_folder() -> Path:
    """Where compiled kernels of this version are kept, or would be."""
    return Path(_config.CACHE_DIR)


def njit(signature: str | list[str] | None = None, *, fastmath: bool = False) -> Callable[[Kernel], Kernel]:
    """Compiles a function to machine code that runs without the interpreter lock.

    signature: numba signature(s) such as ``"f8(f8, f4[::1])"``. With one, the function is compiled (or read from the
        cache) at import; without one at the first call.
    fastmath: lets the compiler reorder float operations, which vectorised sums need. Never where NaN must be seen.

    Division follows NumPy (no ZeroDivisionError): a kernel raises nothing.
    """

    def decorate(function: Kernel) -> Kernel:
        decorator = numba.njit(signature, nogil=True, cache=True, fastmath=fastmath, error_model="numpy")
        compiled: Kernel = decorator(function)
        return compiled

    return decorate


class NativeFunction:
    """A C function made of a Python one. It is compiled, or read from the cache, when it is first asked for: well under
    a second from the cache, up to half a minute on the very first start."""

    def __init__(self, function: Kernel, signature: str) -> None:
        self._function = function
        self._signature = signature
        self._compiled: Any = None
        self._lock = threading.Lock()

    def _ready(self) -> Any:
        with self._lock:
            if self._compiled is None:
                self._compiled = numba.cfunc(self._signature, cache=True, error_model="numpy")(self._function)
            return self._compiled

    @property
    def address(self) -> int:
        """Where it begins; good as long as this object."""
        return int(self._ready().address)

    @property
    def call(self) -> Callable[..., Any]:
        """For Python threads: called through ctypes, which lets go of the interpreter lock meanwhile."""
        function: Callable[..., Any] = self._ready().ctypes
        return function


def cfunc(signature: str) -> Callable[[Kernel], NativeFunction]:
    """Makes a C function that any thread may call, also one that Python has never seen: it takes no interpreter lock.

    signature: numba's; ``"i4(u4, i8)"`` is ``int32_t f(uint32_t, int64_t)``, and an i8 may be a pointer. As with `njit`
    it raises nothing and divides as NumPy does.
    """

    def decorate(function: Kernel) -> NativeFunction:
        return NativeFunction(function, signature)

    return decorate
