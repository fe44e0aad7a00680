"""From a soak's log to its verdict. Pure: rows in, numbers and words out.

A row is a JSON object. The first has `row` "begin" and the arguments, each of the others "minute" (what happened since
the last one), the last "end" (what was found after the engine's end); a log that was cut off has none.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

WARM_UP_S = 600.0
"""Memory is looked at from here on: the last three minutes are kept as sound (69 MB), all instruments are read ahead,
and undo, log and trash are at their limits."""
LEAST_ROWS = 10
"""Fewer make no line."""
MOST_GROWTH_MB = 10.0
MOST_WORDS = 20
"""Of each kind that a report repeats."""

Row = Mapping[str, Any]


def report(rows: Sequence[Row], warm_up_s: float = WARM_UP_S) -> dict[str, Any]:
    """Numbers of the whole soak, and `limits`: what was asked for, each True, False, or None (too short to tell)."""
    minutes = [row for row in rows if row["row"] == "minute"]
    end = next((row for row in rows if row["row"] == "end"), None)
    told = [*minutes, *([] if end is None else [end])]
    memory = {
        part: growth(minutes, part, warm_up_s) for part in sorted({p for row in minutes for p in row["memory_mb"]})
    }
    ours, control = (sum(row["lost_blocks"][who] for row in minutes) for who in ("ours", "control"))
    done: Counter[str] = Counter()
    for row in minutes:
        done.update(row["done"])
    found: dict[str, Any] = {
        "seconds": round(sum(row["seconds"] for row in minutes), 1),
        "complete": end is not None,
        "done": dict(sorted(done.items())),
        "crashes": [words for row in told for words in row["crashes"]],
        "stuck_notes": [note for row in minutes for note in row["stuck_notes"]],
        "lost_patches": [words for row in told for words in row["lost_patches"]],
        "troubles": [words for row in told for words in row["troubles"]],
        "kept": {} if end is None else end["kept"],
        "blocks": sum(row["blocks"] for row in minutes),
        "lost_blocks": {"ours": ours, "control": control},
        "minutes_with_more_lost_than_control": sum(
            row["lost_blocks"]["ours"] > row["lost_blocks"]["control"] for row in minutes
        ),
        "late_frames": sum(row["late_frames"] for row in minutes),
        "frames_shown_per_s": _mean([row["frames_per_s"] for row in minutes]),
        "stolen_s": round(sum(row["stolen_s"] for row in minutes), 2),
        "load": _mean([row["load"] for row in minutes]),
        "memory": memory,
    }
    # What one process gives back another may take: all of them together count.
    known = [one["by_line_mb"] for one in memory.values() if one["by_line_mb"] is not None]
    found["memory_growth_mb"] = round(sum(known), 2) if len(known) == len(memory) and known else None
    found["limits"] = {
        "0 crashes": not found["crashes"],
        "0 stuck notes": not found["stuck_notes"],
        "0 lost patches": not found["lost_patches"],
        "no block lost that a trivial callback keeps": ours <= control if minutes else None,
        f"memory growth under {MOST_GROWTH_MB:g} MB": None
        if found["memory_growth_mb"] is None
        else found["memory_growth_mb"] < MOST_GROWTH_MB,
    }
    return found


def growth(minutes: Sequence[Row], part: str, warm_up_s: float = WARM_UP_S) -> dict[str, float | None]:
    """Of one process's memory, MB: the last row's less the first's, and by a line fitted through all of them, after the
    warm-up; None where there are fewer than LEAST_ROWS."""
    seen = [(row["at_s"], row["memory_mb"][part]) for row in minutes if part in row["memory_mb"]]
    warm = np.array([one for one in seen if one[0] >= warm_up_s])
    found: dict[str, float | None] = {"last_mb": seen[-1][1], "by_line_mb": None, "last_less_first_mb": None}
    if len(warm) >= LEAST_ROWS:
        slope = float(np.polyfit(warm[:, 0], warm[:, 1], 1)[0])
        found["by_line_mb"] = round(slope * float(warm[-1, 0] - warm[0, 0]), 2)
        found["last_less_first_mb"] = round(float(warm[-1, 1] - warm[0, 1]), 2)
    return found


def broken(found: Mapping[str, Any]) -> list[str]:
    """Limits that were broken."""
    return [limit for limit, holds in found["limits"].items() if holds is False]


def markdown(found: Mapping[str, Any]) -> str:
    """For people."""
    words = {True: "yes", False: "**no**", None: "too short to tell"}
    lost = found["lost_blocks"]
    lines = [
        f"Soak of {found['seconds'] / 60.0:.1f} minutes{'' if found['complete'] else ', which was cut off'}",
        "",
        "| asked | held |",
        "|---|---|",
        *(f"| {limit} | {words[holds]} |" for limit, holds in found["limits"].items()),
        "",
        "| measured | |",
        "|---|---|",
        f"| blocks lost, ours and a trivial callback's | {lost['ours']}, {lost['control']} of {found['blocks']:,} |",
        f"| minutes in which ours were more | {found['minutes_with_more_lost_than_control']} |",
        f"| late frames | {found['late_frames']:,} |",
        f"| frames shown, 1/s | {found['frames_shown_per_s']} |",
        f"| stolen from the cores, s; load | {found['stolen_s']}; {found['load']} |",
    ]
    for part, memory in found["memory"].items():
        line, ends = memory["by_line_mb"], memory["last_less_first_mb"]
        grown = "" if line is None else f"; growth {line:+.2f} by a line, {ends:+.2f} last less first"
        lines.append(f"| memory of the {part}, PSS, MB | {memory['last_mb']:.1f}{grown} |")
    kept = ", ".join(f"{count} {what}" for what, count in found["kept"].items())
    lines.append(f"| read back after the end | {kept or 'nothing'} |")
    lines.append(f"| done | {', '.join(f'{name} {count:,}' for name, count in found['done'].items())} |")
    for kind in ("crashes", "stuck_notes", "lost_patches", "troubles"):
        told = Counter(str(one) for one in found[kind])
        if told:
            lines += ["", f"{kind.replace('_', ' ').capitalize()} ({sum(told.values())}):", ""]
            lines += [f"- {words} ({count} times)" for words, count in told.most_common(MOST_WORDS)]
    return "\n".join(lines)


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return round(sum(known) / len(known), 2) if known else None
