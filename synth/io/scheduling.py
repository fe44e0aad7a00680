"""Real time where the system allows it: the scheduler's first-in-first-out class for a thread, memory that stays.

Linux only; elsewhere both say that they did nothing. Neither is an error: music works without, on a machine that has
little else to do.
"""

import ctypes
import os
import resource
import sys
from pathlib import Path

PRIORITY = 60
"""Above the kernel's interrupt threads (50), below what JACK and PipeWire give their own (70 to 88)."""
NO_HURRY = (
    "the audio thread has no real-time priority: this user may not give it one; "
    'add "@audio - rtprio 95" to /etc/security/limits.d/audio.conf and log in again'
)
_MCL_CURRENT, _MCL_FUTURE, _MCL_ONFAULT = 1, 2, 4
_CAP_IPC_LOCK = 14


def hurry(priority: int = PRIORITY) -> bool:
    """Put the calling thread into the class SCHED_FIFO. Whether it is in a real-time class now."""
    if not sys.platform.startswith("linux"):
        return False
    if os.sched_getscheduler(0) in (os.SCHED_FIFO, os.SCHED_RR):
        return True
    try:
        # A child process must not inherit it.
        os.sched_setscheduler(0, os.SCHED_FIFO | os.SCHED_RESET_ON_FORK, os.sched_param(priority))
    except OSError:
        return False
    return True


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


def _may_lock_without_limit() -> bool:
    """Whether the effective capabilities hold CAP_IPC_LOCK."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    effective = next(line for line in status.splitlines() if line.startswith("CapEff:"))
    return bool(int(effective.split()[1], 16) >> _CAP_IPC_LOCK & 1)
