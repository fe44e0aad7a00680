"""The host's side of a port with a clock that the test moves: greeting, sending again, loss, a new start."""

import itertools

from firmware_host.conversation import APART_S, LOST_AFTER_S, Conversation
from firmware_host.messages import Brightness, DiagnosticsRequest, Greeting, Heartbeat, Hello, Leds, Message, State
from firmware_host.protocol import FROM_HOST, Decoder
from firmware_host.simulated_board import SimulatedBoard

STEP_S = 0.001


class Wire:
    """A conversation and a simulated board, joined by a wire that can be cut in either direction."""

    def __init__(self) -> None:
        self.now_s = 100.0
        self.board = SimulatedBoard(self.now_s)
        self.talk = Conversation(self.now_s)
        self.to_board = self.to_host = True
        self.heard: list[Message] = []
        self.sent: list[tuple[float, Message]] = []
        self._decoder = Decoder(FROM_HOST)

    def run(self, seconds: float) -> None:
        for _ in range(round(seconds / STEP_S)):
            self.now_s += STEP_S
            up, down = self.talk.due(self.now_s), self.board.due(self.now_s)
            self.sent += [(self.now_s, received.message) for received in self._decoder.feed(up)]
            if self.to_board:
                self.board.take(up, self.now_s)
            if self.to_host:
                self.heard += self.talk.take(down, self.now_s)

    def sent_of(self, kind: type[Message]) -> list[float]:
        return [at_s for at_s, message in self.sent if isinstance(message, kind)]


def test_it_greets_every_200_ms_until_hello_comes_and_then_keeps_in_touch() -> None:
    wire = Wire()
    wire.to_host = False
    wire.run(1.0)
    times = wire.sent_of(Greeting)
    assert len(times) == 5
    assert all(abs(later - earlier - 0.2) < 2 * STEP_S for earlier, later in itertools.pairwise(times))
    wire.to_host = True
    wire.run(3.0)
    assert isinstance(wire.heard[0], Hello)
    assert len(wire.sent_of(Greeting)) == 6
    assert len(wire.sent_of(Heartbeat)) == 5
    assert not wire.board.waits_for_host(wire.now_s)


def test_what_comes_before_hello_is_not_handed_on() -> None:
    wire = Wire()
    wire.board.due(wire.now_s)  # its own HELLO is lost
    wire.to_board = False
    wire.run(1.0)
    assert wire.heard == []
    wire.to_board = True
    wire.run(0.5)
    assert [type(message) for message in wire.heard[:2]] == [Hello, State]


def test_leds_are_sent_until_a_state_names_their_number() -> None:
    wire = Wire()
    wire.run(0.5)
    wire.to_board = False
    wire.talk.want(Leds((1, 2, 3, 4)))
    wire.run(0.35)
    assert len(wire.sent_of(Leds)) == 4
    wire.to_board = True
    wire.run(1.0)
    assert wire.board.leds == (1, 2, 3, 4)
    assert len(wire.sent_of(Leds)) == 5
    assert wire.talk.n_sent_again == 4


def test_what_the_board_has_is_not_sent_again() -> None:
    wire = Wire()
    wire.run(0.5)
    for _ in range(3):
        wire.talk.want(Leds((1, 2, 3, 4)))
        wire.run(0.3)
    assert len(wire.sent_of(Leds)) == 1
    assert wire.talk.n_sent_again == 0


def test_frames_keep_their_distance_and_each_is_confirmed() -> None:
    wire = Wire()
    wire.run(0.5)
    wire.sent.clear()
    wire.talk.want(Leds((1, 2, 3, 4)))
    wire.talk.want(Brightness(9))
    wire.talk.send_once(DiagnosticsRequest())
    wire.run(0.3)
    times = [at_s for at_s, _ in wire.sent]
    assert len(times) == 3
    assert all(later - earlier > APART_S - STEP_S / 2 for earlier, later in itertools.pairwise(times))
    assert (wire.board.leds, wire.board.brightness, wire.talk.n_sent_again) == ((1, 2, 3, 4), 9, 0)


def test_a_board_that_started_anew_is_told_everything_again() -> None:
    wire = Wire()
    wire.talk.want(Leds((5, 0, 0, 0)))
    wire.talk.want(Brightness(77))
    wire.run(0.5)
    wire.board.reset(wire.now_s)
    assert wire.board.leds == (0, 0, 0, 0)
    wire.run(0.1)
    assert (wire.board.leds, wire.board.brightness) == ((5, 0, 0, 0), 77)


def test_a_new_start_whose_hello_was_lost_is_seen_by_the_uptime() -> None:
    wire = Wire()
    wire.run(5.0)
    wire.board.turn(0, 100)
    wire.run(0.1)
    wire.heard.clear()
    wire.board.reset(wire.now_s)
    wire.board.due(wire.now_s)  # its HELLO is lost
    wire.run(0.5)
    assert isinstance(wire.heard[0], Hello)


def test_uptime_may_wrap_and_a_computer_may_stall() -> None:
    wire = Wire()
    wire.run(70.0)
    kept, wire.to_host = b"", False
    for _ in range(900):
        wire.now_s += STEP_S
        kept += wire.board.due(wire.now_s)
    wire.talk.take(kept, wire.now_s)
    wire.to_host = True
    wire.run(1.0)
    assert sum(isinstance(message, Hello) for message in wire.heard) == 2  # its own at the start, and the answer


def test_a_silent_board_is_lost_after_a_second() -> None:
    wire = Wire()
    wire.run(2.0)
    assert wire.talk.silent_s(wire.now_s) < LOST_AFTER_S
    wire.to_host = False
    wire.run(1.1)
    assert wire.talk.silent_s(wire.now_s) > LOST_AFTER_S - 0.25


def test_sequence_numbers_wrap_on_both_sides_without_a_loss() -> None:
    wire = Wire()
    wire.run(0.1)
    for count in range(600):
        wire.talk.want(Leds((count % 256, 0, 0, 0)))
        wire.board.turn(1, 1)
        wire.run(0.01)
    assert wire.talk.decoder.counts["lost"] == 0
    assert wire.board.leds == (599 % 256, 0, 0, 0)
    assert wire.talk.n_sent_again == 0
