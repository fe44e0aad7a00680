"""Every parameter of the engine, in groups; built from the engine's own table, so that a new one appears by itself."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from kivy.app import App
from kivy.clock import Clock
from kivy.factory import Factory
from kivy.lang import Builder
from kivy.properties import ListProperty, StringProperty

from synth.control.parameters import Parameter
from ui.page import Page
from ui.pages.sound.group_panel import GroupPanel
from ui.pages.sound.groups import SURFACE, Room, columns_of, group_of, grouped, screens
from ui.texts import text
from ui.values import name_words, value_words
from ui.widgets.choice import controller_words
from ui.widgets.controllers import controllers
from ui.widgets.parameter_cell import ParameterCell
from ui.widgets.setting import Setting, Settings
from ui.widgets.touch_button import TouchButton

Builder.load_file(str(Path(__file__).with_name("page.kv")))


class SoundPage(Page):
    """group: the one that was asked for. shown: all groups on the screen now."""

    group = StringProperty("envelope")
    shown = ListProperty([])
    surface_words = StringProperty("")
    learning_words = StringProperty("")

    def __init__(self, **values: Any) -> None:
        self._groups: dict[str, list[Parameter]] = {}
        self._settings: Settings | None = None
        self._panels: list[GroupPanel] = []
        self._made: dict[str, GroupPanel] = {}
        self._here = False
        super().__init__(**values)
        app = App.get_running_app()
        self._mirror = app.mirror
        self._build = Clock.create_trigger(self._make, -1)
        app.lists.want("table")
        app.lists.want("midi_settings")
        self._mirror.bind(table=self._take_table, midi_settings=self._mark, midi=self._mark, parameters=self._surface)
        self._mirror.bind(focus=self._focused)
        app.bind(sizes=self._resized)
        self.ids.body.bind(size=self._resized)
        self._take_table()

    def entered(self) -> None:
        self._here = True
        if self._settings is not None:
            self._settings.listen()
        self._mark()
        self._surface()

    def left(self) -> None:
        self._here = False
        if self._settings is not None:
            self._settings.listen(False)

    @property
    def cells(self) -> dict[str, ParameterCell]:
        """Parameter -> its fader or buttons, of those that are on the screen."""
        return {name: cell for panel in self._panels for name, cell in panel.cells.items()}

    def choose(self, group: str) -> None:
        """Show a group."""
        self.group = group
        if group not in self.shown:
            self._build()

    def _take_table(self, *_: Any) -> None:
        table = self._mirror.table
        if self._settings is not None:
            self._settings.listen(False)
        self._made.clear()
        self._settings = Settings(App.get_running_app().link, self._mirror, table)
        for name in self._settings:
            self._settings[name].bind(touched=self._held)
        self._settings.listen(self._here)
        if table:
            App.get_running_app().link.ask("commands", then=partial(self._take_commands, self._settings))
        self._groups = grouped(table)
        chips = self.ids.chips
        chips.clear_widgets()
        for name in self._groups:
            chip = TouchButton(text=text(f"sound.group.{name}"), font_size=App.get_running_app().sizes.small)
            chip.bind(on_release=lambda _, name=name: self.choose(name))
            chip.group, chip.padding = name, App.get_running_app().sizes.mm(1)
            chips.add_widget(chip)
        if self.group not in self._groups and self._groups:
            self.group = next(iter(self._groups))
        self._surface()
        self._build()

    def _held(self, setting: Setting, touched: int) -> None:
        """A finger's own fader shows what it does; nothing large beside it."""
        App.get_running_app().root.overlay.held(setting.parameter.name, touched > 0)

    def _take_commands(self, settings: Settings, result: Mapping[str, Any]) -> None:
        """An engine of before may not know `focus`, and would complain at each touch."""
        commands = result.get("commands")
        if isinstance(commands, list) and any(isinstance(one, dict) and one.get("name") == "focus" for one in commands):
            settings.tell()

    def _resized(self, *_: Any) -> None:
        self._made.clear()
        self._build()

    def _make(self, _: float) -> None:
        """Put the groups of this screen into the body. They are made once for each size."""
        body, sizes = self.ids.body, App.get_running_app().sizes
        content = self.ids.content
        content.clear_widgets()
        self._panels = []
        settings = self._settings
        if settings is None or not self._groups:
            self.shown = []
            content.add_widget(Factory.Words(text=text("sound.waiting")))
            return
        room = Room(body.height / sizes.px_per_mm, columns_of(body.width, sizes.px_per_mm))
        counts = {name: len(parameters) for name, parameters in self._groups.items()}
        self.shown = next(names for names in screens(counts, room) if self.group in names)
        room_px = body.height - sizes.gap * (len(self.shown) - 1)
        needed_mm = {name: room.needs_mm(name, counts[name]) for name in self.shown}
        for name in self.shown:
            if name not in self._made:
                self._made[name] = GroupPanel(
                    name,
                    {parameter.name: settings[parameter.name] for parameter in self._groups[name]},
                    columns=room.columns,
                    titled=len(self.shown) > 1,
                    height_px=room_px * needed_mm[name] / sum(needed_mm.values()),
                    scroller=body,
                )
            self._panels.append(self._made[name])
            content.add_widget(self._made[name])
        body.scroll_y = 1.0
        for chip in self.ids.chips.children:
            chip.active, chip.font_size = chip.group in self.shown, sizes.small
        self._mark()

    def _mark(self, *_: Any) -> None:
        """What controllers move, what waits for one, and what another hand is on."""
        if not self._here:
            return
        learning = self._mirror.midi["learning"]
        self.learning_words = text("sound.learning", name=name_words(learning)) if learning else ""
        by_parameter = controllers(self._mirror.table, self._mirror.midi_settings)
        focus = self._focus()[0]
        for name, cell in self.cells.items():
            cell.controller = controller_words(by_parameter.get(name, []))
            cell.learning = name == learning
            cell.focused = name == focus

    def _focus(self) -> tuple[str, str]:
        """The parameter (or corner) under somebody's hand, and whose; "" for none."""
        focus = self._mirror.focus
        return focus.get("target", ""), focus.get("by", "")

    def _focused(self, *_: Any) -> None:
        """A knob is turned: its fader is marked, and shown if no finger is on another."""
        name, by = self._focus()
        group = group_of(name)
        settings = self._settings
        elsewhere = by != App.get_running_app().link.name and group in self._groups and group not in self.shown
        if self._here and elsewhere and settings is not None and not settings.touched:
            self.choose(group)
        self._mark()

    def _surface(self, *_: Any) -> None:
        if not self._here:
            return
        values = self._mirror.parameters
        known = [parameter for parameter in self._mirror.table if parameter.name in SURFACE]
        self.surface_words = "  ".join(
            f"{parameter.name} {value_words(parameter, values.get(parameter.name, parameter.default))}"
            for parameter in known
        )
