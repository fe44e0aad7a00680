"""What `tetrad doctor` asks about the screen: the display, who draws on it, touch, fonts, what it remembers."""

import importlib.util
import json
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from synth.doctor.check import Check, Verdict, fail, ok, warn
from synth.doctor.machine import Machine
from ui.font_list import FontFile, list_fonts
from ui.store import Store

WITHIN_S = 30.0
SOFTWARE = ("llvmpipe", "softpipe", "swrast", "SwiftShader")
"""Drivers that draw with the processor."""
SCRIPTS = {
    "Latin": "A",
    "Greek": "Ω",
    "Cyrillic": "Ж",
    "Arabic": "ع",
    "Hebrew": "ש",
    "Devanagari": "अ",
    "Thai": "ก",
} | {
    "Chinese": "中",
    "Japanese": "あ",
    "Korean": "한",
}
_ABS_MT_POSITION_X, _ABS_X, _BTN_TOUCH = 0x35, 0x00, 0x14A
_NO_SCREEN = "plug one in (on a Pi: dtoverlay=vc4-kms-v3d in config.txt); without one MIDI, board and scripts play"


def checks(machine: Machine | None = None) -> list[Check]:
    """All of it. No window is opened."""
    machine = machine or Machine()
    shown = display(machine)
    found = [shown, graphics(ask_driver(), shown.verdict is Verdict.OK), touch(machine), fonts(_system_fonts())]
    return [*found, remembered(Store())]


def display(machine: Machine) -> Check:
    """Where a window would be: on a desktop, or on a graphics card that this user may open."""
    name = "screen"
    for variable, kind in (("WAYLAND_DISPLAY", "Wayland"), ("DISPLAY", "X")):
        if machine.environment.get(variable):
            return ok(name, f"a desktop, {kind} {machine.environment[variable]}")
    cards = machine.glob("/dev/dri/card*")
    if not cards:
        return warn(name, "none: no desktop (DISPLAY, WAYLAND_DISPLAY) and no graphics card (/dev/dri)", _NO_SCREEN)
    if not any(machine.may_open(card) for card in cards):
        remedy = "sudo usermod -aG video,render $USER, log out and in again; or start from a desktop"
        return fail(name, f"/dev/dri/{cards[0].name} may not be opened by this user", remedy)
    plugs = [
        (status.parent.name.partition("-")[2], machine.text(status.parent / "modes").partition("\n")[0])
        for status in machine.glob("/sys/class/drm/card*-*/status")
        if machine.text(status) == "connected"
    ]
    if not plugs:
        return warn(name, "a graphics card, and no screen on it", f"look at its cable; {_NO_SCREEN}")
    return ok(name, ", ".join(f"{plug} {mode}".strip() for plug, mode in plugs))


def ask_driver(command: Sequence[str] = (sys.executable, "-m", "ui.graphics")) -> Mapping[str, str]:
    """What `ui.graphics` prints, in a process of its own."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=WITHIN_S, check=False)
        if done.returncode != 0:
            return {"error": f"the driver crashed (exit status {done.returncode})"}
        told = json.loads(done.stdout)
    except subprocess.TimeoutExpired:
        return {"error": f"the driver did not answer within {WITHIN_S:g} s"}
    except (OSError, ValueError):
        return {"error": "the driver said nothing"}
    return told if isinstance(told, dict) else {"error": "the driver said what nobody understands"}


def graphics(told: Mapping[str, str], is_shown: bool = True) -> Check:
    """told: as `ask_driver` gives it. is_shown: there is a screen to draw on."""
    name = "OpenGL driver"
    if "error" in told or not told.get("renderer"):
        words = told.get("error", "it has no name")
        if not is_shown:
            return ok(name, f"none ({words}); nothing to draw on")
        return warn(name, f"none ({words})", "sudo apt install libgl1-mesa-dri libegl1 libgles2")
    value = f"{told['renderer']}, {told.get('version', '')}"
    if not is_shown:
        return ok(name, f"{value}; nothing to draw on")
    if any(driver.lower() in value.lower() for driver in SOFTWARE):
        return warn(
            name,
            f"{value}: the processor draws, beside the sound",
            "let the graphics card draw: on a Pi dtoverlay=vc4-kms-v3d in config.txt; join the group render",
        )
    return ok(name, value)


def touch(machine: Machine) -> Check:
    """Devices that fingers move. On a desktop that one reads them for us, and a mouse is a finger."""
    name = "touch"
    on_desktop = any(map(machine.environment.get, ("WAYLAND_DISPLAY", "DISPLAY")))
    devices = touch_devices(machine.text("/proc/bus/input/devices"))
    refused = [event for _, event in devices if not machine.may_open(machine.path(f"/dev/input/{event}"))]
    if not devices:
        if on_desktop or not machine.glob("/dev/dri/card*"):
            return ok(name, "none; the mouse is a finger" if on_desktop else "none, and no screen")
        return warn(name, "none", "plug in the touch screen's USB or ribbon cable; a mouse is a finger, too")
    value = ", ".join(f"{device} ({event})" for device, event in devices)
    if refused and not on_desktop:
        return fail(name, f"{value}; this user may not read {', '.join(refused)}", "sudo usermod -aG input $USER")
    return ok(name, value)


def touch_devices(listing: str) -> list[tuple[str, str]]:
    """Name and event device of each touch device in the text of /proc/bus/input/devices."""
    found = []
    for block in listing.split("\n\n"):
        name, handlers = (
            re.search(r'^N: Name="(.*)"', block, re.M),
            re.search(r"^H: Handlers=.*\b(event\d+)", block, re.M),
        )
        positions, keys = _bits(block, "ABS"), _bits(block, "KEY")
        is_touch = positions >> _ABS_MT_POSITION_X & 1 or (positions >> _ABS_X & 1 and keys >> _BTN_TOUCH & 1)
        if name and handlers and is_touch:
            found.append((name[1], handlers[1]))
    return found


def fonts(found: Sequence[FontFile]) -> Check:
    """Which scripts names can be written in; a letter that no font has is shown as a box."""
    name = "fonts"
    if not found:
        return warn(name, "none are known: fontconfig is missing", "sudo apt install fontconfig fonts-dejavu-core")
    can = [script for script, letter in SCRIPTS.items() if any(font.has(letter) for font in found)]
    value = f"{len(found)}; they can write {', '.join(can)}"
    if "Latin" not in can:
        return fail(name, value, "install Tetrad again: Kivy's own fonts are missing")
    missing = [script for script in SCRIPTS if script not in can]
    return ok(name, f"{value}; not {', '.join(missing)} (fonts-noto has them)" if missing else value)


def remembered(store: Store) -> Check:
    """`ui.toml`."""
    name = "screen settings"
    if store.trouble:
        return warn(name, store.trouble.partition(";")[0], "mend or remove that file; until then nothing is kept")
    return ok(name, f"theme {store.kept.theme}")


def _bits(block: str, kind: str) -> int:
    """ "B: ABS=2 60800000000003": words of 64 or 32 bits, the highest first, without leading zeros."""
    match = re.search(rf"^B: {kind}=([0-9a-f ]+)$", block, re.M)
    width = 64 if sys.maxsize > 2**32 else 32
    bits = 0
    for word in match[1].split() if match else []:
        bits = bits << width | int(word, 16)
    return bits


def _system_fonts() -> list[FontFile]:
    """Kivy's own, found without importing it, and the system's."""
    spec = importlib.util.find_spec("kivy")
    folder = Path(spec.origin).parent / "data" / "fonts" if spec and spec.origin else Path()
    return list_fonts([folder / "Roboto-Regular.ttf", folder / "DejaVuSans.ttf"])
