"""The live engine: order and place in time of what is played, and the terminal as a keyboard."""

import gc
import random
import time

import numpy as np
import pytest

from synth.control.events import AllSoundOff, Event, NoteOff, NoteOn, SetParameter
from synth.errors import TetradError
from synth.io.midi_queue import PortMessage
from synth.io.terminal_keys import NOTE_S, TerminalKeys
from synth.live import WAKING_S, LiveEngine, LoopedScore, SampleAt
from synth.stage import Stage
from synth.voices.engine import Engine
from tests.listening import wait_until
from tests.synth.voices.engine_parts import AnalyticDecoder, instrument, steady


class NotedEngine(Engine):
    """A real engine that also notes down what it is told."""

    def __init__(self) -> None:
        organ = instrument(steady({1: -20.0, 2: -30.0}))
        super().__init__([organ] * 4, AnalyticDecoder(), n_voices=4)
        self.events: list[Event] = []
        self.horizon = 0
        self.fails = False

    def push(self, event: Event) -> bool:
        self.events.append(event)
        return super().push(event)

    def advance(self, horizon: int) -> None:
        if self.fails:
            raise ValueError("the conductor broke")
        super().advance(horizon)
        self.horizon = horizon


class Script:
    """A source of messages."""

    def __init__(self) -> None:
        self.waiting: list[PortMessage] = []

    def take(self) -> list[PortMessage]:
        taken, self.waiting = self.waiting, []
        return taken

    def lost(self) -> list[str]:
        return []


def test_two_notes_are_as_far_apart_in_samples_as_under_the_fingers() -> None:
    engine, script = NotedEngine(), Script()
    stage = Stage(48_000, [script])
    live = LiveEngine(engine, stage)
    live.render_into(np.zeros((256, 2), np.float32))
    now_s = time.perf_counter()
    script.waiting = [PortMessage(now_s, b"\x90\x3c\x40"), PortMessage(now_s + 0.005, b"\x80\x3c\x00")]
    with live:
        wait_until(lambda: len(engine.events) == 2, "the notes' arrival")
    first, second = engine.events
    assert isinstance(first, NoteOn)
    assert isinstance(second, NoteOff)
    assert second.time_samples - first.time_samples == pytest.approx(240, abs=1)
    assert first.time_samples >= engine.clock_samples + live.lead_samples  # not late for the block after next
    assert stage.messages == 2


def test_no_message_overtakes_an_earlier_one() -> None:
    """Stamps wobble; a note-off must not be moved before its note-on."""
    engine, script = NotedEngine(), Script()
    stage = Stage(48_000, [script])
    live = LiveEngine(engine, stage)
    live.render_into(np.zeros((512, 2), np.float32))
    now_s = time.perf_counter()
    chance = np.random.default_rng(0)
    script.waiting = [PortMessage(now_s + chance.normal(0.0, 0.004), bytes((0x90, n, 1))) for n in range(100)]
    with live:
        wait_until(lambda: len(engine.events) == 100, "the messages' taking")
    times = [event.time_samples for event in engine.events]
    assert len(set(times)) > 5
    assert times == sorted(times)


def test_what_a_client_does_comes_after_the_keys_struck_before_it() -> None:
    """An arpeggiator that was switched on let the key go before it began, and it sounded for ever."""
    script = Script()
    stage = Stage(48_000, [script])
    script.waiting = [PortMessage(0.0, b"\x90\x3c\x40", "keys")]
    assert stage.events(1_000, lambda *_: 1_300) == [NoteOn(1_300, 0, 60, 64)]  # beyond the horizon
    stage.run(lambda sample: [SetParameter(sample, "arp_mode", 1.0)])
    events = stage.events(1_100, lambda *_: 1_400)
    assert events[:2] == [SetParameter(1_300, "arp_mode", 1.0), NoteOff(1_300, 0, 60)]
    stage.panic()
    panic = [event.time_samples for event in stage.events(1_200, lambda *_: 1_400) if isinstance(event, AllSoundOff)]
    assert set(panic) == {1_300}


@pytest.mark.parametrize("seed", range(5))
def test_no_note_stays_when_all_was_let_go(seed: int) -> None:
    """Keys by MIDI, some ms ahead as a conductor has them, and a client that turns the arpeggiator on and off."""
    chance = random.Random(seed)
    script = Script()
    stage = Stage(48_000, [script])
    events: list[Event] = []
    down: list[int] = []

    def go_on(horizon: int) -> None:
        events.extend(stage.events(horizon, lambda *_: horizon + chance.randrange(-200, 300)))

    def set_to(name: str, value: float) -> None:
        stage.run(lambda sample: [SetParameter(sample, name, value)])

    for block in range(1, 4_000):
        if chance.random() < 0.3:
            down.append(chance.randrange(40, 80))
            script.waiting.append(PortMessage(0.0, bytes((0x90, down[-1], 64)), "keys"))
        if down and chance.random() < 0.3:
            script.waiting.append(PortMessage(0.0, bytes((0x80, down.pop(0), 64)), "keys"))
        if chance.random() < 0.1:
            set_to("arp_mode", chance.choice((0.0, 1.0, 6.0)))
        if chance.random() < 0.02:
            set_to("arp_hold", chance.choice((0.0, 1.0)))
        go_on(256 * block)
    script.waiting += [PortMessage(0.0, bytes((0x80, key, 64)), "keys") for key in down]
    set_to("arp_hold", 0.0)
    for block in range(4_000, 4_800):  # 4 s: the pattern's last step
        go_on(256 * block)
    notes = [event for event in events if isinstance(event, NoteOn | NoteOff)]
    assert len(notes) > 1_000
    for key in {note.key for note in notes}:
        of_key = [note for note in notes if note.key == key]
        assert of_key == sorted(of_key, key=lambda note: note.time_samples)
        assert isinstance(of_key[-1], NoteOff)


class Asking(Stage):
    """Asks where a frame of JACK's is, whenever it is called."""

    def __init__(self) -> None:
        super().__init__(48_000)
        self.wanted: tuple[float, int] | None = None
        self.dues: list[int] = []

    def events(self, horizon_samples: int, sample_at: SampleAt) -> list[Event]:
        del horizon_samples
        wanted, self.wanted = self.wanted, None
        if wanted is not None:
            self.dues.append(sample_at(*wanted))
        return []


def test_a_message_with_a_frame_of_jack_is_due_exactly_there() -> None:
    """Whatever the threads do, and across the end of the server's 32 bits."""
    engine, stage = NotedEngine(), Asking()
    live = LiveEngine(engine, stage)
    frame = (1 << 32) - 300
    ahead: list[int] = []
    with live:
        for offset in (0, 100, 37, 5, 127, 64):
            live.render_into(np.zeros((128, 2), np.float32), frame % (1 << 32))
            stage.wanted = time.perf_counter() - 0.003 * offset, (frame + offset) % (1 << 32)
            live.wake()
            wait_until(lambda: len(stage.dues) > len(ahead), "the answer")
            ahead.append(stage.dues[-1] - offset - (engine.clock_samples - 128))
            frame += 128
    assert len(set(ahead)) == 1


class Silent(Stage):
    """Plays a note at a sample of its own."""

    def __init__(self) -> None:
        super().__init__(48_000)
        self.given = False

    def events(self, horizon_samples: int, sample_at: SampleAt) -> list[Event]:
        del horizon_samples, sample_at
        if self.given:
            return []
        self.given = True
        return [NoteOn(1000, 0, 60, 100), NoteOff(20_000, 0, 60)]


def test_in_step_the_stream_is_the_offline_rendering_whatever_the_conductor_does() -> None:
    engine, offline = NotedEngine(), NotedEngine()
    live = LiveEngine(engine, Silent(), in_step=True)
    heard = []
    with live:
        for _ in range(220):  # as fast as it goes: the conductor could never keep ahead of it by itself
            block = np.zeros((128, 2), np.float32)
            live.render_into(block)
            heard.append(block)
    sound = np.concatenate(heard)
    for event in (NoteOn(1000, 0, 60, 100), NoteOff(20_000, 0, 60)):
        offline.push(event)
    expected = np.concatenate([offline.render(128) for _ in range(220)])
    assert np.array_equal(sound, expected)
    assert np.abs(sound).max() > 0.01
    assert engine.status()["late_frames"] == 0


def test_a_conductor_that_was_held_up_finds_its_way_by_the_latest_blocks() -> None:
    """More blocks than there are places for their stamps; where the latest began is what counts."""
    engine, stage = NotedEngine(), Asking()
    live = LiveEngine(engine, stage)
    for block in range(1000):
        live.render_into(np.zeros((64, 2), np.float32), 5000 + 64 * block)
    with live:
        stage.wanted = time.perf_counter(), 5000 + 64 * 999 + 17
        wait_until(lambda: len(stage.dues) == 1, "the answer")
    ahead = live.block_samples + live.lead_samples + round(WAKING_S * 48_000)
    assert stage.dues == [64 * 999 + 17 + ahead]


def test_the_conductor_stays_two_of_the_largest_blocks_ahead() -> None:
    engine = NotedEngine()
    live = LiveEngine(engine, Stage(48_000))
    with live:
        wait_until(lambda: engine.horizon >= 256, "the first frame")
        live.render_into(np.zeros((1024, 2), np.float32))
        wait_until(lambda: engine.horizon >= 3 * 1024, "the lead's growth")
        assert not gc.isenabled()
        assert gc.get_freeze_count() > 0
    assert gc.isenabled()
    assert gc.get_freeze_count() == 0


def test_a_broken_conductor_is_reported_not_swallowed() -> None:
    engine = NotedEngine()
    live = LiveEngine(engine, Stage(48_000))
    with live:
        engine.fails = True
        wait_until(lambda: live.failure is not None, "the failure")
    assert str(live.failure) == "the conductor broke"


def test_a_looped_score_begins_again() -> None:
    score = LoopedScore([NoteOn(0, 0, 60, 64), NoteOff(1000, 0, 60)], 48_000, gap_s=0.01)
    assert score.events(0) == []
    assert score.events(1) == [NoteOn(0, 0, 60, 64)]
    assert score.events(1) == []
    assert score.events(3000) == [
        NoteOff(1000, 0, 60),
        NoteOn(1480, 0, 60, 64),
        NoteOff(2480, 0, 60),
        NoteOn(2960, 0, 60, 64),
    ]
    with pytest.raises(TetradError):
        LoopedScore([], 48_000)


def test_letters_are_keys_and_arrows_move_the_finger() -> None:
    keys = TerminalKeys()
    now_s = time.perf_counter()
    for typed in (b"a", b"w", b"\x1b[C", b"x", b"k", b"\x1b[B", b"?", b"\xff"):
        keys.press(typed, now_s)
    assert [message.data for message in keys.take()] == [
        b"\x90\x3c\x5a",
        b"\x90\x3d\x5a",
        bytes((0xB0, 16, 70)),
        b"\x90\x54\x5a",
        bytes((0xB0, 17, 58)),
    ]
    assert not keys.wants_to_quit.is_set()
    wait_until(lambda: time.perf_counter() > now_s + NOTE_S, "the notes' end")
    assert [(message.time_s, message.data) for message in keys.take()] == [
        (now_s + NOTE_S, b"\x80\x3c\x00"),
        (now_s + NOTE_S, b"\x80\x3d\x00"),
        (now_s + NOTE_S, b"\x80\x54\x00"),
    ]
    keys.press(b"q", now_s)
    assert keys.wants_to_quit.is_set()


def test_a_repeated_key_is_let_go_once_and_octaves_end_at_the_edge() -> None:
    keys = TerminalKeys()
    for at_s in (-10.0, -9.8):
        keys.press(b"a", at_s)
    assert [message.data[0] for message in keys.take()] == [0x90, 0x90, 0x80]
    for _ in range(20):
        keys.press(b"x", 0.0)
    keys.press(b"l", 0.0)
    (played,) = [message.data for message in keys.take() if message.data[0] == 0x90]
    assert played[1] <= 127
