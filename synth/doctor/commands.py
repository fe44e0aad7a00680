"""looks for what stands between this machine and music: devices, rights, files; makes an archive for a bug report"""

import argparse
import shutil
import sys
import textwrap
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from synth.command import add_json_argument, print_json
from synth.doctor.check import Check, Verdict, worst
from synth.doctor.engine import ask_engine
from synth.doctor.examine import examine
from synth.doctor.machine import Machine
from synth.doctor.report import write_report

_SIGNS = {Verdict.OK: " ok ", Verdict.WARN: "warn", Verdict.FAIL: "FAIL"}
_COLOURS = {Verdict.OK: "32", Verdict.WARN: "33", Verdict.FAIL: "31"}
_INDENT = 6


class DoctorCommand:
    """`tetrad doctor`"""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        add_json_argument(parser)
        parser.add_argument(
            "--socket", type=Path, metavar="PATH", help="where the engine is (default: the usual place)"
        )
        parser.add_argument(
            "--report",
            nargs="?",
            const=Path(),
            type=Path,
            metavar="FILE",
            help="write a .zip for a bug report, without anything private (default: tetrad-report-DATE.zip, here)",
        )

    def run(self, args: argparse.Namespace) -> int:
        """Exit status 1 when something fails."""
        asked, machine = ask_engine(args.socket), Machine()
        found = examine(asked, machine)
        result: dict[str, Any] = {"checks": [check._asdict() for check in found]}
        if not args.json:
            print(as_text(found, colour=sys.stdout.isatty()))
        if args.report is not None:
            path = args.report if args.report.name else Path(time.strftime("tetrad-report-%Y-%m-%d-%H-%M-%S.zip"))
            result["report"] = str(write_report(path, found, asked.engine, machine))
            if not args.json:
                print(f"\n{path} is for a bug report; look into it before you send it.")
        if args.json:
            print_json(result)
        return 1 if worst(found) is Verdict.FAIL else 0


def as_text(found: Sequence[Check], *, colour: bool = False, width: int | None = None) -> str:
    """For people: a line for each check, below it the remedy; last, how many there are of each verdict."""
    width = width or min(max(shutil.get_terminal_size((100, 24)).columns, 40), 120)
    lines = []
    for check in found:
        sign = f"\x1b[{_COLOURS[check.verdict]}m{_SIGNS[check.verdict]}\x1b[0m" if colour else _SIGNS[check.verdict]
        first, *rest = _wrapped(f"{check.name}: {check.value}", width, "")
        lines += [f"{sign}  {first}", *(f"{'':{_INDENT}}{line}" for line in rest)]
        if check.remedy:
            lines += [f"{'':{_INDENT}}{line}" for line in _wrapped(check.remedy, width, "-> ")]
    counts = {verdict: sum(check.verdict is verdict for check in found) for verdict in Verdict}
    lines += ["", ", ".join(f"{counts[verdict]} {verdict}" for verdict in Verdict)]
    return "\n".join(lines)


def _wrapped(words: str, width: int, mark: str) -> list[str]:
    return textwrap.wrap(
        words,
        width - _INDENT,
        initial_indent=mark,
        subsequent_indent=" " * len(mark),
        break_long_words=False,
        break_on_hyphens=False,
    )
