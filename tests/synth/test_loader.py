"""Instruments are loaded once, in a thread, and the least recently used go when the space is used up."""

from pathlib import Path

import pytest

from synth.errors import TetradError
from synth.instruments.format import Instrument
from synth.instruments.library import Library
from synth.loader import InstrumentLoader
from synth.voices.prepared import PreparedInstrument


class CountingPreparer:
    """Makes instruments ready and notes down which."""

    def __init__(self) -> None:
        self.made: list[str] = []

    def __call__(self, instrument: Instrument) -> PreparedInstrument:
        self.made.append(instrument.name)
        return PreparedInstrument(instrument)


def test_an_instrument_is_read_once_and_then_there_at_once() -> None:
    prepare = CountingPreparer()
    loader = InstrumentLoader(Library(), prepare)
    assert loader.kept("flute") is None
    first = loader.load("flute").result(30)
    again = loader.load("flute")
    assert again.done()
    assert again.result() is first is loader.kept("flute")
    assert prepare.made == ["flute"]
    loader.forget("flute")
    assert loader.load("flute").result(30) is not first
    loader.close()


def test_the_least_recently_used_goes_when_the_space_is_used_up() -> None:
    prepare = CountingPreparer()
    loader = InstrumentLoader(Library(), prepare)
    sizes = [sum(array.nbytes for array in loader.load(name).result(30).table) for name in ("flute", "strings")]
    loader.close()
    loader = InstrumentLoader(Library(), prepare, kept_bytes=sum(sizes) + 1000)
    for name in ("flute", "strings"):
        loader.load(name).result(30)
    assert loader.kept("flute") is not None  # used last, so the strings go
    loader.load("choir").result(30)
    assert loader.kept("strings") is None
    assert loader.kept("choir") is not None
    loader.close()


def test_loading_ahead_stops_at_the_space_and_passes_over_what_is_broken(tmp_path: Path) -> None:
    (tmp_path / "broken.tetrad-instrument").write_bytes(b"nonsense")
    library = Library([Library().path("flute").parent, tmp_path])
    loader = InstrumentLoader(library, CountingPreparer())
    assert loader.load_ahead(["broken", "flute", "strings"]).result(60) == 2
    with pytest.raises(TetradError, match="broken"):
        loader.load("broken").result(30)
    loader.close()
    small = InstrumentLoader(library, CountingPreparer(), kept_bytes=1)
    assert small.load_ahead(["flute", "strings", "choir"]).result(60) == 1
    small.close()


def test_an_unknown_name_is_told_with_the_nearest() -> None:
    loader = InstrumentLoader(Library(), CountingPreparer())
    with pytest.raises(TetradError, match="flute"):
        loader.load("flut").result(30)
    loader.close()


def test_a_file_that_changes_while_it_is_read_is_read_again() -> None:
    prepare = CountingPreparer()

    def prepare_late(instrument: Instrument) -> PreparedInstrument:
        prepared = prepare(instrument)
        if len(prepare.made) == 1:
            loader.forget("flute")
        return prepared

    loader = InstrumentLoader(Library(), prepare_late)
    loader.load("flute").result(30)
    assert prepare.made == ["flute", "flute"]
    loader.close()
