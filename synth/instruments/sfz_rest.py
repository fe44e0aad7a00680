"""Whether, and how loud, a region sounds when a key is struck with every controller, switch and wheel at rest."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence

from synth.instruments.sfz_values import bounded, integer, note_number, number

INAUDIBLE_DB = -90.0
RESTING: Mapping[int, float] = {7: 100.0, 10: 64.0, 11: 127.0}
"""Controllers that don't rest at 0: volume, pan, expression."""
LAST_CONTROLLER = 127
"""Above it are players' own: velocity, key, random numbers; they have no resting value, so their conditions hold."""
Opcodes = dict[str, str]
Controllers = dict[int, float]


def set_controllers(opcodes: Mapping[str, str], controllers: Controllers) -> None:
    """Takes over `set_ccN` and `set_hdccN` (0..1)."""
    for name, value in opcodes.items():
        match = re.match(r"set_(hd)?cc(\d{1,3})$", name)
        if match:
            controllers[int(match[2])] = min(max(number(value, 0.0) * (127.0 if match[1] else 1.0), 0.0), 127.0)


def default_keyswitch(regions: Sequence[Opcodes]) -> int | None:
    """The switch that is on at first: `sw_default`, or the lowest that any region asks for."""
    for opcodes in regions:
        note = note_number(opcodes.get("sw_default", ""))
        if note is not None:
            return note
    asked = (note_number(opcodes.get(name, "")) for opcodes in regions for name in ("sw_last", "sw_lolast"))
    return min((note for note in asked if note is not None), default=None)


def silence(opcodes: Opcodes, controllers: Controllers, keyswitch: int | None) -> str | None:
    """Why a region is not heard when a key is struck at rest, or None."""
    sample = opcodes.get("sample", "")
    keys = key_or_velocity_range(opcodes, "key")
    velocities = key_or_velocity_range(opcodes, "vel")
    why = None
    if not sample:
        why = "no sample"
    elif sample.startswith("*"):
        why = f"a sound that players make themselves ({sample[:20]})"
    elif opcodes.get("trigger", "attack") not in {"attack", "first"}:
        why = f"played on {opcodes['trigger'][:20]}, not when a key is struck"
    elif keys[1] < keys[0] or any(re.match(r"(?:on|start)_(?:lo|hi)(?:hd)?cc", name) for name in opcodes):
        why = "played by no key"
    elif not _switched_on(opcodes, keyswitch):
        why = "behind a key switch that is off at first"
    elif not _at_rest(opcodes, controllers):
        why = "behind a controller that is off at first"
    elif end_sample(opcodes) == 0 or gain_db(opcodes, controllers) < INAUDIBLE_DB or velocities[0] > velocities[1]:
        why = "silent"
    return why


def _switched_on(opcodes: Opcodes, keyswitch: int | None) -> bool:
    if "sw_down" in opcodes or "sw_previous" in opcodes:
        return False
    last = note_number(opcodes.get("sw_last", ""))
    low = note_number(opcodes.get("sw_lolast", ""))
    if last is None and low is None:
        return True
    if last is not None:
        return last == keyswitch
    high = note_number(opcodes.get("sw_hilast", ""))
    assert low is not None
    return keyswitch is not None and low <= keyswitch <= (127 if high is None else high)


def _at_rest(opcodes: Opcodes, controllers: Controllers) -> bool:
    for low, high, value in (
        ("lobend", "hibend", 0.0),
        ("lochanaft", "hichanaft", 0.0),
        ("lopolyaft", "hipolyaft", 0.0),
        ("lobpm", "hibpm", 120.0),
    ):
        if not number(opcodes.get(low), -math.inf) <= value <= number(opcodes.get(high), math.inf):
            return False
    for name, text in opcodes.items():
        match = re.match(r"(lo|hi)(hd)?cc(\d+)$", name)
        if not match or int(match[3]) > LAST_CONTROLLER:
            continue
        value = controllers.get(int(match[3]), 0.0)
        limit = number(text, 0.0 if match[1] == "lo" else 127.0) * (127.0 if match[2] else 1.0)
        if value < limit if match[1] == "lo" else value > limit:
            return False
    return True


def gain_db(opcodes: Opcodes, controllers: Controllers) -> float:
    """What a region adds to its recording, at most 48 dB; -inf where a controller at rest closes it."""
    volumes = ("volume", "group_volume", "master_volume", "global_volume")
    volume_db = sum(bounded(opcodes.get(name), 0.0, 144.0) for name in volumes)
    gain = max(bounded(opcodes.get("amplitude"), 100.0, 10_000.0), 0.0) / 100.0
    for name, text in opcodes.items():
        match = re.match(r"(gain|volume|amplitude)_?(?:on)?cc(\d+)$", name)
        if match and int(match[2]) <= LAST_CONTROLLER:
            turned = controllers.get(int(match[2]), 0.0) / 127.0
            if match[1] == "amplitude":
                gain *= turned * max(bounded(text, 100.0, 10_000.0), 0.0) / 100.0
            else:
                volume_db += turned * bounded(text, 0.0, 144.0)
    gain *= _crossfade(opcodes, controllers)
    return min(volume_db + (20.0 * math.log10(gain) if gain > 0.0 else -math.inf), 48.0)


def _crossfade(opcodes: Opcodes, controllers: Controllers) -> float:
    """Equal-power crossfades by controllers at rest, as a factor 0..1."""
    factor = 1.0
    for name in opcodes:
        match = re.match(r"xf(in|out)_lo(cc\d+)$", name)
        if match and int(match[2][2:]) <= LAST_CONTROLLER:
            value = controllers.get(int(match[2][2:]), 0.0)
            low = number(opcodes[name], 0.0)
            high = number(opcodes.get(f"xf{match[1]}_hi{match[2]}"), 127.0)
            share = min(max((value - low) / max(high - low, 1e-9), 0.0), 1.0) if value != low or high > low else 1.0
            factor *= math.sqrt(share if match[1] == "in" else 1.0 - share)
    return factor


def key_or_velocity_range(opcodes: Opcodes, what: str) -> tuple[int, int]:
    """Lowest and highest key or velocity; (0, -1) where `hikey` is -1, which players take as "by no key"."""
    if what == "key":
        low, high = (note_number(opcodes.get(name, "")) for name in ("lokey", "hikey"))
        if high == -1 or low == -1:
            return 0, -1
        return low if low is not None else 0, high if high is not None else 127
    low = integer(opcodes.get("lovel"), 0)
    high = integer(opcodes.get("hivel"), 127)
    return max(low, 0), min(high, 127)


def end_sample(opcodes: Opcodes) -> int | None:
    """First sample that is not played; 0 for `end=-1`, a region that is there only to silence others."""
    return max(integer(opcodes["end"], 0) + 1, 0) if "end" in opcodes else None
