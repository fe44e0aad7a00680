"""What the Markdown files of the tree quote: links, commands, and the program's own messages.

A *message* is quoted in straight double quotes outside of code, with `…` for what the program puts in:
"no patch is called …; the name of one was expected". It must stand so in a source, each value replaced by `…`.
"""

import ast
import itertools
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NOT_OURS = {".git", ".venv", "build", "dist", "data", "node_modules", ".pytest_cache"}

_FENCE = re.compile(r"^ *```[^\n]*\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
_LINK = re.compile(r"(?<!\\)\]\(\s*<?([^()\s>]+)>?(?:\s+\"[^\"]*\")?\s*\)")
_HEADING = re.compile(r"^#{1,6} +(.+?) *#*$", re.MULTILINE)
_MESSAGE = re.compile(r"\"([^\"\n]+)\"")
_DIAGRAM = re.compile(r"[─-╿▲►▼◄→]")
_CONTROL_WORDS = ("&&", "||", ";", "|", "&", ">", ">>", "2>&1", "<")
# What str.format fills in (ui/texts): {n}, {n:,}, {seconds:.0f}.
_FIELD = re.compile(r"\{[^{}]*\}")
VALUE = "…"


def markdown_files() -> list[str]:
    """Every Markdown file of the tree, relative to it."""
    found = (path.relative_to(ROOT) for path in ROOT.rglob("*.md"))
    return sorted(path.as_posix() for path in found if not NOT_OURS.intersection(path.parts))


def without_code(text: str) -> str:
    """The text with its fenced blocks and code spans taken out."""
    return _INLINE.sub("", _FENCE.sub("", text))


def anchors(text: str) -> set[str]:
    """The names that GitHub gives the headings."""
    found = set()
    for heading in _HEADING.findall(_FENCE.sub("", text)):
        words = re.sub(r"[^\w\- ]", "", heading.lower())
        found.add(words.replace(" ", "-"))
    return found


def broken_links(name: str, text: str, root: Path = ROOT) -> list[str]:
    """What the Markdown file `name` points to in the tree `root` and is not there, a sentence each."""
    found = []
    for target in _LINK.findall(without_code(text)):
        if re.match(r"[a-z]+:", target):
            continue  # on the web
        path, _, anchor = target.partition("#")
        file = (root / name).parent / path
        if path and not (file.resolve().is_relative_to(root) and file.exists()):
            found.append(f"{name} points to {target}, which is not there")
        elif anchor and (not path or file.suffix == ".md"):
            there = file.read_text("utf-8") if path else text
            if anchor not in anchors(there):
                found.append(f"{name} points to {target}, which has no such heading")
    return found


def command_lines(text: str) -> Iterator[tuple[str, bool]]:
    """Each command that stands in a fenced block or a code span, and whether it is whole: a span may name a command
    without what it needs, a line of a block may not, unless it ends in `...`."""
    blocks = _FENCE.findall(text)
    for line in "\n".join(blocks).replace("\\\n", " ").split("\n"):
        if not _DIAGRAM.search(line):
            yield line.strip(), not line.rstrip().endswith("...")
    for span in _INLINE.findall(_FENCE.sub("", text)):
        yield span.strip(), False


def words_of(line: str) -> list[str]:
    """A shell line's words up to a pipe or redirection: no comment, no variables set before it. Empty: no command."""
    try:
        words = shlex.split(line, comments=True)
    except ValueError:  # an apostrophe in prose
        return []
    words = list(itertools.takewhile(lambda word: word not in _CONTROL_WORDS, words))
    while words and (re.fullmatch(r"[A-Z_]+=.*", words[0]) or words[0] in ("sudo", "nice", "env")):
        words.pop(0)
    return words


def tetrad_commands(text: str) -> list[tuple[list[str], bool]]:
    """The arguments of every `tetrad` that is quoted, and whether they are whole. `list|show` are two commands."""
    found = []
    for line, whole in command_lines(text):
        words = words_of(line)
        if len(words) < 2 or words[0].rpartition("/")[2] != "tetrad" or words[1] == "COMMAND":
            continue
        several = any("|" in word for word in words[1:])
        left = [word.strip("[]") for word in words[1:] if word != "..."]
        found += [(list(each), whole and not several) for each in itertools.product(*(w.split("|") for w in left))]
    return found


def modules_run(text: str) -> set[str]:
    """The modules of ours that `python -m` runs."""
    packages = "benchmarks|firmware_host|hardware|models|synth|ui"
    return set(re.findall(rf"python3? -m ((?:{packages})(?:\.\w+)*)", text))


def make_targets(text: str) -> set[str]:
    """The targets that `make` is called with, in this tree: not those of `make -C`."""
    found = set()
    for line, _ in command_lines(text):
        words = words_of(line)
        if words[:1] == ["make"] and "-C" not in words:
            found |= {word for word in words[1:] if re.fullmatch(r"[a-z][a-z-]*", word)}
    return found


def quoted_messages(text: str) -> list[str]:
    """What stands in double quotes; a code span in it is part of it, not so a fenced block, or a span with quotes."""
    return _MESSAGE.findall(re.sub(r'`[^`\n"]*"[^`\n]*`', "", _FENCE.sub("", text)))


def templates(source: str) -> list[str]:
    """Every text of a Python source, the values that it puts in as `…`."""
    found = []
    parts: set[int] = set()  # of f-strings: they are no texts of their own
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.JoinedStr):
            parts.update(id(part) for part in node.values)
            found.append("".join(str(part.value) if isinstance(part, ast.Constant) else VALUE for part in node.values))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in parts:
            found.append(_FIELD.sub(VALUE, node.value))
    return [re.sub(f"{VALUE}+", VALUE, text) for text in found]


def shell_templates(source: str) -> list[str]:
    """Every line of a shell script, what it puts in as `…`."""
    return [re.sub(r"\$\(.*?\)|\$\{[^}]*\}|\$\w+", VALUE, line) for line in source.split("\n")]
