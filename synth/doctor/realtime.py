"""Real time: may the audio thread go before others, and may memory stay? Of the running engine, or of us."""

import os
import resource
import threading
from collections.abc import Callable

from synth.doctor.check import Check, ok, warn
from synth.doctor.machine import Machine
from synth.io.scheduling import PRIORITY, hurry

_FILE = "/etc/security/limits.d/audio.conf"
_SERVICE = "in a service: LimitRTPRIO=95 and LimitMEMLOCK=infinity"
_REAL_TIME = (os.SCHED_FIFO, os.SCHED_RR)


def checks(machine: Machine, engine_pid: int = 0) -> list[Check]:
    """engine_pid: of the running engine; 0: of none, and then it is tried here what an engine of this user may."""
    if engine_pid and machine.path(f"/proc/{engine_pid}/task").is_dir():
        return [kernel(machine), priority_of(machine, engine_pid), locked_by(machine, engine_pid)]
    memory_limit, _ = resource.getrlimit(resource.RLIMIT_MEMLOCK)
    return [
        kernel(machine),
        priority(_try_hurry, resource.getrlimit(resource.RLIMIT_RTPRIO)[0]),
        memory(machine, memory_limit),
    ]


def kernel(machine: Machine) -> Check:
    """What the kernel calls its preemption."""
    name, version = "kernel", machine.text("/proc/sys/kernel/version")
    release = machine.text("/proc/sys/kernel/osrelease")
    kind = next((word for word in version.split() if word.startswith("PREEMPT")), "")
    value = f"{release or 'unknown'}, {kind or 'without preemption'}"
    if kind or not version:
        return ok(name, value)
    return warn(
        name, value, "a kernel for servers; the distribution's usual one (PREEMPT or PREEMPT_DYNAMIC) is quicker"
    )


def priority(attempt: Callable[[], bool], limit: int) -> Check:
    """attempt: asks for real-time priority. limit: RLIMIT_RTPRIO."""
    name = "real-time priority"
    if attempt():
        return ok(name, f"the audio thread may have it ({PRIORITY} of 99)")
    return warn(name, f"refused; this user may have up to {limit}, {PRIORITY} was asked for", _remedy("rtprio 95"))


def priority_of(machine: Machine, pid: int, policy: Callable[[int], int] = os.sched_getscheduler) -> Check:
    """Of a running engine's threads. policy: of a thread by its number."""
    name = "real-time priority"
    threads = [int(task.name) for task in machine.glob(f"/proc/{pid}/task/*")]
    n_hurried = sum(_policy(policy, thread) in _REAL_TIME for thread in threads)
    value = f"{n_hurried} of the running engine's {len(threads)} threads have it"
    return ok(name, value) if n_hurried else warn(name, value, _remedy("rtprio 95"))


def memory(machine: Machine, limit_bytes: int) -> Check:
    """Under a limit nothing is locked: see `synth.io.scheduling.lock_memory`. limit_bytes: RLIMIT_MEMLOCK."""
    name = "locked memory"
    may = next((line for line in machine.text("/proc/self/status").splitlines() if line.startswith("CapEff:")), "")
    if limit_bytes == resource.RLIM_INFINITY or (may and int(may.split()[1], 16) >> 14 & 1):
        return ok(name, "without a limit")
    return warn(name, f"this user may lock {limit_bytes // 1024} KiB; all was asked for", _remedy("memlock unlimited"))


def locked_by(machine: Machine, pid: int) -> Check:
    """What a running engine has locked."""
    name = "locked memory"
    lines = machine.text(f"/proc/{pid}/status").splitlines()
    kilobytes = next((int(line.split()[1]) for line in lines if line.startswith("VmLck:")), 0)
    value = f"{kilobytes / 1000:.0f} MB of the running engine's"
    return ok(name, value) if kilobytes else warn(name, value, _remedy("memlock unlimited"))


def _remedy(line: str) -> str:
    return f'put "@audio - {line}" into {_FILE}, sudo usermod -aG audio $USER, log out and in again; {_SERVICE}'


def _try_hurry() -> bool:
    """In a thread of its own, so that this one stays as it is."""
    granted: list[bool] = []
    thread = threading.Thread(target=lambda: granted.append(hurry()))
    thread.start()
    thread.join()
    return granted == [True]


def _policy(policy: Callable[[int], int], thread: int) -> int:
    try:
        return policy(thread) & ~os.SCHED_RESET_ON_FORK
    except OSError:  # it has ended meanwhile
        return os.SCHED_OTHER
