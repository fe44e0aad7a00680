"""`tetrad instruments record`, the real program: a voice sings into a JACK server, and an instrument comes out."""

import io
import json
import os
import pty
import re
import select
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from synth.errors import TetradError
from synth.frames import SAMPLE_RATE_HZ, Float32Array
from synth.instruments.fidelity import NORTH_WEST, render_note
from synth.instruments.format import SUFFIX, read_instrument
from synth.instruments.pitch import PitchEstimate, estimate_pitch
from synth.instruments.record_screen import LineScreen, Wish, bar, meter_line, wish_of
from synth.instruments.takes import InputStatus, TakeRecorder
from synth.voices.decoder import Decoder
from tests.listening import wait_until
from tests.synth.instruments.singer import Singer, song, sung

RECORD = [sys.executable, "-m", "synth.cli", "instruments", "record"]


@pytest.fixture
def home(jack_environment: dict[str, str], tmp_path: Path) -> dict[str, str]:
    return {**jack_environment, "TETRAD_HOME": str(tmp_path / "home"), "TETRAD_SOCKET": str(tmp_path / "s")}


@pytest.fixture
def singer(jack_server: str) -> Iterator[Singer]:
    singer = Singer(jack_server)
    yield singer
    singer.close()


def record(home: dict[str, str], *arguments: str | Path) -> "subprocess.CompletedProcess[str]":
    command = [*RECORD, "--device", "jack", *map(str, arguments)]
    program = subprocess.Popen(
        command, env=home, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        out, error = program.communicate(timeout=120)
    except subprocess.TimeoutExpired:
        program.terminate()  # killed, a JACK client leaves its server in pieces, and the tests that come after
        out, error = program.communicate(timeout=20)
        pytest.fail(f"it did not end within 120 s:\n{out}\n{error}")
    return subprocess.CompletedProcess(command, program.returncode, out, error)


@pytest.mark.long
def test_two_sung_notes_become_an_instrument_that_sounds_at_their_pitch(
    home: dict[str, str], singer: Singer, tmp_path: Path
) -> None:
    singer.sing_later(song(sung(57.0, 1.6), sung(64.0, 1.2)))
    takes = tmp_path / "takes"
    result = record(
        home, "--notes", "2", "--name", "my-voice", "--tag", "me", "--tag", "home", "--keep-takes", takes, "--json"
    )
    assert result.returncode == 0, result.stderr
    told = json.loads(result.stdout)
    (made,) = told["instruments"]
    assert (made["name"], made["display_name"], made["notes"]) == ("my-voice", "My Voice", 2)
    assert [round(take["pitch"]) for take in told["takes"]] == [57, 64]
    assert re.search(r"^note 1: A3( [+-]\d+ cents)?, \d\.\d s$", result.stderr, re.MULTILINE)
    instrument = read_instrument(Path(made["path"]))
    assert [note.pitch for note in instrument.notes] == [57, 64]
    assert instrument.tags == ("me", "home")
    assert instrument.source.startswith("recorded from JACK")
    decoder = Decoder()
    for key in (57, 64):
        sound = render_note([instrument] * 4, NORTH_WEST, key, 100, 0.9, 1.0, decoder)
        assert estimate_pitch(sound).pitch == pytest.approx(key, abs=0.4)
    files = sorted(takes.iterdir())
    assert [file.name for file in files] == ["recording take 1.flac", "recording take 2.flac"]
    about = soundfile.info(files[0])
    assert (about.format, about.subtype, about.samplerate) == ("FLAC", "PCM_24", 48_000)
    assert about.duration == pytest.approx(0.2 + 1.6 + 0.5, abs=0.15)
    assert not (tmp_path / "home" / "takes").exists()


def test_an_import_that_fails_leaves_the_takes_and_says_where(
    home: dict[str, str], singer: Singer, tmp_path: Path
) -> None:
    library = tmp_path / "library"
    library.write_text("in the way")
    singer.sing_later(song(sung(60.0, 0.5)))
    result = record(home, "--library", library)
    assert result.returncode == 1
    *_, line = result.stderr.splitlines()
    found = re.search(r"the takes are in (.*); `tetrad instruments add`", line)
    assert found is not None, result.stderr
    (take,) = Path(found[1]).iterdir()
    assert soundfile.info(take).duration == pytest.approx(1.2, abs=0.15)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--name", "flute"), "there is an instrument flute already"),
        (("--name", "Not A Name"), "can't be used"),
        (("--seconds", "100"), "0.2 to 60 go"),
        (("--notes", "0"), "1 to 512 go"),
        (("--notes", "3", "--pitch", "60"), "it suits one"),
        (("--corner", "nw"), "no engine answers"),
        (("--device", "harpsichord"), "no audio input is called 'harpsichord'"),
        (("--rate", "12345"), "does not work at 12345 Hz"),
    ],
    ids=str,
)
def test_what_goes_wrong_is_said_before_anybody_sings(
    home: dict[str, str], tmp_path: Path, arguments: tuple[str, ...], words: str
) -> None:
    result = record(home, *arguments)
    assert result.returncode == 1
    (line,) = result.stderr.splitlines()
    assert words in line
    assert "defect" not in line
    assert not (tmp_path / "home" / "takes").exists()


class Terminal:
    """The program in a pseudo-terminal of 100 columns."""

    def __init__(self, environment: dict[str, str], *arguments: str) -> None:
        self._master, slave = pty.openpty()
        environment = {**environment, "COLUMNS": "100", "LINES": "24"}
        self.process = subprocess.Popen(
            [*RECORD, "--device", "jack", *arguments],
            env=environment,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
        )
        os.close(slave)
        self.text = ""

    def read(self) -> str:
        """All that was shown so far."""
        while select.select([self._master], [], [], 0.0)[0]:
            try:
                data = os.read(self._master, 65_536)
            except OSError:  # the program has ended, and its side is closed
                break
            if not data:
                break
            self.text += data.decode()
        return self.text

    def type(self, keys: bytes) -> None:
        os.write(self._master, keys)

    def end(self) -> int:
        wait_until(lambda: self.read() and self.process.poll() is not None, "the program's end")
        self.read()
        return self.process.returncode

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._master)


@pytest.fixture
def terminal(home: dict[str, str]) -> Iterator[Callable[..., Terminal]]:
    made: list[Terminal] = []

    def start(*arguments: str) -> Terminal:
        made.append(Terminal(home, *arguments))
        return made[-1]

    yield start
    for terminal in made:
        terminal.close()


def test_in_a_terminal_a_meter_moves_and_enter_ends(
    terminal: Callable[..., Terminal], singer: Singer, tmp_path: Path
) -> None:
    program = terminal("--name", "voice")
    wait_until(lambda: "waiting for a sound" in program.read(), "the meter")
    program.type(b"\x1b[A x")  # an arrow and a letter mean nothing
    singer.sing(song(sung(55.0, 1.0)))
    wait_until(lambda: "note 1: G3" in program.read(), "a note")
    wait_until(lambda: "heard G3" in program.read(), "the same in the meter's line, with its next movement")
    assert "] " in program.text
    peaks = [float(found) for found in re.findall(r"(-?\d+\.\d) dBFS", program.text)]
    assert min(peaks) < -50.0
    assert max(peaks) == pytest.approx(-14.0, abs=2.5)
    program.type(b"\n")
    assert program.end() == 0
    assert "voice (Voice): 1 note" in program.text
    instrument = read_instrument(tmp_path / "home" / "instruments" / f"voice{SUFFIX}")
    assert [note.pitch for note in instrument.notes] == [55]


@pytest.mark.parametrize("keys", [b"\x1b", b"\x03"], ids=["Esc", "Ctrl-C"])
def test_giving_up_leaves_nothing(terminal: Callable[..., Terminal], tmp_path: Path, keys: bytes) -> None:
    program = terminal()
    wait_until(lambda: "waiting for a sound" in program.read(), "the meter")
    if keys == b"\x03":  # the terminal makes a signal of it, for those in its foreground
        program.process.send_signal(2)
    else:
        program.type(keys)
    assert program.end() == 1
    assert "given up; nothing was added" in program.text
    assert not (tmp_path / "home" / "takes").exists()
    assert not list((tmp_path / "home").glob("instruments/*"))


# Without a server: the recorder and its screens by themselves.


class Tape:
    """A source of sound, by hand."""

    sample_rate_hz, channels = SAMPLE_RATE_HZ, 1
    lost_samples, interruptions = 4800, 1

    def __init__(self, sound: Float32Array) -> None:
        self._sound = sound
        self.problem = ""

    def read(self) -> Float32Array:
        block, self._sound = self._sound[:4800], self._sound[4800:]
        return np.ascontiguousarray(block[:, None])

    @property
    def empty(self) -> bool:
        return not self._sound.size


def tape(*sounds: Float32Array) -> Tape:
    room = np.random.default_rng(3).normal(0.0, 3e-4, round(1.2 * SAMPLE_RATE_HZ)).astype(np.float32)
    whole = song(*sounds)
    return Tape(whole + np.resize(room, whole.size))


def run(recorder: TakeRecorder, source: Tape) -> None:
    while not (source.empty or recorder.over):
        recorder.step()


def test_a_device_that_goes_away_ends_the_take_that_is_under_way(tmp_path: Path) -> None:
    source = tape(sung(60.0, 3.0))
    recorder = TakeRecorder(source, tmp_path)
    for _ in range(25):  # 2.5 s: in the middle of the note
        recorder.step()
    source.problem = "it has gone"
    recorder.step()
    status = recorder.status()
    assert (status.state, status.words, len(status.takes)) == ("lost", "it has gone", 1)
    recorder.finish()
    assert recorder.takes[0].heard.startswith("C4")
    assert recorder.takes[0].cut
    assert soundfile.info(recorder.takes[0].path).duration == pytest.approx(1.6, abs=0.1)
    assert recorder.remarks()[0].startswith("0.10 s of sound were lost")


def test_so_many_notes_and_no_more_and_clipping_is_said_at_once(tmp_path: Path) -> None:
    (tmp_path / "recording take 1.flac").write_text("another one")
    source = tape(np.clip(sung(60.0, 0.8) * 20.0, -1.0, 1.0), sung(62.0, 0.8), sung(64.0, 0.8))
    recorder = TakeRecorder(source, tmp_path, notes=2, estimate=lambda audio: PitchEstimate(60.0, 0.0, False))
    while not recorder.status().clipped:
        recorder.step()
    assert not recorder.takes  # long before it is over
    assert recorder.status().words.startswith("CLIPPING, turn the input down")
    run(recorder, source)
    recorder.finish()
    assert recorder.status().state == "ready"
    assert [take.path.name for take in recorder.takes] == ["recording take 2.flac", "recording take 3.flac"]
    assert recorder.takes[0].clipped_samples > 100
    assert recorder.takes[1].clipped_samples == 0
    assert {take.heard for take in recorder.takes} == {"a sound without pitch"}
    assert any(remark.startswith("clipped: recording take 2.flac;") for remark in recorder.remarks())


def test_a_folder_that_can_not_be_written_is_said(tmp_path: Path) -> None:
    folder = tmp_path / "gone"
    source = tape(sung(60.0, 0.8))
    recorder = TakeRecorder(source, folder)
    with pytest.raises(TetradError, match=r"cannot write .*gone"):
        run(recorder, source)


_FULL = """
import resource, sys
from pathlib import Path
from synth.errors import TetradError
from synth.instruments.pitch import PitchEstimate
from synth.instruments.takes import TakeRecorder
from tests.synth.instruments.singer import sung
from tests.synth.instruments.test_recording import run, tape
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]),) * 2)
source = tape(*(sung(60.0, seconds) for seconds in (0.5, 3.0)))
recorder = TakeRecorder(source, Path(sys.argv[1]), estimate=lambda audio: PitchEstimate(60.0, 0.0, False))
try:
    run(recorder, source)
except TetradError as error:
    print(error)
recorder.finish()
print([take.path.name for take in recorder.takes], recorder.remarks()[:-2])
"""


def full_disk(folder: Path, most_bytes: int) -> list[str]:
    """A note of 1.2 s and one of 3.7 s, recorded where no file can be larger: a limit stands in for the full disk, for
    the kernel refuses the write either way. Gives what was said."""
    command = [sys.executable, "-c", _FULL, str(folder), str(most_bytes)]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout.splitlines()


def test_a_full_disk_in_the_middle_of_a_take_keeps_the_takes_before_it_and_names_its_space(tmp_path: Path) -> None:
    said, kept = full_disk(tmp_path, 600_000)
    assert f"the disk of {tmp_path} is full: " in said
    assert re.search(r"\d\.\d MB are free, and recording take 2\.flac of 3\.\d s needs 1\.\d MB;", said)
    assert kept == "['recording take 1.flac'] []"
    assert [path.name for path in tmp_path.iterdir()] == ["recording take 1.flac"]
    assert soundfile.info(tmp_path / "recording take 1.flac").duration == pytest.approx(1.2, abs=0.15)


@pytest.mark.parametrize("most_bytes", [20, 100_000])
def test_a_disk_that_is_full_at_once_has_nothing_half_written(tmp_path: Path, most_bytes: int) -> None:
    said, kept = full_disk(tmp_path, most_bytes)
    assert "recording take 1.flac of 1." in said
    assert kept == "[] []"
    assert not list(tmp_path.iterdir())


STATUS = InputStatus("waiting", -30.0, -12.0, False, (), "waiting for a sound")


def test_the_meter() -> None:
    assert bar(-60.0, -60.0, 6) == "......"
    assert bar(-30.0, -12.0, 10) == "#####..|.."
    assert bar(3.0, 3.0, 4) == "###|"
    line = meter_line(STATUS, 100)
    assert line.startswith("[")
    assert line.endswith("-12.0 dBFS  0 notes  waiting for a sound")
    assert len(meter_line(STATUS, 20)) == 20
    wishes: dict[bytes, Any] = {
        b"\n": Wish.END,
        b"\r": Wish.END,
        b"\x1b": Wish.GIVE_UP,
        b"\x1b[A": Wish.NOTHING,
        b"q": Wish.NOTHING,
    }
    assert {typed: wish_of(typed) for typed in wishes} == wishes


def test_lines_for_a_log(monkeypatch: pytest.MonkeyPatch) -> None:
    told = io.StringIO()
    monkeypatch.setattr(sys, "stderr", told)
    screen = LineScreen()
    for status in (STATUS, STATUS, STATUS._replace(clipped=True), STATUS._replace(state="recording", words="now")):
        screen.show(status)
    begin_s = time.monotonic()
    assert screen.wait(0.01) is Wish.NOTHING
    assert time.monotonic() - begin_s >= 0.01
    assert told.getvalue().splitlines() == [
        "waiting: waiting for a sound",
        "CLIPPING, turn the input down",
        "recording: now",
    ]
