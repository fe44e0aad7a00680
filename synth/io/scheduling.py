"""Real time where the system allows it: the scheduler's first-in-first-out class for a thread, memory that stays, and
no huge pages.

Linux only; elsewhere all say that they did nothing. That is no error: music works without, on a machine that has
little else to do.
"""

import ctypes
import os
import resource
import sys
from pathlib import Path

import numpy as np

from synth.jit import njit
from synth.native import Int64Array, Intrinsic, address_of, foreign

PRIORITY = 60
"""Above the kernel's interrupt threads (50), below what JACK and PipeWire give their own (70 to 88)."""
NO_HURRY = (
    "the audio thread has no real-time priority: this user may not give it one; "
    'add "@audio - rtprio 95" to /etc/security/limits.d/audio.conf and log in again'
)
_MCL_CURRENT, _MCL_FUTURE, _MCL_ONFAULT = 1, 2, 4
_CAP_IPC_LOCK = 14
_PR_SET_THP_DISABLE = 41


_FIFO, _ROUND_ROBIN = 1, 2  # SCHED_...
_RESET_ON_FORK = 0x40000000  # a child process must not inherit the class
_GET, _SET, _PARAMETER = range(3)
_get_scheduler: Intrinsic = foreign("i4(i4)")
_set_scheduler: Intrinsic = foreign("i4(i4, i4, i8)")


def scheduling_words() -> Int64Array:
    """What `hurry_now` needs, int64 [3]: addresses of two functions (0: not Linux) and a sched_param, which is an int
    (of a little-endian machine)."""
    if not sys.platform.startswith("linux"):
        return np.zeros(3, np.int64)
    library = ctypes.CDLL(None)
    get, put = (ctypes.cast(f, ctypes.c_void_p).value for f in (library.sched_getscheduler, library.sched_setscheduler))
    return np.array([get, put, PRIORITY], np.int64)


@njit()
def hurry_now(words):  # type: ignore[no-untyped-def]
    """Puts the calling thread into the class SCHED_FIFO. Whether it is in a real-time class now, 0 or 1."""
    if words[_GET] == 0:
        return 0
    found = _get_scheduler(words[_GET], (0,)) & ~_RESET_ON_FORK
    if found in (_FIFO, _ROUND_ROBIN):
        return 1
    return 1 if _set_scheduler(words[_SET], (0, _FIFO | _RESET_ON_FORK, address_of(words) + 8 * _PARAMETER)) == 0 else 0


def hurry() -> bool:
    """`hurry_now` for Python threads."""
    return bool(hurry_now(scheduling_words()))


def lock_memory() -> str:
    """Keep every page of this process in memory once it is there. "" when done, else why not and the remedy.

    Only with an unlimited allowance: under a limit the lock would hold until some later allocation fails. Pages are
    locked as they are touched (MCL_ONFAULT), so the libraries' untouched parts cost nothing.
    """
    if not sys.platform.startswith("linux"):
        return "memory is not locked: that is done on Linux only"
    limit, _ = resource.getrlimit(resource.RLIMIT_MEMLOCK)
    if limit != resource.RLIM_INFINITY and not _may_lock_without_limit():
        return (
            f"memory is not locked: this user may lock {limit // 1024} KiB, unlimited was expected; "
            'add "@audio - memlock unlimited" to /etc/security/limits.d/audio.conf and log in again'
        )
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mlockall(_MCL_CURRENT | _MCL_FUTURE | _MCL_ONFAULT) != 0:
        return f"memory is not locked: {os.strerror(ctypes.get_errno())}"
    return ""


def refuse_huge_pages() -> bool:
    """No huge pages for this process and those that it starts from here on. Whether it was done.

    numpy asks for them for arrays of 4 MiB and more. The kernel's khugepaged then puts them together every ten seconds,
    and keeps a core for up to 8 ms at a time: on a kernel without preemption (Linux 6.18, PREEMPT_NONE) from real-time
    threads too, which is three blocks of 128 samples, lost.
    """
    return sys.platform.startswith("linux") and ctypes.CDLL(None).prctl(_PR_SET_THP_DISABLE, 1, 0, 0, 0) == 0


def _may_lock_without_limit() -> bool:
    """Whether the effective capabilities hold CAP_IPC_LOCK."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    effective = next(line for line in status.splitlines() if line.startswith("CapEff:"))
    return bool(int(effective.split()[1], 16) >> _CAP_IPC_LOCK & 1)
