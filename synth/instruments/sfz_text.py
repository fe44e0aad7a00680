"""The text of an SFZ file: `#include`, `#define`, comments, headers and `opcode=value` pairs.

The format has no standard; this follows its first description (Cakewalk, 2005) and, for `#define`, `#include`,
`<control>` and `<master>`, what the ARIA and sfizz players do (https://sfzformat.com). Opcodes are only text here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from synth.errors import TetradError
from synth.instruments.sfz_paths import LibraryFolder

MOST_BYTES = 4 << 20
"""Of one file, and of all included text together; the largest libraries tried have 0.9 MB."""
DEEPEST_INCLUDE = 8
MOST_INCLUDES = 16_384
"""A published piano of 16 layers includes one file for each of its 2,000 notes."""
MOST_SECTIONS = 20_000
MOST_OPCODES = 200_000
MOST_DEFINES = 4096
LONGEST_VALUE = 1024
"""Characters of an opcode's value; a path can't be longer in practice."""
_START = re.compile(
    r"<(?P<header>[A-Za-z_]+)>"
    r'|(?<!\S)\#include[ \t]+"(?P<include>[^"]*)"'
    r"|(?<!\S)\#define[ \t]+\$(?P<name>\w+)[ \t]+(?P<text>\S+)"
    r"|(?<![^\s>])(?P<opcode>[\w$]+)="
)
_COMMENT = re.compile(r"/\*.*?(?:\*/|\Z)|//[^\n]*", re.DOTALL)
_VARIABLE = re.compile(r"\$(\w+)")


@dataclass
class Section:
    """A header and its opcodes, lower case, in their order; of an opcode that comes twice the last counts."""

    header: str
    opcodes: dict[str, str] = field(default_factory=dict)


@dataclass
class _Reading:
    """What one reading of a file and its includes has gathered."""

    folder: LibraryFolder
    defines: dict[str, str] = field(default_factory=dict)
    sections: list[Section] = field(default_factory=list)
    n_bytes: int = 0
    n_opcodes: int = 0
    n_includes: int = 0
    included: dict[tuple[Path, str], Path] = field(default_factory=dict)
    texts: dict[Path, tuple[int, str]] = field(default_factory=dict)
    """Bytes and text of each file, without its comments: a file that is included for every note is read once."""


def read_sections(path: Path, folder: LibraryFolder) -> list[Section]:
    """The sections of an SFZ file with its includes in place and its `#define`s resolved.

    folder: where includes may lie. Opcodes before the first header are dropped, as players do.
    Raises TetradError on a file that can't be read or isn't text, an include that is missing, outside or inside itself,
    and on more text, sections, opcodes or definitions than the bounds above allow.
    """
    reading = _Reading(folder)
    _read(reading, path, (path.resolve(),))
    if not reading.sections:
        raise TetradError(f"{path} has no <region> or any other header; expected an SFZ file")
    return reading.sections


def _read(reading: _Reading, path: Path, open_files: tuple[Path, ...]) -> None:
    if path not in reading.texts:
        reading.texts[path] = _text(path)
    n_bytes, text = reading.texts[path]
    reading.n_bytes += n_bytes
    if reading.n_bytes > MOST_BYTES:
        raise TetradError(
            f"{path} has more than {MOST_BYTES >> 20} MiB of text with its includes; expected an SFZ file"
        )
    for line in text.split("\n"):
        for start, value in _items(line):
            _take(reading, start, value, path, open_files)


def _items(line: str) -> Iterator[tuple[re.Match[str], str]]:
    """A value ends where the next opcode, header or directive begins, so that file names may hold spaces."""
    last: re.Match[str] | None = None
    for start in _START.finditer(line):
        if last is not None:
            yield last, line[last.end() : start.start()]
        last = start
    if last is not None:
        yield last, line[last.end() :]


def _take(reading: _Reading, start: re.Match[str], value: str, path: Path, open_files: tuple[Path, ...]) -> None:
    if start["header"]:
        if len(reading.sections) >= MOST_SECTIONS:
            raise TetradError(f"{path} has more than {MOST_SECTIONS:,} headers with its includes; split the library")
        reading.sections.append(Section(start["header"].lower()))
    elif start["include"] is not None:
        _include(reading, _expand(reading.defines, start["include"]), path, open_files)
    elif start["name"]:
        if len(reading.defines) >= MOST_DEFINES:
            raise TetradError(f"{path} has more than {MOST_DEFINES:,} definitions; split the library")
        reading.defines[start["name"]] = _expand(reading.defines, start["text"])
    elif reading.sections:
        reading.n_opcodes += 1
        if reading.n_opcodes > MOST_OPCODES:
            raise TetradError(f"{path} has more than {MOST_OPCODES:,} opcodes with its includes; split the library")
        name = _expand(reading.defines, start["opcode"]).lower()
        reading.sections[-1].opcodes[name] = _expand(reading.defines, value).strip()


def _include(reading: _Reading, name: str, path: Path, open_files: tuple[Path, ...]) -> None:
    here = open_files[-1].parent
    found = reading.included.get((here, name))
    if found is None:
        # Players look from the main file's folder; some libraries were written from the including file's.
        bases = dict.fromkeys((open_files[0].parent, here))
        found = next(filter(None, (reading.folder.find(base, name) for base in bases)), None)
        if found is None:
            raise TetradError(f"{path} includes {name[:200]!r}, which is not there; fetch the whole library")
        reading.included[here, name] = found
    if found in open_files:
        raise TetradError(f"{path} includes itself by {name[:200]!r}; take that line out")
    reading.n_includes += 1
    if len(open_files) > DEEPEST_INCLUDE or reading.n_includes > MOST_INCLUDES:
        raise TetradError(
            f"{path} includes files more than {DEEPEST_INCLUDE} deep, or more than {MOST_INCLUDES:,} of them; "
            "put its parts into one file"
        )
    _read(reading, found, (*open_files, found))


def _text(path: Path) -> tuple[int, str]:
    if path.exists() and not path.is_file():  # opening a pipe that nobody writes to would wait for ever
        raise TetradError(f"{path} is not an ordinary file; expected an SFZ file; name another")
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise TetradError(f"{path} can't be read ({error.strerror}); expected an SFZ file") from error
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        text = data.decode("utf-16", errors="replace")
    else:
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = data.decode("latin-1")
    if "\0" in text:
        raise TetradError(f"{path} is not text; expected an SFZ file")
    return len(data), _COMMENT.sub(_newlines, text.replace("\r\n", "\n").replace("\r", "\n"))


def _newlines(comment: re.Match[str]) -> str:
    """A block comment ends a value at its line, and must not glue two opcodes together."""
    return "\n" if "\n" in comment[0] else " "


def _expand(defines: dict[str, str], text: str) -> str:
    """`$name` replaced, the longest name that is defined (`$KEYS` before `$KEY`); unknown ones are left as they are."""
    if "$" not in text or len(text) > LONGEST_VALUE:
        return text[:LONGEST_VALUE]
    return "".join(_pieces(defines, text))[:LONGEST_VALUE]


def _pieces(defines: dict[str, str], text: str) -> Iterator[str]:
    end = 0
    for match in _VARIABLE.finditer(text):
        yield text[end : match.start()]
        end = match.end()
        word = match[1]
        size = next((n for n in range(len(word), 0, -1) if word[:n] in defines), 0)
        yield defines[word[:size]] + word[size:] if size else match[0]
    yield text[end:]
