"""A real engine and a real screen, each a process of its own, and fingers; and Kivy tamed for tests in this process."""

import atexit
import contextlib
import importlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

# Kivy reads these when it is imported: before any test of this folder, so here. Who imports widgets gets a window that
# nobody sees.
_KIVY_HOME = tempfile.mkdtemp(prefix="tetrad-kivy-")
atexit.register(shutil.rmtree, _KIVY_HOME, ignore_errors=True)
os.environ["KIVY_HOME"] = _KIVY_HOME
os.environ.setdefault("SDL_VIDEODRIVER", "offscreen")
os.environ.setdefault("SDL_AUDIODRIVER", "dummy")

# PyTorch's builds with CUDA import triton late. It has an LLVM of its own, as Mesa has: Mesa's after triton's is well,
# triton's after Mesa's ends the process, and with it the tests of the networks in it.
with contextlib.suppress(ImportError):
    importlib.import_module("triton")

from ui.kivy_settings import WindowSettings, configure  # noqa: E402

configure(WindowSettings())

from tests.ui.display import Display  # noqa: E402
from tests.ui.engine import EngineProcess  # noqa: E402
from tests.ui.screen import Screen  # noqa: E402
from tests.ui.stand_in import StandIn, served  # noqa: E402


@pytest.fixture
def home(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Folder of the player's data, for engine and screen."""
    if "engine" in request.fixturenames:
        engine: EngineProcess = request.getfixturevalue("shared_engine")
        return engine.home
    home = tmp_path / "home"
    home.mkdir()
    return home


@pytest.fixture
def heard_engine(home: Path, jack_environment: dict[str, str]) -> Iterator[EngineProcess]:
    """A running engine that plays through the JACK test server; `recorder.connect` hears its client "Tetrad"."""
    with EngineProcess(home, "--audio", "jack", environment=jack_environment) as engine:
        engine.start()
        yield engine


@pytest.fixture
def stand_in(home: Path) -> Iterator[StandIn]:
    """A server that speaks the engine's protocol and says what a test tells it to say, instead of an engine."""
    with served(home / "s") as stand_in:
        yield stand_in


@pytest.fixture(scope="session")
def display() -> Iterator[Display]:
    """An X server of our own."""
    with Display() as display:
        yield display


@pytest.fixture
def new_screen(home: Path) -> Iterator[Callable[..., Screen]]:
    """Makes screens: `new_screen(size=(480, 800), rotation=90, theme="studio")`, without X; `display=` for one on it.

    What went wrong in one of them is told at the end, also where the test did not look.
    """
    screens: list[Screen] = []

    def make(**settings: object) -> Screen:
        screen = Screen(home, **settings)  # type: ignore[arg-type]
        screens.append(screen)
        screen.start()
        return screen

    yield make
    for screen in screens:
        screen.close()
    troubles = [trouble for screen in screens for trouble in screen.troubles]
    assert not troubles, "\n".join(troubles)


@pytest.fixture
def screen(new_screen: Callable[..., Screen]) -> Screen:
    """The screen at 800x480, its window drawn by Mesa in memory: the quick way."""
    return new_screen()


@pytest.fixture
def x_screen(new_screen: Callable[..., Screen], display: Display) -> Screen:
    """The screen at 800x480 in a window of an X server, with a mouse."""
    return new_screen(display=display)
