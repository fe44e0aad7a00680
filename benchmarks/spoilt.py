"""Documents spoilt with their structure in mind, and files laid out as pipes, links and folders now and then."""

from __future__ import annotations

import json
import os
import random
from pathlib import Path
from typing import Any

from benchmarks.mutation import mutated, mutated_text

NUMBERS = (
    "0", "-1", "127", "128", "1e308", "1e309", "-1e999", "NaN", "Infinity", "9" * 25, "9" * 5000, "1e-320", "null",
    "true", "[]", "{}", '""', '"x"', '"../../outside.wav"', '"/etc/passwd"', '"\\ud800"', '"\\u0000"',
    '"' + "a" * 3000 + '"', "[" * 3000, '{"a":' * 3000, "[" * 50_000,
)  # fmt: skip


def spoilt_json(document: Any, chance: random.Random) -> bytes:
    """Half of them still JSON, with another value or key; the others JSON's text spoilt, or its bytes."""
    kind = chance.random()
    if kind < 0.5:
        return _with_another_value(document, chance).encode("utf-8", "surrogatepass")
    text = json.dumps(document, indent=chance.choice((None, 1)))
    if kind < 0.8:
        return mutated_text(text, chance, (*NUMBERS, *"[]{},:", '"format"', '"version"')).encode("utf-8", "replace")
    return mutated(text.encode(), chance, head=len(text))


def _with_another_value(document: Any, chance: random.Random) -> str:
    mark = "@another@"
    places: list[tuple[Any, Any]] = []

    def walk(node: Any) -> None:
        items = (
            list(node.items()) if isinstance(node, dict) else list(enumerate(node)) if isinstance(node, list) else []
        )
        for key, value in items:
            places.append((node, key))
            walk(value)

    copy = json.loads(json.dumps(document))
    walk(copy)
    node, key = chance.choice(places)
    match chance.randrange(4):
        case 0 if isinstance(node, dict):
            node[chance.choice(("", "__class__", "../x", "x" * 2000, "\ud800"))] = node.pop(key)
        case 1:
            del node[key]
        case 2 if isinstance(node, list):
            node *= chance.choice((0, 2, 1000))
        case _:
            node[key] = mark
    return json.dumps(copy).replace(f'"{mark}"', chance.choice(NUMBERS))


def lay_out(path: Path, content: bytes, chance: random.Random) -> None:
    """Now and then the name is a pipe, a folder, a link to a device, in a circle, or out of the folder."""
    match chance.randrange(200):
        case 0:
            os.mkfifo(path)
        case 1:
            path.mkdir()
        case 2:
            path.symlink_to(chance.choice(("/dev/zero", path.name, "/dev/null")))
        case _:
            path.write_bytes(content)
