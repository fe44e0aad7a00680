"""Imports from end to end, with real recordings, networks and files."""

import dataclasses
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from synth.errors import TetradError
from synth.instruments.format import SUFFIX, read_instrument
from synth.instruments.import_process import ImportProcess
from synth.instruments.import_request import ImportRequest, ImportResult
from synth.instruments.importing import STEPS, DuplicateError, Networks, Progress, import_instrument
from synth.instruments.labels import read_labels
from synth.instruments.library import Library
from synth.instruments.listening import CancelledError
from tests.synth.instruments.library_parts import put
from tests.synth.instruments.recordings import RATE_HZ, tone, write_tone


@pytest.fixture(scope="module")
def networks() -> Networks:
    return Networks()


class Importer:
    """Imports into a library of the test's own."""

    def __init__(self, folder: Path, networks: Networks) -> None:
        self.library = folder / "library"
        self.networks = networks
        self.steps: list[Progress] = []

    def __call__(self, *sources: Path, **options: object) -> ImportResult:
        request = dataclasses.replace(ImportRequest(sources, library=self.library), **options)  # type: ignore[arg-type]
        return import_instrument(request, self.steps.append, networks=self.networks)

    def files(self) -> list[str]:
        """Everything in the library but the labels."""
        return sorted(path.name for path in self.library.rglob("*") if not path.name.startswith(".library"))


@pytest.fixture
def add(tmp_path: Path, networks: Networks) -> Importer:
    return Importer(tmp_path, networks)


def test_one_recording_becomes_an_instrument_with_a_picture(add: Importer, tmp_path: Path) -> None:
    result = add(write_tone(tmp_path / "Old Box_57.wav", 57), tags=("box", "old"), author="A. Player", licence="CC0")
    assert result.name == "old-box"
    instrument = read_instrument(result.path)
    assert [(note.pitch, note.velocity) for note in instrument.notes] == [(57, 100)]
    assert (instrument.display_name, instrument.author, instrument.licence) == ("Old Box", "A. Player", "CC0")
    assert result.picture is not None
    assert result.picture.read_bytes().startswith(b"\x89PNG")
    assert add.files() == ["old-box.png", f"old-box{SUFFIX}"]
    steps = [progress.step for progress in add.steps]
    assert list(dict.fromkeys(steps)) == list(STEPS)
    assert add.steps[-1].done == add.steps[-1].total == 1


def test_several_recordings_and_folders_are_one_instrument(add: Importer, tmp_path: Path) -> None:
    paths = [write_tone(tmp_path / f"horn_{key}.wav", key) for key in (50, 62)]
    result = add(*paths)
    assert result.name == "horn"
    assert [note.pitch for note in read_instrument(result.path).notes] == [50, 62]
    write_tone(tmp_path / "folder" / "reed_48.wav", 48)
    write_tone(tmp_path / "folder" / "reed_60.wav", 60)
    (tmp_path / "folder" / "reed_72.wav").write_text("no sound")
    result = add(tmp_path / "folder", name="my-reed", family="reed", keys=(48, 60))
    assert read_instrument(result.path).family == "reed"
    assert any("reed_72.wav" in remark for remark in result.remarks)


def test_a_recording_without_a_name_that_says_its_key_is_heard(add: Importer, tmp_path: Path) -> None:
    result = add(write_tone(tmp_path / "something.wav", 64))
    assert read_instrument(result.path).notes[0].pitch == 64
    result = add(tmp_path / "something.wav", pitch=63, name="lower", again=True)
    assert read_instrument(result.path).notes[0].pitch == 63


def test_the_same_recordings_are_not_added_twice_unless_asked(add: Importer, tmp_path: Path) -> None:
    path = write_tone(tmp_path / "box_57.wav", 57)
    first = add(path)
    other_name = tmp_path / "chest_57.wav"
    other_name.write_bytes(path.read_bytes())
    with pytest.raises(DuplicateError, match="as box") as error:
        add(other_name)
    assert error.value.name == "box"
    assert add.files() == ["box.png", f"box{SUFFIX}"]
    assert add(other_name, again=True).name == "chest"
    (add.library / ".library.json").unlink()
    with pytest.raises(DuplicateError, match="as box"):
        add(path)  # what it sounds like tells it, too
    assert len(add.files()) == 4
    again = add(path, name="box", replace=True)
    assert again.path == first.path
    Library([add.library]).remove("box")
    Library([add.library]).remove("chest")
    assert add(path).name == "box"  # what is in the trash is no duplicate


def test_a_name_that_is_taken_is_refused_or_numbered_or_replaced(add: Importer, tmp_path: Path) -> None:
    add(write_tone(tmp_path / "box_57.wav", 57))
    other = write_tone(tmp_path / "other" / "box_60.wav", 60)
    with pytest.raises(TetradError, match="there is an instrument box already"):
        add(other, name="box")
    assert add(other).name == "box-2"
    third = write_tone(tmp_path / "third_50.wav", 50)
    assert add(third, name="box", replace=True).replaced
    library = Library([add.library])
    assert library.load("box").notes[0].pitch == 50
    library.restore("box")
    assert library.load("box").notes[0].pitch == 57
    assert add(write_tone(tmp_path / "flute_65.wav", 65)).name == "flute-2"


@pytest.mark.parametrize("kind", ["silence", "text", "empty", "long", "missing"])
def test_what_can_not_become_an_instrument_is_said_in_one_line_and_leaves_nothing(
    add: Importer, tmp_path: Path, kind: str
) -> None:
    path = tmp_path / "bad_60.wav"
    if kind == "silence":
        soundfile.write(path, np.zeros(RATE_HZ, np.float32), RATE_HZ)
    elif kind == "text":
        path.write_text("no sound at all")
    elif kind == "empty":
        path.touch()
    elif kind == "long":
        soundfile.write(path, np.zeros(8_000 * 1900, np.int16), 8_000)
    with pytest.raises(TetradError) as error:
        add(path)
    assert "\n" not in str(error.value)
    assert add.files() == []


def test_cancelling_at_any_step_leaves_nothing(tmp_path: Path, networks: Networks) -> None:
    path = write_tone(tmp_path / "box_57.wav", 57)
    for step in STEPS:
        seen: list[str] = []

        def cancelled(step: str = step, seen: list[str] = seen) -> bool:
            return step in seen

        request = ImportRequest((path,), library=tmp_path / "library")

        def on_progress(progress: Progress, seen: list[str] = seen) -> None:
            seen.append(progress.step)

        if step == "write":
            continue  # from there on it is a matter of milliseconds, and done
        with pytest.raises(CancelledError):
            import_instrument(request, on_progress, cancelled, networks)
        assert list((tmp_path / "library").iterdir()) == []


def test_an_instrument_file_of_another_player_is_checked_and_copied(add: Importer, tmp_path: Path) -> None:
    theirs = put(Library([tmp_path / "theirs"]), "their-voice", "Their Voice", notes=2)
    result = add(theirs, tags=("gift",))
    assert (result.name, result.picture, result.notes) == ("their-voice", None, 2)
    with pytest.raises(DuplicateError, match="as their-voice"):
        add(theirs)
    assert add(theirs, name="second", again=True).name == "second"
    damaged = tmp_path / f"damaged{SUFFIX}"
    damaged.write_bytes(theirs.read_bytes()[:-100])
    foreign = read_instrument(theirs)
    from synth.instruments.format import write_instrument

    write_instrument(dataclasses.replace(foreign, model_id="other"), tmp_path / f"foreign{SUFFIX}")
    before = add.files()
    with pytest.raises(TetradError, match="can't be read"):
        add(damaged)
    with pytest.raises(TetradError, match="made with network other"):
        add(tmp_path / f"foreign{SUFFIX}")
    with pytest.raises(TetradError, match="import each by itself"):
        add(theirs, damaged)
    assert add.files() == before


_FULL = """
import resource, signal, sys
from pathlib import Path
from synth.errors import TetradError
from synth.instruments.import_request import ImportRequest
from synth.instruments.importing import import_instrument
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]), int(sys.argv[3])))
try:
    import_instrument(ImportRequest((Path(sys.argv[1]),), library=Path(sys.argv[2]), replace=True, again=True))
except TetradError as error:
    print(error)
"""


@pytest.mark.parametrize("most_bytes", [1000, 8000])
def test_a_full_disk_is_named_with_its_space_and_leaves_everything(
    add: Importer, tmp_path: Path, most_bytes: int
) -> None:
    """A file size limit stands in for the full disk: the kernel refuses the write either way."""
    path = write_tone(tmp_path / "box_57.wav", 57)
    add(path)
    before = {name: (add.library / name).read_bytes() for name in add.files()}
    assert most_bytes < max(map(len, before.values()))
    command = [sys.executable, "-c", _FULL, str(path), str(add.library), str(most_bytes)]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    (line,) = result.stdout.splitlines()
    assert "is full:" in line
    assert "MB are free" in line
    after = {name: (add.library / name).read_bytes() for name in add.files() if not name.startswith("0")}
    after.pop("trash", None)
    assert after == before


def test_the_label_tells_what_it_was_made_of(add: Importer, tmp_path: Path) -> None:
    add(write_tone(tmp_path / "box_57.wav", 57))
    (label,) = read_labels(add.library).values()
    assert len(label.recordings) == 64


def test_an_instrument_of_sixteen_notes_stays_within_the_memory_of_a_worker(tmp_path: Path) -> None:
    for key in range(40, 72, 2):
        write_tone(tmp_path / "many" / f"many_{key}.wav", key, 0.5)
    process = ImportProcess()
    result = process.run(ImportRequest((tmp_path / "many",), library=tmp_path / "library"), lambda *_: None)
    process.close(tmp_path / "library")
    assert result.notes == 16
    assert 50.0 < result.peak_rss_mb < 800.0


def test_unpitched_sounds_and_cuts_are_taken_as_the_player_says(add: Importer, tmp_path: Path) -> None:
    noise = np.random.default_rng(5).normal(0.0, 0.1, RATE_HZ // 2).astype(np.float32)
    soundfile.write(tmp_path / "hiss.wav", noise * np.linspace(1, 0, noise.size, dtype=np.float32), RATE_HZ)
    result = add(tmp_path / "hiss.wav", unpitched=True)
    assert result.notes == 1
    gap = np.zeros(RATE_HZ // 2, np.float32)
    row = np.concatenate([part for key in (52, 57, 64) for part in (tone(key, 0.8), gap)])
    soundfile.write(tmp_path / "row.wav", row, RATE_HZ)
    assert add(tmp_path / "row.wav").notes == 3
    single = add(tmp_path / "row.wav", name="single", cut="single", again=True)
    assert single.notes == 1
