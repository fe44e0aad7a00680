"""Kivy's settings, all of them, made before anything else of Kivy is imported.

Kivy reads its configuration when its modules are imported, parses `sys.argv`, writes files into the user's home folder
and logs to the terminal, unless it is told otherwise first. So this is the first module of the screen that imports it.
"""

import logging
import os
from dataclasses import dataclass

import platformdirs

SMALLEST_PX = 200
FPS = 60


@dataclass(frozen=True)
class WindowSettings:
    """What the window is like.

    width_px, height_px: before it is turned. rotation_degrees: 0, 90, 180 or 270, counter-clockwise. fps: the most
    frames a second. tuio_address: "127.0.0.1:3333" takes fingers from a TUIO sender, too; "" takes none.
    """

    width_px: int = 800
    height_px: int = 480
    rotation_degrees: int = 0
    fullscreen: bool = False
    fps: int = FPS
    tuio_address: str = ""


def configure(settings: WindowSettings) -> None:
    """Tell Kivy everything. Must run before any other import of Kivy; the environment's own KIVY_HOME is honoured."""
    os.environ["KIVY_NO_ARGS"] = "1"
    os.environ["KIVY_NO_FILELOG"] = "1"
    os.environ.setdefault("KIVY_NO_CONSOLELOG", "1")
    os.environ.setdefault("KIVY_LOG_MODE", "PYTHON")  # Kivy's own mode takes over sys.stderr
    os.environ.setdefault("KIVY_NO_ENV_CONFIG", "1")
    os.environ.setdefault("KIVY_CLIPBOARD", "sdl2")  # the first two that Kivy tries are programs, mostly missing
    os.environ.setdefault("KIVY_HOME", str(platformdirs.user_cache_path("tetrad", appauthor=False) / "kivy"))
    os.makedirs(os.environ["KIVY_HOME"], exist_ok=True)  # noqa: PTH103  (one line, of a name in the environment)

    # Without a graphics card Mesa draws with a thread for each core, among them the engine's, and 150 MB more.
    os.environ.setdefault("LP_NUM_THREADS", "0")

    # X's middle-button clipboard needs a program that few have; Kivy calls its absence critical, with a traceback.
    logging.getLogger("kivy").addFilter(lambda record: not str(record.msg).startswith("Cutbuffer"))

    from kivy.config import Config  # type: ignore[import-untyped]

    graphics = {
        "width": settings.width_px,
        "height": settings.height_px,
        "minimum_width": SMALLEST_PX,
        "minimum_height": SMALLEST_PX,
        "rotation": settings.rotation_degrees,
        "fullscreen": "auto" if settings.fullscreen else "0",
        "maxfps": settings.fps,
        "resizable": 1,
        "show_cursor": 0 if settings.fullscreen else 1,
        # Smooth lines come from textures, and a software renderer pays four times for each of its samples.
        "multisamples": 0,
        "vsync": 0,
    }
    for name, value in graphics.items():
        Config.set("graphics", name, str(value))
    Config.set("kivy", "exit_on_escape", "0")
    Config.set("kivy", "keyboard_mode", "systemanddock")
    Config.set("kivy", "desktop", "0")
    Config.set("kivy", "log_level", "warning")
    # The mouse is one finger; Kivy's emulation of a second one by the right button draws red dots.
    Config.set("input", "mouse", "mouse,disable_multitouch")
    Config.set("postproc", "double_tap_time", "300")
    Config.set("postproc", "double_tap_distance", "40")
    for name in Config.options("input"):
        if name == "tuio":
            Config.remove_option("input", name)
    if settings.tuio_address:
        Config.set("input", "tuio", f"tuio,{settings.tuio_address}")
    Config.remove_section("modules")
    Config.add_section("modules")
