"""Settings: what the engine said last, in words."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kivy.clock import Clock
from kivy.core.text import Label as Measure
from kivy.lang import Builder
from kivy.properties import ListProperty, StringProperty
from kivy.uix.boxlayout import BoxLayout

from ui.fonts import font_for
from ui.pages.settings import rows  # noqa: F401  (its rules are used in this file's)
from ui.pages.settings.log_lines import (
    Line,
    clock_words,
    colour_kind,
    kind_words,
    line_of,
    lines_of,
    sign,
    with_line,
)
from ui.pages.settings.section import Section
from ui.texts import text

Builder.load_file(str(Path(__file__).with_suffix(".kv")))


class LogLine(BoxLayout):
    """One line: its sign, when and what kind, its words."""

    when = StringProperty("")
    kind = StringProperty("")
    sign = StringProperty("")
    words = StringProperty("")


class LogSection(Section):
    """trouble: why the engine tells no log; "" when it does."""

    SCROLLS = False
    lines: list[Line] = ListProperty([])
    shown: list[dict[str, Any]] = ListProperty([])
    trouble = StringProperty("")

    def __init__(self, **values: Any) -> None:
        super().__init__(**values)
        self._again = Clock.create_trigger(self._show)
        self.bind(lines=self._again)
        self.ids.list.bind(width=self._again)
        self.app.bind(sizes=self._again)
        self.mirror.bind(connections=self._connected, on_notice=self._noticed)

    def refresh(self) -> None:
        self.link.ask("log", then=self._take, failed=self._fail)

    def _connected(self, *_: object) -> None:
        self.refresh()

    def _show(self, *_: object) -> None:
        """Every row with its height: a list that finds heights out as it scrolls jumps."""
        sizes, room_px = self.app.sizes, self.ids.list.width - self.app.sizes.mm(12)
        shown = []
        for line in self.lines:
            words = " ".join(line.words.split())
            font = font_for(words)
            width_px, line_px = Measure(font_size=sizes.body, font_name=font).get_extents(words)
            # Lines end between words: on the average half a word, a tenth of a line, is lost in each.
            n_lines = math.ceil(1.1 * width_px / room_px) if width_px > room_px > 0 else 1
            height_px = 1.3 * sizes.small + n_lines * line_px + 3 * sizes.gap
            shown.append(
                {
                    "when": f"{clock_words(line)}  {kind_words(line.kind)}",
                    "kind": colour_kind(line.kind),
                    "sign": sign(line.kind),
                    "words": words,
                    "size": (None, height_px),
                }
            )
        self.shown = shown

    def _take(self, answer: Mapping[str, Any]) -> None:
        self.lines = lines_of(answer)
        self.trouble = "" if self.lines else text("settings.log.empty")

    def _fail(self, words: str) -> None:
        self.trouble = self.refusal(words)

    def _noticed(self, _: Any, notice: str, data: Mapping[str, Any]) -> None:
        line = line_of(data) if notice == "log_line" else None
        if line is not None:
            self.lines, self.trouble = with_line(self.lines, line), ""
