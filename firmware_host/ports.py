"""Serial ports in words: which of them may be a board, and why one of them is none. Opens nothing."""

import errno
import grp
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from firmware_host.messages import PROTOCOL_MAJOR, PROTOCOL_MINOR

USB_HINTS = {
    (0x1A86, 0x7523): "CH340",
    (0x1A86, 0x55D4): "CH9102",
    (0x0403, 0x6001): "FT232R",
    (0x10C4, 0xEA60): "CP2102",
    (0x2341, 0x0043): "Arduino Uno",
    (0x2341, 0x0058): "Arduino Nano Every",
    (0x2A03, 0x0043): "Arduino Uno",
}
"""(vendor, product) of the chips on a Nano and its copies. Hints only: many other things have the same chips."""


@dataclass(frozen=True, slots=True)
class PortInfo:
    """A serial port of this computer. usb: (vendor, product), None where it is not on USB."""

    device: str
    description: str = ""
    usb: tuple[int, int] | None = None

    @property
    def hinted(self) -> bool:
        return self.usb in USB_HINTS


def likely_first(ports: Sequence[PortInfo]) -> list[PortInfo]:
    """Those with a Nano's chip, then others on USB, then the rest."""
    return sorted(ports, key=lambda port: (not port.hinted, port.usb is None, port.device))


def why_not_open(device: str, error: OSError) -> str:
    """What opening a port met."""
    if error.errno in (errno.EACCES, errno.EPERM):
        return (
            f"{device} may not be opened by this user; it belongs to group {_group(device)}; "
            f"run: sudo usermod -aG {_group(device)} $USER, log out and in again, "
            'or add a udev rule: SUBSYSTEM=="tty", ATTRS{idVendor}=="1a86", TAG+="uaccess"'
        )
    if error.errno in (errno.EAGAIN, errno.EBUSY):
        return f"{device} is used by another program; a board speaks to one; stop the other, or name another port"
    if error.errno in (errno.ENOENT, errno.ENXIO, errno.ENODEV):
        return f"{device} is not there; a plugged-in board was expected; plug it in, or name another port"
    return f"{device} does not open ({error.strerror or error}); a serial port was expected; name another"


def why_no_board(device: str, heard: bytes) -> str:
    """What a port is that did not say hello, by the first bytes that came from it."""
    if not heard:
        return f"{device} is silent; a board answers within 2 s; check its cable, or flash it: tetrad board flash"
    if heard.lstrip(b"\r\n").startswith((b"$G", b"$P", b"!AIVDM")):
        kind = "it seems to be a GPS receiver"
    elif heard[0] & 0x80 and (len(heard) < 2 or not heard[1] & 0x80 or heard[0] in (0xF8, 0xFE)):
        kind = "it seems to be a MIDI instrument"
    else:
        kind = "it is something else, or a board with other firmware"
    return (
        f"{device} speaks, but not as a board ({heard[:6].hex(' ')}): {kind}; "
        f"name the board's port, or flash it: tetrad board flash"
    )


def other_version(device: str, theirs: tuple[int, int]) -> str:
    """A board of another major version answered."""
    older = theirs[0] < PROTOCOL_MAJOR
    remedy = "flash its firmware anew: tetrad board flash" if older else "update Tetrad, which is older than it"
    return (
        f"the board at {device} speaks protocol {theirs[0]}.{theirs[1]}; "
        f"{PROTOCOL_MAJOR}.{PROTOCOL_MINOR} was expected; {remedy}"
    )


def several_boards(boards: Sequence[tuple[str, str, int]]) -> str:
    """boards: (device, name, board_id) of each that answered."""
    found = ", ".join(f"{device} ({name or 'unnamed'}, number {number})" for device, name, number in boards)
    return f"{len(boards)} boards answer: {found}; one was expected; unplug the other, or name one: --port DEVICE"


def no_board(problems: Sequence[str]) -> str:
    """Nothing was found. problems: what was wrong with each port that was looked at."""
    if not problems:
        return "no serial port is there; a board on USB was expected; plug it in (it is looked for all the time)"
    return "no board was found: " + " | ".join(problems)


def _group(device: str) -> str:
    """Name of the group that owns the port; Debian's, where that can't be told."""
    try:
        number = Path(device).stat().st_gid
    except OSError:
        return "dialout"
    try:
        return grp.getgrgid(number).gr_name if number != 0 or os.name != "posix" else "dialout"
    except KeyError:
        return str(number)
