"""Play in real time: MIDI, a socket for screens and boards, OSC; where there is no sound card, render a demo."""

import argparse
import contextlib
import dataclasses
import gc
import math
import sys
import threading
import time
from concurrent.futures import Future
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from synth import demo
from synth.command import stop_signals
from synth.control.address import OSC_PORT
from synth.control.corners import Corner
from synth.control.events import Event, SetParameter, VoiceLimit
from synth.control.patch import Patch
from synth.control.patch_autosave import Autosave, restore
from synth.control.patch_bank import PatchBank
from synth.errors import TetradError
from synth.frames import FRAME_RATE_HZ, SAMPLE_RATE_HZ
from synth.governor import Governor
from synth.grid.store import GridStore
from synth.instruments.library import Library
from synth.instruments.silence import silent_instrument
from synth.io.audio import AudioOutput, NullOutput, settle
from synth.io.din_midi import DinMidiInput
from synth.io.midi_ports import MidiPorts
from synth.io.midi_queue import MessageQueue
from synth.io.recorder import Recorder
from synth.io.scheduling import lock_memory
from synth.io.server import Server
from synth.io.sound_cards import Settled
from synth.io.spectrogram import write_spectrogram
from synth.io.terminal_keys import HELP, terminal_keys
from synth.live import LiveEngine, LoopedScore
from synth.loader import InstrumentLoader
from synth.pads.loaded_pad import LoadedPad
from synth.pads.pad_engine import PadEngine
from synth.pads.source import PAD, add_source_arguments, chosen_pad
from synth.performance import DEFAULT_CORNERS, make_engine, render_to_wav, score_events, with_path
from synth.render import DEFAULT_VOICES, add_grid_argument, add_position_argument
from synth.session import Session
from synth.session_commands import recordings_dir
from synth.stage import MessageSource, Stage
from synth.voices.decoder import Decoder
from synth.voices.engine import Engine

DEMO_WAV, DEMO_PNG = Path("demo.wav"), Path("demo.png")
NULL_BLOCK = 128
WATCH_PERIOD_S = 0.1
KEPT_S = 180.0
"""Of what was played last, for `keep`: 69 MB at 48 kHz."""


class PlayCommand:
    """`tetrad play`"""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        what = parser.add_argument_group("what sounds (by default what sounded last)")
        what.add_argument("--patch", metavar="NAME", help="a patch of the bank, by name or number")
        what.add_argument("--corners", nargs=4, metavar=("NW", "NE", "SW", "SE"), help="instruments of the corners")
        add_position_argument(what)
        parser.set_defaults(xy=None)
        add_source_arguments(what)
        what.add_argument("--fresh", action="store_true", help="begin as on the first day")
        how = parser.add_argument_group("how")
        how.add_argument(
            "--audio", metavar="DEVICE", help="number, host API or part of a name; null: play without a sound card"
        )
        how.add_argument("--rate", type=int, default=SAMPLE_RATE_HZ, metavar="HZ", help="sample rate (default 48000)")
        how.add_argument("--block", type=int, default=0, metavar="N", help="samples in a block (default: the device's)")
        how.add_argument("--voices", type=int, default=DEFAULT_VOICES, metavar="N", help="most at once (default 64)")
        how.add_argument("--midi", metavar="PORT", help="part of a name (default: every MIDI input there is)")
        how.add_argument("--din", metavar="DEVICE", help="serial port with a 5-pin DIN socket, such as /dev/ttyAMA0")
        how.add_argument("--headless", action="store_true", help="take no notes from this terminal (for services)")
        how.add_argument("--demo", action="store_true", help="play the demo, round and round")
        how.add_argument("--socket", type=Path, metavar="PATH", help="where clients find the engine")
        how.add_argument("--osc", type=int, default=OSC_PORT, metavar="PORT", help=f"UDP (default {OSC_PORT}; -1: off)")
        add_grid_argument(how)
        how.add_argument(
            "--refine",
            action=argparse.BooleanOptionalAction,
            default=True,
            help="compute missing paths between instruments in the background (default: yes)",
        )
        how.add_argument("--seconds", type=_seconds, metavar="N", help="stop after N seconds (default: Ctrl-C)")

    def run(self, args: argparse.Namespace) -> int:
        settled: Settled | None = None
        if args.audio != "null":
            settled, why_no_sound = _find_output(args.audio, args.rate)
            if settled is None:
                print(f"No audio output: {why_no_sound}.")
                return _render_demo()
        return _play(args, settled)


def _play(args: argparse.Namespace, settled: Settled | None) -> int:
    """Construct, connect, start, wait, stop; the order is what matters here."""
    rate_hz = args.rate if settled is None else settled.sample_rate_hz
    with contextlib.ExitStack() as stack:
        stopping = stack.enter_context(stop_signals())
        print("Getting ready (the very first start compiles, for up to a minute) ...", file=sys.stderr, flush=True)
        pad = chosen_pad(args, corners_given=args.corners is not None)
        engine = _engine(args, pad, rate_hz)
        loader = InstrumentLoader(Library(), engine.prepare)
        queue = MessageQueue()
        sources: list[MessageSource] = [queue]
        ports = MidiPorts(args.midi, queue)
        stack.callback(ports.close)
        if args.din is not None:
            stack.callback(DinMidiInput(args.din, queue).close)
        quit_wanted, scores = threading.Event(), []
        _print_midi(args, ports)
        if args.demo or (not ports.names and not args.headless and not sys.stdin.isatty() and args.din is None):
            scores.append(LoopedScore(_demo_events(), rate_hz))
            print(f'The demo "{demo.TITLE}" plays, round and round.')
        elif sys.stdin.isatty() and not args.headless:
            keys = stack.enter_context(terminal_keys())
            sources.append(keys)
            quit_wanted = keys.wants_to_quit
            print(f"This terminal is a keyboard, too:\n{HELP}")
        stage = Stage(rate_hz, sources, scores)
        session = _session(args, engine, stage, loader)
        stack.callback(session.close)
        live = LiveEngine(engine, stage)
        stage.wake = queue.on_arrival = live.wake
        server = stack.enter_context(Server(session, args.socket, osc_port=None if args.osc < 0 else args.osc))
        session.notify = server.notify
        session.grid.say = partial(print, flush=True)
        for words in session.begin():
            print(words)
        _print_patch(session, pad)
        stack.enter_context(live)
        tell = _Teller(session)
        output = _open_output(settled, live, session, rate_hz, args.block, tell)
        session.more_status = lambda: _more_status(settled, output, live, ports, stage, rate_hz)
        with output:
            limit = "" if args.seconds is None else f" for {args.seconds:g} s"
            osc = "" if server.osc_address is None else ", OSC at {}:{}".format(*server.osc_address)
            print(f"Clients: {server.path}{osc}")
            print(f"Playing{limit}. Ctrl-C stops.", flush=True)
            loading = session.load_ahead() if pad is None else _nothing_to_load()
            if settled is not None:
                _lock_memory(tell)
            stops = (stopping, quit_wanted, session.quit_wanted)
            _watch(output, live, server, session, stops, args.seconds, _Governed(session, output, args.voices, loading))
        health = output.health()
    _print_health(engine, health, stage, queue)
    return 0


def _engine(args: argparse.Namespace, pad: LoadedPad | None, rate_hz: int) -> Engine:
    if pad is not None:
        return PadEngine(pad, sample_rate_hz=rate_hz, n_voices=args.voices)
    decoder = Decoder()
    silent = [silent_instrument(decoder.model_id)] * 4
    return Engine(silent, decoder, sample_rate_hz=rate_hz, n_voices=args.voices)


def _nothing_to_load() -> Future[int]:
    done: Future[int] = Future()
    done.set_result(0)
    return done


def _session(args: argparse.Namespace, engine: Engine, stage: Stage, loader: InstrumentLoader) -> Session:
    """With the patch that was asked for, or the one that sounded last. A pad takes a patch without its corners, and is
    not what sounds the next time."""
    bank = PatchBank()
    plays_pad = args.source == PAD
    state, warning = (None, "") if args.fresh or plays_pad else restore()
    if warning:
        print(warning)
    patch, stored = Patch(), None
    if args.patch is not None:
        entry = bank.at(int(args.patch)) if args.patch.isdecimal() else bank.named(args.patch)
        if entry is None:
            raise TetradError(f"there is no patch {args.patch}; a name or a number was expected; `patches` lists all")
        patch = stored = entry.patch
    elif state is not None:
        patch = state.patch
        found = None if state.stored is None else bank.find(state.stored)
        stored = None if found is None else found.patch
    if args.corners is not None:
        for name in args.corners:
            loader.library.path(name)
        patch = Patch(corners=tuple(args.corners), values=patch.values)
    if args.xy is not None:
        patch = patch.with_values(dict(zip(("x", "y"), args.xy, strict=True)))
    if plays_pad:
        patch = dataclasses.replace(patch, corners=(None,) * 4)
    recorder = Recorder(engine.sample_rate_hz, keep_s=KEPT_S)
    for take in recorder.rescue(recordings_dir()):
        print(take.problem or f"a recording that was cut off is whole again: {take.path}, {take.duration_s:.1f} s")
    return Session(
        engine,
        stage,
        loader,
        bank,
        patch=patch,
        stored=stored,
        recorder=recorder,
        autosave=None if plays_pad else Autosave(),
        grid=GridStore(args.grid),
        refine=args.refine and not plays_pad,
    )


class _Teller:
    """Says something on this terminal and to all clients, from any thread."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def __call__(self, words: str) -> None:
        print(words, flush=True)
        self._session.notify("audio_changed", words=words)


def _open_output(
    settled: Settled | None, live: LiveEngine, session: Session, rate_hz: int, block: int, tell: _Teller
) -> AudioOutput | NullOutput:
    source = session.need_recorder().tap(live.source)
    if settled is None:
        print("Audio output: none (null)")
        return NullOutput(source, sample_rate_hz=rate_hz, block_size=block or NULL_BLOCK)
    if settled.notice:
        print(settled.notice)
    print(f"Audio output: {settled.device}")
    return AudioOutput(settled.device, source, sample_rate_hz=rate_hz, block_size=block, say=tell)


def _lock_memory(tell: _Teller) -> None:
    words = lock_memory()
    if words:
        tell(words)


def _watch(
    output: AudioOutput | NullOutput,
    live: LiveEngine,
    server: Server,
    session: Session,
    stops: tuple[threading.Event, ...],
    limit_s: float | None,
    governed: "_Governed",
) -> None:
    """Wait until it is time to stop; meanwhile keep patch and voice limit up to date. Raises TetradError when sound or
    engine break down."""
    end_s = math.inf if limit_s is None else time.monotonic() + limit_s
    while not any(stop.is_set() for stop in stops) and time.monotonic() < end_s:
        for part, failure in (("conductor", live.failure), ("server", server.failure)):
            if failure is not None:
                raise TetradError(
                    f"the {part} broke down: {type(failure).__name__}: {failure}; report this"
                ) from failure
        if not output.active:
            raise TetradError("the audio thread has ended; a running one was expected; start again, and report this")
        session.settle()
        governed.look()
        # The collector is off; what the server's and the session's threads leave in cycles is little, and young.
        gc.collect(0)
        stops[0].wait(min(WATCH_PERIOD_S, max(end_s - time.monotonic(), 0.0)))


class _Governed:
    """The governor and what it governs. While instruments are still being read it looks away: that will be over."""

    def __init__(
        self, session: Session, output: AudioOutput | NullOutput, most_voices: int, loading: Future[int]
    ) -> None:
        self._session, self._output, self._loading = session, output, loading
        self._governor = Governor(most_voices)
        self._limit = most_voices
        self._late = 0
        self._measured_s = time.monotonic()

    def look(self) -> None:
        """Some ten times a second."""
        engine = self._session.engine
        now_s, late, voices = time.monotonic(), engine.late_frames, engine.n_sounding
        elapsed_s = now_s - self._measured_s
        due = max(elapsed_s * FRAME_RATE_HZ * max(voices, 1), 1.0)
        late_share, self._late, self._measured_s = (late - self._late) / due, late, now_s
        if not self._loading.done():
            return
        limit = self._governor.update(self._output.recent_shares(), late_share, voices, elapsed_s)
        if limit != self._limit:
            self._limit = limit
            self._session.stage.run(partial(_voice_limit, limit))


def _voice_limit(voices: int, sample: int) -> list[Event]:
    return [VoiceLimit(sample, voices)]


def _more_status(
    settled: Settled | None,
    output: AudioOutput | NullOutput,
    live: LiveEngine,
    ports: MidiPorts,
    stage: Stage,
    rate_hz: int,
) -> dict[str, Any]:
    health = output.health()
    waiting = output.waiting
    return {
        "midi": {"ports": list(ports.names), "dropped": ports.dropped + stage.dropped},
        "audio": {
            "device": "none" if settled is None else str(settled.device),
            "state": "none" if settled is None else "waiting" if waiting else "running",
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


def _render_demo() -> int:
    """The most useful thing without a sound card: the demo as a file, and a picture of it."""
    print(f'So the demo "{demo.TITLE}" is rendered to files, with the finger on its way through the four corners.')
    print("Getting ready (the very first start compiles, for up to a minute) ...", file=sys.stderr, flush=True)
    blocks: list[np.ndarray[tuple[int, ...], np.dtype[np.float32]]] = []
    engine = make_engine(DEFAULT_CORNERS, n_voices=DEFAULT_VOICES)
    summary = render_to_wav(engine, _demo_events(), DEMO_WAV, keep=blocks)
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


def _find_output(wanted: str | None, rate_hz: int) -> tuple[Settled | None, str]:
    """Where to play, or None and why. A device that was asked for by name and is missing is an error."""
    try:
        settled = settle(wanted, rate_hz)
    except TetradError as error:
        if wanted is not None:
            raise
        return None, str(error)
    return settled, "PortAudio (ALSA) and JACK offer no device that takes stereo"


def _print_midi(args: argparse.Namespace, ports: MidiPorts) -> None:
    for name in ports.names:
        print(f"MIDI input: {name}")
    if args.midi is not None and not ports.names:
        print(f"MIDI input: none is called {args.midi!r} yet; it is waited for")
    elif not ports.names:
        own = ", ".join(ports.own_names) or "none, there is no ALSA sequencer (/dev/snd/seq) and no JACK server"
        print(f"MIDI inputs: {own}; what is plugged in later is heard")
    for problem in ports.problems:
        print(problem)


def _print_patch(session: Session, pad: LoadedPad | None) -> None:
    patch = session.editor.patch
    if pad is not None:
        names = ", ".join(f"{corner.name} {pad.spec.corners[corner]}" for corner in Corner)
        print(f"Patch: {patch.name}. Pad: {pad.spec.name}. Corners: {names}")
        return
    corners = ", ".join(
        f"{name} {corner or 'silence'}" for name, corner in zip(("NW", "NE", "SW", "SE"), patch.corners, strict=True)
    )
    print(f"Patch: {patch.name}. Corners: {corners}")


def _print_health(engine: Engine, health: Any, stage: Stage, queue: MessageQueue) -> None:
    status = engine.status()
    print(
        f"Played {status['clock_samples'] / engine.sample_rate_hz:.1f} s: {health.underflows} underflows in "
        f"{health.blocks} blocks, worst block {health.worst_block_s * 1000.0:.2f} ms "
        f"({health.worst_block_share:.0%} of its time), {status['late_frames']} late frames, "
        f"{stage.messages} MIDI messages, {status['dropped_events'] + queue.dropped + stage.dropped} dropped, "
        f"{status['stolen']} notes stolen, peak {status['peak_level_dbfs']:.1f} dBFS"
    )


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds") from None
    if not 0.0 < seconds < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds above 0")
    return seconds
