"""`tetrad play`, the real program: on a real sound server with real MIDI, in a terminal, and without either."""

import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import jack
import numpy as np
import pytest
import soundfile
from PIL import Image

from tests.listening import Keyboard, Recorder, wait_until

TETRAD = [sys.executable, "-m", "synth.cli"]
RATE = 48_000
pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def own_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Patches and a socket of our own."""
    monkeypatch.setenv("TETRAD_HOME", str(tmp_path_factory.mktemp("home")))


def play(
    environment: dict[str, str], *arguments: str, folder: Path | None = None, refine: bool = False
) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [*TETRAD, "play", "--osc", "-1", "--no-screen", "--refine" if refine else "--no-refine", *arguments],
        env={**environment, "TETRAD_HOME": os.environ["TETRAD_HOME"]},
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def read_until(program: "subprocess.Popen[str]", wanted: str) -> str:
    """What the program prints up to the line that holds `wanted`."""
    assert program.stdout is not None
    lines = []
    for line in program.stdout:
        lines.append(line)
        if wanted in line:
            return "".join(lines)
    pytest.fail(f"{wanted!r} was not printed, but {lines} and {program.stderr and program.stderr.read()}")


def without_devices() -> dict[str, str]:
    """Environment without a JACK server; PortAudio's ALSA and OSS see what the machine has."""
    return {**os.environ, "JACK_DEFAULT_SERVER": "nobody-runs-this", "JACK_NO_START_SERVER": "1"}


def skip_if_there_is_a_sound_card() -> None:
    code = "from synth.io.audio import choose_output; print(choose_output(None, 48_000))"
    result = subprocess.run(
        [sys.executable, "-c", code], env=without_devices(), capture_output=True, text=True, check=True
    )
    if result.stdout != "None\n":
        pytest.skip(f"this machine has a sound card: {result.stdout}")


@pytest.mark.long
def test_a_note_from_midi_comes_out_of_the_sound_server(
    jack_environment: dict[str, str], recorder: Recorder, keyboard: Keyboard
) -> None:
    with play(jack_environment, "--audio", "jack", "--midi", "keyboard", "--xy", "0,1") as program:
        began = read_until(program, "Playing")
        assert "MIDI input: JACK: keyboard:out" in began
        assert "Audio output: JACK Audio Connection Kit: system" in began
        recorder.connect("Tetrad")
        start = len(recorder.samples())
        wait_until(lambda: len(recorder.samples()) > start + RATE // 4, "a quarter of a second of silence")
        before = recorder.samples()[start:]
        keyboard.send(b"\x90\x45\x6e")
        wait_until(lambda: np.abs(recorder.samples()[start:]).max() > 1e-3, "the note's sound")
        onset = len(recorder.samples())
        wait_until(lambda: len(recorder.samples()) > onset + RATE, "a second of the note")
        keyboard.send(b"\x80\x45\x00")
        wait_until(lambda: np.abs(recorder.samples()[-RATE // 4 :]).max() < 1e-4, "the note's end")
        program.send_signal(signal.SIGINT)
        output, errors = program.communicate(timeout=60)
    assert program.returncode == 0
    assert "Traceback" not in errors
    assert re.search(r"Played \d+\.\d s: .* 2 MIDI messages, 0 dropped", output)
    assert np.abs(before).max() < 1e-6
    note = recorder.samples()[onset : onset + RATE, 0]
    spectrum = np.abs(np.fft.rfft(note * np.hanning(len(note))))
    strongest_hz = float(spectrum[20:].argmax() + 20)  # bins are 1 Hz wide
    harmonic = round(strongest_hz / 440.0)
    assert harmonic >= 1
    assert strongest_hz == pytest.approx(440.0 * harmonic, rel=0.01)


def test_without_a_controller_the_demo_plays_until_sigterm(
    jack_environment: dict[str, str], recorder: Recorder
) -> None:
    with play(jack_environment, "--audio", "jack") as program:
        assert 'The demo "Four Rooms" plays, round and round' in read_until(program, "Playing")
        recorder.connect("Tetrad")
        wait_until(lambda: np.abs(recorder.samples()).max(initial=0.0) > 0.01, "the demo's sound")
        program.terminate()
        output, _ = program.communicate(timeout=60)
    assert program.returncode == 0
    assert "Played" in output


@pytest.mark.long
def test_missing_paths_are_computed_while_it_plays_and_nothing_is_said() -> None:
    """The worker takes what nobody else wants of the machine: minutes where that is little."""
    arguments = ("--audio", "null", "--headless", "--demo", "--fresh", "--corners", "flute", "choir", "flute", "choir")
    file = Path(os.environ["TETRAD_HOME"]) / "grid" / "choir+flute.tetrad-pair"
    with play(without_devices(), *arguments, refine=True) as program:
        read_until(program, "Playing")
        wait_until(file.exists, "the path", limit_s=900.0)
        program.send_signal(signal.SIGINT)
        output, errors = program.communicate(timeout=60)
    assert program.returncode == 0
    assert "Traceback" not in errors
    assert len(output.splitlines()) == 1  # Played ...
    assert [path.name for path in file.parent.iterdir()] == [file.name]


def test_without_sound_card_and_midi_it_renders_the_demo_and_says_how_to_go_on(tmp_path: Path) -> None:
    skip_if_there_is_a_sound_card()
    with play(without_devices(), folder=tmp_path) as program:
        output, errors = program.communicate(timeout=600)
    assert program.returncode == 0, errors
    assert "No audio output: PortAudio" in output
    assert "How to go on:" in output
    assert sorted(path.name for path in tmp_path.iterdir()) == ["demo.png", "demo.wav"]
    samples, rate_hz = soundfile.read(tmp_path / "demo.wav", dtype="float32")
    assert (rate_hz, samples.shape[1]) == (RATE, 2)
    assert 45 * RATE < len(samples) < 80 * RATE
    assert 0.05 < np.abs(samples).max() < 1.0
    assert np.abs(samples[-384:]).max() < 1e-5
    level = np.sqrt(np.square(samples[: 44 * RATE]).reshape(44, -1).mean(axis=1))
    assert level.min() > 1e-3  # it plays all the way
    with Image.open(tmp_path / "demo.png") as image:
        assert len(image.convert("L").getcolors(256) or []) > 50


def test_null_audio_plays_for_the_asked_time(tmp_path: Path) -> None:
    with play(without_devices(), "--audio", "null", "--seconds", "1", folder=tmp_path) as program:
        output, errors = program.communicate(timeout=600)
    assert program.returncode == 0, errors
    assert "Audio output: none (null)" in output
    match = re.search(r"Played (\d+\.\d) s", output)
    assert match
    assert 0.5 <= float(match[1]) < 60.0
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--audio", "harpsichord"], "no audio output is called 'harpsichord'"),
        (["--audio", "null", "--patch", "Glas Mornin"], "no patch is called 'Glas Mornin'"),
        (["--audio", "null", "--patch", "9999"], "there is no patch 9999"),
        (["--audio", "null", "--rate", "1000"], "sample rate of 1000 Hz"),
        (["--audio", "null", "--corners", "zyzzyva", "b", "c", "d"], "'zyzzyva'"),
    ],
)
def test_a_wrong_device_or_name_is_one_line(arguments: list[str], message: str, tmp_path: Path) -> None:
    with play(without_devices(), *arguments, folder=tmp_path) as program:
        _, errors = program.communicate(timeout=600)
    assert program.returncode == 1
    assert message in errors.splitlines()[-1]
    assert errors.splitlines()[-1].startswith("tetrad: error: ")
    assert "Traceback" not in errors


def test_the_terminal_is_a_keyboard(tmp_path: Path) -> None:
    """On a pseudo-terminal: two keys, an arrow, and q."""
    ours, theirs = pty.openpty()
    command = [*TETRAD, "play", "--audio", "null", "--osc", "-1"]
    with subprocess.Popen(
        command, env=without_devices(), cwd=tmp_path, stdin=theirs, stdout=theirs, stderr=theirs
    ) as program:
        os.close(theirs)
        printed = b""

        def wait_for(wanted: bytes) -> None:
            nonlocal printed
            end = time.monotonic() + 300
            while wanted not in printed:
                assert time.monotonic() < end, printed
                if select.select([ours], [], [], 0.1)[0]:
                    try:
                        printed += os.read(ours, 4096)
                    except OSError:  # the other side is closed
                        assert wanted in printed, printed

        wait_for(b"Ctrl-C stops")
        assert b"This terminal is a keyboard" in printed
        os.write(ours, b"ad\x1b[C")
        time.sleep(1.0)  # for the notes' ends, 0.45 s after their beginnings
        os.write(ours, b"q")
        wait_for(b"stolen")
        assert program.wait(60) == 0
    os.close(ours)
    assert b"5 MIDI messages, 0 dropped" in printed


class FrameKeyboard:
    """A JACK client that plays MIDI messages at exact frames after the first block that is played to it."""

    def __init__(self, server: str, messages: list[tuple[int, bytes]]) -> None:
        self._messages = messages
        self._next = 0
        self._clock = 0
        self.playing = False
        self.client = jack.Client("frames", servername=server, no_start_server=True)
        self._output = self.client.midi_outports.register("out")
        self.client.set_process_callback(self._process)
        self.client.activate()

    @property
    def done(self) -> bool:
        return self._next == len(self._messages)

    def _process(self, frames: int) -> None:
        self._output.clear_buffer()
        if not self.playing:
            return
        while not self.done and self._messages[self._next][0] < self._clock + frames:
            at, data = self._messages[self._next]
            self._output.write_midi_event(at - self._clock, data)
            self._next += 1
        self._clock += frames


def test_notes_through_jack_keep_their_sample(
    jack_server: str, jack_environment: dict[str, str], recorder: Recorder
) -> None:
    """The real program on a real server: notes are as far apart in the sound as in the messages, to the sample.

    In one of three rounds at least: a machine that stands still for longer than the lead of 9 ms plays a note late.
    """
    gaps = [4801, 4837, 5000, 4863, 4927, 5001, 4800]
    at, messages, starts = 0, [], []
    for gap in 3 * gaps:
        at += gap
        starts.append(at)
        messages += [(at, b"\x90\x45\x6e"), (at + 2400, b"\xb0\x78\x00")]  # a note, and all sound off
    frames = FrameKeyboard(jack_server, messages)
    try:
        with play(jack_environment, "--audio", "jack", "--midi", "frames", "--xy", "0,1") as program:
            read_until(program, "Playing")
            recorder.connect("Tetrad")
            wait_until(lambda: len(recorder.samples()) > RATE // 4, "a quarter of a second of silence")
            frames.playing = True
            wait_until(lambda: frames.done, "the notes' sending")
            end = len(recorder.samples()) + RATE // 2
            wait_until(lambda: len(recorder.samples()) > end, "their sound")
            program.send_signal(signal.SIGINT)
            output, errors = program.communicate(timeout=60)
    finally:
        frames.client.deactivate()
        frames.client.close()
    assert program.returncode == 0, errors
    assert f"{len(messages)} MIDI messages, 0 dropped" in output
    sounds = np.any(np.abs(recorder.samples()) > 1e-9, axis=1)
    loud = np.flatnonzero(sounds)
    onsets = loud[np.concatenate([[True], np.diff(loud) > 1000])]
    assert len(onsets) == len(starts)
    rounds = (onsets - np.array(starts)).reshape(3, len(gaps))
    assert np.ptp(rounds, axis=1).min() == 0
