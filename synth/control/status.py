"""What the engine tells: the entries of its status and its notices, described once; and status as differences.

A status is a JSON object whose members may be objects. Whole ones are sent when somebody subscribes; after that only
differences, as JSON merge patches (RFC 7396): members that changed, objects member by member, lists whole, null for a
member that is gone. No member of a status is null, therefore: what there is nothing to say of is left out.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from synth.control.wire import to_json


@dataclass(frozen=True)
class StatusEntry:
    """One entry. path: its names from the outermost, joined by dots; * stands for any name. kind: of a JSON value."""

    path: str
    kind: str  # a key of _KINDS
    unit: str
    description: str


_KINDS: dict[str, tuple[type, ...]] = {
    "number": (int, float),
    "whole number": (int,),
    "text": (str,),
    "flag": (bool,),
    "list": (list,),
}

STATUS: tuple[StatusEntry, ...] = (
    StatusEntry("parameters.*", "number", "the parameter's", "Value of every parameter; x and y are the finger."),
    StatusEntry("point.x", "number", "", "Where the sound is now, smoothed: from west to east."),
    StatusEntry("point.y", "number", "", "From south to north."),
    StatusEntry("point.touching", "flag", "", "A finger rests on a surface."),
    StatusEntry("corners.*.instrument", "text", "", "Of the corner nw, ne, sw, se."),
    StatusEntry("corners.*.display_name", "text", "", "How people call it."),
    StatusEntry("corners.*.family", "text", "", "Of the instrument."),
    StatusEntry("corners.*.wanted", "text", "", "An instrument on its way there, or one that was not found."),
    StatusEntry("voices.sounding", "whole number", "", "Voices that sound now."),
    StatusEntry("voices.limit", "whole number", "", "At most so many for now; the governor lowers it under load."),
    StatusEntry("voices.most", "whole number", "", "What the engine was made for."),
    StatusEntry("voices.stolen", "whole number", "", "Notes ended for others since the start."),
    StatusEntry(
        "notes",
        "list",
        "",
        'Sounding notes, the loudest first: [{"channel", "key", "x", "y", "level_db", "spectrum_db"}]. spectrum_db: '
        "level of what it plays now in the eight octaves from 62.5 Hz to 16 kHz; a pad's notes have none.",
    ),
    StatusEntry("levels.peak_dbfs", "list", "dBFS", "Highest sample since the last status, [left, right]."),
    StatusEntry("levels.rms_dbfs", "list", "dBFS", "Mean level since the last status, [left, right]."),
    StatusEntry("patch.name", "text", "", "The patch that was loaded or saved last."),
    StatusEntry("patch.number", "whole number", "", "Its place in the bank."),
    StatusEntry("patch.edited", "flag", "", "It was changed since."),
    StatusEntry("patch.sounding", "text", "", "edited or stored, as `compare` says."),
    StatusEntry("patch.undo", "text", "", "What undo would take back; left out when nothing."),
    StatusEntry("patch.redo", "text", "", "What redo would do again; left out when nothing."),
    StatusEntry(
        "focus.target", "text", "", "A parameter's name, or nw, ne, sw or se: what is held; left out when nothing."
    ),
    StatusEntry("focus.by", "text", "", "Who holds it."),
    StatusEntry(
        "focus.instrument", "text", "", "That the corner's encoder is turned to and that a push takes; else left out."
    ),
    StatusEntry("focus.at", "number", "s", "Since when, in seconds since 1970."),
    StatusEntry("audition.instrument", "text", "", "What is auditioned; left out when nothing."),
    StatusEntry("clock.tempo_bpm", "number", "bpm", "Tempo that counts."),
    StatusEntry("clock.source", "text", "", "own or midi."),
    StatusEntry("clock.beat", "number", "quarters", "Since the start."),
    StatusEntry("clock.running", "flag", "", "Between a MIDI start and stop, or by its own tempo."),
    StatusEntry("gesture.state", "text", "", "empty, recording, ready or playing."),
    StatusEntry("gesture.length_s", "number", "s", "Of the path that is kept."),
    StatusEntry("recording.state", "text", "", "off or on."),
    StatusEntry("recording.path", "text", "", "The file that is written, or was last."),
    StatusEntry("recording.seconds", "number", "s", "Written so far."),
    StatusEntry("recording.kept_s", "number", "s", "What `keep` could take now."),
    StatusEntry("recording.lost_samples", "whole number", "samples", "Silence in the file: the disk was too slow."),
    StatusEntry("recording.problem", "text", "", "What ended the recording before its time."),
    StatusEntry("imports.waiting", "whole number", "", "Imports that wait for the one under way."),
    StatusEntry("imports.number", "whole number", "", "Of the import under way; left out, as what follows, when none."),
    StatusEntry("imports.source", "text", "", "What it is made of."),
    StatusEntry("imports.step", "text", "", "find, listen, build or write."),
    StatusEntry("imports.share", "number", "", "Of the way, 0 to 1."),
    StatusEntry(
        "input.state",
        "text",
        "",
        "off, opening, measuring (the room), waiting, recording, settling (until it is quiet), ready (all notes are "
        "there), lost (the device has gone) or ending. What follows but words is left out when off.",
    ),
    StatusEntry("input.device", "text", "", "Where the sound comes from."),
    StatusEntry("input.level_dbfs", "number", "dBFS", "Highest sample of the last 50 ms."),
    StatusEntry("input.peak_dbfs", "number", "dBFS", "Highest sample of the last 1.5 s."),
    StatusEntry("input.clipped", "flag", "", "It was at full scale within the last 3 s."),
    StatusEntry(
        "input.takes",
        "list",
        "",
        "Notes that were recorded: "
        '[{"seconds", "heard", "pitch", "clipped_samples", "peaks", "start_s", "end_s", "keep"}]: '
        "`peaks` is a picture of the take, at most 64 numbers 0..1; the last three are what `record_input_trim` said.",
    ),
    StatusEntry("input.words", "text", "", "How it stands, for a person."),
    StatusEntry("grid.pairs", "whole number", "", "Pairs of instruments along the edges of the surface, at most 4."),
    StatusEntry(
        "grid.known", "whole number", "", "Those of them whose path is computed; the others are straight lines."
    ),
    StatusEntry("grid.computing", "text", "", "The pair whose path is being computed; left out when none."),
    StatusEntry("grid.waiting", "whole number", "", "Pairs that wait to be computed, of earlier surfaces too."),
    StatusEntry("grid.refining", "flag", "", "Missing paths are computed in the background, as `grid_refine` says."),
    StatusEntry("midi.ports", "list", "", "Names of the inputs that are open."),
    StatusEntry("midi.messages", "whole number", "", "Taken since the start."),
    StatusEntry("midi.dropped", "whole number", "", "Dropped since the start: a queue was full."),
    StatusEntry("midi.learning", "text", "", "The parameter that waits for a controller; left out when none."),
    StatusEntry("tuning.name", "text", "", "Of the tuning."),
    StatusEntry("audio.device", "text", "", "Where the sound goes."),
    StatusEntry("audio.state", "text", "", "running, waiting (for a device that is gone) or none."),
    StatusEntry("audio.words", "text", "", "What there is to say of it, in words."),
    StatusEntry("audio.sample_rate_hz", "whole number", "Hz", "Sample rate."),
    StatusEntry("audio.block_samples", "whole number", "samples", "Length of a block."),
    StatusEntry("health.underflows", "whole number", "blocks", "Blocks that came too late."),
    StatusEntry("health.worst_block_share", "number", "of the period", "The slowest block."),
    StatusEntry("health.block_share", "number", "of the period", "The slowest block since the last status."),
    StatusEntry("health.late_frames", "whole number", "frames", "Control frames that were late and held."),
    StatusEntry("health.lost_segments", "whole number", "segments", "Control frames that found no room."),
    StatusEntry("health.dropped_events", "whole number", "events", "Events that found no room."),
    StatusEntry("health.most_waiting_events", "whole number", "events", "The event queue's high-water mark."),
    StatusEntry("health.clock_samples", "whole number", "samples", "Rendered since the start."),
    StatusEntry("server.clients", "whole number", "", "Clients of the socket."),
    StatusEntry(
        "server.presented", "list", "", "What clients say of themselves: {name, words, well} of each that does."
    ),
    StatusEntry("server.lost_frames", "whole number", "frames", "Status that slow clients did not get."),
    StatusEntry("server.dropped_clients", "whole number", "", "Clients that were ended because they did not read."),
    StatusEntry("server.refused", "whole number", "", "Commands that were refused, OSC's too."),
    StatusEntry("server.osc_malformed", "whole number", "packets", "UDP packets that were no OSC."),
    StatusEntry("server.osc_dropped", "whole number", "packets", "UDP packets beyond 4000 a second."),
    StatusEntry("server.osc", "text", "", "Address of OSC, or why there is none."),
    StatusEntry("server.osc_open", "flag", "", "OSC listens beyond this machine, since that was asked for."),
)


@dataclass(frozen=True)
class NoticeSpec:
    """Something that happened, told to every client at once. data: what its message holds."""

    name: str
    description: str
    data: str = "{}"


NOTICES: tuple[NoticeSpec, ...] = (
    NoticeSpec("patch_changed", "Another patch sounds, or this one was saved.", '{"name", "number"}'),
    NoticeSpec("patches_changed", "The bank has more, fewer or other patches."),
    NoticeSpec("instruments_changed", "There are more, fewer or other instruments."),
    NoticeSpec(
        "import_changed",
        "An import waits, runs, or is done, failed or cancelled; while it runs, several times a second.",
        '{"number", "source", "state", "step", "done", "total", "share", "instrument", "duplicate", "words", '
        '"remarks"}',
    ),
    NoticeSpec(
        "input_changed",
        "Recording from the input is in another state, or has a note more.",
        '{"state", "takes", "words"}',
    ),
    NoticeSpec("corner_changed", "A corner has its new instrument.", '{"corner", "instrument"}'),
    NoticeSpec("path_changed", "The path between two instruments was computed, and is played.", '{"first", "second"}'),
    NoticeSpec("midi_learned", "A controller was assigned.", '{"parameter", "controller"}'),
    NoticeSpec("midi_settings_changed", "MIDI is understood differently."),
    NoticeSpec("midi_ports_changed", "An input came or went.", '{"ports"}'),
    NoticeSpec("tuning_changed", "Another tuning.", '{"name"}'),
    NoticeSpec("gesture_changed", "A gesture was recorded, cleared or loaded."),
    NoticeSpec("recording_saved", "A file is finished.", '{"path", "seconds"}'),
    NoticeSpec("audio_changed", "The audio device came, went or changed.", '{"words"}'),
    NoticeSpec(
        "parameter_changed",
        "Somebody else moved a parameter, at most 30 times a second each, the last value always. by: a client's name, "
        '"midi", "osc" or "patch" (one was loaded, or an edit taken back). Clients that call themselves so are not '
        "told: they know, and each line wakes them. The finger (`point`) is not told here.",
        '{"parameter", "value", "by"}',
    ),
    NoticeSpec("log_line", "The engine said something; `log` has what was said before.", '{"time_s", "kind", "words"}'),
    NoticeSpec("warning", "Something the player should know.", '{"words"}'),
)

NOTICE_NAMES = frozenset(notice.name for notice in NOTICES)

_AS_IT_IS = frozenset({str, int, bool, type(None)})
_DECIMALS = 6
"""Of numbers in a status: finer than any screen shows, and a float's last bits alone make no difference to send."""


def normalised(status: Mapping[str, Any]) -> dict[str, Any]:
    """A status as it goes on the wire: plain JSON values, rounded to six decimals, without null, NaN and infinity."""
    return {str(name): plain for name, value in status.items() if (plain := _plain(value)) is not None}


def _plain(value: Any) -> Any:
    kind = type(value)
    if kind is float:  # by far the most of a status: 256 of them with 64 sounding notes
        return round(value, _DECIMALS) if math.isfinite(value) else None
    if kind in _AS_IT_IS:
        return value
    if isinstance(value, Mapping):
        return normalised(value)
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    # An enumeration's value, NumPy's float64 (which is a float), or whatever else has a JSON form.
    return _plain(float(value) if isinstance(value, float) else to_json(value))


def difference(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """The merge patch from one normalised status to another: {} when they are equal."""
    patch: dict[str, Any] = {}
    for name, value in after.items():
        old = before.get(name)
        if isinstance(value, dict) and isinstance(old, dict):
            inner = difference(old, value)
            if inner:
                patch[name] = inner
        elif old != value or type(old) is not type(value):
            patch[name] = value
    patch.update(dict.fromkeys((name for name in before if name not in after), None))
    return patch


def merged(status: Mapping[str, Any], patch: Mapping[str, Any]) -> dict[str, Any]:
    """A new status: `status` with a merge patch applied (RFC 7396, section 2). The old one is left as it was."""
    result = dict(status)
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        elif isinstance(value, Mapping):
            old = result.get(name)
            result[name] = merged(old if isinstance(old, Mapping) else {}, value)
        else:
            result[name] = value
    return result


def problems(status: Mapping[str, Any]) -> list[str]:
    """What in a status the table does not say, one sentence each; an entry that is missing is no problem."""
    found: list[str] = []
    _compare(status, "", [(entry.path.split("."), entry) for entry in STATUS], found)
    return found


def _compare(value: Any, where: str, entries: list[tuple[list[str], StatusEntry]], found: list[str]) -> None:
    leaf = next((entry for names, entry in entries if not names), None)
    if leaf is not None:
        of_kind = isinstance(value, _KINDS[leaf.kind]) and (leaf.kind == "flag" or not isinstance(value, bool))
        if not of_kind:
            found.append(f"status {where} is {value!r}; a {leaf.kind} was expected")
        return
    if not entries:
        found.append(f"status {where} is not in the table; add it there")
    elif not isinstance(value, Mapping):
        found.append(f"status {where} is {value!r}; an object was expected")
    else:
        for name, one in value.items():
            inner = [(names[1:], entry) for names, entry in entries if names[0] in (name, "*")]
            _compare(one, f"{where}.{name}" if where else name, inner, found)
