"""How a command of `tetrad` is written, and how commands are grouped.

A command is a class with three members, named by an entry point of the group `tetrad.commands` (pyproject.toml):

    class RenderCommand:
        def add_arguments(self, parser: argparse.ArgumentParser) -> None: ...
        def run(self, args: argparse.Namespace) -> int: ...     # exit status: 0 done, 1 failed

    [project.entry-points."tetrad.commands"]
    render = "synth.render:RenderCommand"

The first line of the docstring of its *module* is its line in `tetrad --help`; it is read from the source, so help
imports no command. A module is imported when its command is called, so it may import what it needs at its top.

A group holds commands of its own, named in the same way:

    class InstrumentsCommand(Group):
        commands = {"list": "synth.instruments.listing:ListCommand", ...}

`--debug` is added to every command. A command that has results for machines calls `add_json_argument(parser)` and,
with `args.json`, `print_json(result)` and prints nothing else on stdout. Progress bars: `progress(iterable, ...)`.
"""

import argparse
import ast
import contextlib
import importlib
import importlib.metadata
import importlib.util
import json
import math
import signal
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar, Protocol, TypeVar

from tqdm import tqdm

from synth.errors import TetradError

T = TypeVar("T")


class Command(Protocol):
    """What the dispatcher calls."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the command's arguments."""

    def run(self, args: argparse.Namespace) -> int:
        """Do it. Returns the exit status; raises TetradError for what the player can put right."""


class Group:
    """A command that only holds others. A subclass sets `commands`: word -> "module:Class".

    Where other packages add to it, it also sets `entry_point_group`, whose entry points are the words to add.
    """

    commands: ClassVar[Mapping[str, str]] = {}
    entry_point_group: ClassVar[str | None] = None

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        commands = dict(self.commands)
        if self.entry_point_group is not None:
            commands |= {e.name: e.value for e in importlib.metadata.entry_points(group=self.entry_point_group)}
        add_commands(parser, commands)


class LazyParser(argparse.ArgumentParser):
    """A parser that declares its arguments when it is first used, so that uncalled commands are not imported."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.declare: Callable[[LazyParser], None] | None = None
        self.add_argument("--debug", action="store_true", help="show the traceback of an error")

    def parse_known_args(self, args=None, namespace=None):  # type: ignore[no-untyped-def]
        declare, self.declare = self.declare, None
        if declare is not None:
            declare(self)
        return super().parse_known_args(args, namespace)


def add_commands(parser: argparse.ArgumentParser, commands: Mapping[str, str]) -> None:
    """Give `parser` sub-commands: word -> "module:Class". Modules are imported when their word is parsed."""
    subparsers = parser.add_subparsers(title="commands", metavar="COMMAND", required=True, parser_class=LazyParser)
    for word in sorted(commands):
        reference = commands[word]
        summary = _summary(reference.partition(":")[0]).replace("%", "%%")
        subparser = subparsers.add_parser(word, help=summary, description=summary)
        subparser.declare = _declarer(reference)


def add_json_argument(parser: argparse.ArgumentParser) -> None:
    """Declare `--json` (args.json)."""
    parser.add_argument("--json", action="store_true", help="print one JSON object on stdout and nothing else")


def print_report(result: Mapping[str, object], *, as_json: bool) -> None:
    """Print `result` for a machine, or a line for each of its keys for a person."""
    if as_json:
        print_json(result)
        return
    for key, value in result.items():
        print(f"{key}: {value}")


def print_json(result: Mapping[str, object]) -> None:
    """Print `result` as one line of JSON. NaN and infinity, which JSON lacks, become null."""
    sys.stdout.write(json.dumps(_jsonable(result), ensure_ascii=False, allow_nan=False) + "\n")


def progress(items: Iterable[T], *, description: str, total: int | None = None, unit: str = "it") -> "tqdm[T]":
    """A progress bar over `items`, on stderr, and only when stderr is a terminal."""
    return tqdm(items, desc=description, total=total, unit=unit, file=sys.stderr, disable=None, dynamic_ncols=True)


def progress_bar(total: float, *, description: str, unit: str) -> "tqdm[Any]":
    """The same for work that is not a list: call its `update(amount)`; use it as a context manager."""
    bar_format = "{desc}: {percentage:3.0f}% |{bar}| {n:.0f}/{total:.0f} " + unit + " [{elapsed}<{remaining}]"
    return tqdm(total=total, desc=description, bar_format=bar_format, file=sys.stderr, disable=None, dynamic_ncols=True)


def _declarer(reference: str) -> Callable[[LazyParser], None]:
    def declare(parser: LazyParser) -> None:
        module_name, _, class_name = reference.partition(":")
        command = getattr(importlib.import_module(module_name), class_name)()
        command.add_arguments(parser)
        if not isinstance(command, Group):
            parser.set_defaults(run=command.run)

    return declare


def _summary(module_name: str) -> str:
    """First docstring line of a module, without importing it (its parents, which are packages, are)."""
    try:
        spec = importlib.util.find_spec(module_name)
    except ModuleNotFoundError:
        spec = None
    if spec is None or spec.origin is None:
        return "(not in this installation)"
    docstring = ast.get_docstring(ast.parse(Path(spec.origin).read_bytes())) or ""
    return docstring.partition("\n")[0].rstrip(".")


def _jsonable(value: object) -> object:
    if isinstance(value, Mapping):
        return {str(key): _jsonable(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_jsonable(item) for item in value]
    if isinstance(value, Path):
        return str(value)
    if hasattr(value, "tolist"):  # NumPy scalars and arrays
        return _jsonable(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if value is None or isinstance(value, (str, int, float, bool)):
        return value
    raise TetradError(f"a result holds a {type(value).__name__}, which JSON cannot say; this is a defect of Tetrad")


@contextlib.contextmanager
def stop_signals() -> Iterator[threading.Event]:
    """An event that Ctrl-C and SIGTERM set: stopping is how playing and recording end, not a failure."""
    stopping = threading.Event()
    before = {number: signal.signal(number, lambda *_: stopping.set()) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stopping
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
