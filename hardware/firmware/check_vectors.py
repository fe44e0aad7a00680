"""Puts each example of the protocol through the firmware's own codec: `make test`, or with a program and a file.

What goes to the board has to be read as the example says; what the board sends has to come out byte for byte. Bad
frames of either direction have to be refused with the example's reason, as far as a frame itself shows it.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

TYPES = {
    "HELLO": 0x01,
    "STATE": 0x02,
    "DIAGNOSTICS": 0x03,
    "GREETING": 0x81,
    "LEDS": 0x82,
    "BRIGHTNESS": 0x83,
    "HEARTBEAT": 0x84,
    "DIAGNOSTICS_REQUEST": 0x85,
    "NAME_BOARD": 0x86,
}
# Reasons that a frame's bytes show to either side; the others need the fields of messages that the board only sends.
FRAME_ERRORS = ("crc", "cobs", "length")


def words_of(message: dict[str, Any]) -> str:
    """A message as speak_frames writes it: type, sequence and fields in their order, a name in hex."""
    words = [str(TYPES[message["type"]]), str(message["sequence"])]
    for name, value in message["fields"].items():
        if name == "name":
            words.append(value.encode("ascii").ljust(16, b"\0").hex())
        else:
            words += [str(number) for number in (value if isinstance(value, list) else [value])]
    return " ".join(words)


def question_of(vector: dict[str, Any]) -> tuple[str, list[str]] | None:
    """The line for speak_frames and its answer; None where the board has nothing to do with the example."""
    to_board = vector["direction"] == "host_to_board"
    if "error" in vector:
        if to_board or vector["error"] in FRAME_ERRORS:
            return f"decode {vector['hex']}", [vector["error"], "end"]
        return None
    if to_board:
        return f"decode {vector['hex']}", [f"message {words_of(vector['message'])}", "end"]
    if not vector.get("canonical", True):
        return None  # a newer board's: this one can't send it
    return f"encode {words_of(vector['message'])}", [f"wire {vector['hex'].replace(' ', '')}"]


def main() -> None:
    program, path = sys.argv[1:]
    vectors = json.loads(Path(path).read_text())["vectors"]
    asked = [(vector["name"], question) for vector in vectors if (question := question_of(vector)) is not None]
    lines = "".join(f"{question}\n" for _, (question, _) in asked)
    done = subprocess.run([program], input=lines, text=True, capture_output=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"{program} ended with {done.returncode}: {done.stderr}")
    answers = done.stdout.splitlines()
    wrong = 0
    for name, (line, expected) in asked:
        found, answers = answers[: len(expected)], answers[len(expected) :]
        if found != expected:
            wrong += 1
            print(f"{name}: {line}\n  found    {found}\n  expected {expected}")
    if wrong or answers or len(asked) < 60:
        raise SystemExit(f"{wrong} of {len(asked)} examples are wrong, {len(answers)} answers too many.")
    print(f"{len(asked)} of {len(vectors)} examples concern the board: all right.")


if __name__ == "__main__":
    main()
