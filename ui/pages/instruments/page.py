"""The page of instruments: the library, and the ways to add to it, of which one is shown at a time."""

from pathlib import Path
from typing import Any

from kivy.app import App
from kivy.clock import Clock
from kivy.lang import Builder
from kivy.properties import NumericProperty, ObjectProperty, StringProperty
from kivy.uix.widget import Widget

from ui.page import Page
from ui.pages.instruments.search import Entry, Index
from ui.texts import text

Builder.load_file(str(Path(__file__).with_name("page.kv")))

UNDO_S = 15.0
UNDER_WAY = ("waiting", "running")


def _browser(page: "InstrumentsPage") -> Widget:
    from ui.pages.instruments.browser import Browser

    return Browser(page)


def _files(page: "InstrumentsPage") -> Widget:
    from ui.pages.instruments.file_browser import FileBrowser

    return FileBrowser(page)


def _imports(page: "InstrumentsPage") -> Widget:
    from ui.pages.instruments.import_panel import ImportPanel

    return ImportPanel(page)


def _record(page: "InstrumentsPage") -> Widget:
    from ui.pages.instruments.record_panel import RecordPanel

    return RecordPanel(page)


VIEWS = {"library": _browser, "files": _files, "imports": _imports, "record": _record}


class InstrumentsPage(Page):
    """view: one of VIEWS, or "" before it is first shown. index: all instruments. selected: name of one, or "".
    imports_under_way: how many. undo_words: what could be taken back; "" when nothing."""

    view = StringProperty("")
    index = ObjectProperty(Index())
    selected = StringProperty("")
    imports_under_way = NumericProperty(0)
    undo_words = StringProperty("")

    def __init__(self, **values: object) -> None:
        super().__init__(**values)
        app = App.get_running_app()
        self.app = app
        self._views: dict[str, Any] = {}
        self._removed = ""
        self._imported: dict[int, dict[str, Any]] = {}
        self._forget = Clock.create_trigger(self._forget_removed, UNDO_S)
        app.mirror.bind(instruments=self._take_instruments, import_jobs=self._take_jobs, connections=self._reconnected)
        self._take_instruments(app.mirror, app.mirror.instruments)
        self._take_jobs(app.mirror, app.mirror.import_jobs)

    def entered(self) -> None:
        self.app.lists.want("instruments")
        self.app.lists.want("import_jobs")
        if not self.view:
            self.show_view("library")
        else:
            self._views[self.view].entered()

    def left(self) -> None:
        if self.view:
            self._views[self.view].left()

    def show_view(self, name: str) -> None:
        """One of VIEWS; made when it is first shown."""
        if name == self.view:
            return
        if name not in self._views:
            self._views[name] = VIEWS[name](self)
        if self.view:
            self._views[self.view].left()
        area = self.ids.area
        area.clear_widgets()
        self.view = name
        area.add_widget(self._views[name])
        self._views[name].entered()

    @property
    def entry(self) -> Entry | None:
        """The selected instrument; None when none is, or it is gone."""
        return self.index.get(self.selected)

    def select(self, name: str) -> None:
        """That instrument in the library, with what can be done with it."""
        self.show_view("library")
        self.selected = name

    def listen(self, name: str) -> None:
        """It sounds once, without a corner."""
        self.app.link.ask("audition", instrument=name)

    def put(self, name: str, corner: str) -> None:
        """Into nw, ne, sw or se."""
        self.app.link.ask("corner", corner=corner, instrument=name)

    def favour(self, entry: Entry) -> None:
        """A favourite, or no longer."""
        self.app.link.ask("instrument_favourite", name=entry.name, favourite=not entry.favourite)

    def remove(self, entry: Entry) -> None:
        """Into the trash; for UNDO_S it can be taken back with one touch."""

        def removed(_: object) -> None:
            self._removed, self.undo_words = entry.name, text("instruments.removed", name=entry.title)
            self._forget()
            if self.selected == entry.name:
                self.selected = ""

        self.app.link.ask("instrument_remove", name=entry.name, then=removed)

    def undo_remove(self) -> None:
        """What was removed last is there again, and selected."""
        name = self._removed
        self._forget.cancel()
        self._forget_removed(0.0)
        self.app.link.ask("instrument_restore", name=name, then=lambda _: self.select(name))

    def import_files(self, **fields: Any) -> None:
        """`instrument_import` with these fields; they are kept, should it have to be asked for once more."""

        def begun(result: dict[str, Any]) -> None:
            number = result.get("number")
            if isinstance(number, int):
                self._imported[number] = fields

        self.app.link.ask("instrument_import", then=begun, **fields)

    def can_repeat(self, number: int) -> bool:
        """Was this import asked for here?"""
        return number in self._imported

    def repeat_import(self, number: int, **fields: Any) -> None:
        """Once more, with other fields besides."""
        self.import_files(**self._imported[number] | fields)

    def _forget_removed(self, _: float) -> None:
        self._removed = self.undo_words = ""

    def _take_instruments(self, _: object, instruments: list[dict[str, Any]]) -> None:
        self.index = Index(instruments)

    def _take_jobs(self, _: object, jobs: list[dict[str, Any]]) -> None:
        self.imports_under_way = sum(job.get("state") in UNDER_WAY for job in jobs)

    def _reconnected(self, *_: object) -> None:
        """Another engine may have another trash, and counts its imports anew."""
        self._imported = {}
        self._forget_removed(0.0)
