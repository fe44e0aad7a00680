"""The settings' sentence about health, the report and the log, of statuses as engines send them."""

from mmap import mmap
from pathlib import Path
from typing import Any

import pytest

from synth.errors import TetradError
from ui.mirror import Mirror
from ui.pages.settings.kinds import kind_icon
from ui.pages.settings.log_lines import (
    MOST_LINES,
    Line,
    clock_words,
    kind_words,
    line_of,
    line_words,
    lines_of,
    with_line,
)
from ui.pages.settings.report import Screen, duration_words, memory_mb, report_text, save_report, uptime_s
from ui.pages.settings.verdict import share_kind, verdict

SCREEN = Screen(120.4, 24.6, (800, 480), "stage")


def mirror_of(**sections: dict[str, Any]) -> Mirror:
    """A connected mirror of an engine that is well, but for some entries."""
    status: dict[str, Any] = {
        "audio": {"device": "USB Audio", "state": "running", "sample_rate_hz": 48000, "block_samples": 256},
        "health": {"block_share": 0.2, "worst_block_share": 0.4, "underflows": 0, "clock_samples": 48000 * 60},
        "voices": {"sounding": 3, "limit": 64, "most": 64},
        "midi": {"messages": 12, "dropped": 0},
    }
    for name, entries in sections.items():
        status[name] = {**status.get(name, {}), **entries}
    mirror = Mirror()
    mirror.take_state("connected", "connected", "tetrad 0.1.0")
    mirror.take_status(status)
    return mirror


def test_a_healthy_engine_is_called_well() -> None:
    assert verdict(mirror_of()) == ("All is well.", "good")


@pytest.mark.parametrize(
    ("sections", "words", "kind"),
    [
        ({"audio": {"state": "waiting"}}, "USB Audio", "danger"),
        ({"audio": {"state": "none"}}, "no sound device", "warning"),
        ({"health": {"block_share": 1.2}}, "too slow", "danger"),
        ({"health": {"dropped_events": 3}}, "3 events", "warning"),
        ({"midi": {"dropped": 1200}}, "1,200 events", "warning"),
        ({"health": {"underflows": 7}}, "7 blocks", "warning"),
        ({"health": {"block_share": 0.85}}, "85 %", "warning"),
        ({"voices": {"limit": 12}}, "12 of 64", "warning"),
        ({"health": {"late_frames": 100}}, "100 moves", "warning"),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence(sections: dict[str, Any], words: str, kind: str) -> None:
    said, of_kind = verdict(mirror_of(**sections))
    assert words in said
    assert of_kind == kind
    assert "\n" not in said
    assert kind_icon(of_kind)


def test_the_worst_thing_is_said_first() -> None:
    mirror = mirror_of(audio={"state": "waiting"}, health={"underflows": 7, "block_share": 0.9})
    assert "is gone" in verdict(mirror)[0]
    mirror.take_state("connecting", "no engine is there", "tetrad 0.1.0")
    assert verdict(mirror) == (
        "The engine can't be reached (no engine is there); what follows is what it said last.",
        "danger",
    )


def test_one_late_frame_in_a_thousand_is_no_trouble() -> None:
    frames = 48000 * 60 // 384
    assert verdict(mirror_of(health={"late_frames": frames // 1000}))[1] == "good"
    assert verdict(mirror_of(health={"late_frames": frames // 1000 + 1}))[1] == "warning"


def test_a_mirror_that_heard_nothing_has_a_verdict() -> None:
    assert verdict(Mirror())[1] == "danger"
    empty = Mirror()
    empty.take_state("connected", "", "")
    assert verdict(empty)[1] == "good"


def test_shares_of_a_block_have_kinds() -> None:
    assert [share_kind(share) for share in (0.0, 0.79, 0.8, 0.99, 1.0, 3.0)] == [
        "good", "good", "warning", "warning", "danger", "danger",
    ]  # fmt: skip


def test_durations_in_words() -> None:
    words = [duration_words(one) for one in (-3, 0, 59.9, 60, 200, 3600, 7500, 90000)]
    assert words == ["0 s", "0 s", "59 s", "1 min 0 s", "3 min 20 s", "1 h 0 min", "2 h 5 min", "1 d 1 h"]


def test_uptime_needs_a_sample_rate() -> None:
    assert uptime_s(mirror_of()) == 60.0
    assert uptime_s(mirror_of(audio={"sample_rate_hz": 0})) == 0.0


def test_memory_is_that_of_this_process(tmp_path: Path) -> None:
    # Not from malloc(3), which keeps what is freed once a test before has had an engine (mallopt).
    hoard = mmap(-1, 100_000_000)
    hoard.write(bytes(len(hoard)))
    with_it = memory_mb()
    hoard.close()
    assert 60.0 < with_it - memory_mb() < 140.0
    assert 1.0 < memory_mb(tmp_path / "missing") < 100_000.0


def test_a_report_has_the_sentence_the_sections_and_the_log() -> None:
    mirror = mirror_of(parameters={"attack": 0.25}, health={"underflows": 7})
    words = report_text(mirror, SCREEN, ["10:00:00 warning: corner NW is silent"], now_s=0.0)
    assert "warning: 7 blocks" in words
    assert "tetrad 0.1.0" in words
    assert "[audio]\ndevice: USB Audio" in words
    assert "attack: 0.25" in words
    assert words.endswith("[log]\n10:00:00 warning: corner NW is silent\n")


def test_a_report_is_saved_whole_or_refused_in_words(tmp_path: Path) -> None:
    folder = tmp_path / "reports"
    path = save_report("日本語 🎻\n", folder)
    assert path.parent == folder
    assert path.read_text(encoding="utf-8") == "日本語 🎻\n"
    assert [one.name for one in folder.iterdir()] == [path.name]
    blocked = save_report("", folder, now_s=0.0)
    blocked.unlink()
    blocked.mkdir()
    with pytest.raises(TetradError, match="directory"):
        save_report("", folder, now_s=0.0)


def test_the_log_is_newest_first_and_bounded() -> None:
    entries = [{"time_s": 1000.0 + n, "kind": "warning", "words": f"line {n}"} for n in range(MOST_LINES + 50)]
    lines = lines_of({"lines": entries})
    assert len(lines) == MOST_LINES
    assert lines[0].words == f"line {MOST_LINES + 49}"
    more = with_line(lines, Line(2000.0, "patch_changed", "patch Dawn"))
    assert len(more) == MOST_LINES
    assert more[0].words == "patch Dawn"
    assert more[-1] == lines[-2]


@pytest.mark.parametrize("answer", [{}, {"lines": None}, {"lines": [None, 3, {}, {"words": 4}]}])
def test_a_log_of_another_shape_is_empty(answer: dict[str, Any]) -> None:
    assert lines_of(answer) == []


@pytest.mark.parametrize("time_s", [None, True, "noon", float("nan"), float("inf"), -1.0, 1e30])
def test_a_line_without_a_time_is_shown_without_one(time_s: object) -> None:
    line = line_of({"time_s": time_s, "words": "hello\nworld"})
    assert line is not None
    assert clock_words(line) == ""
    assert line_words(line).endswith(": hello world")


def test_kinds_of_lines_are_words() -> None:
    assert kind_words("audio_changed") == "sound"
    assert kind_words("something_new") == "something new"
