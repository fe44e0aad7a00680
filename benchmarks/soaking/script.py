"""A script of the player's, for a soak: commands by the socket, from all that screens and boards could ask for."""

import contextlib
import random
import threading
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import soundfile

from benchmarks.soaking.ledger import Ledger
from synth.control.parameters import PARAMETERS
from synth.errors import TetradError
from synth.frames import SAMPLE_RATE_HZ
from synth.io.client import Client, EngineBusyError, EngineGoneError, RefusedError
from tests.synth.instruments.singer import sung

CORNERS = ("nw", "ne", "sw", "se")
MOST_PATCHES, MOST_INSTRUMENTS, MOST_KEPT_FILES = 100, 4, 2
"""Of ours at once: what a soak adds to memory must be a leak's, not a growing library's."""
FIRST_IMPORT_S = 3.0
LONGEST_ANSWER_S = 60.0
NOT_TURNED = frozenset({"tempo"})
MOST_RESTORABLE = 20
"""The trash forgets what is older than a thousand files."""


class Script:
    """A client that asks for something every now and then, and writes down what was acknowledged.

    scratch: a folder for recordings that are imported. import_every_s: from one import to the next.
    """

    def __init__(
        self, socket: Path, ledger: Ledger, scratch: Path, chance: random.Random, import_every_s: float
    ) -> None:
        self._chance, self._ledger, self._scratch = chance, ledger, scratch
        self._every_s, self._import_due_s = import_every_s, time.monotonic() + FIRST_IMPORT_S
        self.counts: Counter[str] = Counter()
        # Refusals that should not be, imports that failed, answers that never came; and what the engine told players.
        self._troubles: list[str] = []
        self._warnings: list[str] = []
        self._removed: list[str] = []
        self._saves = 0
        self._names: list[str] = []
        self.client = Client(socket, name="soak", on_notice=self._noticed)

    def connect(self, timeout_s: float) -> None:
        """Raises EngineGoneError when no engine comes."""
        self.client.connect(timeout_s)
        self.client.subscribe(10.0)
        self.client.wait_for(lambda status: bool(status["corners"]), timeout_s)
        self._names = [row["name"] for row in self.client.request("instruments")["instruments"]]

    def play(self, over: threading.Event) -> None:
        """Until it is over."""
        acts = [self._set] * 6 + [self._point] * 6 + [self._note] * 4 + [self._corner] * 2 + [self._save, self._save]
        acts += [self._load, self._load, self._undo, self._undo, self._gesture, self._rename, self._remove]
        acts += [self._favourite, self._restore, self._keep, self._audition]
        while not over.wait(self._chance.uniform(0.01, 0.15)):
            try:
                if time.monotonic() >= self._import_due_s:
                    self._import()
                else:
                    self._chance.choice(acts)()
            except EngineGoneError:
                self.counts["no engine"] += 1
                over.wait(0.5)
            except (RefusedError, EngineBusyError) as error:
                self._troubles.append(str(error))

    def let_go(self) -> None:
        """Keys up, the gesture at rest; arpeggios end with their keys."""
        for channel in range(2, 4):
            for key in range(40, 80):
                self.client.send("note_off", key=key, channel=channel)
        self.client.send("gesture_stop")
        self.client.send("audition_stop")

    def new_troubles(self) -> list[str]:
        """Since the last call."""
        found, self._troubles = self._troubles, []
        return found

    def new_warnings(self) -> list[str]:
        """Since the last call."""
        found, self._warnings = self._warnings, []
        return found

    def finish_imports(self, within_s: float) -> None:
        """Wait for those that are under way: their end is to be acknowledged, or none is."""
        with contextlib.suppress(TetradError):
            self.client.wait_for(lambda status: "number" not in status["imports"], within_s)

    # What it does.

    def _ask(self, command: str, **fields: Any) -> dict[str, Any]:
        answer = self.client.request(command, timeout_s=LONGEST_ANSWER_S, **fields)
        self.counts[command] += 1
        return answer

    def _set(self) -> None:
        chosen = self._chance.sample([one for one in PARAMETERS if one.name not in NOT_TURNED], 3)
        self._ask("set_many", values={one.name: one.from_travel(self._chance.random()) for one in chosen})

    def _point(self) -> None:
        for _ in range(10):
            self.client.send("point", x=self._chance.random(), y=self._chance.random())
            time.sleep(0.01)
        self.counts["point"] += 10

    def _note(self) -> None:
        key, channel = self._chance.randrange(40, 80), self._chance.randrange(2, 4)
        self._ask("note_on", key=key, velocity=self._chance.randrange(1, 128), channel=channel)
        time.sleep(self._chance.uniform(0.0, 0.3))
        self._ask("note_off", key=key, channel=channel)

    def _corner(self) -> None:
        self._ask("corner", corner=self._chance.choice(CORNERS), instrument=self._chance.choice(self._names))

    def _save(self) -> None:
        known = self._ledger.patches
        self._saves += 1
        mark = f"soak-{self._saves}"
        again = known and (len(known) >= MOST_PATCHES or self._chance.random() < 0.3)
        name = self._chance.choice(known) if again else f"Soak {self._saves}"
        answer = self._ask("patch_save", name=name, tags=[mark])
        self._ledger.saved(answer["name"], mark)

    def _load(self) -> None:
        known = self._ledger.patches
        if known and self._chance.random() < 0.6:
            self._ask("patch_load", name=self._chance.choice(known))
        else:
            self._ask("patch_load", number=self._chance.randrange(8))

    def _undo(self) -> None:
        with contextlib.suppress(RefusedError):  # nothing to undo
            self._ask(self._chance.choice(("undo", "undo", "redo", "compare")))

    def _gesture(self) -> None:
        self._ask("gesture_record")
        self._point()
        self._ask("gesture_stop")
        with contextlib.suppress(RefusedError):  # the finger did not move: somebody else's command came in between
            self._ask("gesture_play", mirrored=self._chance.random() < 0.5, speed=self._chance.uniform(0.5, 3.0))

    def _rename(self) -> None:
        known = self._ledger.patches
        if known:
            name, new_name = self._chance.choice(known), f"Soak {self._saves} again {self.counts['patch_rename']}"
            self._ask("patch_rename", name=name, new_name=new_name)
            self._ledger.renamed(name, new_name)

    def _remove(self) -> None:
        known = self._ledger.patches
        if len(known) > 5:
            name = self._chance.choice(known)
            self._ask("patch_remove", name=name)
            self._ledger.removed(name)
            self._removed = [*self._removed[-MOST_RESTORABLE:], name]

    def _restore(self) -> None:
        if self._removed:
            name = self._removed.pop()
            self._ledger.saved(self._ask("patch_restore", name=name)["name"], "")

    def _favourite(self) -> None:
        self._ask("instrument_favourite", name=self._chance.choice(self._names), favourite=self._chance.random() < 0.5)

    def _keep(self) -> None:
        """The last seconds as a file, which nobody needs."""
        path = self._scratch / f"kept-{self.counts['keep'] % MOST_KEPT_FILES}.flac"
        path.unlink(missing_ok=True)
        self._ask("keep", seconds=3.0, path=str(path))

    def _audition(self) -> None:
        self._ask("audition", instrument=self._chance.choice(self._names))

    def _import(self) -> None:
        """A sung note becomes an instrument of a corner, in the background; the oldest goes."""
        self._import_due_s = time.monotonic() + self._every_s
        number = self.counts["instrument_import"]
        path = self._scratch / f"sung-{number}.wav"
        soundfile.write(
            path, sung(self._chance.uniform(48.0, 72.0), self._chance.uniform(0.6, 1.5), number), SAMPLE_RATE_HZ
        )
        self._ask("instrument_import", paths=[str(path)], name=f"sung-{number}", corner=self._chance.choice(CORNERS))
        known = self._ledger.instruments
        if len(known) >= MOST_INSTRUMENTS:
            self._ask("instrument_remove", name=known[0])
            self._ledger.instrument_removed(known[0])

    def _noticed(self, notice: str, data: Mapping[str, Any]) -> None:
        """In the client's thread."""
        if notice == "import_changed" and data["state"] == "done":
            self._ledger.imported(data["instrument"])
            (self._scratch / f"{data['instrument']}.wav").unlink(missing_ok=True)
            self.counts["imported"] += 1
        elif notice == "import_changed" and data["state"] in ("failed", "cancelled"):
            self._troubles.append(f"import: {data['words']}")
        elif notice == "parameter_changed":  # proof that they all reach the engine
            self.counts[f"moved by {data['by']}"] += 1
        elif notice in ("warning", "audio_changed"):
            self._warnings.append(data["words"])
        elif notice == "refused":
            self._troubles.append(data["words"])


def silence(script: Script, within_s: float) -> list[dict[str, Any]]:
    """Notes that still sound `within_s` after everything was let go: none, of an engine that is well.

    The release is made its shortest first, and arpeggios let go of what they hold: a note that rings on for as long
    as its player has set is no stuck one.
    """
    client = script.client
    client.request("set_many", values={"release": 0.05, "arp_hold": "off", "delay": 0.0, "reverb": 0.0})
    with contextlib.suppress(TetradError):
        client.wait_for(lambda status: not status["notes"], within_s)
    notes: list[dict[str, Any]] = client.request("status")["notes"]
    return [{name: note[name] for name in ("channel", "key", "level_db")} for note in notes]
