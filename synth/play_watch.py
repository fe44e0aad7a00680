"""What `tetrad play` does while it plays: it looks whether all parts live, and shows the governor what was measured."""

import gc
import math
import threading
import time
from concurrent.futures import Future
from functools import partial

from synth.board import BoardHost
from synth.control.events import Event, VoiceLimit
from synth.errors import TetradError
from synth.frames import FRAME_RATE_HZ
from synth.governor import Governor
from synth.io.audio import AudioOutput
from synth.io.server import Server
from synth.live import LiveEngine
from synth.notify import ServiceManager
from synth.screen import Screen
from synth.session import Session

WATCH_PERIOD_S = 0.1


def watch(
    output: AudioOutput,
    live: LiveEngine,
    server: Server,
    session: Session,
    stops: tuple[threading.Event, ...],
    limit_s: float | None,
    governed: "Governed",
    screen: Screen | None,
    board: BoardHost | None = None,
    manager: ServiceManager | None = None,
) -> None:
    """Wait until it is time to stop; meanwhile keep patch and voice limit up to date, and tell the service manager that
    all parts move. Raises TetradError when sound or engine break down."""
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
        if screen is not None and screen.look():
            return  # the player has closed it
        if board is not None:
            board.look()
        if manager is not None:
            manager.alive(live.rounds, server.rounds)
        # The collector is off; what the server's and the session's threads leave in cycles is little, and young.
        gc.collect(0)
        stops[0].wait(min(WATCH_PERIOD_S, max(end_s - time.monotonic(), 0.0)))


class Governed:
    """The governor and what it governs. While instruments are still being read it looks away: that will be over."""

    def __init__(self, session: Session, output: AudioOutput, most_voices: int, loading: Future[int]) -> None:
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
