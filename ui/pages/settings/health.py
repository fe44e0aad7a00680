"""Settings: how engine and screen are doing."""

from pathlib import Path
from typing import Any

from kivy.clock import Clock
from kivy.core.window import Window
from kivy.lang import Builder
from kivy.properties import NumericProperty, StringProperty

from synth.errors import TetradError
from ui.pages.settings import rows  # noqa: F401  (its rules are used in this file's)
from ui.pages.settings.log_lines import line_words, lines_of
from ui.pages.settings.report import Screen, duration_words, memory_mb, report_text, save_report, uptime_s
from ui.pages.settings.section import Section
from ui.pages.settings.verdict import share_kind, verdict
from ui.texts import text

Builder.load_file(str(Path(__file__).with_suffix(".kv")))

LOOK_S = 0.5


class HealthSection(Section):
    """Its rows read `health`, `voices`, ... which are the mirror's of the last LOOK_S: 30 new texts a second would cost
    what they tell of."""

    refresh_s = LOOK_S
    words = StringProperty("")
    kind = StringProperty("good")
    block_share = NumericProperty(0.0)
    worst_share = NumericProperty(0.0)
    underflows = NumericProperty(0)
    late = NumericProperty(0)
    lost = NumericProperty(0)
    dropped = NumericProperty(0)
    waiting = NumericProperty(0)
    sounding = NumericProperty(0)
    limit = NumericProperty(0)
    most = NumericProperty(0)
    stolen = NumericProperty(0)
    clients = NumericProperty(0)
    refused = NumericProperty(0)
    uptime = StringProperty("")
    memory_mb = NumericProperty(0.0)
    frames_per_s = NumericProperty(0.0)

    def refresh(self) -> None:
        mirror = self.mirror
        self.words, self.kind = verdict(mirror)
        health, voices, server = mirror.health, mirror.voices, mirror.server
        # The slowest block of the last half second, of the statuses that came in it.
        self.block_share, self.worst_share = health["block_share"], health["worst_block_share"]
        self.underflows, self.late, self.lost = health["underflows"], health["late_frames"], health["lost_segments"]
        self.dropped, self.waiting = health["dropped_events"], health["most_waiting_events"]
        self.sounding, self.limit = voices["sounding"], voices["limit"]
        self.most, self.stolen = voices["most"], voices["stolen"]
        self.clients, self.refused = server["clients"], server["refused"]
        self.uptime = duration_words(uptime_s(mirror))
        self.memory_mb, self.frames_per_s = round(memory_mb()), round(Clock.get_rfps())

    def refine(self, wanted: bool) -> None:
        """Missing paths are computed in the background."""
        self.link.send("grid_refine", on=wanted)

    def save(self) -> None:
        """A report as a file; with the engine's log, where it tells one."""
        self.link.ask(
            "log",
            then=lambda answer: self._save([line_words(one) for one in lines_of(answer)]),
            failed=self._save_without,
        )

    def _save_without(self, words: str) -> None:
        self._save([words])

    def _save(self, log: list[str]) -> None:
        width, height = Window.size
        screen = Screen(memory_mb(), Clock.get_rfps(), (int(width), int(height)), self.app.theme.name)
        try:
            path = save_report(report_text(self.mirror, screen, log))
        except (TetradError, OSError) as error:
            self.mirror.say(text("settings.report.failed", why=error), "warning")
            return
        self.mirror.say(text("settings.report.saved", path=path))

    # What the rules show.

    @staticmethod
    def percent(share: float) -> str:
        """Of a block's time."""
        return text("settings.health.share", n=round(100.0 * share))

    @staticmethod
    def share_kind(share: float) -> str:
        """Its kind."""
        return share_kind(share)

    @staticmethod
    def count(number: float, key: str) -> str:
        """A number in words, or "none"."""
        return text(key, n=int(number)) if number else text("settings.none")

    @staticmethod
    def grid_words(grid: dict[str, Any]) -> str:
        """How many paths are computed, and which is being."""
        if not grid["pairs"]:
            return text("settings.none")
        words = text("settings.health.grid_known", known=grid["known"], pairs=grid["pairs"])
        if grid["computing"]:
            words = f"{words}; {text('settings.health.grid_computing', pair=grid['computing'])}"
        return words
