"""Settings: what the engine said last, in words."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kivy.lang import Builder
from kivy.properties import ListProperty, StringProperty
from kivy.uix.boxlayout import BoxLayout

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
    rows: list[dict[str, str]] = ListProperty([])
    trouble = StringProperty("")

    def __init__(self, **values: Any) -> None:
        super().__init__(**values)
        self.mirror.bind(connections=lambda *_: self.refresh(), on_notice=self._noticed)

    def refresh(self) -> None:
        self.link.ask("log", then=self._take, failed=self._fail)

    def on_lines(self, _: Any, lines: list[Line]) -> None:
        self.rows = [
            {
                "when": f"{clock_words(line)}  {kind_words(line.kind)}",
                "kind": colour_kind(line.kind),
                "sign": sign(line.kind),
                "words": " ".join(line.words.split()),
            }
            for line in lines
        ]

    def _take(self, answer: Mapping[str, Any]) -> None:
        self.lines = lines_of(answer)
        self.trouble = "" if self.lines else text("settings.log.empty")

    def _fail(self, words: str) -> None:
        self.trouble = self.refusal(words)

    def _noticed(self, _: Any, notice: str, data: Mapping[str, Any]) -> None:
        line = line_of(data) if notice == "log_line" else None
        if line is not None:
            self.lines, self.trouble = with_line(self.lines, line), ""
