"""One peer in a process of its own: `python -m benchmarks.peers.child NAME`, JSON lines in, JSON lines out.

{"ask": "hold", "voices": 16} -> {}
{"ask": "share", "seconds": 1.0} -> {"share": 0.05}         of one core
{"ask": "onsets", "trials": 16} -> {"onsets_ms": [...]}
{"ask": "memory"} -> {"memory_mb": 45.2, "added_mb": 33.0}     resident; without the interpreter
The first line out says that it is ready, and what it renders: {"block", "rate_hz", "n_weights": null or a number}.
Every answer may be {"error": "one sentence"} instead. The process ends with its input.
"""

import json
import os
import sys
from pathlib import Path
from typing import IO, Any

from benchmarks.peers.fluidsynth import FluidSynth
from benchmarks.peers.peer import Peer, PeerError, share

NAMES = ("tetrad", "fluidsynth", "zynaddsubfx", "rave-v1", "rave-v2")


def make(name: str) -> Peer:
    """The peer, not opened yet. Raises PeerError for an unknown name."""
    match name:
        case "tetrad":
            from benchmarks.peers.tetrad import Tetrad

            return Tetrad()
        case "fluidsynth":
            return FluidSynth()
        case "zynaddsubfx":
            from benchmarks.peers.zynaddsubfx import ZynAddSubFx

            return ZynAddSubFx()
        case "rave-v1" | "rave-v2":
            from benchmarks.peers.rave import Rave

            return Rave(name.removeprefix("rave-"))
    raise PeerError(f"{name} is no peer; expected one of {', '.join(NAMES)}.")


def memory_mb(pid: int) -> float:
    """Resident memory of a process, MB (10^6 bytes)."""
    for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024 / 1e6
    raise PeerError(f"Process {pid} has no resident memory; a running one was expected.")


def answer(peer: Peer, request: dict[str, Any], before_mb: float) -> dict[str, Any]:
    """What is asked; before_mb: the process's memory before the peer. Raises PeerError where it can't be measured."""
    match request["ask"]:
        case "hold":
            peer.hold(request["voices"])
            return {}
        case "share":
            return {"share": share(peer, request["seconds"])}
        case "onsets":
            return {"onsets_ms": peer.onsets_ms(request["trials"])}
        case "memory":
            resident_mb = memory_mb(os.getpid())
            return {"memory_mb": resident_mb, "added_mb": resident_mb - before_mb}
    raise PeerError(f"{request['ask']} is no question; expected hold, share, onsets or memory.")


def serve(name: str, lines: IO[str], out: IO[str]) -> None:
    """Open the peer of that name, and answer until the input ends."""

    def say(message: dict[str, Any]) -> None:
        out.write(json.dumps(message) + "\n")
        out.flush()

    before_mb = memory_mb(os.getpid())
    try:
        peer = make(name)
        peer.open()
    except PeerError as error:
        say({"error": str(error)})
        return
    say({"block": peer.block, "rate_hz": peer.rate_hz, "n_weights": getattr(peer, "n_weights", None)})
    for line in lines:
        try:
            say(answer(peer, json.loads(line), before_mb))
        except PeerError as error:
            say({"error": str(error)})


def main() -> None:
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a library prints must not mix with the answers
    serve(sys.argv[1], sys.stdin, answers)


if __name__ == "__main__":
    main()
