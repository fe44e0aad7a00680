"""The box's files agree with each other, with what install.sh makes, and with the programs that they start."""

import configparser
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from firmware_host.ports import USB_HINTS
from hardware.pi.wheels import DEBIAN, PLATFORMS, SYSTEMS, TABLE, Pin, all_pins, read_pins, table

ROOT = Path(__file__).resolve().parents[2]
PI = ROOT / "hardware" / "pi"
SERVICES = {"engine": "synth", "screen": "ui", "board": "firmware_host"}
UNITS = [*(f"tetrad-{name}.service" for name in SERVICES), "tetrad.target"]
INSTALLER = (PI / "install.sh").read_text()


class Unit(configparser.RawConfigParser):
    """A unit file: names in their own case, and those that stand there more than once as several lines of one value."""

    def __init__(self, name: str) -> None:
        super().__init__(strict=False, delimiters=("=",), comment_prefixes=("#",), interpolation=None)
        self.optionxform = str  # type: ignore[assignment]
        seen: dict[tuple[str, str], list[str]] = {}
        section = ""
        for line in (PI / "systemd" / name).read_text().splitlines():
            if line.startswith("["):
                section = line.strip("[]")
            elif line and not line.startswith("#"):
                key, _, value = line.partition("=")
                seen.setdefault((section, key), []).append(value)
        for (section, key), values in seen.items():
            if not self.has_section(section):
                self.add_section(section)
            self.set(section, key, "\n".join(values))


@pytest.fixture(params=SERVICES)
def service(request: pytest.FixtureRequest) -> Unit:
    return Unit(f"tetrad-{request.param}.service")


def shell_list(name: str) -> list[str]:
    """A bash array of install.sh."""
    match = re.search(rf"^{name}=\((.*)\)$", INSTALLER, re.MULTILINE)
    assert match is not None
    return match[1].split()


def settings() -> dict[str, str]:
    lines = (PI / "tetrad.conf").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def test_the_installer_installs_every_unit() -> None:
    assert sorted(shell_list("units")) == sorted(UNITS) == sorted(path.name for path in (PI / "systemd").iterdir())


def test_the_target_wants_all_services_and_is_wanted_at_the_start() -> None:
    target = Unit("tetrad.target")
    assert target["Unit"]["Wants"].split() == [name for name in UNITS if name.endswith(".service")]
    assert target["Install"]["WantedBy"] == "multi-user.target"


@pytest.mark.parametrize(("name", "module"), SERVICES.items())
def test_a_service_starts_its_program_from_where_the_installer_puts_it(name: str, module: str) -> None:
    unit = Unit(f"tetrad-{name}.service")
    python, *words = unit["Service"]["ExecStart"].split()
    assert python == "/opt/tetrad/.venv/bin/python"
    assert "prefix=/opt/tetrad\n" in INSTALLER
    assert "venv=$prefix/.venv" in INSTALLER
    assert words[:2] == ["-m", module]
    assert (ROOT / module / "__main__.py").exists()
    assert words[-1].removeprefix("$") in settings()
    assert unit["Unit"]["PartOf"] == unit["Install"]["WantedBy"] == "tetrad.target"


def test_a_service_is_the_boxs_own_user_in_groups_that_the_installer_gives_it(service: Unit) -> None:
    assert service["Service"]["User"] == service["Service"]["Group"] == "tetrad"
    assert set(service["Service"]["SupplementaryGroups"].split()) <= set(shell_list("groups"))
    assert "useradd --system --user-group" in INSTALLER


def test_a_service_reads_its_settings_and_writes_to_the_data_alone(service: Unit) -> None:
    found = service["Service"]
    assert f"settings={found['EnvironmentFile']}\n" in INSTALLER
    assert found["ProtectSystem"] == "strict"
    assert "ReadWritePaths" not in found
    assert settings()["TETRAD_HOME"] == f"/var/lib/{found['StateDirectory']}"
    assert Path(settings()["XDG_CACHE_HOME"]).is_relative_to(settings()["TETRAD_HOME"])
    assert f"data={settings()['TETRAD_HOME']}\n" in INSTALLER


def test_the_socket_is_in_the_engines_own_folder() -> None:
    engine = Unit("tetrad-engine.service")["Service"]
    assert settings()["TETRAD_SOCKET"].startswith(f"/run/{engine['RuntimeDirectory']}/")
    assert engine["RuntimeDirectoryMode"] == "0700"
    assert engine["RuntimeDirectoryPreserve"] == "restart"


def test_no_service_gets_more_than_it_has(service: Unit) -> None:
    found = service["Service"]
    assert found["NoNewPrivileges"] == "yes"
    assert found["CapabilityBoundingSet"] == ""
    assert found["DevicePolicy"] == "closed"
    assert found["IPAddressDeny"] == "any"
    assert found.get("IPAddressAllow", "localhost") == "localhost"


def test_a_service_is_started_again_and_given_up_at_last(service: Unit) -> None:
    assert service["Service"]["Restart"] == "always"
    burst, within_s = int(service["Unit"]["StartLimitBurst"]), float(service["Unit"]["StartLimitIntervalSec"])
    # Starts that fail at once would reach the limit, and not go round for ever just below it.
    assert burst * float(service["Service"]["RestartSec"]) < within_s


def test_the_engine_is_watched() -> None:
    engine = Unit("tetrad-engine.service")["Service"]
    assert (engine["Type"], engine["NotifyAccess"]) == ("notify", "main")
    assert int(engine["WatchdogSec"]) > 0
    assert int(engine["LimitRTPRIO"]) >= 70


def test_every_chip_that_the_boards_host_looks_for_has_a_rule() -> None:
    rules = (PI / "99-tetrad.rules").read_text()
    found = re.findall(r'ATTRS\{idVendor\}=="(\w{4})", ATTRS\{idProduct\}=="(\w{4})", GOTO="tetrad_board"', rules)
    assert {(int(vendor, 16), int(product, 16)) for vendor, product in found} == set(USB_HINTS)
    assert set(re.findall(r'GOTO="(\w+)"', rules)) == set(re.findall(r'LABEL="(\w+)"', rules))
    assert set(re.findall(r'GROUP="(\w+)"', rules)) <= set(shell_list("groups"))


def test_uninstalling_removes_every_file_that_is_installed() -> None:
    installed = set(re.findall(r"(?:install -D .*|--force .*) ([\w/.-]+/[\w.-]+)(?:;|$)", INSTALLER, re.MULTILINE))
    assert {"/etc/udev/rules.d/99-tetrad.rules", "/usr/local/bin/tetrad", "/usr/local/bin/tetrad-box"} <= installed
    taken_away = INSTALLER[INSTALLER.index("uninstall() {") : INSTALLER.index("action=install")]
    assert [path for path in sorted(installed) if path not in taken_away] == []


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze (Debian: systemd) is missing")
def test_systemd_understands_the_units_and_finds_them_closed(tmp_path: Path) -> None:
    for name in UNITS:
        # The program is not installed here; any will do in its place.
        text = (PI / "systemd" / name).read_text().replace("/opt/tetrad/.venv/bin/python", shutil.which("true") or "")
        (tmp_path / name).write_text(text.replace("file:/opt/tetrad", "file:/"))
    environment = {**os.environ, "SYSTEMD_UNIT_PATH": f"{tmp_path}:"}
    checked = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *(str(tmp_path / name) for name in UNITS)],
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert [line for line in checked.stderr.splitlines() if "tetrad" in line] == []
    for name in SERVICES:
        # 0 is a closed box, 10 a program that may do all; thresholds are in tenths.
        unit = str(tmp_path / f"tetrad-{name}.service")
        rated = subprocess.run(
            ["systemd-analyze", "security", "--offline=true", "--threshold=25", unit],
            env=environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert rated.returncode == 0, rated.stdout.splitlines()[-1:]


@pytest.mark.skipif(shutil.which("shellcheck") is None, reason="shellcheck (Debian package of that name) is missing")
def test_the_shell_scripts_are_clean() -> None:
    scripts = ["install.sh", "emulate.sh", "read-only.sh", "tetrad-box"]
    checked = subprocess.run(["shellcheck", *scripts], cwd=PI, capture_output=True, text=True, check=False)
    assert checked.stdout == ""


@pytest.mark.parametrize("script", ["install.sh", "read-only.sh"])
def test_a_script_refuses_words_it_does_not_know(script: str) -> None:
    refused = subprocess.run([PI / script, "--instal"], capture_output=True, text=True, check=False)
    assert refused.returncode == 2
    assert "--instal is unknown" in refused.stderr


@pytest.mark.skipif(os.geteuid() == 0 and shutil.which("setpriv") is None, reason="setpriv (util-linux) is missing")
@pytest.mark.parametrize("script", ["install.sh", "tetrad-box"])
def test_a_script_says_that_it_needs_root(script: str) -> None:
    nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] if os.geteuid() == 0 else []
    text = (PI / script).read_text()  # nobody may not read where the tests lie
    shell = "bash" if script == "install.sh" else "sh"
    refused = subprocess.run([*nobody, shell, "-s"], input=text, capture_output=True, text=True, check=False, cwd="/")
    assert refused.returncode == 1
    assert "root" in refused.stderr
    assert "run: sudo" in refused.stderr


def device_pins(debian: int, tmp_path: Path) -> list[Pin]:
    """What install.sh's own function makes of the pins."""
    function = INSTALLER[INSTALLER.index("device_pins() {") : INSTALLER.index("install_python() {")]
    script = f"debian={debian}\nprefix={ROOT}\n{function}\ndevice_pins\n"
    made = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True)
    (tmp_path / "pins.txt").write_text(made.stdout)
    return read_pins(tmp_path / "pins.txt")


def test_the_installer_leaves_out_what_nobody_imports_and_what_debian_has_and_nothing_else(tmp_path: Path) -> None:
    all_of_them = read_pins(ROOT / ".ci" / "requirements" / "runtime.txt")
    needed = device_pins(12, tmp_path)
    assert {pin.name for pin in set(all_of_them) - set(needed)} == {"docutils", "pygments"}
    left_out = set(needed) - set(device_pins(13, tmp_path))
    assert {(pin.name, "3.13") for pin in left_out} == set(DEBIAN)


def test_nothing_imports_what_the_installer_leaves_out(tmp_path: Path) -> None:
    code = """
import sys
sys.modules.update(docutils=None, pygments=None)
import kivy.app, kivy.lang, kivy.uix.label, kivy.uix.scrollview, kivy.uix.screenmanager, kivy.uix.textinput
"""
    quiet = {"KIVY_NO_ARGS": "1", "KIVY_NO_CONSOLELOG": "1", "KIVY_NO_FILELOG": "1", "KIVY_NO_CONFIG": "1"}
    environment = {**os.environ, **quiet, "KIVY_HOME": str(tmp_path)}
    subprocess.run([sys.executable, "-c", code], env=environment, check=True)
    ours = [path for package in ("synth", "ui", "firmware_host") for path in (ROOT / package).rglob("*.py")]
    wrong = re.compile(r"^\s*(import|from) (docutils|pygments)|kivy\.uix\.(rst|codeinput)", re.MULTILINE)
    assert [path for path in ours if wrong.search(path.read_text())] == []


def test_the_debian_packages_are_those_of_the_table() -> None:
    packages = (PI / "packages.txt").read_text()
    for package in DEBIAN.values():
        assert re.search(rf"^{package} +13 ", packages, re.MULTILINE)


def rows() -> list[list[str]]:
    lines = [line for line in TABLE.read_text().splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[1:]]


def test_the_table_of_wheels_has_every_pin_and_hashes_of_the_pins() -> None:
    pins = {pin.name: pin for pin in all_pins()}
    assert [(name, version) for name, version, *_ in rows()] == [(pin.name, pin.version) for pin in pins.values()]
    for name, _version, *cells in rows():
        for python, cell in zip(SYSTEMS, cells, strict=True):
            if (name, python) in DEBIAN:
                assert cell == f"Debian's {DEBIAN[name, python]}"
                continue
            tags, _, digits = cell.partition(", ")
            assert any(one.startswith(digits) for one in pins[name].sha256), (name, python)
            assert len(digits) == 8
            assert tags == "pure" or tags.split()[-1] in PLATFORMS, (name, python)


def test_the_table_is_written_from_what_pip_found() -> None:
    pins = [Pin("one", "1.0", frozenset()), Pin("python-rtmidi", "2.0", frozenset())]
    page = table(pins, {"3.11": {"one": "pure, 01234567", "python-rtmidi": "a b c, 89abcdef"}, "3.13": {"one": "d"}})
    assert page.endswith(
        "| one | 1.0 | pure, 01234567 | d |\n| python-rtmidi | 2.0 | a b c, 89abcdef | Debian's python3-rtmidi |\n"
    )


def test_what_the_device_needs_is_what_the_project_declares() -> None:
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    names = {re.split("[>=<~!]", one)[0].strip().lower() for one in declared}
    assert names <= {pin.name for pin in all_pins()}
