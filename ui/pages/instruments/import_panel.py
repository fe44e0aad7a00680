"""Imports: how far they are, what came of them, and what to do about it."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from kivy.lang import Builder
from kivy.properties import BooleanProperty, NumericProperty, ObjectProperty, StringProperty
from kivy.uix.behaviors import ButtonBehavior
from kivy.uix.boxlayout import BoxLayout

from ui.fonts import font_for, short
from ui.pages.instruments.import_jobs import Job, jobs_of
from ui.texts import text
from ui.widgets.dialog import Button, Dialog, ask_text
from ui.widgets.list import List

if TYPE_CHECKING:
    from ui.pages.instruments.page import InstrumentsPage

Builder.load_file(str(Path(__file__).with_suffix(".kv")))

ROW_MM = 13.0
MOST_REMARKS = 8


class ImportRow(ButtonBehavior, BoxLayout):
    """One import."""

    sign = StringProperty("info")
    state_name = StringProperty("")
    source = StringProperty("")
    source_font = StringProperty("Roboto")
    words = StringProperty("")
    words_font = StringProperty("Roboto")
    share = NumericProperty(0.0)
    under_way = BooleanProperty(False)
    ready = BooleanProperty(False)

    def __init__(self, panel: "ImportPanel", **values: object) -> None:
        super().__init__(**values)
        self._panel = panel
        self._job: Job | None = None

    def show(self, job: Job) -> None:
        """It stands for this one now."""
        self._job = job
        self.sign, self.state_name, self.share = job.sign, job.state, job.share
        self.source, self.source_font = short(job.source, 60), font_for(job.source)
        words = job.words
        if job.remarks:
            words = f"{words} · {text('instruments.remarks', n=len(job.remarks))}"
        self.words, self.words_font = short(words, 160), font_for(words)
        self.under_way, self.ready = job.under_way, job.state == "done"

    def on_release(self) -> None:
        if self._job is not None:
            self._panel.tell(self._job)

    def act(self) -> None:
        """What one most likely wants of it: stop one that is under way, hear one that is done."""
        if self._job is None:
            return
        if self._job.under_way:
            self._panel.page.app.link.ask("import_cancel", number=self._job.number)
        else:
            self._panel.page.listen(self._job.instrument)


class ImportPanel(BoxLayout):
    """words: why nothing is to be seen."""

    page: "InstrumentsPage" = ObjectProperty(None)
    words = StringProperty("")

    def __init__(self, page: "InstrumentsPage", **values: object) -> None:
        self.list = List(lambda: ImportRow(self))
        super().__init__(page=page, **values)
        self.ids.list_place.add_widget(self.list)
        page.app.bind(sizes=self._resized)
        page.app.mirror.bind(import_jobs=self._take)
        self._resized()
        self._take()

    def entered(self) -> None:
        self._take()

    def left(self) -> None:
        """Nothing here moves by itself."""

    def tell(self, job: Job) -> None:
        """Everything about an import, and what can be done."""
        lines = [job.words, *(f"– {remark}" for remark in job.remarks[:MOST_REMARKS])]
        if len(job.remarks) > MOST_REMARKS:
            lines.append(text("instruments.more_remarks", n=len(job.remarks) - MOST_REMARKS))
        words = "\n".join(short(line, 300) for line in lines)
        Dialog(short(job.source, 60), words, buttons=[*self._actions(job), (text("close"), "normal", None)]).open()

    def _actions(self, job: Job) -> list[Button]:
        page = self.page
        if job.under_way:
            return [(text("cancel"), "danger", lambda: page.app.link.ask("import_cancel", number=job.number))]
        if job.state == "done":
            return [(text("instruments.open"), "primary", lambda: page.select(job.instrument))]
        actions: list[Button] = []
        if job.duplicate:
            actions.append((text("instruments.open_duplicate"), "normal", lambda: page.select(job.duplicate)))
        if job.duplicate and page.can_repeat(job.number):
            actions.append((text("instruments.again"), "normal", lambda: page.repeat_import(job.number, again=True)))
        if job.wants_preset and page.can_repeat(job.number):
            actions.append((text("instruments.preset"), "primary", lambda: self._ask_preset(job)))
        return actions

    def _ask_preset(self, job: Job) -> None:
        ask_text(
            text("instruments.preset"),
            lambda words: self.page.repeat_import(job.number, preset=words),
            hint=text("instruments.preset_hint"),
            words=short(job.words.partition(f"{'--preset'}:")[2], 400),
        )

    def _take(self, *_: Any) -> None:
        self.list.items = jobs_of(self.page.app.mirror.import_jobs)
        self.words = "" if self.list.items else text("instruments.no_imports")

    def _resized(self, *_: Any) -> None:
        sizes = self.page.app.sizes
        self.list.row_height, self.list.bar_width = sizes.mm(ROW_MM), sizes.mm(1.5)
