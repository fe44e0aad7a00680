"""puts the firmware onto the board (avrdude, through the Nano's bootloader)"""

import argparse
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from firmware_host.link import list_ports
from firmware_host.ports import PortInfo
from firmware_host.settings import read_settings
from synth.errors import TetradError

HEX_FILE = Path(__file__).resolve().parent.parent / "hardware" / "firmware" / "build" / "tetrad_board.hex"
BAUD, OLD_BAUD = 115_200, 57_600
"""Of the bootloader: Optiboot's, and that of Nanos and copies from before 2018."""


class FlashCommand:
    """`tetrad board flash`"""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--port", metavar="PORT", help="such as /dev/ttyUSB0 (default: the only one on USB)")
        parser.add_argument("--hex", type=Path, default=HEX_FILE, metavar="FILE", help="default: the checkout's own")
        parser.add_argument("--old-bootloader", action="store_true", help="of Nanos from before 2018, and many copies")

    def run(self, args: argparse.Namespace) -> int:
        avrdude = shutil.which("avrdude")
        if avrdude is None:
            raise TetradError("avrdude is not installed; it writes the firmware; run: sudo apt install avrdude")
        if not args.hex.is_file():
            raise TetradError(
                f"there is no firmware at {args.hex}; a built one was expected; run: make -C hardware/firmware"
            )
        port = args.port or read_settings().port or only_port(list_ports())
        command = avrdude_command(avrdude, port, args.hex, OLD_BAUD if args.old_bootloader else BAUD)
        print(" ".join(command), flush=True)
        status = subprocess.run(command, check=False).returncode
        if status != 0:
            other = "without" if args.old_bootloader else "with"
            raise TetradError(
                f"avrdude ended with status {status}, and the board may be without firmware; a Nano at {port} that no "
                f"other program uses was expected; end `tetrad play`, or try {other} --old-bootloader"
            )
        print(f"The firmware is on the board at {port}. Try it: tetrad board test --port {port}")
        return 0


def avrdude_command(avrdude: str, port: str, hex_file: Path, baud: int) -> list[str]:
    """What is run. -D: the bootloader erases page by page, and would refuse to erase the chip."""
    flash = f"flash:w:{hex_file}:i"
    return [avrdude, "-c", "arduino", "-p", "atmega328p", "-P", port, "-b", str(baud), "-D", "-U", flash]


def only_port(ports: Sequence[PortInfo]) -> str:
    """The port that must be meant: the only one with a Nano's chip. Raises TetradError that lists what there is."""
    likely = [port.device for port in ports if port.hinted]
    if len(likely) == 1:
        return likely[0]
    found = ", ".join(likely or [port.device for port in ports]) or "none"
    raise TetradError(
        f"{len(likely)} ports look like a Nano's (found: {found}); one was expected; name the board's: --port PORT"
    )
