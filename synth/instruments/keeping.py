"""rename, tag, remove, bring back and export instruments"""

from __future__ import annotations

import argparse
from pathlib import Path

from synth.instruments.library import Library


class RenameCommand:
    """`tetrad instruments rename NAME DISPLAY_NAME`"""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("name")
        parser.add_argument("display_name", help="as it is shown from now on; patches know it by its name, which stays")

    def run(self, args: argparse.Namespace) -> int:
        label = Library().rename(args.name, args.display_name)
        print(f"{args.name} is shown as {label.display_name}")
        return 0


class TagCommand:
    """`tetrad instruments tag NAME [TAG ...]`"""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("name")
        parser.add_argument("tags", nargs="*", help="all that it has from now on")

    def run(self, args: argparse.Namespace) -> int:
        label = Library().tag(args.name, tuple(args.tags))
        print(f"{args.name} has the tags: {', '.join(label.tags or ()) or 'none'}")
        return 0


class RemoveCommand:
    """`tetrad instruments remove NAME ...`"""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("names", nargs="+", metavar="NAME")

    def run(self, args: argparse.Namespace) -> int:
        library = Library()
        for name in args.names:
            library.remove(name)
            print(f"{name} is in the trash; `tetrad instruments restore {name}` brings it back")
        return 0


class RestoreCommand:
    """`tetrad instruments restore [NAME]`"""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("name", nargs="?", help="default: what was removed last")

    def run(self, args: argparse.Namespace) -> int:
        print(f"{Library().restore(args.name)} is back")
        return 0


class ExportCommand:
    """`tetrad instruments export NAME PATH`"""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("name")
        parser.add_argument("path", type=Path, help="a new file, or a folder; `tetrad instruments add` reads it")

    def run(self, args: argparse.Namespace) -> int:
        print(Library().export(args.name, args.path))
        return 0
