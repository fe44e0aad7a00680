"""The tables of PROTOCOL.md, from the tables of the program: `python -m synth.control.protocol_text synth/PROTOCOL.md`.

The document holds them between `<!-- NAME -->` and `<!-- /NAME -->`; the rest of it is written by hand.
"""

import re
import sys
from collections.abc import Iterable
from pathlib import Path

from synth.control.commands import COMMANDS, CommandSpec
from synth.control.fields import Field, Kind
from synth.control.status import NOTICES, STATUS
from synth.errors import TetradError
from synth.files import atomic_write_bytes


def with_tables(document: str) -> str:
    """The document with every table as the program has it now. Raises TetradError when it lacks one."""
    for name, table in (
        ("commands", commands_table()),
        ("status", status_table()),
        ("notices", notices_table()),
        ("osc", osc_table()),
    ):
        pattern = re.compile(rf"(?<=<!-- {name} -->\n).*?(?=<!-- /{name} -->)", re.DOTALL)
        document, found = pattern.subn(lambda _, table=table: table, document)  # type: ignore[misc]
        if found != 1:
            raise TetradError(f"<!-- {name} --> ... <!-- /{name} --> is there {found} times; once was expected; add it")
    return document


def commands_table() -> str:
    """Every command, its fields and its result."""
    rows = []
    for spec in COMMANDS:
        rows.append(f"### `{spec.name}`\n\n{spec.description}{_choice_of(spec)}\n\n")
        if spec.fields:
            rows.append(_table(("field", "kind", "default", "what"), map(_field_row, spec.fields)) + "\n")
        if spec.result:
            rows.append(f"Result: `{spec.result}`\n\n")
    return "\n" + "".join(rows)


def status_table() -> str:
    """Every entry of the status."""
    return _table(
        ("entry", "kind", "unit", "what"),
        ((f"`{entry.path}`", entry.kind, entry.unit, entry.description) for entry in STATUS),
    )


def notices_table() -> str:
    """Every notice."""
    return _table(("notice", "data", "what"), ((f"`{n.name}`", f"`{n.data}`", n.description) for n in NOTICES))


def osc_table() -> str:
    """Every address besides the parameters' own."""
    rows = [(f"`/tetrad/{spec.name}{_arguments(spec)}`", spec.description) for spec in COMMANDS if spec.osc]
    return _table(("message", "what"), rows)


def _arguments(spec: CommandSpec) -> str:
    if spec.one_of:
        return f" {' | '.join(spec.one_of)}"
    return "".join(f" {field.name}" if field.required else f" [{field.name}]" for field in spec.fields)


def _choice_of(spec: CommandSpec) -> str:
    return f" Exactly one of {', '.join(f'`{name}`' for name in spec.one_of)}." if spec.one_of else ""


def _field_row(field: Field) -> tuple[str, str, str, str]:
    kind = str(field.kind)
    if field.kind in (Kind.NUMBER, Kind.WHOLE):
        kind += f" {_digits(field.low)} to {_digits(field.high)} {field.unit}".rstrip()
    elif field.kind is Kind.TEXT:
        kind += f", at most {field.high:g}"
    elif field.kind is Kind.CHOICE:
        kind += f" {', '.join(field.choices)}"
    default = "required" if field.required else "" if field.default is None else str(field.default).lower()
    return f"`{field.name}`", kind, default, field.description


def _digits(number: float) -> str:
    return str(int(number)) if float(number).is_integer() else str(number)


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |\n" for line in lines)


if __name__ == "__main__":
    path = Path(sys.argv[1])
    atomic_write_bytes(path, with_tables(path.read_text(encoding="utf-8")).encode("utf-8"))
