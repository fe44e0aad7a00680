"""Fast generation with the WaveNet decoder on the CPU: embeddings to sound, many streams at once.

    audio = generate(decoder, z, seed=1)                         # [B, T, C] -> [B, 512 T], 16 kHz

The step of `WaveNetDecoder.step`, compiled (`generation_kernels.py`): packed weights, all layers in one call, threads
that meet at barriers. `generation_cuda.py` does the same on a GPU. `tetrad bench wavenet` measures.

Threads: a large batch, or a small network, is dealt out by streams: each thread generates its own and meets nobody.
Else the threads of a team share the rows of every product.

A stream's random numbers come from (seed, its index) alone, and nothing in its arithmetic depends on who else is in
the batch or how many threads there are: stream i of seed s is the same sound in any batch. Across machines it is
the same only as far as rounding lets it: one class that falls differently leads elsewhere.
"""

import os
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from models import mu_law
from models.generation_kernels import State, advance, stop
from models.generation_weights import Classes, Conditioning, FloatArray, check_drawn, check_memory, new_state, pack
from models.wavenet import WaveNetConfig, WaveNetDecoder
from synth.errors import TetradError

DEFAULT_PRECISION = "int16"
# Streams per thread from which each thread keeps its own: weights read once per thread are then used often enough.
STREAMS_TO_SPLIT = 64
# Weights up to this size stay in a core's share of the caches, and reading them per thread costs nothing.
CACHED_BYTES = 4_000_000
_CHUNK_S = 0.1  # of computing, between looks at Ctrl-C and calls of `progress`


class Advancing(Protocol):
    """A batch of sounds in the making: `Streams` on the CPU, `GraphStreams` on a GPU."""

    n_made: int

    def __enter__(self) -> "Advancing": ...
    def __exit__(self, *_: object) -> None: ...
    def advance(
        self,
        embedding: FloatArray,
        uniform: NDArray[np.float64],
        *,
        temperature: float = ...,
        given: Classes | None = ...,
        keep_logits: bool = ...,
    ) -> tuple[Classes, FloatArray]: ...


class Starting(Protocol):
    """A decoder made ready: `Generator` on the CPU, `GraphGenerator` on a GPU."""

    config: WaveNetConfig

    def start(self, batch: int) -> Advancing: ...


@dataclass(frozen=True)
class _Team:
    """Streams `first` to `last` - 1 and the number of threads that generate them together."""

    first: int
    last: int
    n_members: int
    state: State


class Generator:
    """A decoder's packed weights. Packing the `nsynth` configuration takes a second and 120 MB (float32 240 MB).

    Args:
        decoder: its weights are copied.
        precision: see `generate`.
        n_threads: default the cores that this process may use.
    """

    def __init__(
        self, decoder: WaveNetDecoder, precision: str = DEFAULT_PRECISION, n_threads: int | None = None
    ) -> None:
        self.config = decoder.config
        self.precision = precision
        self.n_threads = len(os.sched_getaffinity(0)) if n_threads is None else n_threads
        if self.n_threads < 1:
            raise TetradError(f"{self.n_threads} threads cannot generate; give 1 or more.")
        self.weights = pack(decoder, precision)
        self.conditioning = Conditioning(decoder)

    def start(self, batch: int) -> "Streams":
        """`batch` streams before their first sample."""
        if batch < 1:
            raise TetradError(f"A batch of {batch} streams was asked for; give 1 or more.")
        check_memory(self.config, self.precision, batch)
        return Streams(self, batch)


class Streams:
    """A batch of sounds in the making. A context manager: it has threads. Not to be used again after an exception."""

    def __init__(self, generator: Generator, batch: int) -> None:
        self._generator = generator
        self._teams = _teams(generator, batch)
        self._executor = ThreadPoolExecutor(sum(team.n_members for team in self._teams))
        self.batch = batch
        self.n_made = 0

    def __enter__(self) -> "Streams":
        return self

    def __exit__(self, *_: object) -> None:
        self._executor.shutdown()

    def advance(
        self,
        embedding: FloatArray,
        uniform: NDArray[np.float64],
        *,
        temperature: float = 1.0,
        given: Classes | None = None,
        keep_logits: bool = False,
    ) -> tuple[Classes, FloatArray]:
        """The next n samples, all of one conditioning frame.

        Args:
            embedding: float32 [B, n_conditioning], the conditioning of these samples.
            uniform: float64 [n, B] in [0, 1), by which the classes are drawn.
            temperature: divides the logits; more than 0.
            given: int16 [n, B], classes 0..255 that are fed back instead of the drawn ones (teacher forcing).
            keep_logits: whether to return them.

        Returns:
            Classes drawn, int16 [n, B], 0..255, and logits float32 [n, B, 256] (or [0, B, 256]).

        Raises:
            TetradError: a logit was not a finite number.
        """
        n, n_classes = len(uniform), self._generator.config.n_classes
        fed = np.full((n, self.batch), -1, np.int16) if given is None else np.asarray(given, np.int16)
        chosen = [np.empty((n, team.last - team.first), np.int16) for team in self._teams]
        logits = [np.empty((n if keep_logits else 0, part.shape[1], n_classes), np.float32) for part in chosen]
        jobs: list[Future[None]] = []
        try:
            for team, *written in zip(self._teams, chosen, logits, strict=True):
                part = slice(team.first, team.last)
                frame = self._generator.conditioning.frame(embedding[part])
                # Copies: the kernel is compiled for contiguous arrays.
                read = fed[:, part].copy(), uniform[:, part].copy(), np.float32(temperature)
                team.state.sync[:] = 0
                for member in range(team.n_members):
                    arguments = (self._generator.weights, team.state, frame, member, team.n_members, self.n_made)
                    jobs.append(self._executor.submit(advance, *arguments, *read, *written))
            for job in jobs:
                job.result()
        except BaseException:
            for team in self._teams:
                stop(team.state.sync)
            raise
        drawn = np.concatenate(chosen, axis=1)
        self.n_made += n
        check_drawn(drawn, self.n_made)
        return drawn, np.concatenate(logits, axis=1)


def generate(
    decoder: WaveNetDecoder | Starting,
    conditioning: torch.Tensor | FloatArray,
    *,
    seed: int,
    temperature: float = 1.0,
    precision: str = DEFAULT_PRECISION,
    n_samples: int | None = None,
    n_threads: int | None = None,
    progress: Callable[[int], object] | None = None,
) -> FloatArray:
    """Sound from embeddings, sampled from the decoder's distribution.

    Args:
        decoder: or a Generator or GraphGenerator, whose precision and threads then count.
        conditioning: float [B, T, n_conditioning], a frame for every `hop` (512) samples.
        seed: stream i's random numbers follow from (seed, i).
        temperature: below 1 the likelier classes are preferred, which takes away noise; more than 0.
        precision: "float32", "int16" or "int8", of the layers' weights and inputs; the start convolution, the head and
            all sums are float32. Distance (total variation) of the 256 probabilities from the parallel path's, largest
            over 512 samples of the reference clips with the reference weights of `nsynth`: 4e-7, 1.5e-4 and 4e-3.
            With a sharper network (logits' standard deviation 3, not 0.9): 1e-6, 7e-4 and 2e-2.
        n_samples: default T hop.
        progress: called with the number of samples just made, per stream, several times a second.

    Returns:
        float32 [B, n_samples], -1..1 at the decoder's rate (16 kHz).

    Raises:
        TetradError: what was given does not fit together, is not finite, or needs more memory than there is.
    """
    generator = Generator(decoder, precision, n_threads) if isinstance(decoder, WaveNetDecoder) else decoder
    embeddings = checked_conditioning(conditioning, generator.config.n_conditioning)
    batch, n_frames, _ = embeddings.shape
    hop = generator.config.hop
    n_samples = n_frames * hop if n_samples is None else n_samples
    if not 0 <= n_samples <= n_frames * hop:
        raise TetradError(f"{n_frames} conditioning frames last {n_frames * hop} samples; {n_samples} were asked for.")
    if not temperature > 0.0:
        raise TetradError(f"The temperature is {temperature}; it must be more than 0.")
    if seed < 0:
        raise TetradError(f"The seed is {seed}; it must be 0 or more.")
    classes = np.empty((n_samples, batch), np.int16)
    sources = random_sources(seed, batch)
    chunk = 1
    with generator.start(batch) as streams:
        while streams.n_made < n_samples:
            at = streams.n_made
            n = min(chunk, n_samples - at, hop - at % hop)
            began = time.perf_counter()
            uniform = np.stack([source.random(n) for source in sources], axis=1)
            classes[at : at + n], _ = streams.advance(embeddings[:, at // hop], uniform, temperature=temperature)
            if time.perf_counter() - began < _CHUNK_S / 2:
                chunk = min(2 * chunk, hop)
            if progress is not None:
                progress(n)
    return expand(classes)


def random_sources(seed: int, batch: int) -> list[np.random.Generator]:
    """The streams' random numbers: stream i's depend on `seed` and i alone."""
    return [np.random.default_rng([seed, stream]) for stream in range(batch)]


def checked_conditioning(conditioning: torch.Tensor | FloatArray, n_conditioning: int) -> FloatArray:
    """Conditioning as float32 [B, T, n_conditioning]; TetradError where it has another shape or is not finite."""
    array = conditioning.detach().cpu().numpy() if isinstance(conditioning, torch.Tensor) else conditioning
    embeddings = np.asarray(array, np.float32)
    if embeddings.ndim != 3 or embeddings.shape[2] != n_conditioning:
        raise TetradError(
            f"The conditioning's shape is {list(embeddings.shape)}; "
            f"this decoder expects [batch, frames, {n_conditioning}]."
        )
    if not np.isfinite(embeddings).all():
        raise TetradError("The conditioning holds values that are not finite numbers; check the embedding.")
    return embeddings


def expand(classes: Classes) -> FloatArray:
    """Classes int16 [n, B] -> float32 [B, n], -1..1."""
    audio: FloatArray = mu_law.expand(torch.from_numpy(np.ascontiguousarray(classes.T))).numpy()
    return audio


def _teams(generator: Generator, batch: int) -> list[_Team]:
    n_threads = generator.n_threads
    small = generator.weights.gate.nbytes + generator.weights.out.nbytes <= CACHED_BYTES
    n_teams = min(n_threads, batch) if small else max(1, min(n_threads, batch // STREAMS_TO_SPLIT))
    bounds = [batch * i // n_teams for i in range(n_teams + 1)]
    shares = [n_threads * (i + 1) // n_teams - n_threads * i // n_teams for i in range(n_teams)]
    if small:
        shares = [1] * n_teams
    return [
        _Team(first, last, share, new_state(generator.config, generator.precision, last - first))
        for first, last, share in zip(bounds[:-1], bounds[1:], shares, strict=True)
    ]
