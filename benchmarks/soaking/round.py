"""A minute of a soak: everybody plays, then all is let go and looked at; a row of the log."""

import contextlib
import os
import threading
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from benchmarks.soaking.control import Control
from benchmarks.soaking.costs import Memory, stolen_s
from benchmarks.soaking.hands import Hand, Player
from benchmarks.soaking.instrument import Instrument
from benchmarks.soaking.ledger import Ledger
from benchmarks.soaking.script import Script, silence
from benchmarks.soaking.window import Window, WindowGoneError
from synth.errors import TetradError

NOTES_END_WITHIN_S = 10.0
ANSWER_WITHIN_S = 60.0


class Round:
    """All that plays, and all that looks. hands: those beside the script; `hand` is the board's."""

    def __init__(
        self,
        instrument: Instrument,
        script: Script,
        window: Window,
        hands: Sequence[Player],
        hand: Hand,
        control: Control,
        ledger: Ledger,
        memory: Memory,
    ) -> None:
        self._instrument, self._script, self._window, self._control = instrument, script, window, control
        self._players: list[Player] = [*hands, hand, script]
        self._hand, self._ledger, self._memory = hand, ledger, memory
        self._began_s = time.monotonic()
        self._screens, self._troubles_seen = window.starts, 0
        self._counts: Counter[str] = Counter()
        self._count()

    def minute(self, seconds: float, stopping: threading.Event) -> dict[str, Any]:
        """Play for so long, or until `stopping` or the engine's end; then look. The row."""
        began_s, stolen, before = time.monotonic(), stolen_s(), self._counts.copy()
        troubles = self._play(seconds, stopping)
        played_s = time.monotonic() - began_s
        taken_s = stolen_s() - stolen
        self._count()
        change = {name: count - before[name] for name, count in self._counts.items()}
        if self._hand.holds:  # such a press has saved what sounded under any of the board's numbers
            self._ledger.maybe_overwritten()
            self._hand.holds = 0
        troubles += self._let_go()
        stuck, lost = self._look(troubles)
        crashes = [*self._instrument.new_crashes(), *self._screens_troubles()]
        self._count()  # what is lost while nobody plays is no minute's
        return {
            "row": "minute",
            "at_s": round(time.monotonic() - self._began_s, 1),
            "seconds": round(played_s, 1),
            "done": {name[5:]: count for name, count in change.items() if name.startswith("done ") and count},
            "crashes": crashes,
            "stuck_notes": stuck,
            "lost_patches": lost,
            "troubles": troubles,
            "warnings": self._script.new_warnings(),
            "blocks": change["control blocks"],
            "lost_blocks": {"ours": change["underflows"], "control": change["control lost"]},
            "late_frames": change["late_frames"],
            "lost_segments": change["lost_segments"],
            "dropped_events": change["dropped_events"],
            "midi_dropped": change["midi dropped"],
            "stolen_voices": change["stolen"],
            "frames_per_s": round(change["frames shown"] / max(played_s, 0.1), 1),
            "memory_mb": self._memory.medians(),
            "patches": len(self._ledger.patches),
            "stolen_s": round(taken_s, 3),
            "load": round(os.getloadavg()[0], 2),
        }

    def _play(self, seconds: float, stopping: threading.Event) -> list[str]:
        """What stopped a player before the end, in words."""
        over = threading.Event()
        with ThreadPoolExecutor(len(self._players)) as pool:
            playing = [pool.submit(player.play, over) for player in self._players]
            end_s = time.monotonic() + seconds
            while time.monotonic() < end_s and not stopping.is_set() and self._instrument.alive:
                time.sleep(0.1)
            over.set()
        errors = [one.exception() for one in playing]
        return [f"a player stopped: {type(error).__name__}: {error}" for error in errors if error is not None]

    def _let_go(self) -> list[str]:
        troubles = []
        for player in self._players:
            try:
                player.let_go()
            except TetradError as error:
                troubles.append(f"nothing could be let go: {error}")
        return troubles

    def _look(self, troubles: list[str]) -> tuple[list[dict[str, Any]], list[str]]:
        """Notes that are stuck, and patches that are lost; what went wrong otherwise joins the troubles."""
        stuck: list[dict[str, Any]] = []
        lost: list[str] = []
        client = self._script.client
        try:
            stuck = silence(self._script, NOTES_END_WITHIN_S)
            if stuck:
                client.request("panic")  # the next minute's are others
            listed = client.request("patches", timeout_s=ANSWER_WITHIN_S)["patches"]
            lost = self._ledger.lost(row["name"] for row in listed)
        except TetradError as error:
            troubles.append(f"the engine could not be asked: {error}")
        troubles += self._script.new_troubles()
        return stuck, lost

    def _count(self) -> None:
        """Take up whatever only grows: of the engine, the control, the screen and the players."""
        counts = self._counts
        with contextlib.suppress(TetradError):  # the engine has ended, which is told as a crash
            status = self._script.client.request("status", timeout_s=ANSWER_WITHIN_S)
            for name in ("underflows", "late_frames", "lost_segments", "dropped_events"):
                counts[name] = status["health"][name]
            counts["midi dropped"] = status["midi"]["dropped"]
            counts["done heard messages"] = status["midi"]["messages"]
            counts["stolen"] = status["voices"]["stolen"]
        with contextlib.suppress(WindowGoneError):  # told as a crash by who starts it again
            counts["frames shown"] += len(self._window.ask("frames"))
        control = self._control.counts()
        counts["control blocks"], counts["control lost"] = control["blocks"], control["lost"]
        for player in self._players:
            for name, count in player.counts.items():
                counts[f"done {name}"] = count

    def _screens_troubles(self) -> list[str]:
        """Exceptions and errors of the screen since the last look."""
        if self._window.starts != self._screens:  # another one, which has had none yet
            self._screens, self._troubles_seen = self._window.starts, 0
        try:
            troubles: list[str] = self._window.ask("troubles")
        except WindowGoneError as error:
            return [f"screen: {error}"]
        new, self._troubles_seen = troubles[self._troubles_seen :], len(troubles)
        return [f"screen: {words}" for words in new]
