"""From a recording to a corner, as pictures: a voice sings into a real stream, and the engine makes it an instrument.

A JACK server of our own with a dummy card carries both ways: a synthetic voice sings A3 into the input that
`record_input_start` opened, and what the engine plays at its north-west corner, before and after, is recorded from its
output. Every frame shows what the engine's status and notices said at that moment, ten in a second, then one for each
step of the import; `contact-sheet.png` has nine of them.

    python -m benchmarks.import_pictures OUT
"""

from __future__ import annotations

import argparse
import queue
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import soundfile
from PIL import Image

from benchmarks.import_frames import STEPS, Level, contact_sheet, corner_frame, import_frame, level_frame
from benchmarks.jack_server import jack_server
from benchmarks.real_engine import real_engine
from synth.frames import SAMPLE_RATE_HZ, Float32Array
from synth.instruments.add import STEP_WORDS
from synth.io.client import Client
from tests.listening import Recorder, wait_until
from tests.synth.instruments.singer import Singer, song, sung

BLOCK = 256
KEY, SUNG_S = 57, 1.8
HELD_S, HEARD_S = 1.4, 2.0
TAKE_ONSET_S, BEFORE_ONSET_S = 0.2, 0.05
"""A take has so much before its onset, and so much is shown."""
SHEET_COLUMNS, SHEET_WIDTH = 3, 480
LIMIT_S = 120.0


class Moment(NamedTuple):
    """What was said at one time. share: of the import's way."""

    step: str
    words: str
    at_s: float
    share: float = 0.0


class Story(NamedTuple):
    """All that there is to draw. levels: with the step and the words of each; take, before, after: float32 [N]."""

    levels: list[tuple[Level, Moment]]
    take: Float32Array
    imported: list[Moment]
    portrait: Image.Image
    before: Float32Array
    after: Float32Array
    was: str
    done_s: float


def play(client: Client, recorder: Recorder) -> Float32Array:
    """The key as the engine plays it now, from just before its onset: float32 [HEARD_S * 48000], the left channel."""
    start = len(recorder.samples())
    client.request("note_on", key=KEY, velocity=100)
    wait_until(lambda: len(recorder.samples()) > start + HELD_S * SAMPLE_RATE_HZ, "the note", LIMIT_S)
    client.request("note_off", key=KEY)
    wait_until(lambda: len(recorder.samples()) > start + (HEARD_S + 1.0) * SAMPLE_RATE_HZ, "its end", LIMIT_S)
    sound = recorder.samples()[start:, 0]
    onset = int(np.argmax(np.abs(sound) > 0.05 * np.abs(sound).max()))
    first = max(onset - round(BEFORE_ONSET_S * SAMPLE_RATE_HZ), 0)
    return np.ascontiguousarray(sound[first : first + round(HEARD_S * SAMPLE_RATE_HZ)])


def sing(client: Client, singer: Singer) -> tuple[float, list[tuple[Level, Moment]]]:
    """Record one sung note: when the input was open, and its status ten times a second until it was told what was
    heard."""
    client.request("record_input_start", device="jack", notes=1)
    client.wait_for(lambda status: status["input"]["state"] == "waiting", LIMIT_S)
    began_s = time.monotonic()
    singer.sing_later(song(sung(float(KEY), SUNG_S)))
    found: list[tuple[Level, Moment]] = []
    while not (found and found[-1][1].step == "cut" and "heard" in found[-1][1].words):
        told, at_s = client.status["input"], time.monotonic() - began_s
        step = {"waiting": "waiting", "recording": "taking", "ready": "cut"}.get(told["state"])
        if step is not None:
            level = Level(at_s, told["level_dbfs"], told["peak_dbfs"], step == "taking")
            found.append((level, Moment(step, told["words"], at_s)))
        if at_s > LIMIT_S:
            raise SystemExit(f"no note was taken in {LIMIT_S:g} s; the last words: {told['words']}")
        time.sleep(0.1)
    return began_s, found


def make(client: Client, notices: queue.Queue[tuple[str, Mapping[str, Any]]], began_s: float) -> tuple[Any, ...]:
    """The note becomes an instrument in the north west: the take, the steps that were told, the picture's path."""
    stopped = client.request("record_input_stop", name="my-voice", display_name="My Voice", family="vocal", corner="nw")
    take, _ = soundfile.read(stopped["takes"][0]["path"], dtype="float32", always_2d=True)
    moments: list[Moment] = []
    while True:
        name, told = notices.get(timeout=LIMIT_S)
        if name == "corner_changed" and told["corner"] == "nw":
            break
        if name != "import_changed":
            continue
        if told["state"] == "failed":
            raise SystemExit(told["words"])
        step = {"find": "listening", "listen": "listening"}.get(told["step"], STEP_WORDS.get(told["step"], "listening"))
        words = f"{STEP_WORDS.get(told['step'], 'waiting for the worker')} {told['done']} of {told['total']}"
        moments.append(Moment(step, words, time.monotonic() - began_s, told["share"]))
    (job,) = client.request("imports")["imports"]
    return take[:, 0].copy(), moments, Path(job["result"]["picture"]), time.monotonic() - began_s


def story(home: Path) -> Story:
    """Everything once, in a real engine on a server of its own."""
    notices: queue.Queue[tuple[str, Mapping[str, Any]]] = queue.Queue()
    with jack_server(BLOCK, synchronous=True) as server:
        singer, recorder = Singer(server), Recorder(server)
        try:
            arguments = ("--xy", "0,1", "--voices", "8")
            with real_engine(home, *arguments, on_notice=lambda name, data: notices.put((name, data))) as client:
                recorder.connect("Tetrad")
                was = client.wait_for(lambda status: "corners" in status, LIMIT_S)["corners"]["nw"]["instrument"]
                before = play(client, recorder)
                began_s, levels = sing(client, singer)
                take, imported, picture, done_s = make(client, notices, began_s)
                portrait = Image.open(picture).convert("RGB")
                after = play(client, recorder)
        finally:
            singer.close()
            recorder.close()
    return Story(levels, take, imported, portrait, before, after, was, done_s)


def frames(told: Story) -> tuple[list[Image.Image], list[int]]:
    """All pictures in order, and which of them make the contact sheet."""
    levels = [level for level, _ in told.levels]
    whole_s = levels[-1].at_s + 0.3
    made, steps = [], []
    for n, (_, moment) in enumerate(told.levels):
        made.append(level_frame(moment.step, moment.words, levels[: n + 1], whole_s))
        steps.append(moment.step)
    heard = told.levels[-1][1].words.rpartition("heard ")[2]
    for moment in told.imported:
        words = f"heard {heard}; {moment.words}"
        made.append(import_frame(moment.step, words, told.take, moment.share, moment.at_s))
        steps.append(moment.step)
    made.append(told.portrait)
    first = round((TAKE_ONSET_S - BEFORE_ONSET_S) * SAMPLE_RATE_HZ)
    sounds: dict[str, Float32Array | None] = {"the take": told.take[first : first + told.after.size]}
    sounds |= {f"before: {told.was}": told.before, "now: my-voice": None}
    made.append(corner_frame("writing", "A3 at the north-west corner, as the engine plays it", sounds, told.done_s))
    sounds["now: my-voice"] = told.after
    made.append(corner_frame(STEPS[-1], "A3 at the north-west corner, as the engine plays it", sounds, told.done_s))
    taking = [n for n, step in enumerate(steps) if step == "taking"]
    chosen = [max(taking[0] - 3, 0), taking[0], taking[len(taking) // 2], len(told.levels) - 1]
    chosen += [max(n for n, s in enumerate(steps) if s == step) for step in ("listening", "analysing") if step in steps]
    return made, [*chosen, *range(len(made) - 3, len(made))]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path, help="folder for the pictures")
    out: Path = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="tetrad-pictures-") as home:
        told = story(Path(home))
    made, chosen = frames(told)
    for n, picture in enumerate(made):
        picture.save(out / f"frame-{n:03}.png")
    sheet = out / "contact-sheet.png"
    contact_sheet([made[n] for n in chosen], SHEET_COLUMNS, SHEET_WIDTH).save(sheet, optimize=True)
    print(f"{len(made)} pictures and {sheet.name} ({sheet.stat().st_size / 1000:.0f} kB) in {out}")
    print(f"{told.done_s - told.levels[-1][1].at_s:.1f} s from the cut note to the corner")
    return 0


if __name__ == "__main__":
    sys.exit(main())
