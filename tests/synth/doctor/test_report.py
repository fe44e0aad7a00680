"""The archive for a bug report: secrets are planted everywhere that they can be, and none of them is in it."""

import json
import os
import socket
import zipfile
from pathlib import Path

import pytest

from synth.control.patch import Patch, write_patch
from synth.doctor.check import fail, ok
from synth.doctor.engine import RunningEngine
from synth.doctor.machine import Machine
from synth.doctor.private import Scrubber, known_secrets
from synth.doctor.report import write_report
from synth.errors import TetradError
from synth.instruments.labels import change_label
from tests.synth.instruments.library_parts import own_library, put

USER, FULL_NAME, HOST = "annegret", "Annegret Zwiesel", socket.gethostname()
SECRETS = (
    USER, "zwiesel", "quetschkommode", "oma lina", "omalina", "heimlich", "verschwiegen", "liebesbrief", "tagebuch",
    "privatissime", "geburtstag", "badewanne", "schlafzimmer", "b8:27:eb:12:34:56", "10000000abcdef01", "SN-20240817",
    "192.168.178.23", "fe80::ba27:ebff:fe12:3456", "annegret@zwiesel.example", "5f0c1de2a4b7965f0c1de2",
)  # fmt: skip
"""Of them no two are in one place only; each must be gone, whatever its case."""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Somebody's data, in somebody's home."""
    home = tmp_path / "home" / USER / "tetrad"
    home.mkdir(parents=True)
    for name in ("USER", "LOGNAME"):
        monkeypatch.setenv(name, USER)
    monkeypatch.setenv("HOME", str(home.parent))
    monkeypatch.setenv("TETRAD_HOME", str(home))
    library = own_library(home / "instruments")
    put(library, "quetschkommode", "Badewanne")
    change_label(library.own_folder, "quetschkommode", display_name="Schlafzimmer", tags=("Privatissime",))
    (home / "patches").mkdir()
    write_patch(home / "patches" / "oma-lina.json", Patch(name="Oma Lina", author=FULL_NAME, tags=("Heimlich",)))
    midi = {"assignments": {"21": "reverb"}}
    state = {"format": "tetrad-state", "stored": "Verschwiegen", "patch": {"name": "Verschwiegen", "midi": midi}}
    (home / "current.json").write_text(json.dumps(state))
    (home / "recordings").mkdir()
    (home / "recordings" / "Geburtstag von Lina.flac").write_bytes(b"")
    (home / "settings.toml").write_text('[midi]\ninputs = ["ALSA: Keystation 88", "ALSA: annegret iPad"]\n')
    (home / "board.toml").write_text('port = "/dev/serial/by-id/usb-1a86_SN-20240817-if00"\n')
    (home / "logs").mkdir()
    lines = (
        f"cannot write {home}/patches/oma-lina.json: no room",
        "skipped a damaged file: /media/annegret/Tagebuch 1998/Mein Liebesbrief, an X.wav; export it again",
        "import of Liebesbrief.MP3 failed; Badewanne plays on",
        "a client from 192.168.178.23 and fe80::ba27:ebff:fe12:3456 (b8:27:eb:12:34:56) was refused",
        f"mail annegret@zwiesel.example; host {HOST}; 5f0c1de2a4b7965f0c1de2",
        "ALSA: underrun of 3 blocks at 48000 Hz",
    )
    (home / "logs" / "engine.log").write_text("\n".join(lines) + "\n")
    return home


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    root = tmp_path / "root"
    files = {
        "proc/device-tree/model": "Raspberry Pi 4 Model B Rev 1.5\0",
        "proc/device-tree/serial-number": "10000000abcdef01\0",
        "proc/cpuinfo": "processor\t: 0\nSerial\t\t: 10000000abcdef01\nModel\t\t: Raspberry Pi 4 Model B\n",
        "proc/asound/cards": " 0 [DAC]: USB-Audio - Apple USB-C, SN-20240817 at usb-0000:01\n",
        "sys/bus/usb/devices/1-1/product": "Keystation 88 SN-20240817\n",
        "sys/bus/usb/devices/1-1/serial": "SN-20240817\n",
        "sys/class/net/eth0/address": "b8:27:eb:12:34:56\n",
        "sys/class/input/input3/name": "ft5x06 of b8:27:eb:12:34:56\n",
    }
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return Machine(root, environment={})


def playing() -> RunningEngine:
    log = (
        {"time_s": 1.0, "kind": "patch_changed", "words": "patch Liebesbrief an die Badewanne"},
        {"time_s": 2.0, "kind": "recording_saved", "words": "/tmp/Tagebuch/eins, 3.0 s"},
        {"time_s": 3.0, "kind": "warning", "words": "mein Tagebuch, zweites Heft.sf2 is no sound font"},
        {"time_s": 4.0, "kind": "warning", "words": "the audio thread has no real-time priority"},
    )
    status = {
        "patch": {"name": "Verschwiegen"},
        "imports": {"source": "/media/x/Liebesbrief.wav", "waiting": 1},
        "audio": {"device": "ALSA: USB Audio", "words": "SN-20240817 is gone"},
        "tuning": {"name": "Heimlich"},
        "corners": {"nw": {"instrument": "quetschkommode", "display_name": "Schlafzimmer"}},
    }
    return RunningEngine("tetrad 0.1.0", 0, status, log, {"assignments": {"21": "reverb"}})


def unpacked(path: Path) -> dict[str, str]:
    with zipfile.ZipFile(path) as archive:
        assert not archive.comment
        return {name: archive.read(name).decode() for name in archive.namelist()}


@pytest.mark.parametrize("running", [None, playing()])
def test_nothing_private_is_in_it(home: Path, machine: Machine, tmp_path: Path, running: RunningEngine | None) -> None:
    found = [
        fail("own patches", f"1 of 1 can't be read: {home}/patches/oma-lina.json ends early", "restore Oma Lina"),
        fail("data folder", f"{home} belongs to {USER}", f"sudo chown -R {USER} {home}"),
        ok("sound card", "ALSA: USB Audio"),
    ]
    texts = unpacked(write_report(tmp_path / "r.zip", found, running, machine))
    whole = "\n".join((*texts, *texts.values()))
    assert [secret for secret in (*SECRETS, str(tmp_path)) if secret.casefold() in whole.casefold()] == []


def test_what_helps_is_in_it(home: Path, machine: Machine, tmp_path: Path) -> None:
    assert home.is_dir()
    texts = unpacked(write_report(tmp_path / "r.zip", [ok("sound card", "ALSA: USB Audio")], playing(), machine))
    assert set(texts) == {
        "README.txt", "checks.json", "versions.json", "hardware.json", "midi_map.json", "status.json", "log.txt",
        "settings/settings.toml", "settings/board.toml",
    }  # fmt: skip
    assert "Raspberry Pi 4 Model B Rev 1.5" in texts["hardware.json"]
    assert "Keystation 88" in texts["hardware.json"]
    assert "Keystation 88" in texts["settings/settings.toml"]
    assert json.loads(texts["midi_map.json"]) == {"assignments": {"21": "reverb"}}
    assert json.loads(texts["checks.json"])["checks"][0]["value"] == "ALSA: USB Audio"
    assert json.loads(texts["status.json"])["imports"] == {"waiting": 1}
    log = texts["log.txt"]
    assert "underrun of 3 blocks at 48000 Hz" in log
    assert "00:00:04 warning: the audio thread has no real-time priority" in log
    assert ".wav; export it again" in log
    assert "<data>/patches" in log or "<file>.json: no room" in log


def test_the_map_of_the_current_sound_without_an_engine(home: Path, machine: Machine, tmp_path: Path) -> None:
    assert home.is_dir()
    texts = unpacked(write_report(tmp_path / "r.zip", [], None, machine))
    assert json.loads(texts["midi_map.json"]) == {"assignments": {"21": "reverb"}}


def test_short_names_are_no_parts_of_words() -> None:
    scrubber = Scrubber({"pi": "<user>", "al": "<host>"})
    assert scrubber.text("pi plays Raspberry Pi and ALSA alone on al") == (
        "<user> plays Raspberry Pi and ALSA alone on <host>"
    )


def test_names_that_ship_are_no_secrets(home: Path, machine: Machine) -> None:
    (home / "instruments" / "flute.tetrad-instrument").write_bytes(b"")
    assert "flute" in known_secrets(machine, home)
    assert "flute" not in known_secrets(machine, home, ["flute"])


def test_default_names_stay(monkeypatch: pytest.MonkeyPatch, machine: Machine, tmp_path: Path) -> None:
    monkeypatch.setenv("USER", "tetrad")
    monkeypatch.setenv("HOME", "/var/lib/tetrad")
    assert "tetrad" not in known_secrets(machine, tmp_path)


def test_a_name_without_an_ending_is_refused(machine: Machine, tmp_path: Path) -> None:
    with pytest.raises(TetradError, match=r"\.zip"):
        write_report(tmp_path / "report", [], None, machine)
    with pytest.raises(TetradError, match="no directory"):
        write_report(tmp_path / "nowhere" / "r.zip", [], None, machine)
    assert os.listdir(tmp_path) == ["root"]
