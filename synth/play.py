"""Play in real time: MIDI, a socket for screens and boards, OSC; where there is no sound card, render a demo."""

import argparse
import contextlib
import dataclasses
import math
import os
import sys
import threading
from concurrent.futures import Future
from functools import partial
from pathlib import Path

from synth import demo
from synth.audition import Audition
from synth.board import ANY, NONE, BoardHost, why_no_board_host
from synth.command import stop_signals
from synth.control.address import OSC_HOST, OSC_PORT
from synth.control.patch import Patch
from synth.control.patch_autosave import Autosave, restore
from synth.control.patch_bank import PatchBank
from synth.control.supervision import AGAIN_VARIABLE, Ready, SupervisorLink, supervisor_link
from synth.errors import TetradError
from synth.files import remove_leftovers_below
from synth.frames import SAMPLE_RATE_HZ
from synth.grid.store import GridStore
from synth.instruments.library import Library
from synth.instruments.silence import silent_instrument
from synth.io.audio import NO_DEVICE, AudioOutput, settle
from synth.io.din_midi import DinMidiInput
from synth.io.midi_ports import MidiPorts
from synth.io.midi_queue import MessageQueue
from synth.io.recorder import Recorder
from synth.io.scheduling import lock_memory, refuse_huge_pages
from synth.io.server import Server
from synth.io.sound_cards import Settled
from synth.io.terminal_keys import HELP, terminal_keys
from synth.live import LiveEngine, LoopedScore
from synth.loader import InstrumentLoader
from synth.notify import ServiceManager
from synth.pads.loaded_pad import LoadedPad
from synth.pads.pad_engine import PadEngine
from synth.pads.source import PAD, add_source_arguments, chosen_pad
from synth.paths import user_data_dir
from synth.play_demo import demo_events, render_demo
from synth.play_watch import Governed, watch
from synth.play_words import more_status, print_health, print_midi, print_patch, print_playing
from synth.render import DEFAULT_VOICES, add_grid_argument, add_position_argument
from synth.screen import Screen, why_no_screen
from synth.session import Session
from synth.session_commands import recordings_dir
from synth.session_devices import NULL, Devices, with_settings
from synth.settings import SettingsFile
from synth.stage import MessageSource, Stage
from synth.voices.decoder import Decoder
from synth.voices.engine import Engine

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
        how.add_argument("--rate", type=int, metavar="HZ", help="sample rate (default 48000)")
        how.add_argument("--block", type=int, metavar="N", help="samples in a block (default: the device's)")
        how.add_argument("--voices", type=int, default=DEFAULT_VOICES, metavar="N", help="most at once (default 64)")
        how.add_argument("--midi", metavar="PORT", help="part of a name (default: every MIDI input there is)")
        how.add_argument("--din", metavar="DEVICE", help="serial port with a 5-pin DIN socket, such as /dev/ttyAMA0")
        how.add_argument("--headless", action="store_true", help="take no notes from this terminal (for services)")
        how.add_argument(
            "--screen",
            action=argparse.BooleanOptionalAction,
            help="start the touchscreen, too (default: where there is a display, and not with --headless)",
        )
        how.add_argument(
            "--board",
            nargs="?",
            const=ANY,
            default=NONE,
            metavar="PORT",
            help="start the encoder board's host, too; sim: with a simulated board; none: not (default); "
            "without a PORT: wherever a board answers",
        )
        how.add_argument(
            "--supervise",
            action=argparse.BooleanOptionalAction,
            help="start the engine again when it breaks down (default: yes, and not with --headless)",
        )
        how.add_argument("--demo", action="store_true", help="play the demo, round and round")
        how.add_argument("--socket", type=Path, metavar="PATH", help="where clients find the engine")
        how.add_argument("--osc", type=int, default=OSC_PORT, metavar="PORT", help=f"UDP (default {OSC_PORT}; -1: off)")
        how.add_argument(
            "--osc-host",
            default=OSC_HOST,
            metavar="ADDRESS",
            help="where OSC listens; anyone who reaches it can play (default: this machine only)",
        )
        add_grid_argument(how)
        how.add_argument(
            "--refine",
            action=argparse.BooleanOptionalAction,
            default=True,
            help="compute missing paths between instruments in the background (default: yes)",
        )
        how.add_argument("--seconds", type=_seconds, metavar="N", help="stop after N seconds (default: Ctrl-C)")

    def run(self, args: argparse.Namespace) -> int:
        link = supervisor_link()
        if link is None and _wants_supervisor(args):
            sys.stdout.flush()
            os.execv(sys.executable, [sys.executable, "-m", "synth.play_supervisor", *sys.argv[1:]])
        if os.environ.pop(AGAIN_VARIABLE, ""):
            args.fresh, args.patch, args.corners, args.xy = False, None, None, None
        settings = SettingsFile()
        if settings.trouble:
            print(f"The settings are as by default: {settings.trouble}.")
        wanted, rate_hz, block = with_settings(settings.settings, args.audio, args.rate, args.block)
        rate_hz = rate_hz or SAMPLE_RATE_HZ
        settled: Settled | None = None
        if wanted != NULL:
            settled, why_no_sound = _find_output(wanted, rate_hz, must_be=args.audio is not None)
            if settled is None:
                print(f"No audio output: {why_no_sound}.")
                if not ServiceManager().listens:
                    return render_demo()
                print("As a service it plays unheard; choose a card on the screen's settings page when one is there.")
        return _play(args, settled or Settled(NO_DEVICE, rate_hz, ""), block or 0, settings, link)


def _wants_supervisor(args: argparse.Namespace) -> bool:
    """A whole command line of ours is there to be run again, and nobody else looks after the process."""
    wanted = not args.headless if args.supervise is None else args.supervise
    return bool(wanted) and "play" in sys.argv[1:3]


def _play(
    args: argparse.Namespace, settled: Settled, block: int, settings: SettingsFile, link: SupervisorLink | None
) -> int:
    """Construct, connect, start, wait, stop; the order is what matters here."""
    rate_hz = settled.sample_rate_hz
    manager = ServiceManager()
    with contextlib.ExitStack() as stack:
        stopping = stack.enter_context(stop_signals())
        print("Getting ready (the very first start compiles, for up to a minute) ...", file=sys.stderr, flush=True)
        manager.status("getting ready")
        refuse_huge_pages()
        pad = chosen_pad(args, corners_given=args.corners is not None)
        engine = _engine(args, pad, rate_hz)
        loader = InstrumentLoader(Library(), engine.prepare)
        queue = MessageQueue()
        ports = _open_midi(args, settings, queue, stack)
        has_screen, has_board = _shows_screen(args), _has_board(args)
        here, scores, quit_wanted = _players_here(args, rate_hz, bool(ports.names) or has_screen, stack)
        sources: list[MessageSource] = [queue, *here]
        stage = Stage(rate_hz, sources, scores)
        session = _session(args, engine, stage, loader)
        stack.callback(session.close)
        live = LiveEngine(engine, stage)
        stage.wake = queue.on_arrival = live.wake
        server = stack.enter_context(
            Server(session, args.socket, osc_port=None if args.osc < 0 else args.osc, osc_host=args.osc_host)
        )
        _connect(session, server)
        print_patch(session, pad)
        stack.enter_context(live)
        tell = _Teller(session)
        output = _open_output(settled, live, session, block, tell)
        session.more_status = lambda: more_status(output, live, ports, stage, rate_hz)
        session.devices = Devices(output, live, ports, settings, rate_hz, tell)
        ports.on_change = lambda names: session.notify("midi_ports_changed", ports=list(names))
        with output:
            print_playing(server, args.seconds)
            manager.ready(f"plays; {output.device}")
            loading = session.load_ahead() if pad is None else _nothing_to_load()
            if output.device != NO_DEVICE:
                _lock_memory(tell)
            stops = (stopping, quit_wanted, session.quit_wanted)
            if link is not None:
                ready = Ready(has_screen, args.board if has_board else NONE, server.path.absolute())
                link.ready(ready, _Warner(session), session.quit_wanted.set)
            own = link is None  # a supervisor keeps them while an engine breaks down
            screen = Screen(server.path, _Warner(session)) if has_screen and own else None
            board = BoardHost(args.board, server.path, _Warner(session)) if has_board and own else None
            with contextlib.ExitStack() as beside:
                for companion in filter(None, (screen, board)):
                    beside.enter_context(contextlib.closing(companion))
                governed = Governed(session, output, args.voices, loading)
                watch(output, live, server, session, stops, args.seconds, governed, screen, board, manager)
                manager.stopping()
        health = output.health()
    print_health(engine, health, stage, queue)
    return 0


def _engine(args: argparse.Namespace, pad: LoadedPad | None, rate_hz: int) -> Engine:
    if pad is not None:
        return PadEngine(pad, sample_rate_hz=rate_hz, n_voices=args.voices)
    decoder = Decoder()
    silent = [silent_instrument(decoder.model_id)] * 4
    return Engine(silent, decoder, sample_rate_hz=rate_hz, n_voices=args.voices)


def _open_midi(
    args: argparse.Namespace, settings: SettingsFile, queue: MessageQueue, stack: contextlib.ExitStack
) -> MidiPorts:
    ports = MidiPorts(args.midi, queue, chosen=settings.settings.midi_inputs if args.midi is None else None)
    stack.callback(ports.close)
    if args.din is not None:
        stack.callback(DinMidiInput(args.din, queue).close)
    print_midi(args, ports)
    return ports


def _players_here(
    args: argparse.Namespace, rate_hz: int, is_played: bool, stack: contextlib.ExitStack
) -> tuple[list[MessageSource], list[LoopedScore], threading.Event]:
    """The terminal as a keyboard, or the demo where nobody could play; and what is set when the terminal says: end.
    is_played: there are MIDI inputs, or a screen."""
    if args.demo or not (is_played or args.headless or sys.stdin.isatty() or args.din is not None):
        print(f'The demo "{demo.TITLE}" plays, round and round.')
        return [], [LoopedScore(demo_events(), rate_hz)], threading.Event()
    if sys.stdin.isatty() and not args.headless:
        keys = stack.enter_context(terminal_keys())
        print(f"This terminal is a keyboard, too:\n{HELP}")
        return [keys], [], keys.wants_to_quit
    return [], [], threading.Event()


def _connect(session: Session, server: Server) -> None:
    """What the session says goes to the clients and into the log; what is to be said of its beginning is printed."""
    session.notify = session.log.listening(server.notify)
    server.say = session.log.say
    session.log.keep(user_data_dir() / "logs" / "engine.log")
    session.grid.say = partial(print, flush=True)
    for words in session.begin():
        print(words)


def _nothing_to_load() -> Future[int]:
    done: Future[int] = Future()
    done.set_result(0)
    return done


def _session(args: argparse.Namespace, engine: Engine, stage: Stage, loader: InstrumentLoader) -> Session:
    """With the patch that was asked for, or the one that sounded last. A pad takes a patch without its corners, and is
    not what sounds the next time."""
    remove_leftovers_below(user_data_dir())
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


class _Warner:
    """Says what is not about the sound."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def __call__(self, words: str) -> None:
        print(words, flush=True)
        self._session.notify("warning", words=words)


def _shows_screen(args: argparse.Namespace) -> bool:
    wanted = not args.headless if args.screen is None else args.screen
    why_not = why_no_screen() if wanted else ""
    if why_not:
        print(f"No screen: {why_not}.")
    return wanted and not why_not


def _has_board(args: argparse.Namespace) -> bool:
    why_not = why_no_board_host() if args.board != NONE else ""
    if why_not:
        print(f"No board: {why_not}.")
    return args.board != NONE and not why_not


def _open_output(settled: Settled, live: LiveEngine, session: Session, block: int, tell: _Teller) -> AudioOutput:
    if settled.notice:
        print(settled.notice)
    print(f"Audio output: {'none (null)' if settled.device == NO_DEVICE else settled.device}")
    session.audition = Audition(settled.sample_rate_hz)
    source = session.audition.mixed(session.need_recorder().tap(live.source))  # it is heard, and not recorded
    return AudioOutput(settled.device, source, sample_rate_hz=settled.sample_rate_hz, block_size=block, say=tell)


def _lock_memory(tell: _Teller) -> None:
    words = lock_memory()
    if words:
        tell(words)


def _find_output(wanted: str | None, rate_hz: int, *, must_be: bool) -> tuple[Settled | None, str]:
    """Where to play, or None and why. must_be: a device that is missing is an error; else another takes its place."""
    try:
        settled = settle(wanted, rate_hz)
    except TetradError as error:
        if must_be:
            raise
        if wanted is None:
            return None, str(error)
        print(f"The device of the settings can't be used: {error}.")
        return _find_output(None, rate_hz, must_be=False)
    return settled, "PortAudio (ALSA) and JACK offer no device that takes stereo"


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds") from None
    if not 0.0 < seconds < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds above 0")
    return seconds
