"""Measure how fast the WaveNet decoder generates, against its plain step and against Magenta's generator."""

import argparse
import statistics
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch

from models.generation import DEFAULT_PRECISION, Generator, Starting, random_sources
from models.generation_cuda import DTYPES, GraphGenerator
from models.generation_weights import PRECISIONS
from models.wavenet import CONFIGS, WaveNetDecoder
from synth.command import add_json_argument, print_json, progress
from synth.errors import TetradError

BATCHES = (1, 16, 64)
N_WINDOWS = 5
SAMPLE_RATE_HZ = 16_000
# Conditioning channels: the embedding's 16 alone, or in our own decoders with pitch and velocity about twice as many.
N_CONDITIONING = {"nsynth": 16}
OUR_N_CONDITIONING = 34
# Samples/s of Magenta's fast generator with the released network on two EPYC cores, TensorFlow: the goal to beat.
MAGENTA = {1: 19.0, 16: 207.0, 64: 494.0}
PLAIN_STEP = "plain step"


def bench_wavenet(
    configs: list[str], batches: list[int], precisions: list[str], n_threads: int | None, seconds: float, device: str
) -> Iterator[dict[str, Any]]:
    """Rows of `tetrad bench wavenet` as they are measured: config, batch, threads, precision, samples_per_s, ratio.

    `samples_per_s` counts all streams: the median of five windows that last `seconds` in all. Weights are random: it
    does not depend on them. The first row of each configuration and batch is the plain step, `WaveNetDecoder.step`
    (torch, float32, as many threads); the others' `ratio` is theirs over its.
    """
    for name in configs:
        torch.manual_seed(0)
        decoder = WaveNetDecoder(CONFIGS[name].conditioned_on(N_CONDITIONING.get(name, OUR_N_CONDITIONING))).to(device)
        made = [_made_ready(decoder, precision, n_threads, device) for precision in precisions]
        threads = torch.get_num_threads() if n_threads is None else n_threads
        for batch in batches:
            plain = _plain_step(decoder, batch, threads, seconds, device)
            row = {"config": name, "batch": batch, "threads": threads, "precision": PLAIN_STEP}
            yield row | {"samples_per_s": plain, "ratio": 1.0}
            for precision, generator in zip(precisions, made, strict=True):
                speed = _generator_speed(generator, batch, seconds)
                row = {"config": name, "batch": batch, "threads": threads, "precision": precision}
                yield row | {"samples_per_s": speed, "ratio": speed / plain}


def _made_ready(decoder: WaveNetDecoder, precision: str, n_threads: int | None, device: str) -> Starting:
    if device == "cpu":
        return Generator(decoder, precision, n_threads)
    return GraphGenerator(decoder, precision, device)


def _generator_speed(generator: Starting, batch: int, seconds: float) -> float:
    embedding = np.random.default_rng(0).standard_normal((batch, generator.config.n_conditioning)).astype(np.float32)
    sources = random_sources(0, batch)
    with generator.start(batch) as streams:

        def make(n: int) -> None:
            for begin in range(0, n, generator.config.hop):
                n_now = min(generator.config.hop, n - begin)
                uniform = np.stack([source.random(n_now) for source in sources], axis=1)
                streams.advance(embedding, uniform)

        return batch * _rate(make, seconds)


def _plain_step(decoder: WaveNetDecoder, batch: int, threads: int, seconds: float, device: str) -> float:
    """Samples/s of the step that the fast ones are compared with, choice of the class included."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        with torch.no_grad():
            state = decoder.start(batch)
            frame = torch.randn(batch, decoder.config.n_conditioning, device=device)
            half = decoder.config.n_classes // 2

            def make(n: int) -> None:
                sample = torch.zeros(batch, device=device)
                for _ in range(n):
                    logits = decoder.step(state, sample, frame)
                    drawn = torch.multinomial(torch.softmax(logits, dim=1), 1)[:, 0]
                    sample = (drawn - half).float() / half
                sample.cpu()  # waits for a GPU

            return batch * _rate(make, seconds)
    finally:
        torch.set_num_threads(before)


def _rate(make: Callable[[int], None], seconds: float) -> float:
    """Median steps/s of N_WINDOWS runs of `make`, after a warm-up that also finds how many steps fill a window."""
    make(1)
    n = 1
    while True:
        began = time.perf_counter()
        make(n)
        took = time.perf_counter() - began
        if took > seconds / N_WINDOWS / 4:
            break
        n *= 2
    n = max(1, round(n / took * seconds / N_WINDOWS))
    rates = []
    for _ in range(N_WINDOWS):
        began = time.perf_counter()
        make(n)
        rates.append(n / (time.perf_counter() - began))
    return statistics.median(rates)


class BenchWavenetCommand:
    """`tetrad bench wavenet`"""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        known = [*PRECISIONS, *(name for name in DTYPES if name not in PRECISIONS)]
        parser.add_argument("--config", nargs="+", choices=sorted(CONFIGS), default=["nsynth", "small"])
        parser.add_argument("--batch", type=int, nargs="+", default=list(BATCHES), help="streams (default 1 16 64)")
        parser.add_argument("--precision", nargs="+", choices=known, help="default: all that the device has")
        parser.add_argument("--threads", type=int, help="default: the cores that this process may use")
        parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
        parser.add_argument("--seconds", type=float, default=5.0, help="to measure each row for (default 5)")
        add_json_argument(parser)

    def run(self, args: argparse.Namespace) -> int:
        if not args.seconds > 0.0 or min(args.batch) < 1:
            raise TetradError("--seconds must be more than 0, and --batch 1 or more.")
        precisions = args.precision or list(PRECISIONS if args.device == "cpu" else DTYPES)
        measured = bench_wavenet(args.config, args.batch, precisions, args.threads, args.seconds, args.device)
        total = len(args.config) * len(args.batch) * (1 + len(precisions))
        rows = list(progress(measured, description="generating", total=total, unit="row"))
        if args.json:
            print_json({"rows": rows, "device": args.device, "default_precision": DEFAULT_PRECISION})
            return 0
        print(
            f"samples/s over the whole batch; real time is {SAMPLE_RATE_HZ:,}; Magenta's is TensorFlow on 2 EPYC cores"
        )
        print("config  batch threads precision   samples/s  of plain step  of Magenta")
        for row in rows:
            magenta = MAGENTA.get(row["batch"]) if row["config"] == "nsynth" else None
            of_magenta = f"{row['samples_per_s'] / magenta:9.1f} x" if magenta else ""
            print(
                f"{row['config']:7s} {row['batch']:5d} {row['threads']:7d} {row['precision']:10s} "
                f"{row['samples_per_s']:10,.0f} {row['ratio']:12.1f} x {of_magenta}"
            )
        return 0
