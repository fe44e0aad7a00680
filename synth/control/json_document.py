"""JSON that a player may have edited by hand, or that a dying disk has chewed: strict in, unambiguous out."""

import difflib
import json
import os
import stat
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from synth.errors import TetradError

_SHOWN = 40
_MOST_DIGITS = 20


def brief(value: object) -> str:
    """A value as an error may show it: at most 40 characters."""
    try:
        text = repr(value)
    except (ValueError, RecursionError):  # a whole number of more digits than Python prints, a deep list
        text = f"a {type(value).__name__}"
    return text if len(text) <= _SHOWN else text[: _SHOWN - 3] + "..."


def nearest(name: str, known: Collection[str]) -> str:
    """`the nearest is "reverb"`, or all that are known where none is near."""
    near = difflib.get_close_matches(name.casefold()[:100], known, n=1)
    return f'the nearest is "{near[0]}"' if near else f"{', '.join(known) or 'nothing'} may stand here"


def read_bounded(path: Path | str, most_bytes: int, expected: str) -> bytes:
    """The content of a regular file of at most `most_bytes`. Raises TetradError; never waits for a pipe."""
    try:
        # Without O_NONBLOCK, opening a pipe that nobody writes to would wait for ever.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise TetradError(f"{path} is not an ordinary file; {expected} was expected; name another")
            data = file.read(most_bytes + 1)
    except OSError as error:
        raise TetradError(f"cannot read {path}: {error.strerror}; {expected} was expected; name another") from error
    except ValueError as error:  # a zero byte in the name
        raise TetradError(f"{path!r} is no file name ({error}); {expected} was expected; name another") from error
    if len(data) > most_bytes:
        raise TetradError(f"{path} is larger than {most_bytes:,} bytes; {expected} was expected; name another")
    return data


def parse_json(data: bytes, where: str, expected: str) -> Any:
    """What JSON in UTF-8 says. Raises TetradError for anything else, for NaN and infinity (Python's own reader takes
    them), and for a key that an object has twice (of which Python's reader would drop one)."""
    try:
        text = data.decode("utf-8-sig")  # editors on Windows begin a file with a byte order mark
        return json.loads(
            text, parse_constant=_refuse_constant, parse_int=_whole, object_pairs_hook=_object_without_doubles
        )
    except (ValueError, RecursionError) as error:
        reason = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise TetradError(f"{where} is not JSON ({reason}); {expected} was expected; correct it") from error


def _refuse_constant(text: str) -> float:
    raise ValueError(f"{text} is not a number of JSON")


def _whole(text: str) -> int:
    # Larger ones, which don't fit into a float, break arithmetic far from here with an OverflowError.
    if len(text) > _MOST_DIGITS:
        raise ValueError(f"a whole number of {len(text)} digits")
    return int(text)


def _object_without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) < len(pairs):
        keys = [key for key, _ in pairs]
        double = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"{brief(double)} is there twice")
    return content


@dataclass(frozen=True)
class JsonObject:
    """A JSON object that nobody can change: its text, keys sorted, so that equal content is equal text."""

    text: str = "{}"

    @classmethod
    def of(cls, content: Mapping[str, Any], what: str = "This object") -> Self:
        """Raises TetradError for what JSON does not have: NaN, infinity, sets, a list inside itself."""
        try:
            text = json.dumps(content, sort_keys=True, allow_nan=False, ensure_ascii=False)
            text.encode()  # half a surrogate pair can't be written
        except (TypeError, ValueError, RecursionError) as error:
            raise TetradError(f"{what} is not JSON ({error}); an object of JSON was expected; correct it") from error
        if not isinstance(content, dict):
            raise TetradError(f"{what} is {brief(content)}; an object was expected; correct it")
        return cls(text)

    def to_json(self) -> dict[str, Any]:
        """A copy of its own at every call."""
        content: dict[str, Any] = parse_json(self.text.encode(), "this object", "an object of JSON")
        return content


def pretty(content: Mapping[str, Any], open_keys: Collection[str]) -> bytes:
    """UTF-8 with one line per key, for `open_keys` one line per key inside them; what is deeper stays on its line.

    So a patch reads as a table, and a gesture of thousands of points does not take five lines for each.
    """

    def flat(value: Any) -> str:
        return json.dumps(value, ensure_ascii=False, allow_nan=False)

    def block(mapping: Mapping[str, Any], indent: str, show: Callable[[str, Any], str]) -> str:
        rows = ",\n".join(f"{indent}  {flat(key)}: {show(key, value)}" for key, value in mapping.items())
        return f"{{\n{rows}\n{indent}}}" if rows else "{}"

    def shown(key: str, value: Any) -> str:
        return block(value, "  ", lambda _, inner: flat(inner)) if key in open_keys else flat(value)

    return (block(content, "", shown) + "\n").encode()
