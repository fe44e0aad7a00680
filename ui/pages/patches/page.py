"""The page of patches. A touch loads, without a question: what was edited before comes back with undo."""

from pathlib import Path
from typing import Any

from kivy.app import App
from kivy.clock import Clock
from kivy.lang import Builder
from kivy.properties import BooleanProperty, NumericProperty, StringProperty

from ui.fonts import font_for, short
from ui.page import Page
from ui.pages.patches import dialogs
from ui.pages.patches.choice import Row, matching, rows, sounding
from ui.pages.patches.grid import PatchGrid  # noqa: F401  (named in page.kv)
from ui.texts import text

Builder.load_file(str(Path(__file__).with_name("page.kv")))

ROOMY_MM = 105.0
"""From this width on the buttons have words, and say what undo takes back."""
REMOVED_S = 10.0
"""So long the way back from a removal stands where the state's words are."""


class PatchesPage(Page):
    """tag: only patches that have it are shown. loaded: number of the patch that sounds, -1 for none."""

    tag = StringProperty("")
    tag_words = StringProperty("")
    tag_font = StringProperty("Roboto")
    loaded = NumericProperty(-1)
    loaded_words = StringProperty("")
    loaded_font = StringProperty("Roboto")
    state_words = StringProperty("")
    undo_words = StringProperty("")
    redo_words = StringProperty("")
    can_undo = BooleanProperty(False)
    can_redo = BooleanProperty(False)
    compares_stored = BooleanProperty(False)
    roomy = BooleanProperty(False)
    empty_words = StringProperty("")

    def __init__(self, **values: Any) -> None:
        super().__init__(**values)
        self._app = App.get_running_app()
        self._rows: list[Row] = []
        self._removed = ""
        self._forget = Clock.create_trigger(lambda _: self._offer_back(""), REMOVED_S)
        mirror = self._app.mirror
        self._app.lists.want("patches")
        self._app.bind(sizes=self._measure)
        self.bind(width=self._measure, tag=self._filter)
        self.ids.search.bind(text=self._filter)
        mirror.bind(patches=self._take_list, patch=self._take_patch, connection=self._filter)
        self._measure()
        self._take_list()

    def entered(self) -> None:
        """The page of the grid that has the patch that sounds is the one to begin with."""
        self.ids.grid.show(self.loaded)

    # What the player does.

    def load(self, row: Row | None) -> None:
        """This patch sounds."""
        if row is None:
            return
        before = self._app.mirror.patch
        edited = before["name"] if before["edited"] and before["name"] != row.name else ""
        self.ids.grid.waiting = row.number

        def loaded(result: dict[str, Any]) -> None:
            self.ids.grid.waiting = -1
            warnings = [str(one) for one in result.get("warnings") or []]
            name = dialogs.brief(row.name)
            if warnings:
                words = text("patches.load.warnings", name=name, warnings="; ".join(warnings))
                self._app.mirror.say(words, "warning")
            elif edited:
                dialogs.say("patches.loaded.over", name=name, before=dialogs.brief(edited))

        def failed(words: str) -> None:
            self.ids.grid.waiting = -1
            self._app.mirror.say(words, "warning")

        self._app.link.ask("patch_load", then=loaded, failed=failed, name=row.name)

    def details(self, row: Row | None) -> None:
        """What else can be done with it."""
        dialogs.details(row, self._offer_back)

    def save(self) -> None:
        """Ask where to."""
        dialogs.save(self._app.mirror.patch["name"], self._rows)

    def undo(self) -> None:
        """Bring back a patch that was removed a moment ago; else take back the last edit."""
        if self._removed:
            dialogs.restore(self._removed)
            self._offer_back("")
        else:
            self._app.link.ask("undo")

    def redo(self) -> None:
        """Make the edit again that was taken back last."""
        self._app.link.ask("redo")

    def choose_tag(self) -> None:
        """Ask which patches are shown."""
        dialogs.choose_tag(self._rows, lambda tag: setattr(self, "tag", tag))

    def loaded_row(self) -> Row | None:
        """The patch that sounds, where it is in the bank."""
        return next((row for row in self._rows if row.number == self.loaded), None)

    # What the engine says.

    def _take_list(self, *_: object) -> None:
        self._rows = rows(self._app.mirror.patches)
        self._filter()
        self._take_patch()

    def _filter(self, *_: object) -> None:
        self.tag_words = short(self.tag, 20) if self.tag else text("patches.tags")
        self.tag_font = font_for(self.tag_words)
        grid = self.ids.grid
        grid.rows_shown = matching(self._rows, self.ids.search.text, self.tag)
        if grid.rows_shown:
            self.empty_words = ""
        elif self._rows:
            self.empty_words = text("patches.none.found")
        else:
            connected = self._app.mirror.connection == "connected"
            self.empty_words = text("patches.none" if connected else "patches.none.engine")

    def _take_patch(self, *_: object) -> None:
        patch = self._app.mirror.patch
        self.loaded_words = short(patch["name"], 60) or text("patches.unnamed")
        self.loaded_font = font_for(self.loaded_words)
        self.compares_stored = patch["sounding"] == "stored"
        self.can_redo = bool(patch["redo"])
        self.redo_words = text("patches.redo.what", what=short(patch["redo"], 40))
        self._say_state()
        number = sounding(self._rows, patch["name"], patch["number"])
        if number != self.loaded:
            self.loaded = number
            self.ids.grid.show(number)

    def _say_state(self) -> None:
        patch = self._app.mirror.patch
        self.can_undo = bool(self._removed or patch["undo"])
        if self._removed:
            self.undo_words = text("patches.bring.back", name=dialogs.brief(self._removed))
        else:
            what = short(patch["undo"], 40)
            self.undo_words = text("patches.undo.what", what=what) if what else text("patches.undo")
        if self.compares_stored:
            self.state_words = text("patches.compare.stored")
        else:
            self.state_words = text("patches.edited") if patch["edited"] else ""

    def _offer_back(self, name: str) -> None:
        """Undo brings back this removed patch for a while; "" ends that."""
        self._removed = name
        self._forget.cancel()
        if name:
            self._forget()
            dialogs.say("patches.removed", name=dialogs.brief(name))
        self._say_state()

    def _measure(self, *_: object) -> None:
        self.roomy = self.width >= self._app.sizes.mm(ROOMY_MM)
