"""One line of a kind each second, and the number of those that were left out."""

import logging

import pytest

from synth.io.quiet_log import QuietLog


def test_a_flood_is_a_line_a_second_and_other_kinds_are_heard(caplog: pytest.LogCaptureFixture) -> None:
    now_s = 100.0
    log = QuietLog(logging.getLogger("flood"), clock=lambda: now_s)
    for n in range(2500):
        now_s = 100.0 + n / 1000
        log.say("refused", f"number {n}\nof many")
    log.say("dropped", "another kind")
    assert [record.getMessage() for record in caplog.records] == [
        "number 0 of many",
        "number 1000 of many (and 999 more of this kind since the last line)",
        "number 2000 of many (and 999 more of this kind since the last line)",
        "another kind",
    ]
