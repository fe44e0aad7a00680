"""Every check in turn: ours, then those of the packages that register some. None can end the others."""

import importlib.metadata
import threading
from collections.abc import Callable, Iterable
from functools import partial

from synth.doctor import data, disk, engine, kernels, midi, processor, realtime, sound, versions
from synth.doctor.check import Check, Verdict, fail, failed
from synth.doctor.engine import Asked
from synth.doctor.machine import Machine
from synth.errors import TetradError
from synth.paths import user_data_dir
from synth.settings import Settings, read_settings

GROUP = "tetrad.checks"
WITHIN_S = 120.0
"""For one group of checks: a thousand instruments on a memory card, or a driver that hangs."""
_AS_OWNER = "run it as the user whose Tetrad it is; of the services: sudo -u tetrad tetrad doctor"
Group = tuple[str, Callable[[], list[Check]]]


def examine(asked: Asked, machine: Machine | None = None, groups: Iterable[Group] | None = None) -> list[Check]:
    """All checks, in the order in which they are read. asked: what the running engine said."""
    machine = machine or Machine()
    found: list[Check] = []
    for name, check in our_groups(asked, machine) + registered() if groups is None else groups:
        found += guarded(name, check)
    return found


def our_groups(asked: Asked, machine: Machine) -> list[Group]:
    """Those of this package."""
    home, running, settings = user_data_dir(), asked.engine, _settings()
    return [
        ("version", versions.checks),
        ("running engine", partial(engine.checks, asked)),
        ("sound card", partial(sound.checks, machine, settings, running)),
        ("MIDI inputs", partial(midi.checks, machine, settings, running)),
        (
            "real-time priority",
            partial(realtime.checks, machine, running.pid if running and running.plays_on_a_card else 0),
        ),
        ("processor speed", partial(processor.checks, machine)),
        ("disk space", partial(disk.checks, home)),
        ("model", partial(data.checks, home)),
        ("compiled kernels", kernels.checks),
    ]


def registered() -> list[Group]:
    """Those that other packages have registered. Their modules are imported when they are called."""
    return [(entry.name, partial(_call, entry)) for entry in importlib.metadata.entry_points(group=GROUP)]


def guarded(name: str, check: Callable[[], list[Check]], within_s: float = WITHIN_S) -> list[Check]:
    """What a group of checks says, or that it broke down or hangs: there may be several reasons why someone asks."""
    answers: list[list[Check]] = []

    def run() -> None:
        try:
            answers.append(check())
        except TetradError as error:
            answers.append([failed(name, error)])
        except PermissionError as error:
            answers.append([fail(name, f"{error.filename} may not be read by this user", _AS_OWNER)])
        except Exception as error:  # noqa: BLE001 - a defect in one check must not hide what the others found
            words = " ".join(str(error).split()) or "no message"
            answers.append([_broken(name, f"the check itself broke down ({type(error).__name__}: {words})")])

    thread = threading.Thread(target=run, name=f"doctor: {name}", daemon=True)
    thread.start()
    thread.join(within_s)
    return answers[0] if answers else [_broken(name, f"no answer within {within_s:g} s: a driver or a disk hangs")]


def _call(entry: importlib.metadata.EntryPoint) -> list[Check]:
    found: list[Check] = entry.load()()
    return found


def _broken(name: str, value: str) -> Check:
    return Check(
        name, Verdict.FAIL, value, "start the computer anew; if it stays so, report it: tetrad doctor --report"
    )


def _settings() -> Settings:
    """Those by default where the file can't be read: a check of its own says so."""
    try:
        return read_settings(user_data_dir() / "settings.toml")
    except TetradError:
        return Settings()
