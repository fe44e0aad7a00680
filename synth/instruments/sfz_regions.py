"""What the regions of an SFZ file say: which of them sound when a key is struck, and how.

Opcodes are inherited from `<global>` by `<master>` by `<group>` by `<region>`. Meanings and defaults are those of
https://sfzformat.com. A region counts as sounding when it plays with every controller, switch and wheel at rest.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from synth.errors import TetradError
from synth.instruments.sfz_rest import (
    RESTING,
    Controllers,
    Opcodes,
    default_keyswitch,
    end_sample,
    gain_db,
    key_or_velocity_range,
    set_controllers,
    silence,
)
from synth.instruments.sfz_text import Section
from synth.instruments.sfz_values import bounded, integer, note_number, number

MOST_MERGED = 4_000_000
"""Opcodes of all regions after inheritance; a library of 20,000 regions with 200 each."""
_LEVELS = ("global", "master", "group", "region")
_CONTROLLER = re.compile(
    r"(?:(?:on_|start_)?(?:lo|hi)(?:hd)?cc|xf(?:in|out)_(?:lo|hi)cc|(?:gain|volume|amplitude)_?(?:on)?cc)\d{1,3}$"
)
_ALIASES = {"pitch": "tune", "loopmode": "loop_mode", "loopstart": "loop_start", "loopend": "loop_end"}
_KEYS = frozenset({"lokey", "hikey", "pitch_keycenter", "sw_last", "sw_lolast", "sw_hilast", "sw_default"})
"""What `note_offset` and `octave_offset` move, besides `key`."""
_KEPT = frozenset(
    {"sample", "default_path", "pitch_keytrack", "tune", "transpose", "trigger", "seq_position", "lorand", "direction"}
    | {"volume", "group_volume", "master_volume", "global_volume", "amplitude", "sw_down", "sw_previous"}
    | {"offset", "end", "loop_mode", "loop_start", "loop_end", "lobend", "hibend", "lobpm", "hibpm"}
    | {"lovel", "hivel", "xfin_lovel", "xfin_hivel", "xfout_lovel", "xfout_hivel"}
    | {"lochanaft", "hichanaft", "lopolyaft", "hipolyaft"}
)


@dataclass(frozen=True)
class Region:
    """A region that sounds. sample: as the file names it, `default_path` before it. keys, velocities: lowest, highest.

    keycenter: the key that plays the recording as it is, None where the sample's own word counts ("sample").
    tune_cents: what is added to the recording's pitch, `transpose` included. keytrack: cents a key; 0 is unpitched.
    offset, end, loop: in samples of the file; end and the loop's end are the first that no longer count, None unknown.
    loop_mode: None is the file's own.
    """

    sample: str
    keys: tuple[int, int]
    velocities: tuple[int, int]
    keycenter: int | None
    keytrack: float
    tune_cents: float
    gain_db: float
    offset: int
    end: int | None
    loop_mode: str | None
    loop_start: int | None
    loop_end: int | None
    reverse: bool


@dataclass(frozen=True)
class Regions:
    """`sounding`, in the file's order, of `total`; `left_out`: how many are not, by the reason in words."""

    total: int
    sounding: tuple[Region, ...]
    left_out: Mapping[str, int]


def read_regions(sections: Iterable[Section]) -> Regions:
    """Which regions of a file sound. Raises TetradError where inheritance makes too many opcodes of few lines."""
    regions = list(_inherited(sections))
    keyswitch = default_keyswitch([opcodes for opcodes, _ in regions])
    left_out: dict[str, int] = {}
    heard: list[tuple[Region, bool]] = []  # and whether another of its round robin comes first
    for opcodes, controllers in regions:
        why = silence(opcodes, controllers, keyswitch)
        if why is not None:
            left_out[why] = left_out.get(why, 0) + 1
            continue
        heard.append((_region(opcodes, controllers), _later_robin(opcodes)))
    # A round robin that has no first one (some number from 2) is heard by its next best.
    first = {_place(region) for region, later in heard if not later}
    sounding = []
    for region, later in heard:
        if later and _place(region) in first:
            why = "later ones of a round robin"
            left_out[why] = left_out.get(why, 0) + 1
        else:
            first.add(_place(region))
            sounding.append(region)
    return Regions(len(regions), tuple(sounding), left_out)


def _inherited(sections: Iterable[Section]) -> Iterator[tuple[Opcodes, Controllers]]:
    levels: dict[str, Opcodes] = {level: {} for level in _LEVELS}
    control: Opcodes = {}
    controllers = dict(RESTING)
    n_merged = 0
    for section in sections:
        if section.header == "control":
            control.update(section.opcodes)
            set_controllers(section.opcodes, controllers)
            continue
        if section.header not in _LEVELS:
            continue  # <curve>, <effect>, <midi>, <sample> and whatever players add
        shift = integer(control.get("note_offset"), 0) + 12 * integer(control.get("octave_offset"), 0)
        for level in _LEVELS[_LEVELS.index(section.header) :]:
            levels[level] = {}
        levels[section.header] = _kept(section.opcodes, shift)
        if section.header != "region":
            continue
        merged: Opcodes = {"default_path": control.get("default_path", "")}
        for level in _LEVELS:
            merged.update(levels[level])
        n_merged += len(merged)
        if n_merged > MOST_MERGED:
            raise TetradError(f"the SFZ's regions inherit more than {MOST_MERGED:,} opcodes; split the library")
        yield merged, dict(controllers)


def _kept(opcodes: Mapping[str, str], shift: int) -> Opcodes:
    kept: Opcodes = {}
    for alias, value in opcodes.items():
        name = _ALIASES.get(alias, alias)
        if name == "key":  # it stands for three, and what comes after it may change each of them
            for part in ("lokey", "hikey", "pitch_keycenter"):
                kept[part] = _shifted(value, shift)
        elif name in _KEYS:
            kept[name] = _shifted(value, shift)
        elif name in _KEPT or _CONTROLLER.match(name):
            kept[name] = value
    return kept


def _shifted(value: str, shift: int) -> str:
    note = note_number(value)
    return value if note is None or note < 0 else str(min(max(note + shift, 0), 127))


def _region(opcodes: Opcodes, controllers: Controllers) -> Region:
    keycenter = opcodes.get("pitch_keycenter", "60").strip().lower()
    mode = opcodes.get("loop_mode", "").strip().lower()
    starts, ends = opcodes.get("loop_start"), opcodes.get("loop_end")
    return Region(
        sample=opcodes.get("default_path", "") + opcodes["sample"],
        keys=key_or_velocity_range(opcodes, "key"),
        velocities=_velocities(opcodes),
        keycenter=None if keycenter == "sample" else _centre(keycenter),
        keytrack=number(opcodes.get("pitch_keytrack"), 100.0),
        tune_cents=bounded(opcodes.get("tune"), 0.0, 9600.0) + 100.0 * bounded(opcodes.get("transpose"), 0.0, 127.0),
        gain_db=gain_db(opcodes, controllers),
        offset=max(integer(opcodes.get("offset"), 0), 0),
        end=end_sample(opcodes),
        loop_mode=mode if mode in {"no_loop", "one_shot", "loop_continuous", "loop_sustain"} else None,
        loop_start=None if starts is None else max(integer(starts, 0), 0),
        loop_end=None if ends is None else max(integer(ends, -1) + 1, 0),  # the format's end is the last that sounds
        reverse=opcodes.get("direction", "forward").strip().lower() == "reverse",
    )


def _centre(text: str) -> int:
    note = note_number(text)
    return 60 if note is None or note < 0 else note


def _place(region: Region) -> tuple[object, ...]:
    return region.keys, region.velocities


def _later_robin(opcodes: Opcodes) -> bool:
    return integer(opcodes.get("seq_position"), 1) > 1 or number(opcodes.get("lorand"), 0.0) > 0.0


def _velocities(opcodes: Opcodes) -> tuple[int, int]:
    """The range in which the region is heard alone or louder than the one it fades into."""
    low, high = key_or_velocity_range(opcodes, "vel")
    fade_in = integer(opcodes.get("xfin_lovel"), 0), integer(opcodes.get("xfin_hivel"), 0)
    fade_out = integer(opcodes.get("xfout_lovel"), 127), integer(opcodes.get("xfout_hivel"), 127)
    low = max(low, sum(fade_in) // 2)
    high = min(high, sum(fade_out) // 2)
    return (low, high) if low <= high else key_or_velocity_range(opcodes, "vel")
