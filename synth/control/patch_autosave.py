"""The current patch on disk, at most a second behind the player: whoever pulls the plug finds it again at the start.

    {"format": "tetrad-state", "version": 1, "stored": "Glass Morning", "patch": {"format": "tetrad-patch", ...}}

`stored` is the name of the bank's patch that it was made from, or null.
"""

import threading
import time
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

from synth.control.json_document import brief, parse_json, pretty, read_bounded
from synth.control.kept_files import set_aside
from synth.control.patch import MOST_BYTES, Patch
from synth.errors import TetradError
from synth.files import atomic_write_bytes, remove_leftovers
from synth.paths import user_data_dir

FORMAT, VERSION = "tetrad-state", 1
PERIOD_S = 0.3
"""From a change to its write: a change is on disk within a second where a write takes up to 0.5 s, as on a card that is
busy, and what changes all the time is written three times a second, as the card should live long."""
RETRY_S = 5.0
_EXPECTED = f"a {FORMAT} file of version {VERSION}"


def default_path() -> Path:
    """Where the current patch is kept."""
    return user_data_dir() / "current.json"


class State(NamedTuple):
    """The current patch, and the name of the stored patch that it was made from, if any."""

    patch: Patch
    stored: str | None = None


class Autosave:
    """Writes the newest state in a thread of its own, `PERIOD_S` after a change. `note` may be called by any thread.

    failure: why the last write failed, in one line, or None; it is tried again every `RETRY_S`. `close` (or leaving the
    context) writes what is not written yet.
    """

    def __init__(self, path: Path | None = None, period_s: float = PERIOD_S) -> None:
        self.path = path or default_path()
        self.failure: str | None = None
        self._told: str | None = None
        self._period_s = period_s
        self._condition = threading.Condition()
        self._newest: State | None = None
        self._changed_s: float | None = None  # when what is not written yet began to change
        self._written: State | None = None
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="autosave", daemon=True)
        self._thread.start()

    def note(self, patch: Patch, stored: str | None = None) -> None:
        """The state is this now. Returns at once."""
        with self._condition:
            if self._newest is not None and self._newest.patch is patch and self._newest.stored == stored:
                return  # called some forty times a second, whether or not something changed
            self._newest = State(patch, stored)
            if self._changed_s is None:
                self._changed_s = time.monotonic()
            self._condition.notify()

    def news(self) -> str:
        """What the player should know since the last call: that the patch is not kept, or is again; "": nothing.
        Words that change while it fails, such as the room that is left, are no news."""
        failure = self.failure
        if (failure is None) == (self._told is None):
            return ""
        self._told = failure
        return "the current patch is kept again" if failure is None else f"the current patch is not kept: {failure}"

    def close(self) -> None:
        """Write what is not written yet, and end the thread."""
        with self._condition:
            self._closing = True
            self._condition.notify()
        self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _run(self) -> None:
        while True:
            with self._condition:
                self._condition.wait_for(lambda: self._closing or self._newest != self._written)
                # What changes meanwhile is written with it; closing does not wait. The time counts from the change, not
                # from here: what came during a slow write has waited already.
                waited_s = 0.0 if self._changed_s is None else time.monotonic() - self._changed_s
                rest_s = max(self._period_s - waited_s, 0.0) if self.failure is None else RETRY_S
                self._condition.wait_for(lambda: self._closing, rest_s)
                state, closing, self._changed_s = self._newest, self._closing, None
            if state is not None and state != self._written:
                self._write(state)
            if closing:
                return

    def _write(self, state: State) -> None:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            atomic_write_bytes(self.path, state_bytes(state))
        except (TetradError, OSError) as error:
            self.failure = str(error)
        else:
            self.failure = None
            self._written = state


def state_bytes(state: State) -> bytes:
    """The content of the file, UTF-8."""
    document = {"format": FORMAT, "version": VERSION, "stored": state.stored, "patch": state.patch.to_json()}
    return pretty(document, ("patch",))


def restore(path: Path | None = None) -> tuple[State | None, str]:
    """The state that was kept, and a warning, "" as a rule. None where there is none, or a damaged one.

    A damaged file is set aside, so that it is neither read again nor overwritten.
    """
    path = path or default_path()
    remove_leftovers(path.parent)
    if not path.exists():
        return None, ""
    try:
        return read_state(path), ""
    except TetradError as error:
        try:
            kept = f"it is kept as {set_aside(path)}"
        except OSError as second:
            kept = f"it can't be set aside either ({second.strerror})"
        return None, f"the last patch could not be restored: {error}; {kept}"


def read_state(path: Path) -> State:
    """What is kept there. Raises TetradError, and leaves the file as it is, where that is nothing of the kind."""
    content = parse_json(read_bounded(path, MOST_BYTES + 4096, _EXPECTED), str(path), _EXPECTED)
    if not isinstance(content, dict) or set(content) != {"format", "version", "stored", "patch"}:
        raise TetradError(f"{path} does not hold format, version, stored and patch; {_EXPECTED} was expected")
    if (content["format"], content["version"]) != (FORMAT, VERSION):
        raise TetradError(
            f"{path} is {brief(content['format'])} of version {brief(content['version'])}; {_EXPECTED} was expected"
        )
    stored = content["stored"]
    if stored is not None and not isinstance(stored, str):
        raise TetradError(f"{path}, stored is {brief(stored)}; a patch's name or null was expected")
    return State(Patch.from_json(content["patch"], str(path)), stored)
