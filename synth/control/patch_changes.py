"""What differs between two patches, as small records: what an undo takes back, and what an engine must be sent."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from synth.control.corners import Corner
from synth.control.parameters import PARAMETERS
from synth.control.patch import Patch, parameter_index


class Part(StrEnum):
    """The parts of a patch that change by themselves."""

    PARAMETER = "parameter"
    CORNER = "corner"
    MIDI = "midi"
    TUNING = "tuning"
    GESTURE = "gesture"
    NAME = "name"
    AUTHOR = "author"
    TAGS = "tags"


_WHOLE_PARTS = (Part.MIDI, Part.TUNING, Part.GESTURE, Part.NAME, Part.AUTHOR, Part.TAGS)


@dataclass(frozen=True)
class Change:
    """One part of a patch became another.

    key: the parameter's name, a `Corner`, or "" for the parts that there are once. before, after: as the patch has
    them: a float in the parameter's unit, an instrument's name or None, a JsonObject or None, a text, a tuple of texts.
    """

    part: Part
    key: str | Corner
    before: Any
    after: Any

    @property
    def place(self) -> tuple[Part, str | Corner]:
        """What it is that changed."""
        return self.part, self.key

    def reversed(self) -> "Change":
        """Back again."""
        return Change(self.part, self.key, self.after, self.before)


def differences(a: Patch, b: Patch) -> tuple[Change, ...]:
    """What must change in `a` to make it `b`: corners first, since an instrument may have to be loaded."""
    corners = [
        Change(Part.CORNER, corner, a.corners[corner], b.corners[corner])
        for corner in Corner
        if a.corners[corner] != b.corners[corner]
    ]
    parameters = (
        [
            Change(Part.PARAMETER, parameter.name, before, after)
            for parameter, before, after in zip(PARAMETERS, a.values, b.values, strict=True)
            if before != after
        ]
        if a.values is not b.values
        else []
    )
    others = [
        Change(part, "", getattr(a, part), getattr(b, part))
        for part in _WHOLE_PARTS
        if getattr(a, part) != getattr(b, part)
    ]
    return (*corners, *parameters, *others)


def applied(patch: Patch, changes: Iterable[Change]) -> Patch:
    """The patch with the changes made, whatever it had there before: `applied(a, differences(a, b)) == b`."""
    corners, values = list(patch.corners), list(patch.values)
    others: dict[str, Any] = {}
    for change in changes:
        if isinstance(change.key, Corner):
            corners[change.key] = change.after
        elif change.part is Part.PARAMETER:
            values[parameter_index(change.key)] = change.after
        else:
            others[change.part.value] = change.after
    return replace(patch, corners=tuple(corners), values=tuple(values), **others)


def merged(earlier: Iterable[Change], later: Iterable[Change]) -> tuple[Change, ...]:
    """Two edits as one: from what was before the earlier to what is after the later; what came back is no change."""
    by_place = {change.place: change for change in earlier}
    for change in later:
        first = by_place.get(change.place, change)
        by_place[change.place] = Change(change.part, change.key, first.before, change.after)
    return tuple(change for change in by_place.values() if change.before != change.after)
