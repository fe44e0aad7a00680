"""What the page of patches asks: save, rename, tags, files. Each answer is one command; the reply is words."""

from collections.abc import Callable, Sequence

from kivy.app import App
from kivy.metrics import dp
from kivy.uix.gridlayout import GridLayout
from kivy.uix.scrollview import ScrollView
from kivy.uix.widget import Widget

from ui.fonts import font_for, short
from ui.pages.patches.choice import (
    MOST_NAME,
    MOST_TAG,
    MOST_TAGS,
    Row,
    free_name,
    free_number,
    number_words,
    tag_counts,
    tags_of,
)
from ui.texts import text
from ui.widgets.dialog import Dialog, Field, ask_text
from ui.widgets.touch_button import TouchButton

MOST_PATH = 4096
LONGEST_NAME = 24
"""Letters of a name within a sentence."""

Choice = tuple[str, str, str, Callable[[], object]]
"""Icon, words, kind (of TouchButton), and what it does."""


def brief(name: str) -> str:
    """A name within a sentence."""
    return short(name, LONGEST_NAME)


def say(key: str, /, **values: object) -> None:
    """A text for the player, for a moment."""
    App.get_running_app().mirror.say(text(key, **values))


def choose(title: str, choices: Sequence[Choice], columns: int = 2) -> Dialog:
    """A dialog of buttons; at most half the window is theirs, and they scroll where they need more."""
    app = App.get_running_app()
    sizes = app.sizes
    grid = GridLayout(cols=columns, spacing=sizes.gap, size_hint_y=None)
    grid.bind(minimum_height=grid.setter("height"))
    rows = -(-len(choices) // columns)
    high = rows * sizes.touch + (rows - 1) * sizes.gap
    body: Widget = ScrollView(
        size_hint_y=None, height=min(high, app.root.height * 0.55), do_scroll_x=False, bar_width=dp(4)
    )
    body.add_widget(grid)
    dialog = Dialog(title, body=body)

    def chosen(action: Callable[[], object]) -> None:
        dialog.close()
        action()

    for icon, words, kind, action in choices:
        button = TouchButton(
            icon=icon, text=short(words, 40), kind=kind, font_name=font_for(words), size_hint_y=None, height=sizes.touch
        )
        button.bind(on_release=lambda _, action=action: chosen(action))
        grid.add_widget(button)
    return dialog.open()


def choose_tag(rows: Sequence[Row], then: Callable[[str], object]) -> Dialog:
    """One of the tags that there are, or "" for all patches."""
    tags: list[Choice] = [("patches", text("patches.all"), "normal", lambda: then(""))]
    for tag, n in tag_counts(rows):
        words = text("patches.tag.count", tag=tag, n=n)
        tags.append(("tag", words, "normal", lambda tag=tag: then(tag)))  # type: ignore[misc]
    return choose(text("patches.tags"), tags, columns=3 if App.get_running_app().sizes.wide else 2)


def save(loaded: str, rows: Sequence[Row]) -> Dialog:
    """Over the loaded patch, or as a new one: a free name and the next free number are given."""
    number = free_number(rows)
    field = Field(most=MOST_NAME, text=free_name(loaded, rows))

    def store(name: str, at: int | None) -> None:
        fields = {"name": name} if at is None else {"name": name, "number": at}
        App.get_running_app().link.ask(
            "patch_save",
            then=lambda result: say(
                "patches.saved", name=brief(str(result.get("name"))), number=_number(result.get("number"))
            ),
            **fields,
        )

    def as_new() -> None:
        name = field.text.strip()
        if name:
            store(free_name(name, rows), number)

    # One name in a button has few letters: the sentence above says it whole.
    buttons: list[tuple[str, str, Callable[[], object] | None]] = [(text("cancel"), "normal", None)]
    if loaded:
        buttons.append((text("patches.save.over", name=brief(loaded)), "normal", lambda: store(loaded, None)))
    if number is not None:
        buttons.append((text("patches.save.new"), "primary", as_new))
        words = text("patches.save.words", number=number_words(number))
    else:
        words = text("patches.save.words.full")
    return Dialog(text("patches.save.title"), words, body=field, buttons=buttons).open()


def details(row: Row | None, removed: Callable[[str], object]) -> Dialog:
    """What can be done with a patch, and with files; `removed(name)` where it was removed. Without a patch only files
    are left."""
    choices: list[Choice] = []
    if row is not None:
        choices += [
            ("edit", text("patches.rename"), "normal", lambda: _rename(row)),
            ("tag", text("patches.tag"), "normal", lambda: _tag(row)),
            ("save", text("patches.export"), "normal", lambda: _export(row)),
            ("trash", text("patches.remove"), "danger", lambda: _remove(row, removed)),
        ]
    choices.append(("folder", text("patches.import"), "normal", _import))
    title = text("patches.more") if row is None else f"{number_words(row.number)}  {brief(row.name)}"
    return choose(title, choices)


def _rename(row: Row) -> None:
    link = App.get_running_app().link
    if row.shipped:
        say("patches.shipped", name=brief(row.name))
        return

    def rename(name: str) -> None:
        link.ask(
            "patch_rename",
            then=lambda result: say(
                "patches.renamed", before=brief(row.name), name=brief(str(result.get("name", name)))
            ),
            name=row.name,
            new_name=name,
        )

    ask_text(text("patches.rename.title", name=brief(row.name)), rename, value=row.name, most=MOST_NAME)


def _tag(row: Row) -> None:
    link = App.get_running_app().link

    def tag(words: str) -> None:
        link.ask(
            "patch_tag",
            then=lambda _: say("patches.tagged", name=brief(row.name)),
            name=row.name,
            tags=tags_of(words),
        )

    field = Field(most=MOST_TAGS * (MOST_TAG + 2), text=", ".join(row.tags), hint_text=text("patches.tag.hint"))
    # Not `ask_text`: no tags at all is an answer here.
    Dialog(
        text("patches.tag.title", name=brief(row.name)),
        text("patches.tag.words"),
        body=field,
        buttons=[(text("cancel"), "normal", None), (text("ok"), "primary", lambda: tag(field.text))],
    ).open()
    field.focus = True


def _remove(row: Row, removed: Callable[[str], object]) -> None:
    if row.shipped:
        say("patches.shipped", name=brief(row.name))
        return
    App.get_running_app().link.ask("patch_remove", then=lambda _: removed(row.name), name=row.name)


def restore(name: str) -> None:
    """Bring a removed patch back."""
    App.get_running_app().link.ask(
        "patch_restore",
        then=lambda result: say(
            "patches.restored", name=brief(str(result.get("name", name))), number=_number(result.get("number"))
        ),
        name=name,
    )


def _export(row: Row) -> None:
    link = App.get_running_app().link

    def export(path: str) -> None:
        link.ask(
            "patch_export",
            then=lambda result: say("patches.exported", path=short(str(result.get("path", path)), 200)),
            name=row.name,
            path=path,
        )

    ask_text(
        text("patches.export.title", name=brief(row.name)),
        export,
        value="~/",
        most=MOST_PATH,
        words=text("patches.export.words"),
    )


def _import() -> None:
    link = App.get_running_app().link

    def add(path: str) -> None:
        link.ask(
            "patch_import",
            then=lambda result: say(
                "patches.imported", name=brief(str(result.get("name"))), number=_number(result.get("number"))
            ),
            path=path,
        )

    ask_text(
        text("patches.import.title"),
        add,
        hint=text("patches.import.hint"),
        most=MOST_PATH,
        words=text("patches.import.words"),
    )


def _number(number: object) -> str:
    return number_words(number) if isinstance(number, int) else "?"
