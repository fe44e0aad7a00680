"""`python -m ui` with a window into it for tests: `python -m tests.ui.screen_program [arguments of ui]`.

The app is made as ui/__main__.py makes it, and touched from outside as any. Beside that, every line of JSON on standard
input is a question, `{"ask": NAME, ...}`, answered on Kivy's main thread between two frames by a line of JSON on
standard output. The first line comes by itself, with the first frame. What went wrong anywhere is kept and told.
"""

import errno
import json
import logging
import os
import sys
import threading
import time
import traceback
from collections import deque
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

import ui.__main__ as program
from ui.kivy_settings import WindowSettings

TROUBLES: list[str] = []
"""Exceptions, unhandled or logged, and whatever else was logged as an error."""


class _Listener(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        words = record.getMessage()
        if record.exc_info and record.exc_info[0] is not None:
            words += "\n" + "".join(traceback.format_exception(*record.exc_info))
        TROUBLES.append(f"{record.name}: {words}")


def _hear_troubles() -> None:
    """Of the log, of threads, of objects that are collected."""
    logging.getLogger().addHandler(_Listener(logging.ERROR))
    logging.getLogger("kivy").propagate = True

    def in_thread(arguments: threading.ExceptHookArgs) -> None:
        error, frames = arguments.exc_value, traceback.extract_tb(arguments.exc_traceback)
        if isinstance(error, OSError) and error.errno == errno.EBADF and "oscpy" in frames[-1].filename:
            return  # oscpy's listener reads on for a moment from the socket that Kivy closes at its end
        TROUBLES.append("".join(traceback.format_exception(arguments.exc_value)))

    def unraisable(arguments: Any) -> None:
        TROUBLES.append(f"{arguments.err_msg}: " + "".join(traceback.format_exception(arguments.exc_value)))

    def at_the_end(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        TROUBLES.append("".join(traceback.format_exception(kind, error, trace)))
        sys.__excepthook__(kind, error, trace)

    threading.excepthook, sys.unraisablehook, sys.excepthook = in_thread, unraisable, at_the_end


class Window:
    """What a test may ask. Every method that has no underscore is a question."""

    def __init__(self, app: Any) -> None:
        from kivy.core.window import Window as KivyWindow

        self._app, self._window = app, KivyWindow
        self._frames: deque[float] = deque(maxlen=20_000)
        self._profile: Any = None
        self._window.fbind("on_flip", self._flipped)

    def _flipped(self, *_: object) -> None:
        self._frames.append(time.monotonic())

    def widgets(self) -> list[dict[str, Any]]:
        """Every widget that can be seen, parents before their children, what lies above later."""
        seen: list[dict[str, Any]] = []
        width, height = self._window.size
        for child in reversed(self._window.children):
            seen += self._seen(child, (0.0, 0.0, float(width), float(height)), 1.0)
        return seen

    def _seen(self, widget: Any, clip: tuple[float, ...], opacity: float) -> Iterator[dict[str, Any]]:
        opacity *= widget.opacity
        if opacity < 0.05:
            return
        left, bottom = widget.to_window(*widget.pos)
        right, top = widget.to_window(widget.right, widget.top)
        box = max(left, clip[0]), max(bottom, clip[1]), min(right, clip[2]), min(top, clip[3])
        if box[0] < box[2] and box[1] < box[3]:
            known = {"class": type(widget).__name__, "rectangle": box, "size": widget.size, "touch": self._touch(box)}
            for name in ("text", "icon", "name", "disabled", "active", "page", "corner", "parameter", "font_size"):
                value = getattr(widget, name, None)
                if isinstance(value, str | bool | float | int):
                    known[name] = value
            known["id"] = next((name for name, one in self._ids(widget) if one == widget), "")
            yield known
        inside = clip
        if hasattr(widget, "scroll_y"):  # it shows its own area only
            inside = box
        for child in reversed(widget.children):
            yield from self._seen(child, inside, opacity)

    def _ids(self, widget: Any) -> Iterator[tuple[str, Any]]:
        owner = widget.parent
        while owner is not None and owner is not self._window:
            for name, one in owner.ids.items():
                yield name, one.__self__
            owner = owner.parent

    def _touch(self, box: tuple[float, ...]) -> tuple[float, float]:
        """Where a panel's finger must be to hit the middle of it: 0..1, from the top left of the *unturned* screen."""
        width, height = self._window.system_size
        wide, high = max(width - 1.0, 1.0), max(height - 1.0, 1.0)
        x, y = (box[0] + box[2]) / 2.0, (box[1] + box[3]) / 2.0
        match self._window.rotation:
            case 0:
                across, up = x / wide, y / high
            case 90:
                across, up = 1.0 - y / wide, x / high
            case 180:
                across, up = 1.0 - x / wide, 1.0 - y / high
            case _:
                across, up = y / wide, 1.0 - x / high
        return across, 1.0 - up

    def page(self) -> str:
        """Name of the page that is shown."""
        current: str = self._app.root.current
        return current

    def show(self, page: str) -> None:
        """Go to a page, where the way to it is not what is tested."""
        self._app.root.show(page)

    def theme(self, name: str) -> None:
        """Another theme, and remember it."""
        self._app.choose_theme(name)

    def mirror(self, name: str) -> Any:
        """A property of the mirror."""
        return getattr(self._app.mirror, name)

    def frames(self) -> list[float]:
        """When frames were shown since the last question, s of the monotonic clock; of the newest 20,000."""
        times = list(self._frames)
        self._frames.clear()
        return times

    def troubles(self) -> list[str]:
        """What went wrong since the start."""
        return list(TROUBLES)

    def window(self) -> dict[str, Any]:
        """Its size before and after it was turned, and where it is on the display, px."""
        window = self._window
        return {"system_size": window.system_size, "size": window.size, "left": window.left, "top": window.top}

    def picture(self, path: str) -> None:
        """A PNG file of what the window shows, as it hangs (turned with the window)."""
        from kivy.graphics.opengl import GL_RGB, GL_UNSIGNED_BYTE, glReadPixels
        from PIL import Image

        self._window.dispatch("on_draw")
        width, height = (int(side) for side in self._window.system_size)
        pixels = glReadPixels(0, 0, width, height, GL_RGB, GL_UNSIGNED_BYTE)
        picture = Image.frombytes("RGB", (width, height), bytes(pixels))
        picture.transpose(Image.Transpose.FLIP_TOP_BOTTOM).save(path)

    def profile(self, path: str = "") -> None:
        """Begin to profile the main thread; with a path end it, and write what was found there."""
        import cProfile

        if not path:
            self._profile = cProfile.Profile()
            self._profile.enable()
        else:
            self._profile.disable()
            self._profile.dump_stats(path)

    def stop(self) -> None:
        """End the app as closing its window does."""
        self._app.stop()


class Conversation:
    """Questions of standard input, answers to what was standard output: nothing else may write there."""

    def __init__(self) -> None:
        self._out = os.fdopen(os.dup(1), "w", buffering=1)
        os.dup2(2, 1)
        self._questions: deque[Mapping[str, Any]] = deque()
        self._window: Window | None = None

    def attend(self, app: Any) -> None:
        """Listen, from the app's first frame on."""
        from kivy.clock import Clock

        self._window = Window(app)
        answer = Clock.create_trigger(self._answer, 0)
        self._window._window.fbind("on_flip", self._first_frame)

        def listen() -> None:
            for line in sys.stdin:
                self._questions.append(json.loads(line))
                answer()
            self._questions.append({"ask": "stop"})  # whoever asked is gone
            answer()

        threading.Thread(target=listen, name="questions", daemon=True).start()

    def _first_frame(self, *_: object) -> None:
        assert self._window is not None
        self._window._window.funbind("on_flip", self._first_frame)
        self._say({"ready": time.monotonic()})

    def _answer(self, _: float) -> None:
        while self._questions:
            question = dict(self._questions.popleft())
            try:
                answer = {"answer": getattr(self._window, question.pop("ask"))(**question)}
            except Exception:  # noqa: BLE001  (told to the test, which fails with it)
                answer = {"failed": traceback.format_exc()}
            self._say(answer)

    def _say(self, message: Mapping[str, Any]) -> None:
        try:
            self._out.write(json.dumps(message, default=str) + "\n")
        except BrokenPipeError:
            return  # the test ended


def main() -> int:
    """The app, with its exceptions heard."""
    _hear_troubles()
    conversation = Conversation()
    report = Path(os.environ["TETRAD_SCREEN_REPORT"])

    configure = program.configure

    def configured(settings: WindowSettings) -> None:
        configure(settings)
        from kivy.base import ExceptionHandler, ExceptionManager

        from ui.app import TetradApp

        class Heard(ExceptionHandler):  # type: ignore[misc]
            def handle_exception(self, exception: BaseException) -> int:
                TROUBLES.append("".join(traceback.format_exception(exception)))
                again: int = ExceptionManager.RAISE
                return again

        ExceptionManager.add_handler(Heard())
        started = TetradApp.on_start

        def on_start(self: TetradApp) -> None:
            started(self)
            conversation.attend(self)

        TetradApp.on_start = on_start  # type: ignore[method-assign]

    program.configure = configured
    try:
        return program.main()
    except SystemExit as end:
        return int(end.code or 0)
    except Exception:  # noqa: BLE001  (told to the test)
        TROUBLES.append(traceback.format_exc())
        return 1
    finally:
        report.write_text(json.dumps(TROUBLES))


if __name__ == "__main__":
    status = main()
    os._exit(status)
