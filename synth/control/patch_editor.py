"""The patch that sounds, its edits, and the way back from each of them. Values in, changes out; no file, no clock.

Two kinds of change are kept apart. An *edit* (a knob, an instrument in a corner, another patch loaded) can be taken
back; edits of one thing with less than a second between them are one, so a swept knob is one step. What is *played*
(the finger on the surface) only moves the patch along: an undo after a solo takes back the last edit, not the solo, and
a patch that was only played has nothing to be saved.

`compare` lets the stored patch sound in place of the edited one, and back. The edited patch is never lost: whatever is
edited, undone, loaded or stored while the stored one sounds comes back to the edited one first.
"""

import time
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from synth.control.corners import Corner
from synth.control.patch import Patch
from synth.control.patch_changes import Change, Part, applied, differences, merged

ONE_EDIT_S = 1.0
"""Between two movements of a knob that are one edit."""
MOST_EDITS = 1000
_BOTH_AXES = frozenset({(Part.PARAMETER, "x"), (Part.PARAMETER, "y")})

Place = tuple[Part, str | Corner]


@dataclass(frozen=True)
class Edit:
    """One step of undo. stored: the patch to compare with, before and after, where the step changed it; time_s: of
    its last movement; closed: nothing more is merged with it or with what lies below it."""

    label: str
    changes: tuple[Change, ...]
    time_s: float
    stored: tuple[Patch, Patch] | None = None
    closed: bool = False

    @property
    def places(self) -> frozenset[Place]:
        """What it changed; x and y are one thing, so that a finger's way is one edit."""
        places = frozenset(change.place for change in self.changes)
        return places | _BOTH_AXES if places & _BOTH_AXES else places


class PatchEditor:
    """The current patch. One thread at a time; the methods give what an engine must be sent (`Change`s, maybe none).

    Methods raise TetradError for names and values that mean nothing, and then change nothing.
    """

    def __init__(self, patch: Patch | None = None, stored: Patch | None = None) -> None:
        """patch: what sounds at first; stored: what `compare` goes to, by default `patch` itself."""
        self._patch = patch or Patch()
        self._stored = stored or self._patch
        self._comparing = False
        self._played: set[str] = set()
        self._done: deque[Edit] = deque(maxlen=MOST_EDITS)
        self._undone: list[Edit] = []

    @property
    def patch(self) -> Patch:
        """The edited patch: what is to be stored, whatever sounds."""
        return self._patch

    @property
    def stored(self) -> Patch:
        """The patch as it was loaded or stored last."""
        return self._stored

    @property
    def comparing(self) -> bool:
        """The stored patch sounds."""
        return self._comparing

    @property
    def sounding(self) -> Patch:
        """The patch that sounds. While comparing it is the stored one, where the finger is."""
        if not self._comparing:
            return self._patch
        return self._stored.with_values({name: self._patch.value(name) for name in self._played})

    @property
    def dirty(self) -> bool:
        """Something was edited since it was stored. What was only played does not count."""
        return any(
            change.part is not Part.PARAMETER or change.key not in self._played
            for change in differences(self._stored, self._patch)
        )

    @property
    def undoable(self) -> str | None:
        """What `undo` would take back, in words."""
        return self._done[-1].label if self._done else None

    @property
    def redoable(self) -> str | None:
        return self._undone[-1].label if self._undone else None

    def set(self, name: str, value: float, now_s: float | None = None) -> tuple[Change, ...]:
        """Edit a parameter; outside its range it becomes the nearest end. now_s: seconds of `time.monotonic`."""
        return self.set_many({name: value}, now_s)

    def set_many(self, values: Mapping[str, float], now_s: float | None = None) -> tuple[Change, ...]:
        """Edit some parameters in one step."""
        changed = self._patch.with_values(values)
        self._played.difference_update(values)
        return self.edit(changed, ", ".join(list(values)[:3]) + (", ..." if len(values) > 3 else ""), now_s)

    def set_corner(self, corner: Corner, instrument: str | None, now_s: float | None = None) -> tuple[Change, ...]:
        """Edit a corner: an instrument's name, or None for silence."""
        label = f"{corner.name} {instrument or 'silent'}"
        return self.edit(self._patch.with_corner(corner, instrument), label, now_s)

    def set_midi(self, settings: Mapping[str, Any], now_s: float | None = None) -> tuple[Change, ...]:
        return self.edit(self._patch.with_midi(settings), "MIDI settings", now_s)

    def set_tuning(self, tuning: Mapping[str, Any] | None, now_s: float | None = None) -> tuple[Change, ...]:
        return self.edit(self._patch.with_tuning(tuning), "tuning", now_s)

    def set_gesture(self, path: Mapping[str, Any] | None, now_s: float | None = None) -> tuple[Change, ...]:
        return self.edit(self._patch.with_gesture(path), "gesture", now_s)

    def set_texts(
        self, *, name: str | None = None, author: str | None = None, tags: Iterable[str] | None = None
    ) -> tuple[Change, ...]:
        return self.edit(self._patch.with_texts(name=name, author=author, tags=tags), "name and tags")

    def edit(self, changed: Patch, label: str, now_s: float | None = None) -> tuple[Change, ...]:
        """Any edit: the current patch becomes `changed`, in one step of undo."""
        return self._step(Edit(label, differences(self._patch, changed), _now(now_s)))

    def load(self, patch: Patch) -> tuple[Change, ...]:
        """Another patch, from the bank. This too can be undone, so a wrong program change costs no unsaved edit."""
        self._played.clear()
        return self._step(_closed(f"load {patch.name}", self._patch, patch, (self._stored, patch)))

    def play(self, values: Mapping[str, float]) -> tuple[Change, ...]:
        """The finger moves: parameters change (x, y as a rule), and no step of undo comes of it."""
        before = self.sounding
        self._patch = self._patch.with_values(values)
        self._played.update(values)
        return differences(before, self.sounding)

    def saved(self, patch: Patch) -> tuple[Change, ...]:
        """`patch`, which is the current one or was it a moment ago, is on disk now: it is what to compare with.

        Its name and tags, which storing may have given it, become the current patch's. Undo goes on across this.
        """
        named = self._patch.with_texts(name=patch.name, author=patch.author, tags=patch.tags)
        self._close_last()
        self._played.clear()
        if patch.name != self._stored.name:
            # A step of its own, lest a redo across it gives the older name to what is edited, and a save replaces that.
            return self._step(_closed(f"save as {patch.name}", self._patch, named, (self._stored, patch)))
        before = self.sounding
        self._patch, self._stored, self._comparing = named, patch, False
        # An undo across a load must not bring back a stored patch that is older than the file.
        self._done = deque((_with_newer(edit, patch) for edit in self._done), maxlen=MOST_EDITS)
        self._undone = [_with_newer(edit, patch) for edit in self._undone]
        return differences(before, self._patch)

    def undo(self) -> tuple[Change, ...]:
        """Take back the last edit; () when there is none."""
        before = self.sounding
        if self._done:
            edit = self._done.pop()
            self._undone.append(edit)
            self._patch = applied(self._patch, [change.reversed() for change in edit.changes])
            self._stored = edit.stored[0] if edit.stored else self._stored
            self._close_last()
        self._comparing = False
        return differences(before, self._patch)

    def redo(self) -> tuple[Change, ...]:
        """Make the edit again that was taken back last; () when there is none."""
        before = self.sounding
        if self._undone:
            edit = self._undone.pop()
            self._done.append(replace(edit, closed=True))
            self._patch = applied(self._patch, edit.changes)
            self._stored = edit.stored[1] if edit.stored else self._stored
        self._comparing = False
        return differences(before, self._patch)

    def compare(self) -> tuple[Change, ...]:
        """From the edited patch to the stored one, or back; () where they sound the same."""
        before = self.sounding
        self._comparing = not self._comparing
        return differences(before, self.sounding)

    def _step(self, edit: Edit) -> tuple[Change, ...]:
        before = self.sounding
        self._comparing = False
        self._patch = applied(self._patch, edit.changes)
        if edit.stored:
            self._stored = edit.stored[1]
        if edit.changes or edit.stored:
            self._undone.clear()
            self._remember(edit)
        return differences(before, self._patch)

    def _remember(self, edit: Edit) -> None:
        """As a step of its own, or as more of a step that moved the same things a moment ago.

        That step may lie below others, which moved other things meanwhile (a knob in each hand): steps that have
        nothing in common can be undone in any order.
        """
        above: frozenset[Place] = frozenset()
        for index in range(len(self._done) - 1, -1, -1):
            earlier = self._done[index]
            if earlier.closed or edit.closed or not 0.0 <= edit.time_s - earlier.time_s < ONE_EDIT_S:
                break
            if edit.places <= earlier.places and not earlier.places & above:
                del self._done[index]
                edit = replace(edit, changes=merged(earlier.changes, edit.changes))
                break
            above |= earlier.places
        if edit.changes or edit.stored:  # not where a knob was moved and came back
            self._done.append(edit)

    def _close_last(self) -> None:
        if self._done:
            self._done[-1] = replace(self._done[-1], closed=True)


def _now(now_s: float | None) -> float:
    return time.monotonic() if now_s is None else now_s


def _closed(label: str, before: Patch, after: Patch, stored: tuple[Patch, Patch]) -> Edit:
    """A step with which nothing is merged."""
    return Edit(label, differences(before, after), 0.0, stored, closed=True)


def _with_newer(edit: Edit, patch: Patch) -> Edit:
    """The edit, with `patch` in place of the stored ones of its name."""
    if edit.stored is None:
        return edit
    before, after = (patch if stored.name == patch.name else stored for stored in edit.stored)
    return replace(edit, stored=(before, after))
