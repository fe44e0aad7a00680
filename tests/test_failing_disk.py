"""Every writer on a disk that fails at its n-th operation, for every n: what is read back is old or new, nothing
else; nothing is lost, nothing is left over, one line is said, and when the disk works again, so does the writer."""

import contextlib
import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import soundfile

from synth.control.patch import Patch, read_patch
from synth.control.patch_autosave import Autosave, restore
from synth.control.patch_bank import TRASH_NAME, PatchBank
from synth.errors import TetradError
from synth.files import atomic_write_bytes, remove_leftovers_below
from synth.grid.store import GridStore
from synth.instruments.import_request import ImportRequest
from synth.instruments.importing import Networks, import_instrument
from synth.instruments.labels import read_labels
from synth.instruments.library import Library
from synth.io.take import TakeFile, finish_take, left_takes
from synth.io.wav import open_wav
from synth.pads.pad_file import Pad, PadWriter
from synth.pads.pad_header import PadSpec
from synth.settings import SettingsFile, read_settings
from tests.faults import BROKEN, FULL, Disk, limited_size
from tests.synth.control.bank_parts import edited, make_bank
from tests.synth.grid.grid_parts import pair_path
from tests.synth.instruments.library_parts import own_library, put
from ui.store import Store

Value = Any


class Writer(NamedTuple):
    """prepare: what is there before; act: what is done; read: what a next start finds, by its own reader, which raises
    for what is damaged; kept: everything that was there before and is not lost."""

    prepare: Callable[[Path], object]
    act: Callable[[Path], object]
    read: Callable[[Path], Value]
    kept: Callable[[Path], set[Any]] = lambda _: set()


def bank(home: Path) -> PatchBank:
    found = PatchBank(home / "own", home / "shipped")
    assert found.warnings == ()
    return found


def prepare_bank(home: Path) -> None:
    made = make_bank(home)
    made.save(edited("Mine"))
    made.save(edited("Yours"))
    made.save(edited("Gone"))
    made.remove("Gone")


def patches(home: Path) -> Value:
    return sorted((entry.name, entry.patch.value("reverb"), entry.patch.tags) for entry in bank(home).entries())


def with_number(home: Path) -> Value:
    return sorted((entry.name, entry.number) for entry in bank(home).entries())


def sounds(home: Path) -> set[Any]:
    """Of all patches, those in the trash included; there nothing is damaged."""
    in_trash = [read_patch(path) for path in (home / "own" / TRASH_NAME).glob("*.json")]
    return {patch.values for patch in (*in_trash, *(entry.patch for entry in bank(home).entries()))}


def of_bank(change: Callable[[PatchBank], object], read: Callable[[Path], Value] = patches) -> Writer:
    def act(home: Path) -> None:
        opened = PatchBank(home / "own", home / "shipped")
        try:
            change(opened)
        finally:
            names = {entry.name for entry in opened.entries()}
            assert names == {entry.name for entry in PatchBank(home / "own", home / "shipped").entries()}

    return Writer(prepare_bank, act, read, sounds)


def library(home: Path) -> Library:
    return own_library(home)


def prepare_library(home: Path) -> None:
    put(library(home), "mine", picture=True)
    put(library(home), "gone", "Gone", 2)
    library(home).remove("gone")
    library(home).rename("mine", "Mine of old")


def own_instruments(home: Path) -> Value:
    found = library(home)
    return sorted(
        (name, found.load(name).display_name, len(found.load(name).notes))
        for name, path in found.paths().items()
        if path.parent == found.own_folder
    )


def labels(home: Path) -> Value:
    return read_labels(library(home).own_folder)


def instruments(home: Path) -> set[Any]:
    folder = library(home).own_folder
    return {path.read_bytes() for place in (folder, folder / "trash") for path in place.glob("*.tetrad-instrument")}


def of_library(change: Callable[[Library], object], read: Callable[[Path], Value] = own_instruments) -> Writer:
    return Writer(prepare_library, lambda home: change(library(home)), read, instruments)


@cache
def networks() -> Networks:
    return Networks()


def add_file(home: Path) -> None:
    source = library(home).directories[0] / "cello.tetrad-instrument"
    request = ImportRequest(sources=(source,), name="added", library=library(home).own_folder, again=True)
    import_instrument(request, networks=networks())


def make_state(home: Path, reverb: float) -> None:
    autosave = Autosave(home / "new" / "current.json", period_s=0.0)
    autosave.note(Patch().with_values({"reverb": reverb}), "Mine")
    autosave.close()
    if autosave.failure is not None:
        raise TetradError(autosave.failure) from OSError()


def state(home: Path) -> Value:
    found, warning = restore(home / "new" / "current.json")
    assert warning == ""
    return found


SPEC = PadSpec("test", ("a", "b", "c", "d"), (60,), 2, 8_000, 64, 10)


def make_pad(home: Path, level: float) -> None:
    with PadWriter(home / "one.tetrad-pad", SPEC) as writer:
        for y, x, p in writer.missing():
            writer.write(y, x, p, np.full(64, level, np.float32))
        writer.finish()


def pad(home: Path) -> Value:
    opened = Pad.open(home / "one.tetrad-pad")
    opened.check_samples()
    return [int(note[3]) for _, note in opened.notes()]


def make_store(home: Path, **values: Any) -> None:
    store = Store(home / "new" / "ui.toml")
    store.change(**values)


def screen(home: Path) -> Value:
    store = Store(home / "new" / "ui.toml")
    assert store.trouble == ""
    return store.kept


WRITERS = {
    "a file": Writer(
        lambda home: atomic_write_bytes(home / "a.json", b"old"),
        lambda home: atomic_write_bytes(home / "a.json", bytes(5000)),
        lambda home: (home / "a.json").read_bytes(),
    ),
    "the state": Writer(lambda home: make_state(home, 0.25), lambda home: make_state(home, 0.5), state),
    "the first state": Writer(lambda _: None, lambda home: make_state(home, 0.5), state),
    "settings": Writer(
        lambda home: SettingsFile(home / "new" / "settings.toml").change(block_samples=64),
        lambda home: SettingsFile(home / "new" / "settings.toml").change(block_samples=128),
        lambda home: read_settings(home / "new" / "settings.toml"),
    ),
    "the first settings": Writer(
        lambda _: None,
        lambda home: SettingsFile(home / "new" / "settings.toml").change(midi_inputs=("one",)),
        lambda home: read_settings(home / "new" / "settings.toml"),
    ),
    "the screen's memory": Writer(
        lambda home: make_store(home, latch=True), lambda home: make_store(home, theme="studio"), screen
    ),
    "the screen's first memory": Writer(lambda _: None, lambda home: make_store(home, latch=True), screen),
    "a patch that is new": of_bank(lambda b: b.save(edited("New", 0.3))),
    "a patch that is replaced": of_bank(lambda b: b.save(edited("Mine", 0.3))),
    "a patch with another name": of_bank(lambda b: b.rename("Mine", "His")),
    "a patch with other tags": of_bank(lambda b: b.tag("Mine", ("new",))),
    "a shipped patch with other tags": of_bank(lambda b: b.tag("Glass", ("new",))),
    "a patch with another number": of_bank(lambda b: b.move("Mine", 77), with_number),
    "a patch that is removed": of_bank(lambda b: b.remove("Mine")),
    "a patch that comes back": of_bank(lambda b: b.restore("Gone")),
    "an instrument's name": of_library(lambda one: one.rename("mine", "Mine of new"), labels),
    "a favourite": of_library(lambda one: one.favour("flute", True), labels),
    "an instrument that is removed": of_library(lambda one: one.remove("mine")),
    "an instrument that comes back": of_library(lambda one: one.restore("gone")),
    "an instrument that is added": Writer(prepare_library, add_file, own_instruments, instruments),
    "a path": Writer(
        lambda home: GridStore(home / "grid").write(pair_path(n_notes=1)),
        lambda home: GridStore(home / "grid").write(pair_path(n_notes=3)),
        lambda home: GridStore(home / "grid").summary()[2:],
    ),
    "a pad": Writer(lambda home: make_pad(home, 0.25), lambda home: make_pad(home, 0.5), pad),
}
REFUSED_AGAIN = {
    "a patch with another name",
    "a patch that is removed",
    "a patch that comes back",
    "an instrument that is removed",
    "an instrument that comes back",
    "an instrument that is added",
}
"""Done twice they are refused in words: it has that name, is gone, or is there already."""


LONG = {"an instrument that is added"}
"""It is compared with all that are there, some sixty times: a minute."""


@pytest.mark.parametrize("name", [pytest.param(one, marks=pytest.mark.long if one in LONG else ()) for one in WRITERS])
def test_old_or_new_whatever_fails(name: str, tmp_path: Path) -> None:
    writer = WRITERS[name]
    before = tmp_path / "before"
    before.mkdir()
    with Disk(tmp_path):
        writer.prepare(before)
    after = fresh(before, tmp_path / "after")
    with Disk(after) as whole:
        writer.act(after)
    new, made = writer.read(after), len(whole.operations)
    assert made >= 3
    old, there = writer.read(before), writer.kept(before)
    assert old != new
    for at in range(made):
        for number, lasting in ((FULL, True), (BROKEN, False), (BROKEN, True)):
            home = fresh(before, tmp_path / "home")
            words, where = "", f"{whole.operations[at]} (operation {at} of {made}), error {number}, lasting {lasting}"
            with Disk(home, at, number, lasting=lasting) as disk:
                try:
                    writer.act(home)
                except TetradError as error:
                    words = str(error)
                    assert "\n" not in words, where
                disk.mend()
                found = writer.read(home)
                assert found in (old, new), where
                assert words or not disk.failed or found == new, where
                assert there <= writer.kept(home), where
                try:
                    writer.act(home)
                except TetradError:
                    assert name in REFUSED_AGAIN, where
                assert writer.read(home) == new, where
            clean(home)
            assert hidden(home) == hidden(after), where


@pytest.mark.parametrize("number", [FULL, BROKEN])
def test_a_recording_is_whole_up_to_where_the_disk_failed(tmp_path: Path, number: int) -> None:
    sound = np.linspace(-1.0, 1.0, 4000, dtype=np.float32).reshape(-1, 2)

    def record(home: Path) -> int:
        """Samples that were taken."""
        home.mkdir(exist_ok=True)
        take, taken = TakeFile(home / "a.wav", 8000), 0
        try:
            for first in range(0, len(sound), 500):
                take.write(sound[first : first + 500])
                taken += 500
                take.sync()
        finally:
            take.finish()
        return taken

    with Disk(tmp_path) as whole:
        assert record(tmp_path / "whole") == 2000
    for at in range(len(whole.operations)):
        home = tmp_path / str(at)
        with Disk(home, at, number) as disk, contextlib.suppress(OSError, TetradError):
            record(home)
        assert disk.failed or whole.operations[at].startswith("mkdir")
        rescued = [finish_take(raw, wanted).path for raw, wanted in left_takes(home)] if home.is_dir() else []
        found = [path for path in home.rglob("*") if path.suffix == ".wav"]
        assert set(rescued) <= set(found)
        assert [path for path in home.rglob(".*") if path.is_file()] == [], whole.operations[at]
        for path in found:
            data, rate = soundfile.read(path, dtype="float32")
            assert (rate, len(data) % 500) == (8000, 0) or number == FULL
            np.testing.assert_allclose(data, sound[: len(data)], atol=2.0**-23)


def test_a_limit_of_the_kernel_refuses_and_nothing_is_left(tmp_path: Path) -> None:
    """With the real thing once: the kernel takes a part, and then no more, of libsndfile either."""
    with limited_size(3000):
        for act in (WRITERS["a file"].act, short_wav, long_wav):
            with pytest.raises(TetradError, match="cannot write"):
                act(tmp_path)
            assert list(tmp_path.iterdir()) == []
    WRITERS["a file"].act(tmp_path)
    assert WRITERS["a file"].read(tmp_path) == bytes(5000)


def short_wav(home: Path) -> None:
    with open_wav(home / "a.wav", 8000) as wav:
        wav.write(np.zeros((600, 2), np.float32))


def long_wav(home: Path) -> None:
    with open_wav(home / "a.wav", 8000) as wav:
        for _ in range(10):
            wav.write(np.zeros((6000, 2), np.float32))


def fresh(before: Path, home: Path) -> Path:
    shutil.rmtree(home, ignore_errors=True)
    shutil.copytree(before, home)
    return home


def clean(home: Path) -> None:
    """As a start does."""
    remove_leftovers_below(home)


def hidden(home: Path) -> set[str]:
    return {
        str(path.relative_to(home)) for path in home.rglob("*") if path.name.startswith(".") or ".part" in path.name
    }
