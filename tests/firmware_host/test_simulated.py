"""The scripted hand, and what the simulated board makes of it."""

import itertools

import pytest

from firmware_host.hand import Move, ScriptError, moves
from firmware_host.messages import Heartbeat, Hello, Message, State
from firmware_host.protocol import FROM_BOARD, Decoder, encode
from firmware_host.simulated_board import SimulatedBoard


def sent(board: SimulatedBoard, from_s: float, until_s: float, step_s: float = 0.0005) -> list[Message]:
    decoder = Decoder(FROM_BOARD)
    n_steps = round((until_s - from_s) / step_s)
    return [r.message for step in range(n_steps) for r in decoder.feed(board.due(from_s + step * step_s))]


def counts_sent(board: SimulatedBoard, from_s: float, until_s: float) -> list[int]:
    return [state.encoders[0] for state in sent(board, from_s, until_s) if isinstance(state, State)]


def test_it_says_hello_first_and_then_beats_four_times_a_second() -> None:
    messages = sent(SimulatedBoard(0.0), 0.0, 2.0)
    assert isinstance(messages[0], Hello)
    uptimes = [message.uptime_ms for message in messages[1:] if isinstance(message, State)]
    assert len(uptimes) == len(messages) - 1 == 8
    assert all(abs(later - earlier - 250) <= 1 for earlier, later in itertools.pairwise(uptimes))


def test_detents_are_sent_at_most_every_two_milliseconds() -> None:
    board = SimulatedBoard(0.0)
    sent(board, 0.0, 0.1)
    states = []
    for step in range(100):
        board.turn(0, 4)
        states += sent(board, 0.1 + step * 0.0005, 0.1 + (step + 1) * 0.0005)
    assert 24 <= len(states) <= 26


@pytest.mark.parametrize("way", [1, -1])
def test_a_detent_is_sent_at_its_third_count_and_the_fourth_after_100_ms(way: int) -> None:
    board = SimulatedBoard(0.0)
    sent(board, 0.0, 0.2)
    for number in range(3):
        at_s = 0.2 + 0.2 * number
        counted: list[list[int]] = []
        for count in range(4):
            board.turn(0, way)
            counted.append(counts_sent(board, at_s + 0.01 * count, at_s + 0.01 * (count + 1)))
        third, fourth = (way * (4 * number + count) % 65536 for count in (3, 4))
        assert counted == [[], [], [third], []]
        rest = counts_sent(board, at_s + 0.04, at_s + 0.2)
        assert rest == [fourth]


def test_a_knob_is_sent_40_times_a_second_and_a_press_at_once() -> None:
    board = SimulatedBoard(0.0)
    sent(board, 0.0, 0.1)
    states = []
    for step in range(500):
        board.knob(0, step)
        states += sent(board, 0.1 + step * 0.001, 0.1 + (step + 1) * 0.001)
    assert 19 <= len(states) <= 21
    board.press(4)
    assert len(sent(board, 0.6, 0.603)) == 1


def test_levels_and_edges_agree_and_pressing_twice_is_once() -> None:
    board = SimulatedBoard(0.0)
    board.press(4)
    board.press(4)
    board.release(7)
    assert (board.state(0.0).switch_levels, board.state(0.0).switch_edges) == (1 << 4, (0, 0, 0, 0, 1, 0, 0, 0))
    board.reset(1.0)
    assert board.state(1.0).switch_edges[4] == 1
    board.release(4)
    assert (board.state(1.0).switch_levels, board.state(1.0).switch_edges[4]) == (0, 2)


def test_it_waits_for_a_host_after_two_seconds_without_one() -> None:
    board = SimulatedBoard(0.0)
    assert board.waits_for_host(0.0)
    board.take(encode(Heartbeat(), 1), 1.0)
    assert not board.waits_for_host(2.9)
    assert board.waits_for_host(3.1)


def test_a_script_becomes_moves() -> None:
    assert moves("turn nw -1  # back\nwait 1\ntap 2") == [
        *[Move(0.0, "turn", 0, -1)] * 4,
        Move(1.0, "press", 5),
        Move(1.06, "release", 5),
        Move(1.06, "end"),
    ]


def test_turning_and_knobs_are_spread_over_their_time() -> None:
    made = moves("turn se 6 in 0.5\nknob volume 1 in 0.1\nunplug 2")
    turns = [move for move in made if move.kind == "turn"]
    assert (len(turns), turns[-1].at_s, {move.number for move in turns}) == (24, 0.5, {3})
    knobs = [move.value for move in made if move.kind == "knob"]
    assert (len(knobs), knobs[-1], knobs) == (10, 1023, sorted(knobs))
    assert [(move.kind, move.at_s) for move in made[-3:]] == [("unplug", 0.6), ("plug", 2.6), ("end", 2.6)]


@pytest.mark.parametrize(
    "line", ["turn up 1", "turn nw", "turn nw x", "turn nw 1 for 2", "knob volume 2", "wait -1", "press 5", "dance"]
)
def test_a_line_that_no_hand_can_do_is_refused_with_its_number(line: str) -> None:
    with pytest.raises(ScriptError, match=f"line 2 of the hand's script is '{line}'"):
        moves(f"wait 1\n{line}\n")


def test_no_turn_is_no_move() -> None:
    assert moves("turn nw 0 in 1") == [Move(1.0, "end")]
