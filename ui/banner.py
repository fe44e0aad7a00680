"""What the player should know all the time, above every page: connection, sound card, recording, import, overload.

Quiet when all is well. What lasts is said in whole for a while, and then in a few words; touches go through. On the
play page it lies over the surface's upper edge, so that nothing moves under a finger; other pages make room for it.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kivy.app import App
from kivy.clock import Clock
from kivy.core.text import Label as CoreLabel
from kivy.lang import Builder
from kivy.properties import ColorProperty, NumericProperty, ObjectProperty, StringProperty
from kivy.uix.boxlayout import BoxLayout

from ui.fonts import font_for, short
from ui.mirror import Mirror
from ui.texts import text

Builder.load_file(str(Path(__file__).with_suffix(".kv")))

FIRST_LOOK_S = 1.5
"""So long nothing is said of an engine that is being looked for."""
WHOLE_S = 8.0
"""So long a state is said in whole sentences; after that in a few words."""
BACK_S = 4.0
LATE_BLOCKS, OVERLOAD_S = 3, 5.0
"""One late block is a click; three within five seconds are an overload, and it is said for as long."""
LOOK_PERIOD_S = 0.5
LONGEST, LONGEST_BRIEF = 160, 40
SMALL_MM = 80.0
"""In a window that is lower or narrower than this the few words are all there is room for."""
FAR_AWAY = (-10_000, 0)
"""Of a pill that has not been laid out yet."""


@dataclass(frozen=True)
class Line:
    """One thing to know. key: the same for as long as it is the same thing. words: whole; brief: when they were read.
    kind: "info", "warning" or "danger"."""

    key: str
    icon: str
    kind: str
    words: str
    brief: str


class Overload:
    """Late blocks that grow. Values in, words out; `now_s` is any clock."""

    def __init__(self) -> None:
        self._counts: list[tuple[float, int]] = []
        self._until_s = 0.0

    def take(self, late_blocks: int, now_s: float) -> None:
        """The engine's count since its start; one that fell is another engine's."""
        if self._counts and late_blocks < self._counts[-1][1]:
            self._counts.clear()
            self._until_s = 0.0
        self._counts = [one for one in self._counts if now_s - one[0] <= OVERLOAD_S] or self._counts[-1:]
        self._counts.append((now_s, late_blocks))
        if late_blocks - self._counts[0][1] >= LATE_BLOCKS and late_blocks > self._counts[-2][1]:
            self._until_s = now_s + OVERLOAD_S

    def now(self, now_s: float) -> bool:
        """Whether to say so."""
        return now_s < self._until_s


def connection_line(connection: str, words: str, was_connected: bool) -> Line | None:
    """Of `mirror.connection` and its words; None where all is well."""
    match connection:
        case "connecting" if was_connected:
            return Line("lost", "warning", "danger", text("banner.lost"), text("banner.lost.brief"))
        case "connecting":
            return Line("missing", "warning", "danger", text("banner.missing"), text("banner.missing.brief"))
        case "refused":
            return Line("refused", "warning", "danger", text("banner.refused", words=words), text("banner.other.brief"))
        case "hanging":
            return Line("hanging", "warning", "danger", text("banner.hanging"), text("banner.hanging.brief"))
    return None


def engine_lines(mirror: Mirror, overloaded: bool) -> list[Line]:
    """What a connected engine's status has to say, the most urgent first."""
    found = []
    audio, recording, imports, voices = mirror.audio, mirror.recording, mirror.imports, mirror.voices
    if audio["state"] == "waiting":
        words = text("banner.audio.waiting", words=audio["words"] or audio["device"])
        found.append(Line("audio", "audio", "danger", words, text("banner.audio.brief")))
    if overloaded:
        limited = 0 < voices["limit"] < voices["most"]
        words = text("banner.overload.limited", n=voices["limit"]) if limited else text("banner.overload")
        found.append(Line("overload", "health", "warning", words, text("banner.overload.brief")))
    if recording["state"] == "on":
        words = text("banner.recording", time=time_words(recording["seconds"]))
        found.append(Line("recording", "record", "info", words, words))
    if imports["number"]:
        share = f"{100.0 * min(max(imports['share'], 0.0), 1.0):.0f}"
        words = text("banner.import", share=share, source=short(Path(imports["source"]).name, 24))
        found.append(Line("import", "keep", "info", words, text("banner.import.brief", share=share)))
    return found


def time_words(seconds: float) -> str:
    """65 is "1:05"; an hour and more has three parts."""
    whole = int(max(seconds, 0.0))
    hours, minutes = divmod(whole // 60, 60)
    return f"{hours}:{minutes:02d}:{whole % 60:02d}" if hours else f"{minutes}:{whole % 60:02d}"


class Pill(BoxLayout):
    """One line on its ground, as wide as its words and at most `most_width`, where it wraps."""

    icon = StringProperty("")
    kind = StringProperty("info")
    words = StringProperty("")
    font = StringProperty("Roboto")
    most_width = NumericProperty(400)
    words_width = NumericProperty(0)
    icon_height = NumericProperty(20)
    font_size = NumericProperty(16)
    colour = ColorProperty((1, 1, 1, 1))

    def __init__(self, **values: Any) -> None:
        super().__init__(**values)
        self.bind(words=self._measure, font=self._measure, font_size=self._measure)

    def _measure(self, *_: object) -> None:
        label = CoreLabel(text=self.words, font_name=self.font, font_size=self.font_size)
        self.words_width = label.get_extents(self.words)[0] + 2


class Banner(BoxLayout):
    """The lines there are now, below each other; its height is theirs. place: over whose upper edge it is."""

    place = ObjectProperty(None, rebind=True)

    def __init__(self, **values: Any) -> None:
        super().__init__(**values)
        self._mirror: Mirror = App.get_running_app().mirror
        self._since_s: dict[str, float] = {}
        self._overload = Overload()
        self._connections = 0
        self._process = 0
        self._back = ""
        self._back_until_s = 0.0
        self._started_s = time.monotonic()
        self._shown: list[tuple[Line, str]] = []
        self._soon = Clock.create_trigger(lambda _: self.refresh(), 0.05)
        for name in ("connection", "connection_words", "audio", "recording", "imports", "voices"):
            self._mirror.fbind(name, lambda *_: self._soon())
        self._mirror.fbind("connections", self._came)
        self._mirror.fbind("health", self._take_health)
        self._watch = Clock.schedule_interval(lambda _: self.refresh(), LOOK_PERIOD_S)
        self.fbind("width", lambda *_: self._fit())

    def refresh(self) -> None:
        """Show what there is to know now."""
        now_s = time.monotonic()
        lines = self.lines(now_s)
        self._since_s = {line.key: self._since_s.get(line.key, now_s) for line in lines}
        shown = []
        sizes = App.get_running_app().sizes
        roomy = min(self.place.size) >= sizes.mm(SMALL_MM) if self.place is not None else True
        for line in lines:
            whole = roomy and now_s - self._since_s[line.key] < WHOLE_S
            shown.append((line, short(line.words, LONGEST) if whole else short(line.brief, LONGEST_BRIEF)))
        if shown != self._shown:
            self._shown = shown
            self._build()

    def lines(self, now_s: float) -> list[Line]:
        """All that there is to say."""
        mirror = self._mirror
        line = connection_line(mirror.connection, mirror.connection_words, self._connections > 0)
        if line is not None:
            early = line.key == "missing" and now_s - self._started_s < FIRST_LOOK_S
            return [] if early else [line]
        if mirror.connection != "connected":
            return []
        back = [Line("back", "check", "good", self._back, self._back)] if now_s < self._back_until_s else []
        return back + engine_lines(mirror, self._overload.now(now_s))

    def _came(self, *_: object) -> None:
        """Reached: the engine of before, or another."""
        self._connections += 1
        self._since_s.clear()
        before, self._process = self._process, self._mirror.process
        if self._connections > 1:
            self._back = text("banner.again" if before == self._process else "banner.restarted")
            self._back_until_s = time.monotonic() + BACK_S
        self._soon()

    def _take_health(self, *_: object) -> None:
        self._overload.take(self._mirror.health["underflows"], time.monotonic())

    def _build(self) -> None:
        while len(self.children) > len(self._shown):
            self.remove_widget(self.children[0])
        while len(self.children) < len(self._shown):
            self.add_widget(Pill(pos=FAR_AWAY))
        for pill, (line, words) in zip(self.children[::-1], self._shown, strict=True):
            pill.icon, pill.kind, pill.words, pill.font = line.icon, line.kind, words, font_for(words)
        self._fit()

    def _fit(self) -> None:
        for pill in self.children:
            pill.most_width = self.width

    @property
    def said(self) -> Sequence[str]:
        """The words that are shown now."""
        return [words for _, words in self._shown]

    def on_touch_down(self, _: object) -> bool:
        return False
