"""Sound cards, MIDI, rights: planted rights and files, and ALSA with cards of the test's own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from synth.doctor import midi, realtime, sound
from synth.doctor.check import Verdict
from synth.doctor.machine import Machine
from synth.errors import TetradError
from synth.settings import Settings

CARDS = " 0 [Headphones     ]: bcm2835_headpho - bcm2835 Headphones\n                      bcm2835 Headphones\n"


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """Of another user than the files' owner, with one sound card."""
    (tmp_path / "proc/asound").mkdir(parents=True)
    (tmp_path / "proc/asound/cards").write_text(CARDS)
    (tmp_path / "dev/snd").mkdir(parents=True)
    (tmp_path / "dev/snd/pcmC0D0p").write_text("")
    (tmp_path / "dev/snd/pcmC0D0p").chmod(0o660)
    return Machine(tmp_path, environment={}, uid=os.geteuid() + 1, groups=(os.getegid(),))


def other_group(machine: Machine) -> Machine:
    return Machine(machine.root, environment={}, uid=machine.uid, groups=(os.getegid() + 1,))


def test_no_card_at_all(tmp_path: Path) -> None:
    check = sound.unheard(Machine(tmp_path), [])
    assert (check.verdict, check.value) == (Verdict.FAIL, "there is none")
    assert "--audio null" in check.remedy


def test_a_card_that_the_user_may_not_open(machine: Machine) -> None:
    assert sound.cards(machine) == []
    check = sound.unheard(other_group(machine), [])
    assert check.verdict is Verdict.FAIL
    assert "bcm2835 Headphones; pcmC0D0p may not be opened" in check.value
    assert "usermod -aG audio" in check.remedy


def test_a_card_that_another_program_plays_on(machine: Machine) -> None:
    status = machine.path("/proc/asound/card0/pcm0p/sub0/status")
    status.parent.mkdir(parents=True)
    status.write_text("state: RUNNING\nowner_pid   : 4711\n")
    machine.path("/proc/4711").mkdir()
    machine.path("/proc/4711/comm").write_text("pulseaudio\n")
    assert "in use by pulseaudio (process 4711)" in sound.unheard(machine, []).value
    status.write_text("closed\n")
    assert "none takes stereo" in sound.unheard(machine, []).value


def test_a_card_that_the_system_has_and_nobody_else_uses_is_named(machine: Machine) -> None:
    assert "bcm2835 Headphones" in sound.unheard(machine, []).value


PROGRAM = """
import sys
from synth.doctor import sound
from synth.doctor.machine import Machine
from synth.settings import Settings
for check in sound.checks(Machine(), Settings(audio_device=sys.argv[1] or None), None):
    print(f"{check.verdict}|{check.name}|{check.value}|{check.remedy}")
"""


def asked(tmp_path: Path, wanted: str) -> list[list[str]]:
    """The checks on a machine whose ALSA has a card that takes everything, and one that is not there."""
    (tmp_path / "asound.conf").write_text("pcm.concert_card { type null }\npcm.broken { type hw card 30 }\n")
    environment = {**os.environ, "ALSA_CONFIG_PATH": str(tmp_path / "asound.conf"), "JACK_DEFAULT_SERVER": "none"}
    command = [sys.executable, "-c", PROGRAM, wanted]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=True)
    return [line.split("|") for line in done.stdout.splitlines()]


def test_a_card_is_opened_at_each_block_size_and_its_rates_are_listed(tmp_path: Path) -> None:
    card, *others = asked(tmp_path, "")
    assert card[:3] == ["ok", "sound card", card[2]]
    assert "concert_card" in card[2]
    by_name = {name: (verdict, value) for verdict, name, value, _ in others}
    assert by_name["sound card rates"][0] == "ok"
    assert "44100, 48000" in by_name["sound card rates"][1]
    verdict, value = by_name["sound card blocks"]
    assert verdict == "ok"
    assert value.startswith("64 (")
    assert "1024 (" in value


def test_a_card_that_is_wanted_and_not_there(tmp_path: Path) -> None:
    verdict, name, value, remedy = asked(tmp_path, "organ")[0]
    assert (verdict, name) == ("fail", "sound card")
    assert "organ" in value
    assert "there are" in remedy


def test_no_card_is_wanted() -> None:
    assert sound.checks(Machine(Path("/nowhere")), Settings(audio_device="null"), None)[0].verdict is Verdict.OK


def test_a_card_that_opens_with_no_block_size() -> None:
    def refuse(block: int) -> float:
        raise TetradError(f"no {block}; a card was expected; close what else uses it")

    check = sound.blocks(48_000, refuse)
    assert (check.verdict, check.remedy) == (Verdict.FAIL, "close what else uses it")


def test_midi_that_is_there_or_missing(machine: Machine) -> None:
    there = ["ALSA: Keystation 88 MIDI 1 20:0"]
    assert midi.inputs(machine, there, None).verdict is Verdict.OK
    assert midi.inputs(machine, there, ("ALSA: Keystation 88 MIDI 1",)).verdict is Verdict.OK
    missing = midi.inputs(machine, there, ("ALSA: Seaboard",))
    assert missing.verdict is Verdict.WARN
    assert "not there: ALSA: Seaboard; there are ALSA: Keystation" in missing.value
    assert "modprobe" in midi.inputs(machine, [], None).remedy
    machine.path("/dev/snd/seq").write_text("")
    machine.path("/dev/snd/seq").chmod(0o660)
    assert midi.inputs(machine, [], None).remedy.startswith("plug in")
    assert midi.inputs(other_group(machine), [], None).remedy.startswith("sudo usermod -aG audio")


def test_real_time_that_is_given_or_refused(tmp_path: Path) -> None:
    assert realtime.priority(lambda: True, 0).verdict is Verdict.OK
    refused = realtime.priority(lambda: False, 0)
    assert refused.verdict is Verdict.WARN
    assert "rtprio 95" in refused.remedy
    machine = Machine(tmp_path)
    assert realtime.memory(machine, 8 * 2**20).verdict is Verdict.WARN
    assert realtime.memory(machine, -1).verdict is Verdict.OK


def test_real_time_of_a_running_engine(tmp_path: Path) -> None:
    for thread in (7, 8, 9):
        (tmp_path / f"proc/7/task/{thread}").mkdir(parents=True)
    (tmp_path / "proc/7/status").write_text("Name:\tpython\nVmLck:\t  214000 kB\n")
    machine = Machine(tmp_path)

    def policy(thread: int) -> int:
        if thread == 9:
            raise ProcessLookupError
        return (os.SCHED_FIFO | os.SCHED_RESET_ON_FORK) if thread == 8 else os.SCHED_OTHER

    hurried = realtime.priority_of(machine, 7, policy)
    assert (hurried.verdict, hurried.value) == (Verdict.OK, "1 of the running engine's 3 threads have it")
    assert realtime.priority_of(machine, 7, lambda _: os.SCHED_OTHER).verdict is Verdict.WARN
    assert realtime.locked_by(machine, 7).value.startswith("214 MB")
    (tmp_path / "proc/7/status").write_text("VmLck:\t  0 kB\n")
    assert realtime.locked_by(machine, 7).verdict is Verdict.WARN


def test_a_kernel_without_preemption(tmp_path: Path) -> None:
    (tmp_path / "proc/sys/kernel").mkdir(parents=True)
    (tmp_path / "proc/sys/kernel/version").write_text("#1 SMP PREEMPT_RT Debian\n")
    assert realtime.kernel(Machine(tmp_path)).verdict is Verdict.OK
    (tmp_path / "proc/sys/kernel/version").write_text("#1 SMP Debian\n")
    assert realtime.kernel(Machine(tmp_path)).verdict is Verdict.WARN
