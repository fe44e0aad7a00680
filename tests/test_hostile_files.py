"""Whatever a file, a socket or a wire brings: words in one line, no more memory than it deserves, nothing outside.

`benchmarks.format_fuzz` reads 100,000 spoilt cases; here are some of each format, and what was found with it and by
reading, each as it was found.
"""

import io
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import tracemalloc
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from benchmarks import format_fuzz, format_parsers, import_parsers
from benchmarks.import_fuzz import FAILURES, run
from firmware_host.settings import read_settings as read_board
from models.safetensors_file import read_safetensors
from synth.control.patch import read_patch
from synth.control.patch_index import read_index
from synth.control.scala import read_tuning
from synth.errors import TetradError
from synth.grid.pair_file import read_pair
from synth.instruments.format import SUFFIX, read_header, read_instrument
from synth.instruments.sources import find
from synth.io.greeting import EngineGoneError, greet
from synth.io.midi_file import MOST_BYTES as MOST_MIDI_BYTES
from synth.io.midi_file import read_midi_file
from synth.io.server import Server
from synth.pads.original import read_settings as read_original
from synth.pads.pad_file import Pad
from synth.settings import read_settings
from synth.surface_path import read_path
from tests.synth.io.small_engine import RawClient, SmallEngine
from ui.store import Store

N_EACH = 6
GUARD_S = 30
"""Ends a reader that waits for ever; it is no measure of speed."""


def read_screen(path: Path) -> None:
    """The screen's settings, whose trouble is words on the screen."""
    if trouble := Store(path).trouble:
        raise TetradError(trouble)


READERS: dict[str, Callable[[Path], object]] = {
    "settings.toml": read_settings,
    "board.toml": read_board,
    "ui.toml": read_screen,
    "patch.json": read_patch,
    "tetrad-patch-index": read_index,
    "path.json": read_path,
    "scale.scl": read_tuning,
    "score.mid": read_midi_file,
    "original.json": read_original,
    "x.tetrad-pad": Pad.open,
    "a+b.tetrad-pair": read_pair,
    f"x{SUFFIX}": read_instrument,
    "a.sfz": find,
    "a.sf2": find,
    "a.wav": find,
    "x.safetensors": lambda path: read_safetensors(path, "test", 1),
}
GOOD_JSON = {
    "patch.json": "patch",
    "tetrad-patch-index": "patch_index",
    "path.json": "path",
    "original.json": "original",
}
JSON_READERS = tuple(GOOD_JSON)
BAD_JSON = ("[" * 100_000, '{"a":' * 100_000, "9" * 5000, "1e999", '{"a": NaN}', '{"a":1,"a":2}', "\ud800")
DEEP_KEY = "a." * 30_000 + "a"
BAD_TOML = ("a = " + "[" * 5000, "a = " + "9" * 5000, f"{DEEP_KEY} = 1", f"[{DEEP_KEY}]", "# " * 99_999)
TOML_READERS = ("settings.toml", "board.toml", "ui.toml")


@contextmanager
def guarded() -> Iterator[None]:
    def ring(_signal: int, _frame: object) -> None:
        raise AssertionError(f"it took over {GUARD_S} s")

    before = signal.signal(signal.SIGALRM, ring)
    signal.alarm(GUARD_S)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def refusal(name: str, path: Path) -> str:
    """What the reader of files of that name says of a file."""
    with guarded(), pytest.raises(TetradError) as caught:
        READERS[name](path)
    words = str(caught.value)
    assert len(words) < 1000, "a message as long as the file"
    return words


@pytest.mark.parametrize("n_each", [N_EACH, pytest.param(300, marks=pytest.mark.long)])
def test_every_reader_withstands_spoilt_content(n_each: int) -> None:
    n_parsers = len(format_parsers.PARSERS)
    report = run(n_each * n_parsers, seed=11, parsers_module=format_fuzz.PARSERS_MODULE)
    assert report["files"] == n_each * n_parsers
    assert {name: report[name] for name in FAILURES} == dict.fromkeys(FAILURES, 0), report["examples"]
    assert n_parsers >= 30
    assert set(report["by_parser"]) == set(format_parsers.PARSERS)


def test_the_good_content_that_is_spoilt_is_good(tmp_path: Path) -> None:
    """Or the readers would refuse it at its first line, and nothing behind that would be tried."""
    made = {name: json.dumps(format_parsers.good_json(kind)).encode() for name, kind in GOOD_JSON.items()}
    made |= {name: text.encode() for name, text in format_parsers.GOOD_TOML.items()}
    made |= {"score.mid": format_parsers.good_midi(), "x.tetrad-pad": format_parsers.good_pad()}
    for name, content in made.items():
        (tmp_path / name).write_bytes(content)
        READERS[name](tmp_path / name)


@pytest.mark.parametrize("name", READERS)
def test_a_pipe_a_device_and_a_folder_are_refused_at_once(name: str, tmp_path: Path) -> None:
    pipe, device, folder = tmp_path / "1" / name, tmp_path / "2" / name, tmp_path / "3" / name
    for path in (pipe, device):
        path.parent.mkdir()
    os.mkfifo(pipe)
    device.symlink_to("/dev/zero")
    folder.mkdir(parents=True)
    for path in (pipe, device, folder):
        assert refusal(name, path)


@pytest.mark.parametrize("name", JSON_READERS)
@pytest.mark.parametrize("text", BAD_JSON)
def test_json_that_breaks_pythons_reader_is_refused(name: str, text: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    refusal(name, path)


@pytest.mark.parametrize("name", TOML_READERS)
@pytest.mark.parametrize("text", BAD_TOML)
def test_toml_that_breaks_pythons_reader_is_refused(name: str, text: str, tmp_path: Path) -> None:
    """A key of 30,000 parts took 29 s and 3.4 GB; deep lists and long numbers were tracebacks."""
    path = tmp_path / name
    path.write_text(text)
    tracemalloc.start()
    try:
        refusal(name, path)
        assert tracemalloc.get_traced_memory()[1] < 20e6
    finally:
        tracemalloc.stop()


def test_a_device_whose_name_has_dots_is_no_deep_key(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_text('[midi]\ninputs = ["a.b.c", "v1.2.3.4 hw:1,0"]\n')
    assert read_settings(path).midi_inputs == ("a.b.c", "v1.2.3.4 hw:1,0")


@pytest.mark.parametrize("number", ["9" * 400, "1e400", "-1", "true", "null"])
def test_a_paths_times_are_numbers_that_a_float_can_hold(number: str, tmp_path: Path) -> None:
    path = tmp_path / "path.json"
    path.write_text(f'{{"format": "tetrad-path", "version": 1, "points": [{{"time_s": {number}, "x": 0, "y": 0}}]}}')
    refusal("path.json", path)


def smf(track: bytes, division: int = 96) -> bytes:
    return b"MThd" + struct.pack(">IHHH", 6, 0, 1, division) + b"MTrk" + struct.pack(">I", len(track)) + track


NOTE = b"\x90\x3c\x40"


@pytest.mark.parametrize(
    ("track", "words"),
    [
        (b"\xff" * 300 + b"\x7f" + NOTE, "a number at byte 0 that does not end"),  # was an OverflowError
        (b"\x80" * 5 + b"\0" + NOTE, "does not end"),
        (b"\x00\xff\x51\x02\x00\x01" + b"\x00" + NOTE, "a tempo of 2 bytes"),
        (b"\x00\xff\x01\xff\xff\xff\x7fx", "in the middle of an event"),
        (b"\x00\x3c\x40", "data without a status"),
        (b"\x00\x90\x3c\x90", "a status where data was expected"),
        (b"\x00\xf0\x03\x01\x90\xf7" + b"\x00" + NOTE, "a status inside system exclusive"),
        (b"\x00\x90\x3c", "in the middle of an event"),
        (b"\x00\xff\x51\x03\xff\xff\xff\xff\xff\xff\x7f" + NOTE, r"lasts .* hours; at most 4 were expected"),
    ],
)
def test_a_midi_track_that_lies_is_refused(track: bytes, words: str, tmp_path: Path) -> None:
    path = tmp_path / "a.mid"
    path.write_bytes(smf(track))
    with pytest.raises(TetradError, match=words):
        read_midi_file(path)


def test_a_number_of_300_kb_is_refused_at_its_fourth_byte(tmp_path: Path) -> None:
    """It took 25 s: such a number grows by seven bits at a time, and was copied at each."""
    path = tmp_path / "a.mid"
    path.write_bytes(smf(b"\xff" * 3_000_000 + b"\x7f" + NOTE))
    with guarded(), pytest.raises(TetradError, match="does not end"):
        read_midi_file(path)
    path.write_bytes(smf(b"\x00" + NOTE) + bytes(MOST_MIDI_BYTES))
    with pytest.raises(TetradError, match="larger than"):
        read_midi_file(path)


def packed(members: dict[str, bytes], method: int = zipfile.ZIP_LZMA, **declared: int) -> bytes:
    """An archive; declared: the size that a member's entry says in place of its own (dots as __)."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
        for name, size in declared.items():
            archive.getinfo(name.replace("__", ".")).file_size = size
    return buffer.getvalue()


def good_members() -> dict[str, bytes]:
    return dict(import_parsers.instrument_members(import_parsers.instrument_bytes()))


@pytest.mark.parametrize("method", [zipfile.ZIP_LZMA, zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED])
@pytest.mark.parametrize("name", ["instrument.json", "z.f16"])
def test_a_bomb_is_not_unpacked(name: str, method: int, tmp_path: Path) -> None:
    """75 KB whose entry declared 1 KB became 640 MB: Python's zip reader unpacks all of a member that LZMA packed."""
    members = good_members()
    size = len(members[name])
    members[name] += b" " * 24_000_000
    path = tmp_path / f"x{SUFFIX}"
    path.write_bytes(packed(members, method, **{name.replace(".", "__"): size}))
    tracemalloc.start()
    try:
        with pytest.raises(TetradError):
            read_instrument(path)
        most_bytes = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert most_bytes < (60e6 if method == zipfile.ZIP_STORED else 12e6)


def test_an_archive_of_thousands_of_members_is_not_listed(tmp_path: Path) -> None:
    path = tmp_path / f"x{SUFFIX}"
    path.write_bytes(packed(good_members() | {f"../{i}": b"" for i in range(3000)}, zipfile.ZIP_STORED))
    with pytest.raises(TetradError, match="can't be read"):
        read_header(path)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda data: data + b"a comment", "can't be read"),
        (lambda data: data[:-22] + b"PK\x06\x07" + bytes(16) + data[-22:], "can't be read"),
        (lambda data: data.replace(b"PK\x03\x04", b"PK\x03\x05"), "no readable description"),
    ],
)
def test_an_archive_that_points_elsewhere_is_refused(
    spoil: Callable[[bytes], bytes], words: str, tmp_path: Path
) -> None:
    path = tmp_path / f"x{SUFFIX}"
    path.write_bytes(spoil(packed(good_members())))
    with pytest.raises(TetradError, match=words):
        read_header(path)


@pytest.mark.parametrize("method", [zipfile.ZIP_LZMA, zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED])
def test_a_good_archive_of_any_method_is_read(method: int, tmp_path: Path) -> None:
    path, shipped = tmp_path / f"x{SUFFIX}", tmp_path / f"y{SUFFIX}"
    path.write_bytes(packed(good_members(), method))
    shipped.write_bytes(import_parsers.instrument_bytes())
    assert read_instrument(path).sound_id == read_instrument(shipped).sound_id


def test_a_strangers_name_cannot_steer_a_terminal(tmp_path: Path) -> None:
    members = good_members()
    names = {"display_name": "\x1b]0;x\x07Flute\n\ud800", "author": "Ä\u200d"}
    description = json.loads(members["instrument.json"]) | names
    path = tmp_path / f"x{SUFFIX}"
    path.write_bytes(packed(members | {"instrument.json": json.dumps(description).encode()}))
    instrument = read_instrument(path)
    assert (instrument.display_name, instrument.author) == ("?]0;x?Flute??", "Ä\u200d")


def test_an_osc_port_that_is_open_says_so(tmp_path: Path) -> None:
    with Server(SmallEngine(), tmp_path / "a.sock", osc_port=0) as server, RawClient(server.path) as client:
        status = client.ask({"command": "status", "id": 1})["result"]["server"]
        assert (status["osc_open"], status["osc"].split(":")[0]) == (False, "127.0.0.1")
    said: list[str] = []
    server = Server(SmallEngine(), tmp_path / "b.sock", osc_port=0, osc_host="0.0.0.0")
    server.say = lambda _kind, words: said.append(words)
    with server, RawClient(server.path) as client:
        status = client.ask({"command": "status", "id": 1})["result"]["server"]
        assert status["osc_open"] is True
        assert status["osc"].endswith(", open to the network")
    assert any("whoever reaches it" in words for words in said)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_somebody_elses_engine_is_not_spoken_to(tmp_path: Path) -> None:
    """In the folder for temporary files anybody may listen at the place where an engine of ours is looked for."""
    path = tmp_path / "engine.sock"
    for folder in (tmp_path, *tmp_path.parents):
        if folder != Path("/"):
            folder.chmod(folder.stat().st_mode | 0o011)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        path.chmod(0o666)
        listening.listen(1)
        code = (
            "import os, sys; from pathlib import Path; from synth.io import greeting\n"
            "os.setuid(12345)\n"
            "try: greeting.greet(Path(sys.argv[1]), 'test')\n"
            "except greeting.EngineGoneError as error: print(error)"
        )
        # Root listens here, whom everybody trusts; so the other is made to be nobody's.
        code = code.replace("os.setuid", "greeting.is_ours = lambda _: False\nos.setuid")
        done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True)
    assert "runs as another user" in done.stdout


def test_finished_pieces_are_not_read_again(tmp_path: Path) -> None:
    state = tmp_path / "state.jsonl"
    counts = {"taken": 1, "refused": 2, "failed": 0}
    piece = {"files": 5, **dict.fromkeys(FAILURES, 0), "by_parser": {"path": counts}, "slowest_s": 1.5, "peak_mb": 9.0}
    lines = [{**piece, "examples": [], "seconds": 2.0, "first": 0, "seed": seed} for seed in (1, 2)]
    state.write_text("".join(json.dumps(line) + "\n" for line in lines) + '{"first": 1500, "se')
    report = format_fuzz.fuzz(5, 1, state=state)
    assert (report["files"], report["by_parser"], report["slowest_s"]) == (5, {"path": counts}, 1.5)
    assert format_fuzz.pieces(3100) == [(0, 1500), (1500, 1500), (3000, 100)]
    with pytest.raises(EngineGoneError):
        greet(tmp_path / "none.sock", "test")
