"""Play in real time, from MIDI or the computer's keyboard; where there is no sound card, render a demo."""

import argparse
import contextlib
import math
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from synth import demo
from synth.control.events import Event, SetParameter
from synth.errors import TetradError
from synth.frames import SAMPLE_RATE_HZ
from synth.io.audio import AudioHealth, AudioOutput, NullOutput, OutputDevice, choose_output
from synth.io.midi_ports import MidiInput, choose_inputs, working_apis
from synth.io.spectrogram import write_spectrogram
from synth.io.terminal_keys import HELP, terminal_keys
from synth.live import LiveEngine, LoopedScore, MessageSource
from synth.performance import make_engine, render_to_wav, score_events, with_path
from synth.render import add_playing_arguments, add_position_argument
from synth.voices.engine import Engine

DEMO_WAV, DEMO_PNG = Path("demo.wav"), Path("demo.png")
NULL_BLOCK = 128
WATCH_PERIOD_S = 0.1


class PlayCommand:
    """`tetrad play`"""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        add_playing_arguments(parser)
        add_position_argument(parser)
        parser.add_argument(
            "--audio", metavar="DEVICE", help="number, host API or part of a name; null: play without a sound card"
        )
        parser.add_argument("--midi", metavar="PORT", help="part of a name (default: every MIDI input there is)")
        parser.add_argument("--headless", action="store_true", help="take no notes from this terminal (for services)")
        parser.add_argument("--seconds", type=_seconds, metavar="N", help="stop after N seconds (default: Ctrl-C)")

    def run(self, args: argparse.Namespace) -> int:
        device, why_no_sound = (None, "") if args.audio == "null" else _find_output(args.audio)
        ports = choose_inputs(args.midi)
        if device is None and args.audio != "null":
            print(f"No audio output: {why_no_sound}.")
            print(f"MIDI inputs: {', '.join(map(str, ports)) or 'none (' + _midi_systems() + ')'}.")
            return _render_demo(args)
        with contextlib.ExitStack() as stack:
            inputs = [MidiInput(port.api, port) for port in ports] or _own_ports()
            for midi_input in inputs:
                stack.callback(midi_input.close)
                print(f"MIDI input: {midi_input.name}")
            return _play(args, device, inputs, demo_wanted=not ports)


def _play(args: argparse.Namespace, device: OutputDevice | None, inputs: list[MidiInput], *, demo_wanted: bool) -> int:
    """Construct, connect, start, wait, stop; the order is what matters here."""
    engine = _engine(args)
    for name, value in zip(("x", "y"), args.xy, strict=True):
        engine.push(SetParameter(0, name, value))
    with contextlib.ExitStack() as stack:
        sources: list[MessageSource] = list(inputs)
        scores = []
        quit_wanted = threading.Event()
        if demo_wanted and sys.stdin.isatty() and not args.headless:
            keys = stack.enter_context(terminal_keys())
            sources.append(keys)
            quit_wanted = keys.wants_to_quit
            print(f"No MIDI controller is connected, so this terminal is the keyboard:\n{HELP}")
        elif demo_wanted:
            scores.append(LoopedScore(_demo_events(), SAMPLE_RATE_HZ))
            print(f'No MIDI controller is connected, so the demo "{demo.TITLE}" plays, round and round.')
        live = stack.enter_context(LiveEngine(engine, sources, scores))
        output: AudioOutput | NullOutput
        if device is None:
            output = NullOutput(live.render_into, sample_rate_hz=SAMPLE_RATE_HZ, block_size=NULL_BLOCK)
            print("Audio output: none (null)")
        else:
            output = AudioOutput(device, live.render_into, sample_rate_hz=SAMPLE_RATE_HZ)
            print(f"Audio output: {device.host_api}: {device.name}")
        stopping = stack.enter_context(_stop_signals())
        with output:
            print(f"Playing{'' if args.seconds is None else f' for {args.seconds:g} s'}. Ctrl-C stops.", flush=True)
            _watch(output, live, (stopping, quit_wanted), args.seconds)
        health = output.health()
    _print_health(engine, health, live, inputs)
    return 0


def _watch(
    output: AudioOutput | NullOutput, live: LiveEngine, stops: tuple[threading.Event, ...], limit_s: float | None
) -> None:
    """Wait until it is time to stop. Raises TetradError when sound or engine break down."""
    waited_s = 0.0
    while not any(stop.is_set() for stop in stops) and (limit_s is None or waited_s < limit_s):
        for part, failure in (("synthesizer", output.failure), ("conductor", live.failure)):
            if failure is not None:
                raise TetradError(
                    f"the {part} broke down: {type(failure).__name__}: {failure}; report this"
                ) from failure
        if not output.active:
            raise TetradError("the audio device has gone; a running stream was expected; plug it in and start again")
        step_s = WATCH_PERIOD_S if limit_s is None else min(WATCH_PERIOD_S, limit_s - waited_s)
        stops[0].wait(step_s)
        waited_s += step_s


def _engine(args: argparse.Namespace) -> Engine:
    print("Getting ready (the very first start compiles, which takes up to a minute) ...", file=sys.stderr, flush=True)
    engine = make_engine(args.corners, n_voices=args.voices)
    print(
        "Corners: " + ", ".join(f"{c} {name}" for c, name in zip(("NW", "NE", "SW", "SE"), args.corners, strict=True))
    )
    return engine


def _render_demo(args: argparse.Namespace) -> int:
    """The most useful thing without a sound card: the demo as a file, and a picture of it."""
    print(f'So the demo "{demo.TITLE}" is rendered to files, with the finger on its way through the four corners.')
    blocks: list[np.ndarray[tuple[int, ...], np.dtype[np.float32]]] = []
    summary = render_to_wav(_engine(args), _demo_events(), DEMO_WAV, keep=blocks)
    write_spectrogram(DEMO_PNG, np.concatenate(blocks), SAMPLE_RATE_HZ, f'Tetrad: "{demo.TITLE}"')
    print(
        f"{DEMO_WAV.resolve()}: {summary.duration_s:.1f} s, {summary.notes} notes, "
        f"peak {summary.peak_dbfs:.1f} dBFS, {summary.real_time_factor:.1f} times real time\n"
        f"{DEMO_PNG.resolve()}: its spectrogram\n"
        "How to go on:\n"
        "  listen     copy demo.wav to a machine with loudspeakers\n"
        "  play       plug in a sound card and a MIDI keyboard, or start a JACK server, and start this again\n"
        "  your score .venv/bin/tetrad render SCORE.mid OUT.wav --corners NW NE SW SE --xy 0.5,0.5\n"
        "  the sounds .venv/bin/tetrad instruments list"
    )
    return 0


def _demo_events() -> list[Event]:
    volume = SetParameter(0, "volume", demo.VOLUME_DB)
    return [volume, *with_path(score_events(demo.messages()), demo.finger_path())]


def _find_output(wanted: str | None) -> tuple[OutputDevice | None, str]:
    """The device to play on, or None and why. A device that was asked for by name and is missing is an error."""
    try:
        device = choose_output(wanted, SAMPLE_RATE_HZ)
    except TetradError as error:
        if wanted is not None:
            raise
        return None, str(error)
    return device, "PortAudio (ALSA, JACK) finds no device that takes stereo at 48 kHz"


def _own_ports() -> list[MidiInput]:
    """A port of our own for each MIDI system, to which a controller can be connected while we play."""
    return [MidiInput(api) for api in working_apis()]


def _midi_systems() -> str:
    return (
        "there is no ALSA sequencer (/dev/snd/seq), and no JACK server" if not working_apis() else "nothing connected"
    )


@contextlib.contextmanager
def _stop_signals() -> Iterator[threading.Event]:
    """An event that Ctrl-C and SIGTERM set: stopping is how playing ends, not a failure."""
    stopping = threading.Event()
    before = {number: signal.signal(number, lambda *_: stopping.set()) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stopping
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _print_health(engine: Engine, health: AudioHealth, live: LiveEngine, inputs: list[MidiInput]) -> None:
    status = engine.status()
    dropped = status["dropped_events"] + sum(midi_input.dropped for midi_input in inputs)
    print(
        f"Played {status['clock_samples'] / SAMPLE_RATE_HZ:.1f} s: {health.underflows} underflows in {health.blocks} "
        f"blocks, worst block {1000 * health.worst_block_s:.2f} ms ({health.worst_block_share:.0%} of its time), "
        f"{status['late_frames']} late frames, {live.messages_taken} MIDI messages, {dropped} dropped, "
        f"{status['stolen']} notes stolen, peak {status['peak_level_dbfs']:.1f} dBFS"
    )


def _seconds(text: str) -> float:
    seconds = float(text)
    if not math.isfinite(seconds) or seconds <= 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds above 0")
    return seconds
