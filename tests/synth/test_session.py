"""The session: commands as clients send them, an engine that really plays, and what is left on disk."""

import json
import time
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from synth.control.commands import COMMANDS, make_command
from synth.control.events import Event, NoteOn
from synth.control.patch import Patch, read_patch
from synth.control.patch_autosave import Autosave, restore
from synth.control.patch_bank import PatchBank
from synth.control.status import normalised, problems
from synth.errors import TetradError
from synth.instruments.library import Library
from synth.instruments.silence import silent_instrument
from synth.io.recorder import Recorder
from synth.loader import InstrumentLoader
from synth.session import Session
from synth.session_commands import COMMAND_METHODS
from synth.stage import Stage
from synth.voices.decoder import Decoder
from synth.voices.engine import Engine
from tests.listening import wait_until

RATE, BLOCK = 48_000, 128


class Message:
    """A MIDI message of a port."""

    def __init__(self, data: bytes, port: str = "keys") -> None:
        self.time_s, self.data, self.port = 0.0, data, port
        self.frame: int | None = None


class Cable:
    """A source of MIDI messages, by hand."""

    def __init__(self) -> None:
        self.waiting: list[Message] = []
        self.pulled: list[str] = []

    def take(self) -> list[Message]:
        taken, self.waiting = self.waiting, []
        return taken

    def lost(self) -> list[str]:
        pulled, self.pulled = self.pulled, []
        return pulled


class Player:
    """A session with everything real but the sound card: blocks are rendered when a test asks for them."""

    def __init__(self, folder: Path, decoder: Decoder, library: Library | None = None, **more: Any) -> None:
        self.engine = Engine([silent_instrument(decoder.model_id)] * 4, decoder, n_voices=16, warm_up=False)
        self.cable = Cable()
        self.stage = Stage(RATE, [self.cable])
        self.notices: list[tuple[str, dict[str, Any]]] = []
        self.recorder = Recorder(RATE, keep_s=20.0)
        self.session = Session(
            self.engine,
            self.stage,
            InstrumentLoader(library or Library(), self.engine.prepare),
            PatchBank(folder / "patches"),
            patch=Patch().with_values({"x": 0.0, "y": 1.0}),
            recorder=self.recorder,
            autosave=Autosave(folder / "current.json", period_s=0.01),
            **more,
        )
        self.session.notify = lambda notice, **data: self.notices.append((notice, data))
        assert self.session.begin() == []

    def do(self, name: str, /, **fields: Any) -> Any:
        """A command's result, waited for."""
        result = self.session.handle(make_command(name, **fields))
        return result.result(30) if isinstance(result, Future) else result

    def play(self, seconds: float) -> np.ndarray[Any, Any]:
        """The next sound, float32 [n, 2]."""
        blocks = []
        for _ in range(round(seconds * RATE / BLOCK)):
            horizon = self.engine.clock_samples + BLOCK
            for event in self.stage.events(horizon, lambda *_: self.engine.clock_samples):
                self.engine.push(event)
            block = self.engine.render(BLOCK)
            self.recorder.write(block)
            blocks.append(block)
        return np.concatenate(blocks)

    def midi(self, *data: int) -> None:
        self.cable.waiting.append(Message(bytes(data)))

    def engine_value(self, parameter: str) -> float:
        return self.engine.value(parameter)

    def status(self) -> dict[str, Any]:
        return normalised(self.session.status())


@pytest.fixture(scope="module")
def decoder() -> Decoder:
    return Decoder()


@pytest.fixture
def player(tmp_path: Path, decoder: Decoder) -> Iterator[Player]:
    player = Player(tmp_path, decoder)
    yield player
    player.session.close()


def level_db(sound: np.ndarray[Any, Any]) -> float:
    return float(20.0 * np.log10(np.sqrt(np.mean(sound**2)) + 1e-9))


def test_every_command_of_the_table_is_carried_out_by_the_session_or_the_server() -> None:
    assert set(COMMAND_METHODS) == {spec.name for spec in COMMANDS if not spec.by_server}


def test_a_client_plays_and_the_status_says_what_sounds(player: Player) -> None:
    assert level_db(player.play(0.1)) < -100.0
    player.do("note_on", key=60)
    assert level_db(player.play(0.3)) > -50.0
    status = player.status()
    assert problems(status) == []
    assert status["voices"]["sounding"] == 1
    assert status["notes"][0]["key"] == 60
    player.session.more_status = lambda: {"health": {"underflows": 3}, "audio": {"state": "running"}}
    health = player.status()["health"]
    assert health["underflows"] == 3
    assert health["clock_samples"] == player.engine.clock_samples
    assert status["corners"]["nw"]["instrument"] == "flute"
    assert -60.0 < status["levels"]["peak_dbfs"][0] < 0.0
    player.do("note_off", key=60)
    player.play(2.0)
    assert player.status()["voices"]["sounding"] == 0


def test_a_corner_changes_under_a_sounding_note_without_a_click(player: Player) -> None:
    player.do("note_on", key=57)
    before = player.play(0.5)
    player.do("corner", corner="nw", instrument="clarinet")
    sound = player.play(0.5)
    assert player.status()["corners"]["nw"]["instrument"] == "clarinet"
    assert ("corner_changed", {"corner": "nw", "instrument": "clarinet"}) in player.notices
    steps = np.abs(np.diff(np.concatenate([before[-RATE // 4 :], sound]), axis=0)).max(axis=1)
    assert steps[RATE // 4 : RATE // 4 + RATE // 5].max() < 3.0 * max(
        steps[: RATE // 4].max(), steps[-RATE // 4 :].max()
    )
    with pytest.raises(TetradError, match="clarinet"):
        player.do("corner", corner="nw", instrument="clarinett")
    player.do("undo")
    player.play(0.2)
    assert player.status()["corners"]["nw"]["instrument"] == "flute"


def test_a_knob_turned_by_midi_is_an_edit_that_can_be_undone(player: Player) -> None:
    player.midi(0xB0, 91, 127)  # the reverb
    player.play(0.01)
    status = player.status()
    assert status["parameters"]["reverb"] == 1.0
    assert status["patch"]["edited"]
    assert player.do("undo") == {"undone": "reverb"}
    assert player.status()["parameters"]["reverb"] == 0.0
    assert player.do("redo") == {"redone": "reverb"}
    assert player.status()["parameters"]["reverb"] == 1.0


def test_the_finger_is_played_not_edited(player: Player) -> None:
    player.do("point", x=0.25, y=0.75, touching=True)
    player.play(0.2)
    status = player.status()
    assert status["point"] == {"x": pytest.approx(0.25, abs=1e-3), "y": pytest.approx(0.75, abs=1e-3), "touching": True}
    assert not status["patch"]["edited"]
    assert "undo" not in status["patch"]


def test_patches_are_saved_loaded_and_chosen_by_program_change(player: Player, tmp_path: Path) -> None:
    player.do("set_many", values={"attack": 0.5, "play_mode": "legato"})
    player.do("corner", corner="se", instrument="trumpet")
    saved = player.do("patch_save", name="Mine", number=300, tags=["test"])
    assert saved == {"name": "Mine", "number": 300}
    files = list((tmp_path / "patches").glob("[!.]*.json"))
    assert [read_patch(path).corners[3] for path in files] == ["trumpet"]
    assert not player.status()["patch"]["edited"]
    player.do("patch_load", number=player.do("patches")["patches"][0]["number"])
    assert player.status()["patch"]["name"] != "Mine"
    player.midi(0xB0, 0, 0)
    player.midi(0xB0, 32, 2)
    player.midi(0xC0, 300 - 2 * 128)
    player.play(0.01)
    wait_until(lambda: player.status()["patch"]["name"] == "Mine", "the program change", 10)
    wait_until(lambda: player.play(0.01) is not None and player.engine_value("attack") == 0.5, "its envelope", 10)
    assert player.do("patch_remove", name="Mine") == {}
    assert player.do("patch_restore", name="Mine")["number"] == 300


def test_a_patch_with_an_instrument_that_is_not_there_plays_the_nearest_and_keeps_the_name(
    player: Player, tmp_path: Path
) -> None:
    path = tmp_path / "theirs.json"
    patch = Patch(name="Theirs", corners=("flute-of-mine", "strings", None, "choir"))
    document = patch.to_json()
    path.write_text(json.dumps(document))
    player.do("patch_import", path=str(path))
    result = player.do("patch_load", name="Theirs")
    assert "flute-of-mine" in result["warnings"][0]
    player.play(0.01)
    corners = player.status()["corners"]
    assert corners["nw"]["wanted"] == "flute-of-mine"
    assert "flute" in corners["nw"]["instrument"]
    assert corners["sw"]["instrument"] == "silence"
    assert player.session.editor.patch.corners[0] == "flute-of-mine"


def test_loading_a_patch_leaves_no_gap_in_a_sounding_note(player: Player) -> None:
    player.do("note_on", key=57)
    player.play(0.5)
    first = player.do("patches")["patches"][0]["name"]
    player.do("patch_load", name=first)
    sound = player.play(0.4)
    levels = [level_db(sound[i : i + 960]) for i in range(0, len(sound) - 960, 960)]
    assert min(levels) > -60.0


def test_compare_goes_to_the_stored_patch_and_back(player: Player) -> None:
    stored = player.status()["parameters"]["brightness"]
    player.do("set", parameter="brightness", value=3.0)
    assert player.do("compare") == {"sounding": "stored"}
    assert player.status()["parameters"]["brightness"] == stored
    player.play(0.01)
    assert player.engine_value("brightness") == stored
    assert player.do("compare") == {"sounding": "edited"}
    player.play(0.01)
    assert player.engine_value("brightness") == 3.0


def test_a_controller_is_learned_and_stays_with_the_patch(player: Player) -> None:
    player.do("midi_learn", parameter="chorus")
    player.play(0.01)
    player.midi(0xB0, 20, 64)
    player.play(0.01)
    player.status()
    assert ("midi_learned", {"parameter": "chorus", "controller": 20}) in player.notices
    assert player.status()["parameters"]["chorus"] == pytest.approx(64 / 127)
    assert player.session.editor.patch.to_json()["midi"]["assignments"]["20"] == "chorus"


def test_a_port_that_is_pulled_out_leaves_no_note(player: Player) -> None:
    player.midi(0x90, 60, 100)
    player.play(0.2)
    assert player.status()["voices"]["sounding"] == 1
    player.cable.pulled = ["keys"]
    player.play(3.0)
    assert player.status()["voices"]["sounding"] == 0


def test_a_gesture_is_recorded_and_played_round_and_round(player: Player) -> None:
    with pytest.raises(TetradError, match="gesture"):
        player.do("gesture_play")
    player.do("gesture_record")
    for x in np.linspace(0.0, 1.0, 40):
        player.do("point", x=float(x), y=0.5, touching=True)
        player.play(0.02)
    player.do("point", x=1.0, y=0.5, touching=False)
    player.do("gesture_stop")
    player.play(0.05)
    assert player.status()["gesture"] == {"state": "ready", "length_s": pytest.approx(0.8, abs=0.1)}
    player.do("gesture_play")
    places = []
    for _ in range(100):
        player.play(0.02)
        places.append(player.status()["point"]["x"])
    assert min(places) < 0.1
    assert max(places) > 0.9
    assert not any(name == "x" for name, _ in player.stage.moved)
    player.do("gesture_clear")
    player.play(0.01)
    assert player.status()["gesture"]["state"] == "empty"


def test_the_arpeggiator_plays_held_keys_in_time(player: Player) -> None:
    player.do("set_many", values={"arp_mode": "up", "arp_rate": "1/16", "tempo": 150.0})
    player.play(0.01)
    heard: list[int] = []
    push = player.engine.push

    def listen(event: Event) -> bool:
        if isinstance(event, NoteOn):
            heard.append(event.key)
        return push(event)

    player.engine.push = listen  # type: ignore[method-assign]
    for key in (60, 64, 67):
        player.do("note_on", key=key)
    player.play(0.95)  # ten sixteenths at 150 bpm
    assert heard[:6] == [60, 64, 67, 60, 64, 67]
    assert 9 <= len(heard) <= 11


def test_the_delay_follows_the_tempo_when_it_is_a_note(player: Player) -> None:
    player.do("set_many", values={"delay_sync": "1/8", "tempo": 120.0})
    player.play(0.01)
    assert player.engine_value("delay_time") == pytest.approx(0.25)
    player.do("set", parameter="tempo", value=60.0)
    player.play(0.01)
    assert player.engine_value("delay_time") == pytest.approx(0.5)


def test_a_scala_tuning_moves_sounding_notes_and_is_saved(player: Player, tmp_path: Path) -> None:
    scale = tmp_path / "seven.scl"
    scale.write_text("! seven.scl\nSeven equal steps\n 7\n" + "".join(f" {1200.0 / 7 * i:.5f}\n" for i in range(1, 8)))
    assert player.do("tuning_load", scale=str(scale)) == {"tuning": "Seven equal steps"}
    assert player.status()["tuning"]["name"] == "Seven equal steps"
    assert player.session.editor.patch.tuning is not None
    assert player.do("tuning_load")["tuning"] == "12 equal steps"


def test_what_was_played_is_kept_and_recorded(player: Player, tmp_path: Path) -> None:
    player.do("note_on", key=60)
    player.play(0.5)
    kept = player.do("keep", seconds=5.0, path=str(tmp_path / "kept.flac"))
    assert kept["seconds"] == pytest.approx(0.5, abs=0.1)
    player.do("record_start", path=str(tmp_path / "take.wav"))
    sound = player.play(0.5)
    result = player.do("record_stop")
    assert result["seconds"] == pytest.approx(0.5, abs=0.01)
    soundfile = pytest.importorskip("soundfile")
    written, rate = soundfile.read(tmp_path / "take.wav", dtype="float32")
    assert rate == RATE
    assert np.abs(written - sound[: len(written)]).max() < 1e-6


def test_the_current_patch_is_on_disk_a_moment_after_every_change(player: Player, tmp_path: Path) -> None:
    player.do("set", parameter="release", value=3.0)
    wait_until((tmp_path / "current.json").exists, "the autosave", 10)
    time.sleep(0.1)
    state, warning = restore(tmp_path / "current.json")
    assert warning == ""
    assert state is not None
    assert state.patch.value("release") == 3.0


def test_panic_ends_every_note_at_once(player: Player) -> None:
    for key in range(40, 50):
        player.do("note_on", key=key)
    player.play(0.3)
    player.do("panic")
    player.play(0.02)
    assert level_db(player.play(0.1)) < -90.0
    assert player.status()["voices"]["sounding"] == 0
