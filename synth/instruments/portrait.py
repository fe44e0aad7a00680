"""A picture of what was understood of an instrument's recordings, for a screen of 800 by 480.

Up to six notes are shown, spread evenly over the instrument, each with its waveform (where the onset, the loop and the
release are), its pitch against its key, the levels of its partials, and what was done to it in words.
"""

from __future__ import annotations

import bisect
import io
import unicodedata
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from synth.files import atomic_write_bytes
from synth.instruments.format import Instrument, Note
from synth.instruments.heard import Heard
from synth.instruments.keys import key_name
from synth.instruments.portrait_panels import (
    FAINT,
    LOOP,
    ONSET,
    RELEASE,
    SCALE,
    Box,
    draw_levels,
    draw_pitch,
    draw_time,
    draw_waveform,
    font,
    look,
)
from synth.io.spectrogram import INK, PAPER

WIDTH, HEIGHT = 800, 480
MARGIN, GUTTER = 14, 14
TITLE_HEIGHT, FOOT_HEIGHT = 46, 22
MOST_SHOWN = 6
COLUMNS = {1: 1, 2: 2, 3: 3, 4: 2, 5: 3, 6: 3}


def write_portrait(instrument: Instrument, heard: Sequence[Heard], path: Path | str) -> int:
    """Write the picture as a PNG, atomically; the size in bytes.

    `heard`: what the instrument was built from; a note is found by key and velocity, and notes without any are not
    shown. Raises TetradError where the file can't be written.
    """
    image = portrait(instrument, heard)
    buffer = io.BytesIO()
    # 256 colours chosen from the picture: a third of the bytes, and no difference to be seen.
    image.quantize(256, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE).save(buffer, "PNG")
    atomic_write_bytes(path, buffer.getvalue())
    return buffer.tell()


def portrait(instrument: Instrument, heard: Sequence[Heard]) -> Image.Image:
    """The picture, RGB, 800 by 480."""
    by_place = {(h.note.pitch, h.note.velocity): h for h in heard}
    pairs = [(n, by_place[n.pitch, n.velocity]) for n in instrument.notes if (n.pitch, n.velocity) in by_place]
    shown = (
        [pairs[i] for i in np.unique(np.linspace(0, len(pairs) - 1, MOST_SHOWN).round().astype(int))] if pairs else []
    )
    image = Image.new("RGB", (WIDTH * SCALE, HEIGHT * SCALE), PAPER)
    draw = ImageDraw.Draw(image, "RGBA")
    _draw_title(draw, instrument)
    has_remarks = any(one.remarks for _, one in shown)
    columns = COLUMNS.get(len(shown), 1)
    rows = -(-len(shown) // columns)
    width = (WIDTH - 2 * MARGIN - (columns - 1) * GUTTER) / columns
    height = (HEIGHT - TITLE_HEIGHT - FOOT_HEIGHT - (rows - 1) * GUTTER) / max(rows, 1)
    for index, (note, one) in enumerate(shown):
        left = MARGIN + (index % columns) * (width + GUTTER)
        top = TITLE_HEIGHT + (index // columns) * (height + GUTTER)
        cell = round(left * SCALE), round(top * SCALE), round((left + width) * SCALE), round((top + height) * SCALE)
        _draw_note(image, draw, note, one, cell, len(shown) == 1, has_remarks)
    _draw_foot(draw, instrument, heard, len(shown))
    return image.resize((WIDTH, HEIGHT), Image.Resampling.BOX)


def _draw_title(draw: ImageDraw.ImageDraw, instrument: Instrument) -> None:
    baseline = 30 * SCALE
    name = plain(instrument.display_name or instrument.name)
    draw.text((MARGIN * SCALE, baseline), _fitted(draw, name, 430 * SCALE, 20), INK, font(20), anchor="ls")
    x = float((WIDTH - MARGIN) * SCALE)
    for word, colour in (("released", RELEASE), ("loop", LOOP), ("onset", ONSET)):
        draw.text((x, baseline), word, FAINT, font(11), anchor="rs")
        x -= draw.textlength(word, font(11)) + 6 * SCALE
        draw.rectangle((x - 3 * SCALE, baseline - 9 * SCALE, x, baseline), colour)
        x -= 16 * SCALE


def _draw_foot(draw: ImageDraw.ImageDraw, instrument: Instrument, heard: Sequence[Heard], n_shown: int) -> None:
    keys = [n.pitch for n in instrument.notes]
    n_notes, layers = len(keys), max(keys.count(key) for key in set(keys))
    words = [f"{n_notes} notes, {key_name(min(keys))} to {key_name(max(keys))}" if n_notes > 1 else "one note"]
    words += [f"up to {layers} velocities a key"] if layers > 1 else []
    words += [f"{n_shown} shown"] if n_shown < n_notes else []
    words += ["sustains" if instrument.sustains else "decays", instrument.family.replace("_", " ")]
    remarked = sum(bool(h.remarks) for h in heard)
    words += [f"{remarked} with remarks"] if n_shown < n_notes and remarked else []
    words += [instrument.author, instrument.licence]
    text = "   |   ".join(plain(word) for word in words if word)
    text = _fitted(draw, text, (WIDTH - 2 * MARGIN) * SCALE, 11)
    draw.text((MARGIN * SCALE, (HEIGHT - 7) * SCALE), text, FAINT, font(11), anchor="ls")


def _draw_note(
    image: Image.Image, draw: ImageDraw.ImageDraw, note: Note, heard: Heard, cell: Box, large: bool, has_remarks: bool
) -> None:
    left, top, right, bottom = cell
    pitched = note.pitched and heard.note.pitched is not False
    view = look(note, heard.note.audio, pitched)
    key, size, small = key_name(note.pitch), 14 if large else 12, 11 if large else 10
    draw.text((left, top + 11 * SCALE), key, INK, font(size), anchor="ls")
    beside = left + draw.textlength(key, font(size)) + 8 * SCALE
    facts = _fitted(draw, _facts(note, heard, pitched), right - beside, small)
    draw.text((beside, top + 11 * SCALE), facts, FAINT, font(small), anchor="ls")
    line = 14 * SCALE
    n_lines = (3 if large else 2) if has_remarks else 1
    top, bottom = top + 17 * SCALE, bottom - 20 * SCALE - n_lines * line
    gap = 4 * SCALE
    height = bottom - top - 2 * gap
    wave = left, top, right, top + round(0.38 * height)
    pitch = left, wave[3] + gap, right, wave[3] + gap + round(0.22 * height)
    draw_waveform(draw, view, wave)
    draw_pitch(draw, view, pitch)
    draw_levels(image, draw, view, (left, pitch[3] + gap, right, bottom))
    draw_time(draw, view, left, right, bottom)
    lines = [_fitted(draw, plain(_understood(note, heard)), right - left, small)]
    lines += _lines(draw, "; ".join(heard.remarks), right - left, small, n_lines - 1)
    for index, words in enumerate(lines):
        at = left, bottom + 28 * SCALE + index * line
        draw.text(at, words, INK if index == 0 else FAINT, font(small), anchor="ls")


def _facts(note: Note, heard: Heard, pitched: bool) -> str:
    words = [f"velocity {note.velocity}"]
    if pitched:
        words.append(f"{round(note.tuning_cents):+d} cents")
    if not heard.key_was_given and pitched:
        words.append(f"heard, {100 * heard.pitch_confidence:.0f} % sure")
    return ", ".join(words)


def _understood(note: Note, heard: Heard) -> str:
    duration_s = note.n_frames / 125.0
    release = f", let go after {note.release_start / 125.0:.2f} s" if note.release_start < note.n_frames else ""
    if note.loop_end:
        body = f"held, repeats {note.loop_start / 125.0:.2f} to {note.loop_end / 125.0:.2f} s{release}"
    else:
        body = f"{duration_s:.2f} s long{release}"
    words = [body]
    if note.ratios is not None:
        words.append("partials at frequencies of their own")
    if note.residual is not None:
        words.append(f"{note.residual.size / 48_000:.2f} s kept as recorded")
    if heard.onset_s > 0.01:
        words.append(f"{heard.onset_s:.2f} s before it cut")
    return "; ".join(words)


def _lines(draw: ImageDraw.ImageDraw, text: str, width: int, size: int, most: int) -> list[str]:
    """`text` broken into at most `most` lines of `width` drawn pixels, the last of them cut short where it must be."""
    words, lines = plain(text).split(), list[str]()
    while words and len(lines) < most - 1:
        n = max(_most_that_fit(draw, [" ".join(words[: i + 1]) for i in range(len(words))], width, size), 1)
        lines.append(" ".join(words[:n]))
        words = words[n:]
    if words and most:
        lines.append(_fitted(draw, " ".join(words), width, size))
    return lines


def _fitted(draw: ImageDraw.ImageDraw, text: str, width: float, size: int) -> str:
    """`text`, or as much of its beginning as `width` drawn pixels hold, with dots behind it."""
    if draw.textlength(text, font(size)) <= width:
        return text
    n = _most_that_fit(draw, [f"{text[: i + 1]}..." for i in range(len(text))], width, size)
    return f"{text[:n].rstrip()}..."


def _most_that_fit(draw: ImageDraw.ImageDraw, growing: Sequence[str], width: float, size: int) -> int:
    """How many of some ever longer texts are no wider than `width`."""
    return bisect.bisect_left(growing, True, key=lambda text: draw.textlength(text, font(size)) > width)


def plain(text: str) -> str:
    """ASCII, which is what Pillow's own typeface has; letters without their accents, "?" for all others."""
    bare = unicodedata.normalize("NFKD", text[:500])
    letters = (c for c in bare if not unicodedata.combining(c))
    return "".join(c if " " <= c <= "~" else "?" for c in letters)
