"""What a check says, and how other packages add theirs.

A package that `synth` must not import (the board's host, the screen) names a function in an entry point of the group
`tetrad.checks` (pyproject.toml); it takes nothing, changes nothing, and returns a list of `Check`:

    [project.entry-points."tetrad.checks"]
    board = "firmware_host.checks:checks"
"""

from enum import StrEnum
from typing import NamedTuple

from synth.errors import TetradError


class Verdict(StrEnum):
    """OK: as it should be. WARN: it plays, and something is missing or will be heard. FAIL: it can't play, something
    that belongs to Tetrad or to the player is damaged, or what the player does now is not kept."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


class Check(NamedTuple):
    """One line. value: what was found, with its unit. remedy: what to do; empty only where all is well."""

    name: str
    verdict: Verdict
    value: str
    remedy: str = ""


def ok(name: str, value: str) -> Check:
    """All is well."""
    return Check(name, Verdict.OK, value)


def warn(name: str, value: str, remedy: str) -> Check:
    """It plays, but."""
    return Check(name, Verdict.WARN, value, remedy)


def fail(name: str, value: str, remedy: str) -> Check:
    """It does not."""
    return Check(name, Verdict.FAIL, value, remedy)


def failed(name: str, error: TetradError, verdict: Verdict = Verdict.FAIL) -> Check:
    """An error's sentence ("what was found; what was expected; what to do") as a check."""
    found, _, remedy = str(error).rpartition("; ")
    return Check(name, verdict, found or remedy, remedy if found else "report this with `tetrad doctor --report`")


def worst(checks: list[Check]) -> Verdict:
    """The worst verdict; OK of none."""
    return max((check.verdict for check in checks), key=list(Verdict).index, default=Verdict.OK)
