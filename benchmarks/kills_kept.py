"""What an engine has acknowledged, and whether its files hold it after a kill: read back by the files' own readers."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from pathlib import Path
from typing import Any

from synth.control.patch_autosave import restore
from synth.control.patch_bank import TRASH_NAME, PatchBank
from synth.errors import TetradError
from synth.grid.store import GridStore
from synth.instruments.format import read_instrument
from synth.instruments.labels import Label, read_labels
from synth.instruments.library import Library
from synth.io.recorder import Recorder
from synth.settings import read_settings

STATE, SETTINGS, FAVOURITE, NAME, GUEST, IMPORT = "state", "settings", "favourite", "name", "guest", "import"
PATCHES = tuple(f"Patch {number}" for number in range(6))
LATEST_S = 1.0
"""So much of the current patch may be lost; of all else nothing that was acknowledged."""
STEPS = 10_000
"""A number n stands in a patch as its reverb, (n mod STEPS) / STEPS: what is compared lies closer together."""


class Asked:
    """What was asked for under one name, as rising numbers, and when the engine said that it is done."""

    def __init__(self) -> None:
        self.sent: list[int] = []
        self.acknowledged: list[tuple[float, int]] = []
        self.under_way = False

    def least(self, until_s: float) -> int | None:
        """The newest number that was acknowledged by then."""
        return max((number for at_s, number in self.acknowledged if at_s <= until_s), default=None)


class Kept:
    """Of one life of an engine. Any thread may call `ask` and `imported`.

    number: the next one, which rises over all lives. before: what `look` gave after the life before; {}: the first.
    """

    def __init__(self, number: int, before: dict[str, Any]) -> None:
        self.number = number
        self._before = before
        self._asked: dict[str, Asked] = {}
        self._imported: set[str] = set()
        self._lock = threading.Lock()

    @property
    def n_acknowledged(self) -> int:
        return sum(len(asked.acknowledged) for asked in self._asked.values())

    @property
    def n_imports(self) -> int:
        return len(self._imported)

    def ask(self, what: str, send: Callable[[int], Future[Any]]) -> None:
        """While one of this name is under way nothing is sent."""
        with self._lock:
            asked = self._asked.setdefault(what, Asked())
            if asked.under_way:
                return
            number, self.number = self.number, self.number + 1
            asked.sent.append(number)
            asked.under_way = True
        try:
            future = send(number)
        except TetradError:  # the connection is gone
            return
        future.add_done_callback(partial(self._answered, asked, number))

    def imported(self, name: str) -> None:
        """An import was said to be done."""
        with self._lock:
            self._imported.add(name)

    def _answered(self, asked: Asked, number: int, future: Future[Any]) -> None:
        with self._lock:
            asked.under_way = False
            if future.cancelled() or future.exception() is not None:
                return  # refused, by a full disk say, or cut off: it may be there or not
            asked.acknowledged.append((time.monotonic(), number))

    def losses(self, found: dict[str, Any], killed_s: float, *, full: bool) -> list[str]:
        """What is not there, a line each, though it was acknowledged, in this life or before. found: by `look`.

        full: the disk took no more, so the current patch could not be kept, and the engine has said so."""
        lost = []
        with self._lock:
            for what in (STATE, SETTINGS, FAVOURITE, NAME, GUEST, *PATCHES):
                asked = self._asked.get(what, Asked())
                least = asked.least(killed_s - LATEST_S if what == STATE else killed_s)
                if what == STATE and full:
                    least = None
                # A patch that is saved was the current one before.
                sent = [n for name in ((STATE, *PATCHES) if what == STATE else (what,)) for n in self._sent(name)]
                allowed = {shown(what, number) for number in sent if least is None or number >= least}
                if least is None and self._before:
                    allowed.add(self._before[what])
                elif least is None:
                    continue  # the first life: as on the first day
                if found[what] not in allowed:
                    wanted = "what was there before" if least is None else shown(what, least)
                    lost.append(f"{what} is {found[what]}; {wanted} was expected, or what was asked for later")
            gone = {*self._before.get(IMPORT, ()), *self._imported} - set(found[IMPORT])
            lost += [f"the instrument {name} is not there" for name in sorted(gone)]
        return lost

    def _sent(self, what: str) -> list[int]:
        return self._asked[what].sent if what in self._asked else []


def damages(home: Path) -> list[str]:
    """What a reader of its own refuses, a line each. Damaged files may be set aside by it: give it a copy."""
    found = []
    _, warning = restore(home / "current.json")
    found += [warning] if warning else []
    bank = PatchBank(home / "patches")
    found += bank.warnings
    in_trash = len(list((home / "patches" / TRASH_NAME).glob("*.json")))
    if len(bank.discarded()) != in_trash:
        found.append(f"of {in_trash} patches in the trash {len(bank.discarded())} can be read")
    readers: tuple[Callable[[], object], ...] = (
        lambda: read_settings(home / "settings.toml"),
        lambda: read_labels(home / "instruments"),
        *(partial(read_instrument, path) for path in (home / "instruments").rglob("[!.]*.tetrad-instrument")),
    )
    for read in readers:
        try:
            read()
        except (TetradError, OSError) as error:
            found.append(str(error))
    found += GridStore(home / "grid").summary().problems
    found += [take.problem for take in Recorder.rescue(home / "recordings") if take.problem]
    return found


def leftovers(home: Path) -> int:
    """Temporary files."""
    return sum(1 for _ in home.rglob(".*.part*"))


def shown(what: str, number: int) -> Any:
    """How a number shows in the files."""
    if what in (FAVOURITE, GUEST):
        return bool(number % 2)
    return number % STEPS if what in (STATE, *PATCHES) else number


def look(home: Path) -> dict[str, Any]:
    """What the files hold, as JSON has it. Raises TetradError for one that is damaged."""
    state, _ = restore(home / "current.json")
    bank = PatchBank(home / "patches")
    labels = read_labels(home / "instruments")
    found: dict[str, Any] = {STATE: None if state is None else round(state.patch.value("reverb") * STEPS)}
    ports = read_settings(home / "settings.toml").midi_inputs
    found[SETTINGS] = None if ports is None else int(ports[0].split()[-1])
    for name in PATCHES:
        entry = bank.find(name)
        found[name] = None if entry is None else round(entry.patch.value("reverb") * STEPS)
    found[GUEST] = bank.find(GUEST) is not None
    label = labels.get("flute", Label())
    found[FAVOURITE] = label.favourite
    found[NAME] = None if label.display_name is None else int(label.display_name.split()[-1])
    found[IMPORT] = [name for name in Library((home / "instruments",)).names() if name.startswith(IMPORT)]
    return found
