"""What the Markdown files say is so: links lead somewhere, commands parse, quoted messages stand in the sources."""

import functools
import importlib.util
import re
import tomllib

import pytest

from synth.command import LazyParser, add_commands
from tests.documents import (
    ROOT,
    broken_links,
    make_targets,
    markdown_files,
    modules_run,
    quoted_messages,
    shell_templates,
    templates,
    tetrad_commands,
)

TROUBLE = "synth/TROUBLESHOOTING.md"
# A quoted message has so many letters of its own at least: fewer could be found anywhere.
SHORTEST_MESSAGE = 10
# It tells of what is no more.
HISTORY = "CHANGELOG.md"
NOW = [name for name in markdown_files() if name != HISTORY]


def text_of(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


@functools.cache
def make_parser() -> LazyParser:
    """As `synth.cli` makes it, of what pyproject.toml says now and not what was installed."""
    project = tomllib.loads(text_of("pyproject.toml"))["project"]
    parser = LazyParser(prog="tetrad")
    parser.add_argument("--version", action="version", version="")
    add_commands(parser, project["entry-points"]["tetrad.commands"])
    return parser


def parse(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[str, str]:
    """What the real parser says of a command line, on stdout and as an error; both empty: it takes it."""
    try:
        make_parser().parse_args(arguments)
    except SystemExit:
        said = capsys.readouterr()
        return said.out, said.err.strip().rpartition("\n")[2]
    return "", ""


def refusals(text: str, capsys: pytest.CaptureFixture[str]) -> list[str]:
    """What is wrong with the `tetrad` commands that a Markdown text quotes, a sentence each."""
    wrong = []
    for arguments, whole in tetrad_commands(text):
        _, error = parse(arguments, capsys)
        if error and not whole and "required" in error:  # that a span may lack; then its options are looked up
            known = parse([*arguments, "--help"], capsys)[0]
            options = [word for word in arguments if word.startswith("-") and word not in known]
            error = f"there is no {options[0]}" if options else ""
        if error:
            wrong.append(f"tetrad {' '.join(arguments)}: {error}")
    return wrong


@functools.cache
def program_texts() -> str:
    """All texts of the packages and of the set-up scripts."""
    found: list[str] = []
    for package in ("firmware_host", "models", "synth", "ui"):
        for path in sorted((ROOT / package).rglob("*.py")):
            found += templates(path.read_text("utf-8"))
    for path in sorted((ROOT / ".ci").glob("*.sh")):
        found += shell_templates(path.read_text("utf-8"))
    return "\n".join(" ".join(text.split()) for text in found)


@pytest.mark.parametrize("name", markdown_files())
def test_every_link_leads_somewhere(name: str) -> None:
    assert broken_links(name, text_of(name)) == []


@pytest.mark.parametrize("name", NOW)
def test_every_command_is_one(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert refusals(text_of(name), capsys) == []


@pytest.mark.parametrize("name", NOW)
def test_every_module_and_target_is_there(name: str) -> None:
    text = text_of(name)
    targets = set(re.findall(r"^([a-z][a-z-]*):", text_of("Makefile"), re.MULTILINE))
    assert {module for module in modules_run(text) if importlib.util.find_spec(module) is None} == set()
    assert make_targets(text) - targets == set()


def test_every_message_of_the_troubleshooting_page_is_said_by_the_program() -> None:
    messages = quoted_messages(text_of(TROUBLE))
    assert len(messages) > 80
    assert [message for message in messages if len(message.replace("…", "")) < SHORTEST_MESSAGE] == []
    assert [message for message in messages if message not in program_texts()] == []


def test_a_message_that_nobody_says_is_found() -> None:
    assert "there is no patch …; a name or a number was expected" in program_texts()
    assert "there is no patch of that name; a name or a number was expected" not in program_texts()


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("[a](README.md) ![b](ui/pictures/play-stage-800x480.png) [c](https://example.org/x) `[d](no.md)`", 0),
        ("[a](README.md#play) [b](#here) [c](hardware/README.md#hardware-the-box)\n\n# Here\n", 0),
        ("[a](MISSING.md)", 1),
        ("[a](README.md#no-such-heading)", 1),
        ("[a](../elsewhere.md)", 1),
        ("```\n[a](MISSING.md)\n```", 0),
    ],
)
def test_broken_links_are_found(text: str, found: int) -> None:
    assert len(broken_links("PLANTED.md", text)) == found


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("```\n.venv/bin/tetrad play --headless   # plays\n```", False),
        ("```\nTETRAD_HOME=x tetrad render a.mid b.wav --corners a b \\\n    c d\n```", False),
        ("```\ntetrad render a.mid\n```", True),
        ("`tetrad render` and `tetrad instruments list|show`", False),
        ("`tetrad render --no-such-option`", True),
        ("`tetrad instruments lend`", True),
        ("`tetrad board monitor|simulate|listen`", True),
        ("```\ntetrad dance\n```", True),
    ],
)
def test_wrong_commands_are_found(text: str, *, wrong: bool, capsys: pytest.CaptureFixture[str]) -> None:
    assert tetrad_commands(text)
    assert bool(refusals(text, capsys)) == wrong


def test_modules_and_targets_are_found() -> None:
    text = "```\nmake play ARGS=x\nmake -C hardware/firmware all\npython -m benchmarks.soak -h\n```\n`make test`"
    assert make_targets(text) == {"play", "test"}
    assert modules_run(text) == {"benchmarks.soak"}


def test_a_source_s_texts() -> None:
    source = 'raise E(f"{path} is no {kind!r}{more}; {a:.1f} s " "were expected")\nX = "lost ({words:,}) to"'
    assert "… is no …; … s were expected" in templates(source)
    assert "lost (…) to" in templates(source)
    assert shell_templates('echo "$python is $("$python" --version); Tetrad"') == ['echo "… is …; Tetrad"']
