"""The real firmware in simavr: contacts, voltages and bytes in; frames and lit LEDs out."""

import itertools
import random
import re
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hardware.board import CYCLES_PER_MS, FIRMWARE, Board, build, crc16, frame, make

HELLO, STATE, DIAGNOSTICS = 1, 2, 3
GREETING, LEDS, BRIGHTNESS, HEARTBEAT, DIAGNOSTICS_REQUEST, NAME_BOARD = range(0x81, 0x87)
N_SWITCHES = 8


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return build(tmp_path_factory.mktemp("firmware"))


@pytest.fixture
def board(programs: tuple[Path, Path]) -> Iterator[Board]:
    """A board that is up and has sent its HELLO and its first STATE."""
    with Board(*programs) as board:
        kinds = [payload[1] for payload in board.run(60)]
        assert kinds == [HELLO, STATE]
        yield board


def diagnostics(board: Board, sequence: int = 99) -> tuple[int, ...]:
    board.run(10)
    board.send(b"\0" + frame(sequence, DIAGNOSTICS_REQUEST))
    (answer,) = [payload for payload in board.run(20) if payload[1] == DIAGNOSTICS]
    return struct.unpack("<10H", answer[2:])


def test_codec_agrees_with_the_protocols_examples(tmp_path: Path) -> None:
    assert re.search(
        r"\d\d+ of \d+ examples concern the board: all right", make(FIRMWARE, "test", f"BUILD={tmp_path}").stdout
    )


def test_size_is_printed_and_the_stack_is_never_deeper(programs: tuple[Path, Path], board: Board) -> None:
    printed = make(FIRMWARE, "size", f"BUILD={programs[1].parent}").stdout
    worst = int(re.search(r"stack (\d+) bytes at worst", printed)[1])  # type: ignore[index]
    board.send(frame(1, GREETING, bytes((1, 0))) + frame(2, NAME_BOARD, struct.pack("<I16s", 7, b"left")))
    board.command("turn 0 20 400 500 90 30")
    board.run(400)
    diagnostics(board)
    deepest = 0x8FF - int(board.command("stack")[0])
    assert deepest <= worst
    assert worst - deepest < 64  # a bound that is far off would say nothing


def test_hello_says_who_it_is_and_why_it_started(programs: tuple[Path, Path]) -> None:
    with Board(*programs) as board:
        hellos = board.run(10)
        board.send(b"\0" + frame(1, GREETING, bytes((1, 0))))
        hellos += [payload for payload in board.run(60) if payload[1] == HELLO]
    assert len(hellos) == 2  # at its start, and as an answer
    assert hellos[1][2:7] == bytes((1, 0, 0, 1, 0))
    assert hellos[1][12:20] == bytes((4, 4, 8, 6, 10, 4, 3, 0))
    assert hellos[1][20:] == b"Tetrad board\0\0\0\0"


def test_name_is_kept_over_a_reset(board: Board) -> None:
    board.send(frame(5, NAME_BOARD, struct.pack("<I16s", 0xA0B0C0D0, b"Stage left")))
    for ms in (150, 60):
        (hello,) = [payload for payload in board.run(ms) if payload[1] == HELLO]
        assert struct.unpack("<I", hello[7:11])[0] == 0xA0B0C0D0
        assert hello[20:] == b"Stage left\0\0\0\0\0\0"
        board.command("reset")


@pytest.mark.parametrize("encoder", range(4))
def test_a_detent_is_four_counts_of_its_own_encoder(board: Board, encoder: int) -> None:
    board.command(f"turn {encoder} 1 10 0 0 0")
    board.command("settle")
    assert board.state().encoders == tuple(4 if k == encoder else 0 for k in range(4))
    board.command(f"turn {encoder} -3 10 2000 95 30")
    board.command("settle")
    assert board.state().encoders == tuple(65528 if k == encoder else 0 for k in range(4))


def test_fast_bouncing_turns_of_all_encoders_lose_nothing(board: Board) -> None:
    board.command("load")
    expected = [0] * 4
    chances = random.Random(8)
    for _ in range(6):
        for encoder in range(4):
            detents = chances.choice((-1, 1)) * chances.randint(1, 40)
            board.command(f"turn {encoder} {detents} {chances.choice((400, 400, 150, 60))} 2000 95 30")
            expected[encoder] += detents
    for k in range(6):
        board.command(f"move {k} 0 {700 * k + 900} 300")
    for k in range(N_SWITCHES):
        board.command(f"switch {k} 1 4000")
    board.command("settle")
    assert board.state().encoders == tuple(4 * detents & 0xFFFF for detents in expected)
    assert diagnostics(board)[3:4] == (0,)  # no frame was too much for the line


def test_fastest_spin_leaves_half_of_the_processor(board: Board) -> None:
    for encoder in range(4):
        board.command(f"turn {encoder} 400 400 2000 95 30")
    board.run(50)
    diagnostics(board)
    board.command("load")
    board.run(500)
    cycles, asleep, _ = (int(word) for word in board.command("load"))
    told = diagnostics(board)[8]
    awake_permille = 1000 * (cycles - asleep) / cycles
    assert awake_permille <= 500
    assert told == pytest.approx(awake_permille, abs=40)  # its own account, which has the worst of 100 ms


@pytest.mark.parametrize("switch", range(N_SWITCHES))
def test_a_press_with_bounce_is_two_edges(board: Board, switch: int) -> None:
    board.command(f"switch {switch} 1 4000")
    down = board.state()
    assert (down.switch_levels, down.switch_edges[switch], sum(down.switch_edges)) == (1 << switch, 1, 1)
    board.command(f"switch {switch} 0 4000")
    up = board.state()
    assert (up.switch_levels, up.switch_edges[switch], sum(up.switch_edges)) == (0, 2, 2)


def test_a_glitch_shorter_than_4_ms_is_no_press(board: Board) -> None:
    board.command("switch 4 1 0")
    board.run(3.5)
    board.command("switch 4 0 0")
    assert board.state().switch_edges == (0,) * N_SWITCHES


@pytest.mark.parametrize("knob", range(6))
def test_a_knob_reaches_both_ends_and_is_at_its_place_after_45_ms(board: Board, knob: int) -> None:
    for position in (1023, 0, 512, 600 + knob * 50):
        board.command(f"knob {knob} {(position + 0.5) * 5000 / 1024:.0f}")
        states = board.states(49)  # 20 ms of filter, 25 between two STATEs, and the frame's 4
        assert abs(states[-1].knobs[knob] - position) <= 1
        assert all(states[-1].knobs[other] == 0 for other in range(6) if other != knob)
    board.command(f"knob {knob} 5000")
    assert board.state().knobs[knob] == 1023


def test_a_resting_noisy_knob_says_nothing(board: Board) -> None:
    """10 mV of noise up and down (2 positions), at places within and between two positions."""
    board.command("noise 10")
    for knob, mv in enumerate((0, 5000, 2500, 2502, 1234, 3333)):
        board.command(f"knob {knob} {mv}")
    board.run(300)
    assert len(board.states(5000)) == 20  # heartbeats


def test_heartbeat_without_a_host(board: Board) -> None:
    uptimes = [state.uptime_ms for state in board.states(1050)]
    assert {b - a for a, b in itertools.pairwise(uptimes)} == {250}


@pytest.mark.parametrize("way", [1, -1])
def test_a_detent_is_told_within_4_ms_and_its_last_count_after_100(board: Board, way: int) -> None:
    contacts = (2, 3) if way > 0 else (3, 2)
    for number, wait_ms in enumerate((7.3, 10.9, 3.1)):
        board.run(250)
        board.run(wait_ms)
        for contact, level in ((0, 0), (1, 0)):
            board.command(f"contact {contacts[contact]} {level}")
            assert board.states(0.7) == []
        board.command(f"contact {contacts[0]} 1")
        assert [state.encoders[1] for state in board.states(4.2)] == [way * (4 * number + 3) % 65536]
        board.command(f"contact {contacts[1]} 1")
        assert board.states(90) == []
        assert [state.encoders[1] for state in board.states(20)] == [way * (4 * number + 4) % 65536]


def test_an_encoder_that_trembles_within_a_detent_is_told_by_heartbeats_only(board: Board) -> None:
    states = []
    for level in [0, 1] * 50:
        board.command(f"contact 2 {level}")
        states += board.states(10)
    assert len(states) == 4


def test_a_knob_that_is_turned_is_told_40_times_a_second_and_a_press_at_once(board: Board) -> None:
    board.command("move 0 0 5000 1000")
    states = board.states(500)
    assert 18 <= len(states) <= 21
    board.command("switch 4 1 0")
    pressed = [state for state in board.states(12) if state.switch_edges[4]]
    assert pressed[0].knobs[0] > states[-1].knobs[0]


def test_what_was_counted_before_the_host_came_is_no_detent_more(board: Board) -> None:
    """Half a detent from rest: the host takes the encoder to rest at the upper detent, and so does the board."""
    board.command("contact 2 0")
    board.command("contact 3 0")
    board.run(120)
    board.send(b"\0" + frame(1, GREETING, bytes((1, 0))))
    assert [state.encoders[1] for state in board.states(30)] == [2]
    board.command("contact 3 1")
    assert [state.encoders[1] for state in board.states(4.2)] == [1]


def test_leds_shine_as_told_without_flicker(board: Board) -> None:
    board.send(frame(1, LEDS, bytes((255, 128, 16, 0))))
    board.run(50)
    board.command("leds")
    board.run(640)
    duties_and_rises = [float(word) for word in board.command("leds")]
    assert duties_and_rises[0::2] == pytest.approx([1.0, 128 / 255, 16 / 255, 0.0], abs=0.012)
    assert duties_and_rises[3] >= 100
    assert duties_and_rises[5] >= 100
    board.send(frame(2, BRIGHTNESS, bytes((64,))))
    board.run(50)
    board.command("leds")
    board.run(640)
    assert float(board.command("leds")[0]) == pytest.approx(64 / 255, abs=0.012)


def test_leds_breathe_together_when_the_host_is_silent(board: Board) -> None:
    board.send(frame(1, LEDS, bytes((255, 0, 0, 0))))
    board.run(1900)
    board.command("leds")
    board.run(60)
    assert float(board.command("leds")[0]) > 0.9
    board.run(200)
    duties = []
    for _ in range(8):
        board.command("leds")
        board.run(250)
        duties.append([float(word) for word in board.command("leds")[0::2]])
    assert all(max(four) == min(four) for four in duties)
    assert 0.01 < min(duty for duty, *_ in duties) < max(duty for duty, *_ in duties) < 0.15
    board.send(frame(2, HEARTBEAT))
    board.run(50)
    board.command("leds")
    board.run(60)
    assert float(board.command("leds")[0]) > 0.9


def test_damaged_and_strange_frames_are_counted_and_change_nothing(board: Board) -> None:
    good = frame(1, LEDS, bytes((255, 255, 255, 255)))
    damaged = [
        good[:3] + bytes((good[3] ^ 1,)) + good[4:],
        good[:4] + good[5:],
        b"\x41" + b"\x55" * 100 + b"\0",
        b"\x03\x01\0",
    ]
    damaged.append(frame(7, LEDS, b"\x01"))  # fields are missing: good for the sequence number only
    for wire in damaged:
        board.send(wire)
    board.send(frame(8, 0x99, b"new"))
    last = board.state()
    assert last.host_sequence == 8
    assert diagnostics(board)[:3] == (5, 1, 0)
    assert float(board.command("leds")[0]) < 0.2


def test_random_bytes_do_no_harm(board: Board) -> None:
    board.send(random.Random(3).randbytes(20_000))
    board.run(1000)
    bad_frames, _, overruns, *_ = diagnostics(board)
    assert bad_frames > 50
    assert overruns == 0
    board.send(b"\0" + frame(200, HEARTBEAT))
    assert board.state(20).host_sequence == 200


def test_line_at_full_speed_while_all_encoders_spin_loses_no_byte(board: Board) -> None:
    for encoder in range(4):
        board.command(f"turn {encoder} 200 400 2000 95 30")
    n_frames = 1500
    board.send(b"".join(frame(k & 0xFF, LEDS, bytes((k & 0xFF, 0, 1, 2))) for k in range(n_frames)))
    board.run(800)
    bad_frames, unknown, overruns, *_ = diagnostics(board)
    assert (bad_frames, unknown, overruns) == (0, 0, 0)
    assert board.state().encoders == (800,) * 4


def test_crc_is_the_published_one() -> None:
    assert crc16(b"123456789") == 0x29B1


def test_time_is_the_crystals(board: Board) -> None:
    first = board.state()
    begun = int(board.command("run 0")[0])
    last = board.state(2000)
    passed_ms = (int(board.command("run 0")[0]) - begun) / CYCLES_PER_MS
    assert abs((last.uptime_ms - first.uptime_ms) - passed_ms) <= 250
