"""The firmware in simavr, its serial line a pseudo-terminal; the real host; the real engine: from a pin to a corner."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.firmware_host.test_host import LIMIT_S, HostProcess
from tests.hardware.board import Runner, build
from tests.listening import wait_until
from tests.ui.engine import EngineProcess

NE, RELEASE, PATCH_1 = 1, 4, 4
"""An encoder (its push is the switch of the same number), a knob, a switch, numbered as in PROTOCOL.md."""


class Hand(Runner):
    """Hands on the simulated pins, by the clock."""

    def turn(self, encoder: int, detents: int) -> None:
        """20 detents a second, with contacts that bounce for half a millisecond nearly always."""
        self.command(f"turn {encoder} {detents} 20 500 90 30")

    def tap(self, switch: int) -> None:
        """Down for a tenth of a second, bouncing for 2 ms at both ends."""
        self.command(f"switch {switch} 1 2000")
        self.command("after 100")
        self.command(f"switch {switch} 0 2000")

    def lit(self) -> int:
        """The brightest of the four LEDs since the last question; duty in thousandths comes first for each of them."""
        duties = [float(word) for word in self.command("leds")[0::2]]
        return duties.index(max(duties))


@pytest.fixture
def hand(tmp_path: Path) -> Iterator[Hand]:
    with Hand(*build(tmp_path), tmp_path / "port") as hand:
        yield hand


@pytest.mark.slow
def test_pins_change_corners_parameters_and_patches_also_after_replugging(hand: Hand, tmp_path: Path) -> None:
    with EngineProcess(tmp_path) as engine:
        engine.start()
        client = engine.client
        client.request("patch_load", number=0)
        host = HostProcess(tmp_path, "--port", str(tmp_path / "port"), "--socket", str(engine.socket))
        wait_until(lambda: "Tetrad board" in host.said(), "the board's name in what the host says")

        def play(millivolts: int, release: float, patch: int) -> None:
            before = client.request("status")["corners"]["ne"]["instrument"]
            hand.turn(NE, 2)
            client.wait_for(lambda status: status["focus"]["target"] == "ne", LIMIT_S)
            hand.tap(NE)
            client.wait_for(lambda status: status["corners"]["ne"]["instrument"] != before, LIMIT_S)
            hand.command(f"move {RELEASE} 2500 {millivolts} 300")
            client.wait_for(lambda status: status["parameters"]["release"] == release, LIMIT_S)
            client.request("set", parameter="release", value=1.0)
            hand.tap(PATCH_1 + patch)
            client.wait_for(lambda status: status["patch"]["number"] == patch, LIMIT_S)

        play(5000, 10.0, 1)
        wait_until(lambda: hand.lit() == 1, "the loaded patch's light")
        hand.command("unplug")
        wait_until(lambda: "the board is gone" in host.said(), "the words for an unplugged board")
        hand.lit()  # what shone before
        hand.command("plug")
        wait_until(lambda: host.said().count("Tetrad board") == 2, "the board's name again")
        wait_until(lambda: hand.lit() == 1, "light after replugging")
        play(0, 0.05, 2)
        host.close()
