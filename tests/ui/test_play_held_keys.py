"""Every key that goes down goes up; and the surface plays a note exactly when nothing else does."""

import random
from typing import Any

import pytest

from ui.mirror import Note
from ui.pages.play.held_keys import FORGET_TAIL_S, SURFACE_KEY, HeldKeys, SurfaceNote


class Engine:
    """Takes commands down, and knows which keys are down. reachable: it takes any at all."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, int]] = []
        self.down: dict[int, int] = {}
        self.reachable = True
        self.now_s = 100.0

    def send(self, command: str, /, **fields: Any) -> bool:
        if not self.reachable:
            return False
        self.sent.append((command, fields["key"]))
        if command == "note_on":
            assert 1 <= fields["velocity"] <= 127
            self.down[fields["key"]] = fields["velocity"]
        else:
            del self.down[fields["key"]]  # a note_off of a key that is up is a defect
        return True

    def clock(self) -> float:
        return self.now_s

    @property
    def notes(self) -> list[Note]:
        return [sounding(key) for key in self.down]


def sounding(key: int, channel: int = 0) -> Note:
    return Note(channel, key, 0.5, 0.5, -20.0, ())


@pytest.fixture
def engine() -> Engine:
    return Engine()


@pytest.fixture
def keys(engine: Engine) -> HeldKeys:
    return HeldKeys(engine.send, engine.clock)


def test_a_key_is_up_when_the_last_who_holds_it_lets_go(engine: Engine, keys: HeldKeys) -> None:
    keys.press(60, 90, "first")
    keys.press(60, 80, "second")
    keys.release(60, "first")
    assert engine.down == {60: 80}
    keys.release(60, "nobody")
    keys.release(60, "second")
    assert engine.down == {}
    keys.release(60, "second")
    assert engine.sent.count(("note_off", 60)) == 1


def test_letting_all_go_leaves_nothing_down(engine: Engine, keys: HeldKeys) -> None:
    for key in (60, 64, 67):
        keys.press(key, 100, key)
    keys.let_all_go()
    assert engine.down == {}
    assert keys.down == frozenset()


def test_a_key_that_could_not_be_sent_is_not_held(engine: Engine, keys: HeldKeys) -> None:
    engine.reachable = False
    assert not keys.press(60, 100, "finger")
    engine.reachable = True
    keys.release(60, "finger")
    assert engine.sent == []


def test_a_touch_plays_where_nothing_sounds(engine: Engine, keys: HeldKeys) -> None:
    note = SurfaceNote(keys)
    note.touch([])
    assert engine.down == {SURFACE_KEY: 100}
    note.lift(tap=False)
    assert engine.down == {}


def test_a_touch_only_moves_what_others_play(engine: Engine, keys: HeldKeys) -> None:
    note = SurfaceNote(keys)
    note.touch([sounding(48, channel=3)])
    note.lift(tap=True)
    keys.press(72, 100, "a finger on the keys")
    note.touch(engine.notes)
    note.lift(tap=True)
    assert engine.sent == [("note_on", 72)]


def test_what_rings_out_after_a_touch_does_not_silence_the_next(engine: Engine, keys: HeldKeys) -> None:
    note = SurfaceNote(keys)
    note.touch([])
    note.lift(tap=True)
    engine.now_s += 5.0
    note.touch([sounding(SURFACE_KEY)])
    assert engine.down == {SURFACE_KEY: 100}


def test_a_key_of_somebody_else_is_not_taken_for_ringing_out_for_ever(engine: Engine, keys: HeldKeys) -> None:
    keys.press(64, 100, "finger")
    keys.release(64, "finger")
    assert not keys.others_sound([])
    engine.now_s += FORGET_TAIL_S + 0.1
    assert not keys.others_sound([])
    assert keys.others_sound([sounding(64)]), "it had died away; this one is somebody else's"


def test_latch_keeps_the_note_until_a_tap(engine: Engine, keys: HeldKeys) -> None:
    note = SurfaceNote(keys, latch=True)
    note.touch([])
    note.lift(tap=True)
    assert engine.down == {SURFACE_KEY: 100}, "the tap that began it does not end it"
    note.touch(engine.notes)
    note.lift(tap=False)
    assert engine.sent == [("note_on", SURFACE_KEY)], "a finger that moves leads it"
    note.touch(engine.notes)
    note.lift(tap=True)
    assert engine.down == {}


def test_the_end_of_the_latch_ends_its_note_but_not_a_finger_s(engine: Engine, keys: HeldKeys) -> None:
    note = SurfaceNote(keys, latch=True)
    note.touch([])
    note.latch = False
    assert engine.down == {SURFACE_KEY: 100}
    note.lift(tap=False)
    assert engine.down == {}
    note.latch = True
    note.touch([])
    note.lift(tap=False)
    note.latch = False
    assert engine.down == {}


def test_a_latched_note_that_died_away_is_struck_again(engine: Engine, keys: HeldKeys) -> None:
    note = SurfaceNote(keys, latch=True)
    note.touch([])
    note.lift(tap=False)
    note.touch([])
    assert [command for command, _ in engine.sent] == ["note_on", "note_off", "note_on"]


def test_after_the_engine_was_lost_nothing_is_held(engine: Engine, keys: HeldKeys) -> None:
    note = SurfaceNote(keys)
    note.touch([])
    engine.down.clear()
    keys.forget()
    note.stop()
    assert engine.sent == [("note_on", SURFACE_KEY)]
    note.touch([])
    assert engine.down == {SURFACE_KEY: 100}


def test_whatever_fingers_do_in_the_end_all_keys_are_up(engine: Engine, keys: HeldKeys) -> None:
    draw = random.Random(11)
    note = SurfaceNote(keys)
    for _ in range(5_000):
        engine.now_s += draw.random() * 0.1
        finger, key = draw.randrange(6), draw.randrange(58, 63)
        draw.choice(
            (
                lambda key=key, finger=finger: keys.press(key, draw.randint(1, 127), finger),
                lambda key=key, finger=finger: keys.release(key, finger),
                lambda: note.touch(engine.notes),
                lambda: note.lift(draw.random() < 0.5),
                lambda: setattr(note, "latch", draw.random() < 0.5),
                note.stop,
            )
        )()
        assert set(keys.down) == set(engine.down)
    note.stop()
    keys.let_all_go()
    assert engine.down == {}
