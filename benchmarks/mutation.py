"""Files that are nearly right: bytes of a good one changed, left out, doubled, cut off."""

from __future__ import annotations

import random
import struct

_EXTREME = (0, 1, -1, 0x7FFFFFFF, -0x80000000, 0x7FFF, 0xFFFF, 0x10000, 1 << 20, -2)


def mutated(data: bytes, chance: random.Random, *, head: int = 256) -> bytes:
    """One to eight changes, half of them within the first `head` bytes, where headers are; one in 40 stays as it is."""
    changed = bytearray(data)
    if chance.random() < 0.025:
        return data
    for _ in range(chance.choice((1, 1, 1, 2, 3, 8))):
        length = len(changed)
        place = chance.randrange((min(head, length) if chance.random() < 0.5 else length) or 1)
        match chance.randrange(8):
            case 0:
                changed[place : place + 1] = bytes((chance.randrange(256),))
            case 1:
                changed[place : place + 1] = bytes(((changed[place] if length else 0) ^ (1 << chance.randrange(8)),))
            case 2:
                changed[place : place + 4] = struct.pack(chance.choice("<>") + "q", chance.choice(_EXTREME))[:4]
            case 3:
                del changed[place : place + chance.choice((1, 2, 4, 100, 5000))]
            case 4:
                changed[place:place] = chance.randbytes(chance.choice((1, 4, 64, 1000)))
            case 5:
                part = changed[place : place + chance.choice((4, 30, 2000))]
                where = chance.randrange(length + 1)
                changed[where:where] = part * chance.choice((1, 1, 2, 20))
            case 6:
                del changed[chance.randrange(length + 1) :]
            case _:
                changed[place : place + 2] = struct.pack("<h", chance.randrange(-0x8000, 0x8000))
    return bytes(changed)


def mutated_text(text: str, chance: random.Random, words: tuple[str, ...]) -> str:
    """The same for text: words of the format put in, lines and pieces doubled, left out, swapped."""
    if chance.random() < 0.025:
        return text
    for _ in range(chance.choice((1, 1, 2, 4, 12))):
        start = chance.randrange(len(text) + 1)
        end = min(start + chance.choice((0, 0, 1, 3, 10, 80)), len(text))
        put = chance.choice((
            chance.choice(words),
            text[start:end] * chance.choice((2, 2, 50)),
            "",
            chr(chance.choice((0, 10, 32, 34, 60, 61, 36, 0xE4, 0x1F3B9, 0x202E))) * chance.choice((1, 1, 300)),
            str(chance.choice((*_EXTREME, 1e308, float("nan"), float("inf"), 1e-300))),
        ))  # fmt: skip
        text = text[:start] + put + text[end:]
    return text[:200_000]
