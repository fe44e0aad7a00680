"""What a link captured is what it heard; a file that is none is refused in words."""

import io
from typing import Any

import pytest

from firmware_host.capture import HEADER, Capture, CaptureError, read, summary
from firmware_host.link import Link
from firmware_host.messages import Greeting, Heartbeat, Leds, Message
from firmware_host.protocol import Received, encode
from firmware_host.simulate import PtyBoard
from tests.firmware_host.waiting import wait_until


def test_a_session_is_captured_and_decoded() -> None:
    file = io.StringIO()
    messages: list[Message] = []
    capture = Capture(file)
    with PtyBoard() as board, Link(board.device, on_message=messages.append, on_traffic=capture.traffic) as link:
        link.want(Leds((9, 8, 7, 6)))
        wait_until(lambda: board.simulated.leds == (9, 8, 7, 6))
        board.do(lambda simulated: simulated.turn(0, 4))
        wait_until(lambda: any("encoders=4/0/0/0" in str(message) for message in messages))
    events = list(read(io.StringIO(file.getvalue())))
    decoded = [e.what.message for e in events if e.direction == "<" and isinstance(e.what, Received)]
    assert decoded[-len(messages) :] == messages
    sent = [event.what.message for event in events if event.direction == ">" and isinstance(event.what, Received)]
    assert sent[0] == Greeting()
    assert Leds((9, 8, 7, 6)) in sent
    assert [event.at_s for event in events] == sorted(event.at_s for event in events)


def test_frames_that_lines_cut_are_whole_and_dropped_ones_are_shown() -> None:
    wire = encode(Heartbeat(), 7)
    text = f"{HEADER}\n# device x\n0.5 > {wire[:3].hex(' ')}\n\n0.75 > {wire[3:].hex(' ')}\n1 < 05 00\n"
    events = list(read(io.StringIO(text)))
    assert [str(event) for event in events] == ["   0.750000 >   7 HEARTBEAT", "   1.000000 <   - dropped (cobs)"]
    assert summary(events) == {"> HEARTBEAT": 1, "< dropped (cobs)": 1}


def test_another_device_begins_with_nothing_half_received() -> None:
    text = f"{HEADER}\n# device x\n0 > 11 22\n# device y\n1 > {encode(Heartbeat(), 7).hex(' ')}\n"
    assert summary(read(io.StringIO(text))) == {"> HEARTBEAT": 1}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "the file is empty"),
        ("RIFF\n", "line 1 is 'RIFF'"),
        (f"{HEADER}\n0.5 ? 00\n", "line 2 is '0.5 \\? 00'"),
        (f"{HEADER}\nsoon > 00\n", "line 2"),
        (f"{HEADER}\n0.5 > 0g\n", "line 2"),
        (f"{HEADER}\n0.5\n", "line 2"),
    ],
)
def test_what_is_no_capture_is_refused(text: str, words: Any) -> None:
    with pytest.raises(CaptureError, match=words):
        list(read(io.StringIO(text)))
