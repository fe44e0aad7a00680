"""The one place that talks to numba's decorator: typed, and with the options every kernel of the engine needs."""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba
import platformdirs

Kernel = Callable[..., Any]
"""Arguments are numba's business: their types are in the kernel's docstring."""


def _cache_folder() -> Path:
    """Where compiled kernels are kept: a folder named after what they were compiled from.

    numba looks only at the file that a kernel is in, not at the kernels and constants of other files that were compiled
    into it, and would go on using them after an update. So the folder's name is a hash of every file with kernels
    and of the tables of constants they read.
    """
    package = Path(__file__).parent
    digest = hashlib.sha256()
    for path in sorted([*package.glob("*.py"), *package.glob("voices/*.py"), *package.glob("control/*.py")]):
        content = path.read_bytes()
        if (
            b"njit" in content
            or b"np.dtype(" in content
            or path.name in ("frames.py", "parameters.py", "corners.py", "events.py")
        ):
            digest.update(path.name.encode() + content)
    local = package / "__pycache__"
    writable = os.access(local if local.exists() else package, os.W_OK)
    root = local if writable else Path(platformdirs.user_cache_dir("tetrad"))
    return root / f"kernels-{digest.hexdigest()[:12]}"


_config: Any = numba.config
if not _config.CACHE_DIR:  # NUMBA_CACHE_DIR of the environment comes first
    _config.CACHE_DIR = str(_cache_folder())


def njit(signature: str | list[str] | None = None, *, fastmath: bool = False) -> Callable[[Kernel], Kernel]:
    """Compiles a function to machine code that runs without the interpreter lock.

    signature: numba signature(s) such as ``"f8(f8, f4[::1])"``. With one, the function is compiled (or read from the
        cache) at import; without one at the first call, which must then not be in the audio callback.
    fastmath: lets the compiler reorder float operations, which vectorised sums need. Never where NaN must be seen.

    Division follows NumPy (no ZeroDivisionError): a kernel raises nothing.
    """

    def decorate(function: Kernel) -> Kernel:
        decorator = numba.njit(signature, nogil=True, cache=True, fastmath=fastmath, error_model="numpy")
        compiled: Kernel = decorator(function)
        return compiled

    return decorate
