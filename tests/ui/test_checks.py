"""What the doctor finds of the screen, told from the files of machines that are not this one, and from this one's."""

import json
import os
import sys
from array import array
from pathlib import Path

import pytest

from synth.doctor.check import Verdict
from synth.doctor.machine import Machine
from ui.checks import ask_driver, checks, display, fonts, graphics, remembered, touch, touch_devices
from ui.font_list import FontFile
from ui.store import Store

DEVICES = """I: Bus=0018 Vendor=0000 Product=0000 Version=0000
N: Name="10-0038 generic ft5x06 (79)"
P: Phys=
H: Handlers=mouse0 event4
B: PROP=2
B: EV=b
B: KEY=400 0 0 0 0 0
B: ABS=260800000000003

I: Bus=0003 Vendor=046d
N: Name="Logitech USB Mouse"
H: Handlers=mouse1 event2
B: EV=17
B: KEY=ff0000 0 0 0 0
B: REL=903

I: Bus=0003 Vendor=0eef
N: Name="eGalax resistive"
H: Handlers=event7
B: KEY=400 0 0 0 0 0
B: ABS=3
"""


@pytest.fixture
def device(tmp_path: Path) -> Machine:
    """A Pi with a 7-inch screen, and a user who may open everything by their group."""
    files = {
        "dev/dri/card1": "",
        "dev/input/event4": "",
        "dev/input/event7": "",
        "sys/class/drm/card1-DSI-1/status": "connected\n",
        "sys/class/drm/card1-DSI-1/modes": "800x480\n640x480\n",
        "sys/class/drm/card1-HDMI-A-1/status": "disconnected\n",
        "proc/bus/input/devices": DEVICES,
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o660)
    return Machine(tmp_path, environment={}, uid=os.geteuid() + 1, groups=(os.getegid(),))


def without_groups(machine: Machine, **environment: str) -> Machine:
    return Machine(machine.root, environment=environment, uid=machine.uid, groups=())


def test_a_screen_on_a_graphics_card(device: Machine) -> None:
    assert (display(device).verdict, display(device).value) == (Verdict.OK, "DSI-1 800x480")
    refused = display(without_groups(device))
    assert (refused.verdict, refused.value) == (Verdict.FAIL, "/dev/dri/card1 may not be opened by this user")
    device.path("/sys/class/drm/card1-DSI-1/status").write_text("disconnected\n")
    assert "no screen on it" in display(device).value


def test_a_desktop_and_no_screen_at_all(tmp_path: Path) -> None:
    assert display(Machine(tmp_path, environment={"DISPLAY": ":0"})).value == "a desktop, X :0"
    none = display(Machine(tmp_path, environment={}))
    assert none.verdict is Verdict.WARN
    assert "vc4-kms-v3d" in none.remedy
    assert touch(Machine(tmp_path, environment={})).value == "none, and no screen"


def test_touch_devices_are_told_from_mice() -> None:
    assert touch_devices(DEVICES) == [("10-0038 generic ft5x06 (79)", "event4"), ("eGalax resistive", "event7")]
    assert touch_devices("nonsense\n\n" * 3) == []


def test_touch_that_may_not_be_read(device: Machine) -> None:
    assert touch(device).verdict is Verdict.OK
    refused = touch(without_groups(device))
    assert refused.verdict is Verdict.FAIL
    assert "may not read event4, event7" in refused.value
    assert touch(without_groups(device, DISPLAY=":0")).verdict is Verdict.OK  # X reads it
    device.path("/proc/bus/input/devices").write_text("")
    assert touch(device).verdict is Verdict.WARN


def test_a_driver_that_draws_with_the_processor() -> None:
    fast = graphics({"renderer": "V3D 4.2.14", "version": "OpenGL ES 3.1 Mesa 24.2"})
    assert (fast.verdict, fast.value) == (Verdict.OK, "V3D 4.2.14, OpenGL ES 3.1 Mesa 24.2")
    slow = graphics({"renderer": "llvmpipe (LLVM 15)", "version": "OpenGL ES 3.2"})
    assert slow.verdict is Verdict.WARN
    assert graphics({"renderer": "llvmpipe"}, is_shown=False).verdict is Verdict.OK
    assert "libgl1-mesa-dri" in graphics({"error": "libEGL.so.1 is missing"}).remedy


def test_the_driver_of_this_machine_is_asked() -> None:
    assert set(ask_driver()) in ({"vendor", "renderer", "version"}, {"error"})


@pytest.mark.parametrize(
    "program",
    ["import os; os.abort()", "print('half a'", "print(3)", f"print({json.dumps(json.dumps({'error': 'x'}))})"],
)
def test_a_driver_that_crashes_takes_nothing_along(program: str) -> None:
    assert graphics(ask_driver([sys.executable, "-c", program])).verdict is Verdict.WARN


def test_which_scripts_names_can_have() -> None:
    latin = FontFile("a.ttf", array("L", [0x20]), array("L", [0x7E]))
    chinese = FontFile("b.ttf", array("L", [0x4E00]), array("L", [0x9FFF]))
    assert fonts([latin, chinese]).value.startswith("2; they can write Latin, Chinese; not Greek")
    assert fonts([chinese]).verdict is Verdict.FAIL
    assert fonts([]).verdict is Verdict.WARN


def test_what_the_screen_remembers(tmp_path: Path) -> None:
    (tmp_path / "ui.toml").write_text('theme = "pink"\n')
    assert remembered(Store(tmp_path / "ui.toml")).verdict is Verdict.WARN
    assert remembered(Store(tmp_path / "none.toml")).value == "theme stage"


def test_all_of_it_on_this_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TETRAD_HOME", str(tmp_path))
    names = [check.name for check in checks(Machine())]
    assert names == ["screen", "OpenGL driver", "touch", "fonts", "screen settings"]
