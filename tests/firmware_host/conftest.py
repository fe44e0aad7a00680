"""A real engine beside the board's host."""

from collections.abc import Iterator

import pytest

from tests.ui.engine import EngineProcess


@pytest.fixture(scope="module")
def shared_engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineProcess]:
    """The engine of all tests of a file: it takes four seconds of a core to start."""
    with EngineProcess(tmp_path_factory.mktemp("home")) as engine:
        engine.start()
        yield engine


@pytest.fixture
def engine(shared_engine: EngineProcess) -> EngineProcess:
    """Silent, with the sound of the first start."""
    shared_engine.as_at_first()
    return shared_engine
