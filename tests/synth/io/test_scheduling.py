"""Priority, locked memory, no huge pages: done where it is allowed, and where it isn't, said."""

import subprocess
import sys

# What a user without rights has: no capabilities, no allowance.
WITHOUT_RIGHTS = """
import ctypes, resource
resource.setrlimit(resource.RLIMIT_RTPRIO, (0, 0))
resource.setrlimit(resource.RLIMIT_MEMLOCK, (65536, 65536))
header, nothing = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()
assert ctypes.CDLL(None).capset(header, nothing) == 0
"""
DO_BOTH = """
import os
from pathlib import Path
from synth.io.scheduling import hurry, lock_memory
words = lock_memory()
locked = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmLck"))
hurried = hurry()
real_time = os.sched_getscheduler(0) & ~os.SCHED_RESET_ON_FORK in (os.SCHED_FIFO, os.SCHED_RR)
print(int(locked.split()[1]) > 0, hurried, real_time, words, sep="|")
"""


def run(code: str) -> list[str]:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    return done.stdout.strip().split("|")


def test_without_rights_both_are_left_undone_and_the_remedy_is_said() -> None:
    locked, hurried, real_time, words = run(WITHOUT_RIGHTS + DO_BOTH)
    assert (locked, hurried, real_time) == ("False", "False", "False")
    assert words.startswith("memory is not locked: this user may lock 64 KiB, unlimited was expected; add ")


def test_what_is_said_to_be_done_is_done() -> None:
    locked, hurried, real_time, words = run(DO_BOTH)
    assert (locked == "True") == (words == "")
    assert hurried == real_time


def test_huge_pages_are_refused_for_the_process_and_for_what_it_starts() -> None:
    refused, here, below = run(
        """
import subprocess
from pathlib import Path
from synth.io.scheduling import refuse_huge_pages
def enabled(text):
    return next(line for line in text.splitlines() if line.startswith("THP_enabled")).split()[1]
status = Path("/proc/self/status")
refused = refuse_huge_pages()
below = subprocess.run(["cat", "/proc/self/status"], capture_output=True, text=True, check=True).stdout
print(refused, enabled(status.read_text()), enabled(below), sep="|")
"""
    )
    assert (refused, here, below) == ("True", "0", "0")
