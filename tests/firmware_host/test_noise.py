"""Random bytes and a noisy line: nothing false, and right again at once. Seeds are fixed."""

import random

import pytest

from firmware_host.messages import State
from firmware_host.protocol import FROM_BOARD, FROM_HOST, LONGEST_BLOCK, Decoder, encode

N_FUZZ_BYTES = 200_000
N_STATES = 5_000


@pytest.mark.parametrize("kinds", [FROM_BOARD, FROM_HOST], ids=["host", "board"])
@pytest.mark.parametrize("values", [256, 4], ids=["any bytes", "many zeros"])
def test_random_bytes_are_no_messages(kinds: dict[int, type], values: int) -> None:
    """Of any bytes, not one passes with these seeds. "Many zeros" makes many short frames, which a CRC passes once in
    65,536: what passes must be of a known type and in its ranges, which making the message checks."""
    generator = random.Random(8)
    decoder = Decoder(kinds)
    messages = []
    for _ in range(N_FUZZ_BYTES // 1000):
        data = bytes(generator.randrange(values) for _ in range(1000))
        messages += decoder.feed(data)
        assert len(decoder._block) <= LONGEST_BLOCK + 1
    n_frames = decoder.n_messages + sum(n for reason, n in decoder.counts.items() if reason != "lost")
    assert n_frames > N_FUZZ_BYTES // 300
    assert messages == []


def spoil(frame: bytes, generator: random.Random) -> bytes:
    """One byte flipped, dropped or put in, anywhere in the frame."""
    at = generator.randrange(len(frame))
    match generator.randrange(3):
        case 0:
            return frame[:at] + bytes((frame[at] ^ 1 << generator.randrange(8),)) + frame[at + 1 :]
        case 1:
            return frame[:at] + frame[at + 1 :]
    return frame[:at] + bytes((generator.randrange(256),)) + frame[at:]


def state(number: int) -> State:
    """One of many that differ in every field."""
    edges = tuple((number >> switch) % 256 for switch in range(8))
    levels = sum((edge & 1) << switch for switch, edge in enumerate(edges))
    counts = tuple((number * step) % 65536 for step in (1, 65535, 3, 7))
    return State(number % 256, counts, levels, edges, tuple((number * k) % 1024 for k in range(6)), number % 65536)


@pytest.mark.parametrize("seed", range(4))
def test_with_one_frame_of_a_hundred_spoiled_nothing_is_false_and_two_frames_set_it_right(seed: int) -> None:
    generator = random.Random(seed)
    decoder = Decoder(FROM_BOARD)
    since_spoiled, n_spoiled, n_received = 2, 0, 0
    for number in range(N_STATES):
        spoiled = generator.random() < 0.01
        wire = encode(state(number), number)
        got = [received.message for received in decoder.feed(spoil(wire, generator) if spoiled else wire)]
        # A byte put in or dropped at a frame's ends may leave it whole; more than what was sent never comes.
        assert got in ([], [state(number)], [state(number - 1), state(number)])
        since_spoiled = 0 if spoiled else since_spoiled + 1
        n_spoiled += spoiled
        n_received += len(got)
        if since_spoiled >= 2:
            assert got == [state(number)]
    assert n_spoiled > N_STATES // 200
    assert N_STATES - 2 * n_spoiled <= n_received < N_STATES
    assert decoder.counts["lost"] == N_STATES - n_received


@pytest.mark.parametrize("seed", range(4))
def test_with_one_byte_of_a_hundred_spoiled_nothing_is_false(seed: int) -> None:
    generator = random.Random(100 + seed)
    decoder = Decoder(FROM_BOARD)
    sent, received = set(), []
    for number in range(N_STATES):
        sent.add(state(number))
        wire = b"".join(
            spoil(bytes((byte,)), generator) if generator.random() < 0.01 else bytes((byte,))
            for byte in encode(state(number), number)
        )
        received += [each.message for each in decoder.feed(wire)]
    assert set(received) <= sent
    assert N_STATES // 2 < len(received) < N_STATES
