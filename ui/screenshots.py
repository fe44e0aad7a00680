"""Pictures of every page in every theme, of a screen that plays: `python -m ui.screenshots [FOLDER]`.

An engine without a sound card, as on its first day, holds a chord; a screen for each size of window is drawn in memory.
A picture is a PNG of at most 256 colours, which keeps it under 100 KB. One that differs from the file that is there in
a few points only (a meter, a light that breathes) is not written: the repository does not grow with every run.
"""

import argparse
import contextlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from synth.io.client import Client
from ui.kivy_settings import WindowSettings, configure
from ui.theme import THEMES, Colour

PICTURES = Path(__file__).with_name("pictures")
SIZES: dict[tuple[int, int], tuple[str, ...]] = {
    (800, 480): tuple(THEMES),
    (1280, 720): ("stage",),
    (480, 800): ("studio",),
}
"""Window -> the themes that are shown in it."""
CHORD = (48, 55, 60, 64, 67)
POINT = (0.35, 0.62)
COLOURS = 256
STRIP_PX = 60
OTHER_LEVELS = 24
"""Of 255, by which a colour must differ to count: less is what fewer colours make of the same picture."""
OTHER_SHARE = 0.05
"""Of all points: lights, trails and meters move so much between two pictures of the same."""
SHOWN_S = 2.5
"""From a page's coming to its picture: its lists have come by then, on a busy machine too."""
ENGINE_WITHIN_S = 600.0
"""It compiles at its very first start."""
SHOTS_WITHIN_S = 300.0


@contextlib.contextmanager
def playing(home: Path) -> Iterator[dict[str, str]]:
    """The environment of programs that find an engine which holds a chord. home: an empty folder for its data."""
    environment = {**os.environ, "TETRAD_HOME": str(home), "TETRAD_SOCKET": str(home / "s")}
    command = [sys.executable, "-m", "synth", "--fresh", "--audio", "null", "--osc", "-1"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL) as engine:
        try:
            with _client(home / "s", engine) as client:
                for key in CHORD:
                    client.send("note_on", key=key)
                client.request("point", x=POINT[0], y=POINT[1])
                yield environment
        finally:
            engine.terminate()


@contextlib.contextmanager
def _client(socket: Path, engine: "subprocess.Popen[bytes]") -> Iterator[Client]:
    """A client as soon as the engine plays."""
    client = Client(socket, name="pictures")
    client.subscribe()
    client.start()
    try:
        client.wait_for(lambda status: "voices" in status, ENGINE_WITHIN_S)
        if engine.poll() is not None:
            raise SystemExit(f"the engine ended with {engine.returncode}")
        yield client
    finally:
        client.close()


def shoot(size: tuple[int, int], folder: Path) -> int:
    """All pictures of one size of window, in this process. Returns how many were written."""
    configure(WindowSettings(*size))

    from kivy.clock import Clock
    from kivy.core.window import Window

    from ui.app import TetradApp
    from ui.root import PAGES

    app = TetradApp(theme=SIZES[size][0])
    written: list[Path] = []

    def steps() -> Iterator[float]:
        """What is done, and the seconds to wait after it."""
        yield SHOWN_S
        for theme in SIZES[size]:
            app.theme = THEMES[theme]
            for page in PAGES:
                for key in CHORD:  # struck again: what decays would be gone by now
                    app.link.send("note_off", key=key)
                    app.link.send("note_on", key=key)
                app.root.show(page)
                yield SHOWN_S
                path = folder / f"{page}-{theme}-{size[0]}x{size[1]}.png"
                if write(path, picture(Window), (*app.theme.corners, app.theme.accent, app.theme.text)):
                    written.append(path)

    left = steps()

    def go_on(_: float) -> None:
        wait_s = next(left, None)
        if wait_s is None:
            app.stop()
        else:
            Clock.schedule_once(go_on, wait_s)

    Clock.schedule_once(go_on, 0)
    app.run()
    return len(written)


def picture(window: Any) -> Image.Image:
    """What the window shows now, RGB."""
    from kivy.graphics.opengl import GL_RGB, GL_UNSIGNED_BYTE, glReadPixels

    window.dispatch("on_draw")
    width, height = (int(side) for side in window.system_size)
    pixels = bytes(glReadPixels(0, 0, width, height, GL_RGB, GL_UNSIGNED_BYTE))
    return Image.frombytes("RGB", (width, height), pixels).transpose(Image.Transpose.FLIP_TOP_BOTTOM)


def write(path: Path, shown: Image.Image, accents: Sequence[Colour]) -> bool:
    """Write a picture, unless the file shows nearly the same. True when it was written. accents: colours to keep."""
    if path.exists():
        with Image.open(path) as kept:
            if kept.size == shown.size and difference(kept.convert("RGB"), shown) < OTHER_SHARE:
                return False
    path.parent.mkdir(parents=True, exist_ok=True)
    # The play page's field has so many colours that the corners' own would be lost among their medians: a strip of
    # these below the picture gives them weight.
    taller = Image.new("RGB", (shown.width, shown.height + STRIP_PX))
    taller.paste(shown)
    side = shown.width // len(accents)
    for number, accent in enumerate(accents):
        colour = tuple(round(255.0 * part) for part in accent[:3])
        taller.paste(colour, (number * side, shown.height, (number + 1) * side, taller.height))
    few = taller.quantize(COLOURS, dither=Image.Dither.NONE)
    few.crop((0, 0, *shown.size)).save(path, optimize=True)
    return True


def difference(first: Image.Image, second: Image.Image) -> float:
    """The share of points whose colours differ so much that one sees it, 0..1. Both of one size."""
    levels = np.abs(np.asarray(first, np.int16) - np.asarray(second, np.int16)).max(axis=2)
    return float(np.mean(levels > OTHER_LEVELS))


def shoot_all(folder: Path, environment: Mapping[str, str]) -> None:
    """A process for each size: Kivy has one window."""
    for width, height in SIZES:
        command = [sys.executable, "-m", "ui.screenshots", str(folder), "--one", f"{width}x{height}"]
        subprocess.run(command, env=environment, check=True, timeout=SHOTS_WITHIN_S)


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m ui.screenshots", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path, nargs="?", default=PICTURES, help="(default ui/pictures)")
    parser.add_argument("--one", choices=[f"{width}x{height}" for width, height in SIZES], help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.one:
        width, height = map(int, args.one.split("x"))
        print(f"{args.one}: {shoot((width, height), args.folder)} pictures are new")
        return 0
    with tempfile.TemporaryDirectory(prefix="tetrad-") as folder:
        home = Path(folder)
        environment = {"SDL_VIDEODRIVER": "offscreen", "KIVY_HOME": str(home / "kivy")}
        with playing(home) as of_engine:
            shoot_all(args.folder, {**of_engine, **environment})
    return 0


if __name__ == "__main__":
    status = main()
    sys.stdout.flush()
    # As in ui/__main__.py: Kivy's and SDL's destructors run in no order of ours.
    os._exit(status)
