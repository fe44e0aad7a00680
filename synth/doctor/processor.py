"""The processor: does it run at full speed, is it cool, is its power supply strong enough?"""

import re
import shutil
import subprocess

from synth.doctor.check import Check, fail, ok, warn
from synth.doctor.machine import Machine

HOT_C, TOO_HOT_C = 75.0, 85.0
"""A Raspberry Pi slows down from 80 degrees on, more and more up to 85."""
_BITS = {0: "the voltage is too low", 1: "the clock is capped", 2: "it is slowed down", 3: "it is at its soft limit"}
"""Of `vcgencmd get_throttled`, now; 16 higher: since it was switched on."""
_COOL = "give it a heat sink or a fan, and take it out of the sun"
_SUPPLY = (
    "use the power supply made for it (a Pi 4: 5.1 V, 3 A; a Pi 5: 5 A), a short thick cable, and a powered USB hub"
)


def checks(machine: Machine) -> list[Check]:
    """Governor, temperature, throttling."""
    return [governor(machine), temperature(machine), power(machine)]


def governor(machine: Machine) -> Check:
    """A core that first has to be woken up to full speed is late for the first note."""
    name = "processor speed"
    cores = machine.glob("/sys/devices/system/cpu/cpu[0-9]*/cpufreq")
    if not cores:
        return ok(name, f"{machine.processor() or 'a processor'}; the system does not tell how it is governed")
    found = sorted({machine.text(core / "scaling_governor") for core in cores} - {""})
    now_khz = [machine.number(core / "scaling_max_freq") for core in cores]
    most_khz = [machine.number(core / "cpuinfo_max_freq") for core in cores]
    value = f"governor {', '.join(found) or 'unknown'}, {len(cores)} cores"
    pairs = [(now, most) for now, most in zip(now_khz, most_khz, strict=True) if now and most]
    if pairs:
        value += f", at most {min(now for now, _ in pairs) / 1000:.0f} MHz"
    if any(now < most for now, most in pairs):
        most_mhz = max(most for _, most in pairs) / 1000
        return warn(
            name,
            f"{value} of {most_mhz:.0f} MHz",
            "something limits the clock: see temperature and power supply below, and arm_freq in config.txt",
        )
    if found == ["performance"]:
        return ok(name, value)
    return warn(
        name, value, "sudo sh -c 'echo performance | tee /sys/devices/system/cpu/cpu*/cpufreq/scaling_governor'"
    )


def temperature(machine: Machine) -> Check:
    """The hottest sensor."""
    name = "temperature"
    found_c = [
        (number / 1000.0, machine.text(zone / "type") or zone.name)
        for zone in machine.glob("/sys/class/thermal/thermal_zone*")
        if (number := machine.number(zone / "temp")) is not None
    ]
    if not found_c:
        return ok(name, "the system has no sensor that it tells of")
    hottest_c, sensor = max(found_c)
    value = f"{hottest_c:.1f} °C ({sensor})"
    if hottest_c >= TOO_HOT_C:
        return fail(name, value, f"it is slowed down until it is cooler: {_COOL}")
    return warn(name, value, _COOL) if hottest_c >= HOT_C else ok(name, value)


def power(machine: Machine) -> Check:
    """What a Raspberry Pi has noticed of its power supply and of its own brakes."""
    name = "power supply"
    throttled = _throttled(machine)
    if throttled is not None:
        now = [words for bit, words in _BITS.items() if throttled >> bit & 1]
        before = [words for bit, words in _BITS.items() if throttled >> bit + 16 & 1]
        value = f"0x{throttled:x}"
        remedy = _SUPPLY if throttled & 0x1_0001 else _COOL
        if now:
            return fail(name, f"{value}: now {', '.join(now)}", remedy)
        if before:
            return warn(name, f"{value}: since it was switched on, for some time, {', '.join(before)}", remedy)
        return ok(name, f"{value}: nothing was throttled since it was switched on")
    alarms = [
        machine.number(sensor.parent / "in0_lcrit_alarm")
        for sensor in machine.glob("/sys/class/hwmon/hwmon*/name")
        if machine.text(sensor) == "rpi_volt"
    ]
    if any(alarms):
        return fail(name, "the voltage is too low", _SUPPLY)
    if alarms:
        return ok(name, "the voltage is as it should be")
    return ok(name, "the system does not tell (a Raspberry Pi does)")


def _throttled(machine: Machine) -> int | None:
    """The firmware's bits; None where there is no such firmware."""
    program = shutil.which("vcgencmd", path=machine.environment.get("PATH"))
    if program is None:
        return None
    try:
        done = subprocess.run([program, "get_throttled"], capture_output=True, text=True, timeout=5.0, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    match = re.search(r"throttled=(0x[0-9a-fA-F]+)", done.stdout)
    return int(match[1], 16) if match else None
