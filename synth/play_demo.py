"""Where nothing can play: the demo as files."""

import sys
from pathlib import Path

import numpy as np

from synth import demo
from synth.control.events import Event, SetParameter
from synth.frames import SAMPLE_RATE_HZ
from synth.io.spectrogram import write_spectrogram
from synth.performance import DEFAULT_CORNERS, make_engine, render_to_wav, score_events, with_path
from synth.render import DEFAULT_VOICES

DEMO_WAV, DEMO_PNG = Path("demo.wav"), Path("demo.png")


def render_demo() -> int:
    """The most useful thing without a sound card: the demo as a file, and a picture of it."""
    print(f'So the demo "{demo.TITLE}" is rendered to files, with the finger on its way through the four corners.')
    print("Getting ready (the very first start compiles, for up to a minute) ...", file=sys.stderr, flush=True)
    blocks: list[np.ndarray[tuple[int, ...], np.dtype[np.float32]]] = []
    engine = make_engine(DEFAULT_CORNERS, n_voices=DEFAULT_VOICES)
    summary = render_to_wav(engine, demo_events(), DEMO_WAV, keep=blocks)
    write_spectrogram(DEMO_PNG, np.concatenate(blocks), SAMPLE_RATE_HZ, f'Tetrad: "{demo.TITLE}"')
    print(
        f"{DEMO_WAV.resolve()}: {summary.duration_s:.1f} s, {summary.notes} notes, "
        f"peak {summary.peak_dbfs:.1f} dBFS, {summary.real_time_factor:.1f} times real time\n"
        f"{DEMO_PNG.resolve()}: its spectrogram\n"
        "How to go on:\n"
        "  listen     copy demo.wav to a machine with loudspeakers\n"
        "  play       plug in a sound card and a MIDI keyboard, or start a JACK server, and start this again\n"
        "  your score .venv/bin/tetrad render SCORE.mid OUT.wav --corners NW NE SW SE --xy 0.5,0.5\n"
        "  the sounds .venv/bin/tetrad instruments list"
    )
    return 0


def demo_events() -> list[Event]:
    """The demo as events, its finger's way among them."""
    volume = SetParameter(0, "volume", demo.VOLUME_DB)
    return [volume, *with_path(score_events(demo.messages()), demo.finger_path())]
