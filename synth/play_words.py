"""What `tetrad play` prints, and what it adds to the status."""

import argparse
from typing import Any

from synth.control.corners import Corner
from synth.io.audio import NO_DEVICE, AudioOutput
from synth.io.midi_ports import MidiPorts
from synth.io.midi_queue import MessageQueue
from synth.io.server import Server
from synth.live import LiveEngine
from synth.pads.loaded_pad import LoadedPad
from synth.session import Session
from synth.stage import Stage
from synth.voices.engine import Engine


def more_status(
    output: AudioOutput,
    live: LiveEngine,
    ports: MidiPorts,
    stage: Stage,
    rate_hz: int,
) -> dict[str, Any]:
    health = output.health()
    silent = output.device == NO_DEVICE
    return {
        "midi": {"ports": list(ports.names), "dropped": ports.dropped + stage.dropped},
        "audio": {
            "device": "none" if silent else str(output.device),
            "state": "none" if silent else "waiting" if output.waiting else "running",
            "words": output.notices[-1] if output.notices else "",
            "sample_rate_hz": rate_hz,
            "block_samples": live.block_samples,
        },
        "health": {
            "underflows": health.underflows,
            "worst_block_share": health.worst_block_share,
            "block_share": max(output.recent_shares(), default=0.0),
        },
    }


def print_midi(args: argparse.Namespace, ports: MidiPorts) -> None:
    for name in ports.names:
        print(f"MIDI input: {name}")
    if args.midi is not None and not ports.names:
        print(f"MIDI input: none is called {args.midi!r} yet; it is waited for")
    elif not ports.names:
        own = ", ".join(ports.own_names) or "none, there is no ALSA sequencer (/dev/snd/seq) and no JACK server"
        print(f"MIDI inputs: {own}; what is plugged in later is heard")
    for problem in ports.problems:
        print(problem)


def print_patch(session: Session, pad: LoadedPad | None) -> None:
    patch = session.editor.patch
    if pad is not None:
        names = ", ".join(f"{corner.name} {pad.spec.corners[corner]}" for corner in Corner)
        print(f"Patch: {patch.name}. Pad: {pad.spec.name}. Corners: {names}")
        return
    corners = ", ".join(
        f"{name} {corner or 'silence'}" for name, corner in zip(("NW", "NE", "SW", "SE"), patch.corners, strict=True)
    )
    print(f"Patch: {patch.name}. Corners: {corners}")


def print_health(engine: Engine, health: Any, stage: Stage, queue: MessageQueue) -> None:
    status = engine.status()
    print(
        f"Played {status['clock_samples'] / engine.sample_rate_hz:.1f} s: {health.underflows} underflows in "
        f"{health.blocks} blocks, worst block {health.worst_block_s * 1000.0:.2f} ms "
        f"({health.worst_block_share:.0%} of its time), {status['late_frames']} late frames, "
        f"{stage.messages} MIDI messages, {status['dropped_events'] + queue.dropped + stage.dropped} dropped, "
        f"{status['stolen']} notes stolen, peak {status['peak_level_dbfs']:.1f} dBFS"
    )


def print_playing(server: Server, limit_s: float | None) -> None:
    """That it plays now, and where clients find it."""
    limit = "" if limit_s is None else f" for {limit_s:g} s"
    osc = "" if server.osc_address is None else ", OSC at {}:{}".format(*server.osc_address)
    osc += ", open to the network: anyone there can play" if server.osc_open else ""
    print(f"Clients: {server.path}{osc}")
    print(f"Playing{limit}. Ctrl-C stops.", flush=True)
