"""The processor, told from the files of machines that are not this one."""

from pathlib import Path

import pytest

from synth.doctor.check import Verdict
from synth.doctor.machine import Machine
from synth.doctor.processor import governor, power, temperature


def plant(root: Path, **files: str) -> Machine:
    """A machine with these files; names without the first slash."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return Machine(root, environment={"PATH": str(root / "bin")}, uid=1000, groups=(1000,))


def with_cores(root: Path, name: str, now_khz: int = 1_500_000) -> Machine:
    files = {}
    for core in range(4):
        folder = f"sys/devices/system/cpu/cpu{core}/cpufreq"
        files[f"{folder}/scaling_governor"] = f"{name}\n"
        files[f"{folder}/scaling_max_freq"] = f"{now_khz}\n"
        files[f"{folder}/cpuinfo_max_freq"] = "1500000\n"
    return plant(root, **files)


def with_firmware(root: Path, answer: str) -> Machine:
    machine = plant(root, **{"bin/vcgencmd": f"#!/bin/sh\necho {answer}\n"})
    (root / "bin/vcgencmd").chmod(0o755)
    return machine


def test_full_speed_is_well(tmp_path: Path) -> None:
    check = governor(with_cores(tmp_path, "performance"))
    assert (check.verdict, check.value) == (Verdict.OK, "governor performance, 4 cores, at most 1500 MHz")


def test_a_core_that_sleeps_is_woken_late(tmp_path: Path) -> None:
    check = governor(with_cores(tmp_path, "ondemand"))
    assert check.verdict is Verdict.WARN
    assert "scaling_governor" in check.remedy


def test_a_clock_that_is_held_back_is_seen(tmp_path: Path) -> None:
    check = governor(with_cores(tmp_path, "performance", 600_000))
    assert (check.verdict, check.value[-24:]) == (Verdict.WARN, "at most 600 MHz of 1500 MHz"[-24:])


@pytest.mark.parametrize(("milli_c", "verdict"), [(51_000, "ok"), (75_000, "warn"), (86_500, "fail")])
def test_the_hottest_sensor_counts(tmp_path: Path, milli_c: int, verdict: str) -> None:
    zone = "sys/class/thermal/thermal_zone"
    machine = plant(
        tmp_path,
        **{
            f"{zone}0/temp": "40000",
            f"{zone}1/temp": f"{milli_c}\n",
            f"{zone}1/type": "cpu-thermal\n",
            f"{zone}2/x": "",
        },
    )
    check = temperature(machine)
    assert (check.verdict, check.value) == (verdict, f"{milli_c / 1000:.1f} °C (cpu-thermal)")


@pytest.mark.parametrize(
    ("answer", "verdict", "words", "remedy"),
    [
        ("throttled=0x0", "ok", "nothing was throttled", ""),
        ("throttled=0x50000", "warn", "the voltage is too low, it is slowed down", "power supply"),
        ("throttled=0x50005", "fail", "now the voltage is too low, it is slowed down", "power supply"),
        ("throttled=0x80008", "fail", "now it is at its soft limit", "fan"),
        ("VCHI initialization failed", "ok", "does not tell", ""),
    ],
)
def test_what_the_firmware_noticed(tmp_path: Path, answer: str, verdict: str, words: str, remedy: str) -> None:
    check = power(with_firmware(tmp_path, answer))
    assert check.verdict == verdict
    assert words in check.value
    assert remedy in check.remedy


def test_a_sensor_of_low_voltage_is_heard_without_the_firmwares_program(tmp_path: Path) -> None:
    files = {"sys/class/hwmon/hwmon1/name": "rpi_volt\n", "sys/class/hwmon/hwmon1/in0_lcrit_alarm": "1\n"}
    assert power(plant(tmp_path, **files)).verdict is Verdict.FAIL
    (tmp_path / "sys/class/hwmon/hwmon1/in0_lcrit_alarm").write_text("0\n")
    assert power(Machine(tmp_path, environment={})).verdict is Verdict.OK


def test_a_machine_without_any_of_it_is_not_blamed(tmp_path: Path) -> None:
    machine = Machine(tmp_path, environment={})
    assert {check(machine).verdict for check in (governor, temperature, power)} == {Verdict.OK}
