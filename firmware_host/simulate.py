"""A simulated board on a pseudo-terminal: to a host it is a serial port like a real board's.

    with PtyBoard(link_path=path) as board:     # a host opens `path`, or `board.device`
        board.do(lambda simulated: simulated.turn(0, 4))

A pseudo-terminal does not pace bytes; the board's own 2 ms between two STATEs do (one takes 1.5 ms at 250,000 baud).
"""

import os
import random
import selectors
import threading
import time
import tty
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from firmware_host.hand import Move
from firmware_host.simulated_board import STATE_APART_S, SimulatedBoard


class PtyBoard:
    """A SimulatedBoard with a thread that plays its moves and speaks on a pseudo-terminal.

    link_path: a symbolic link to the pseudo-terminal, the port's name that stays the same when it is plugged in again.
    board_id, name, protocol: of its HELLO. noise: how many of the bytes in either direction are flipped, dropped or
    followed by another, 0..1. seed: of the noise.
    """

    def __init__(
        self,
        moves: Sequence[Move] = (),
        *,
        link_path: Path | str | None = None,
        board_id: int = 0,
        name: str = "Tetrad board",
        protocol: tuple[int, int] = (1, 0),
        noise: float = 0.0,
        seed: int = 0,
        on_move: Callable[[Move], object] | None = None,
    ) -> None:
        self.link_path = Path(link_path) if link_path is not None else None
        self.done = threading.Event()
        """Set when the moves have ended."""
        self.device = ""
        """The pseudo-terminal; empty while unplugged."""
        self._moves = sorted(moves, key=lambda move: move.at_s)
        self._on_move = on_move
        self._noise, self._random = noise, random.Random(seed)
        self._lock = threading.Lock()  # guards the board and the pseudo-terminal
        self.simulated = SimulatedBoard(time.monotonic(), board_id, name, protocol)
        """The board; change it by `do`."""
        self._master = self._slave = -1
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="simulated board", daemon=True)

    def __enter__(self) -> "PtyBoard":
        self.plug_in()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join()
        self.unplug()

    def do(self, hand: Callable[[SimulatedBoard], object]) -> None:
        """Something by hand, between two of the thread's looks."""
        with self._lock:
            hand(self.simulated)

    def plug_in(self) -> None:
        """Switch the board on, on a new pseudo-terminal."""
        with self._lock:
            if self._master >= 0:
                return
            self._master, self._slave = os.openpty()
            tty.setraw(self._slave)  # what a host writes before it sets the line must not come back as an echo
            os.set_blocking(self._master, False)
            self.device = os.ttyname(self._slave)
            self.simulated.reset(time.monotonic())
            if self.link_path is not None:
                with suppress(FileNotFoundError):
                    self.link_path.unlink()
                self.link_path.symlink_to(self.device)

    def unplug(self) -> None:
        """Pull the cable out: whoever has the port open is told so, and the name is gone."""
        with self._lock:
            if self._master < 0:
                return
            if self.link_path is not None:
                with suppress(FileNotFoundError):
                    self.link_path.unlink()
            os.close(self._slave)
            os.close(self._master)
            self._master = self._slave = -1
            self.device = ""

    # Inside: the thread.

    def _run(self) -> None:
        started_s = time.monotonic()
        upcoming = [*self._moves]
        while not self._stopping.is_set():
            now_s = time.monotonic()
            while upcoming and upcoming[0].at_s <= now_s - started_s:
                self._make(upcoming.pop(0), now_s)
            if not upcoming:
                self.done.set()
            self._speak(now_s)

    def _make(self, move: Move, now_s: float) -> None:
        if move.kind == "unplug":
            self.unplug()
        elif move.kind == "plug":
            self.plug_in()
        with self._lock:
            match move.kind:
                case "turn":
                    self.simulated.turn(move.number, int(move.value))
                case "press":
                    self.simulated.press(move.number)
                case "release":
                    self.simulated.release(move.number)
                case "knob":
                    self.simulated.knob(move.number, int(move.value))
                case "reset":
                    self.simulated.reset(now_s)
        if self._on_move is not None:
            self._on_move(move)

    def _speak(self, now_s: float) -> None:
        with self._lock:
            if self._master >= 0:
                data = self._spoil(self.simulated.due(now_s))
                # Nobody reads, and the terminal is full: the bytes are lost, as on a wire.
                with suppress(BlockingIOError):
                    os.write(self._master, data)
            master = self._master
        if master < 0:
            self._stopping.wait(STATE_APART_S)
            return
        try:
            with selectors.DefaultSelector() as selector:
                selector.register(master, selectors.EVENT_READ)
                ready = selector.select(STATE_APART_S)
        except OSError:  # the cable was pulled out since the lock was let go
            return
        if ready:
            self._listen(master)

    def _listen(self, master: int) -> None:
        with self._lock:
            if self._master != master:
                return
            data = os.read(master, 4096)
            self.simulated.take(self._spoil(data), time.monotonic())

    def _spoil(self, data: bytes) -> bytes:
        if not self._noise:
            return data
        spoiled = bytearray()
        for byte in data:
            if self._random.random() >= self._noise:
                spoiled.append(byte)
                continue
            match self._random.randrange(3):
                case 0:
                    spoiled.append(byte ^ 1 << self._random.randrange(8))
                case 1:
                    spoiled += bytes((byte, self._random.randrange(256)))
        return bytes(spoiled)
