"""What `tetrad doctor` asks about the encoder board: its settings, its port, whether it answers, what it counts."""

import threading
from pathlib import Path

from firmware_host.link import Condition, Link, list_ports
from firmware_host.messages import Diagnostics, DiagnosticsRequest, Hello, Message
from firmware_host.ports import PortInfo, no_board
from firmware_host.settings import BoardSettings, read_settings
from synth.doctor.check import Check, failed, ok, warn
from synth.errors import TetradError

ANSWER_WITHIN_S = 6.0
"""Opening a Nano's port starts it anew: 2 s of bootloader, greetings, and the link's second look."""
DIAGNOSTICS_WITHIN_S = 1.0
_NO_BOARD = no_board([""]).strip()
MOST_ILLEGAL = 100
"""Impossible steps of an encoder: some come from dirty contacts, many from a loose wire."""


def checks() -> list[Check]:
    """All of it. The board is opened, greeted and left; one that a running host has is left to that."""
    try:
        settings = read_settings()
    except TetradError as error:
        return [failed("board settings", error), *board(BoardSettings(), list_ports())]
    return [ok("board settings", _settings_words(settings)), *board(settings, list_ports())]


def board(settings: BoardSettings, ports: list[PortInfo]) -> list[Check]:
    """ports: of this computer. Only the port that the settings name, or those with a Nano's chip, are opened: what
    else is on a serial port must not be disturbed by a question."""
    name = "encoder board"
    likely = [port for port in ports if port.hinted]
    others = ", ".join(port.device for port in ports if not port.hinted)
    if settings.port is None and not likely:
        elsewhere = f"; other serial ports: {others}" if others else ""
        return [ok(name, f"none is plugged in{elsewhere}; it is not needed")]
    return ask(settings.port, likely)


def ask(port: str | None, likely: list[PortInfo]) -> list[Check]:
    """Find the board at a port, or at one of the likely ones, and let it say how it fares."""
    name = "encoder board"
    if port is not None and not Path(port).exists():
        return [warn(name, f"{port} is not there", "plug the board in, or name another port in board.toml")]
    answered, decided = threading.Event(), threading.Event()
    told: list[Diagnostics] = []

    def take(message: Message) -> None:
        if isinstance(message, Diagnostics):
            told.append(message)
            answered.set()

    def hear(condition: Condition, words: str) -> None:
        # It looks on for ever; its first words of a port that is none are enough.
        if condition in (Condition.CONNECTED, Condition.REFUSED) or words.startswith(_NO_BOARD):
            decided.set()

    with Link(port, on_message=take, on_condition=hear, find=lambda: likely) as link:
        decided.wait(ANSWER_WITHIN_S)
        if link.condition is not Condition.CONNECTED:
            return [failed_words(name, link.words)]
        hello, device = link.hello, link.device
        link.send(DiagnosticsRequest())
        answered.wait(DIAGNOSTICS_WITHIN_S)
        counts = link.counts
    found = [warn(name, "it went away while it was asked", "plug it in again, and look at its cable")]
    if hello is not None:
        found = [ok(name, f"{_who(hello)} at {device}"), counters(told[0] if told else None, counts)]
    return found


def failed_words(name: str, words: str) -> Check:
    """The link's words, which end with what to do."""
    # A port that another program has: as a rule our own host, which knows it better (`tetrad board monitor`).
    if "used by another program" in words:
        return ok(name, f"{words.partition(';')[0]}: Tetrad's own, if it plays with the board")
    found, _, remedy = words.removeprefix(_NO_BOARD).strip().rpartition("; ")
    return warn(name, found or words, remedy or "see hardware/README.md")


def counters(told: Diagnostics | None, counts: dict[str, int]) -> Check:
    """told: the board's own counters; None: it did not answer. counts: of the link since the port was opened."""
    name = "board counters"
    if told is None:
        return warn(name, "the board did not tell them", "flash it anew: tetrad board flash")
    damaged = counts.get("lost", 0) + told.bad_frames
    value = (
        f"{damaged} frames damaged, {told.rx_overruns} overruns, {told.tx_dropped} dropped; "
        f"busy {told.busiest_permille / 10:.0f} % at most, {told.free_ram} bytes of memory free"
    )
    worst = max(told.illegal_transitions)
    if worst > MOST_ILLEGAL:
        encoder = told.illegal_transitions.index(worst) + 1
        return warn(name, f"encoder {encoder} made {worst} impossible steps; {value}", "see to its wires and contacts")
    if told.rx_overruns or told.tx_dropped:
        return warn(name, value, "take a shorter USB cable, and no hub")
    return ok(name, value)


def _who(hello: Hello) -> str:
    firmware = f"{hello.firmware_major}.{hello.firmware_minor}.{hello.firmware_patch}"
    controls = f"{hello.n_encoders} encoders, {hello.n_switches} switches, {hello.n_knobs} knobs, {hello.n_leds} LEDs"
    protocol = f"{hello.protocol_major}.{hello.protocol_minor}"
    return f"{hello.name or 'a board without a name'}, firmware {firmware}, protocol {protocol}, {controls}"


def _settings_words(settings: BoardSettings) -> str:
    return f"port {settings.port or 'any'}, brightness {settings.brightness:g}"
