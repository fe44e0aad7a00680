"""Fast generation against the parallel path of the same weights, and what makes it safe to use."""

import threading
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from torch import Tensor

from models import mu_law
from models.generation import Generator, Starting, generate, random_sources
from models.generation_cuda import GraphGenerator
from models.generation_kernels import INPUT_LIMIT, UNIT_ROWS, advance, stop
from models.generation_weights import block_of, new_state, pack
from models.wavenet import CONFIGS, WaveNetConfig, WaveNetDecoder
from synth.errors import TetradError

# Three blocks of 16 channels; filter 3, the rings go round many times in 50 samples.
TINY = WaveNetConfig("tiny", n_layers=6, n_stages=3, filter_length=3, width=48, skip_width=32, n_conditioning=5, hop=8)
PAIRS = WaveNetConfig(
    "pairs", n_layers=4, n_stages=2, filter_length=2, width=32, skip_width=16, n_conditioning=3, hop=16
)


def decoder_of(config: WaveNetConfig) -> WaveNetDecoder:
    """Random weights; biases too, which begin as zeros."""
    torch.manual_seed(3)
    decoder = WaveNetDecoder(config)
    with torch.no_grad():
        for name, parameter in decoder.named_parameters():
            parameter.normal_(0.0, 0.1) if name.endswith("bias") else parameter.mul_(1.5)
    return decoder


def sound_and_conditioning(config: WaveNetConfig, batch: int, n_samples: int) -> tuple[Tensor, Tensor]:
    """Scaled samples [B, N] and conditioning [B, T, C]."""
    generator = torch.Generator().manual_seed(batch)
    scaled = mu_law.scale(0.3 * torch.randn(batch, n_samples, generator=generator))
    return scaled, torch.randn(batch, -(-n_samples // config.hop), config.n_conditioning, generator=generator)


def forced(generator: Starting, scaled: Tensor, conditioning: Tensor) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Feed a known sound: logits [B, C, N] as `forward` has them, classes drawn [B, N], uniform numbers [B, N]."""
    batch, n_samples = scaled.shape
    hop = generator.config.hop
    classes = mu_law.classes(scaled).numpy().T
    uniform = np.random.default_rng(5).random((n_samples, batch))
    logits, drawn = [], []
    with generator.start(batch) as streams:
        for begin in range(0, n_samples, hop):
            part = slice(begin, begin + hop)
            frame = conditioning[:, begin // hop].numpy()
            found = streams.advance(frame, uniform[part], given=classes[part], keep_logits=True)
            drawn.append(found[0])
            logits.append(found[1])
    return np.concatenate(logits).transpose(1, 2, 0), np.concatenate(drawn).T, uniform.T


def expected_logits(decoder: WaveNetDecoder, scaled: Tensor, conditioning: Tensor) -> np.ndarray:
    with torch.no_grad():
        return decoder(scaled, conditioning).numpy()


def total_variation(logits: np.ndarray, expected: np.ndarray) -> np.ndarray:
    """Half the sum of the differences of the probabilities; logits [B, C, N], result [B, N]."""
    p, q = (torch.softmax(torch.from_numpy(x), dim=1).numpy() for x in (logits, expected))
    return 0.5 * np.abs(p - q).sum(axis=1)


@pytest.mark.parametrize("config", [TINY, PAIRS], ids=lambda config: config.name)
@pytest.mark.parametrize("n_threads", [1, 2, 3])
@pytest.mark.parametrize("batch", [1, 15])  # 15 streams: 6, then 6 of 9, then single ones
def test_float32_agrees_with_the_parallel_path(
    config: WaveNetConfig, n_threads: int, batch: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("models.generation.CACHED_BYTES", 0)  # threads share the rows, as in a large network
    decoder = decoder_of(config)
    scaled, conditioning = sound_and_conditioning(config, batch, 50)
    expected = expected_logits(decoder, scaled, conditioning)
    found, _, _ = forced(Generator(decoder, "float32", n_threads), scaled, conditioning)
    assert expected.std() > 0.3
    np.testing.assert_allclose(found, expected, rtol=0.0, atol=1e-5)


@pytest.mark.long
@pytest.mark.parametrize(("precision", "bound"), [("int16", 2e-3), ("int8", 4e-2)])
@pytest.mark.parametrize("batch", [1, 8])
def test_integers_stay_within_their_bound(precision: str, bound: float, batch: int) -> None:
    decoder = decoder_of(TINY)
    scaled, conditioning = sound_and_conditioning(TINY, batch, 50)
    found, _, _ = forced(Generator(decoder, precision, 1), scaled, conditioning)
    distance = total_variation(found, expected_logits(decoder, scaled, conditioning))
    assert 0.0 < distance.max() < bound


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["float32", "int16"])
@pytest.mark.parametrize(
    ("config", "n_samples"),
    [(CONFIGS["nsynth"], 24), (CONFIGS["small"].conditioned_on(18), 1_100)],
    ids=["nsynth", "small"],
)
def test_real_configurations_agree(config: WaveNetConfig, n_samples: int, precision: str) -> None:
    decoder = decoder_of(config)
    scaled, conditioning = sound_and_conditioning(config, 2, n_samples)
    found, _, _ = forced(Generator(decoder, precision), scaled, conditioning)
    distance = total_variation(found, expected_logits(decoder, scaled, conditioning))
    assert distance.max() < (1e-4 if precision == "float32" else 1e-2)


@pytest.mark.parametrize("precision", ["float32", "int16"])
def test_a_stream_is_the_same_in_any_batch_with_any_threads(precision: str) -> None:
    decoder = decoder_of(TINY)
    _, conditioning = sound_and_conditioning(TINY, 9, 40)
    alone = generate(decoder, conditioning[:1], seed=4, precision=precision, n_threads=1)
    for batch, n_threads in ((9, 1), (9, 2), (4, 3)):
        together = generate(decoder, conditioning[:batch], seed=4, precision=precision, n_threads=n_threads)
        np.testing.assert_array_equal(together[0], alone[0])
        assert len(np.unique(together, axis=0)) == batch
    assert not np.array_equal(generate(decoder, conditioning[:1], seed=5, precision=precision), alone)


def test_shared_rows_give_the_same_integers(monkeypatch: pytest.MonkeyPatch) -> None:
    decoder = decoder_of(TINY)
    _, conditioning = sound_and_conditioning(TINY, 2, 40)
    by_streams = generate(decoder, conditioning, seed=4, n_threads=2)
    monkeypatch.setattr("models.generation.CACHED_BYTES", 0)
    np.testing.assert_array_equal(generate(decoder, conditioning, seed=4, n_threads=2), by_streams)


def test_generated_sound_is_what_its_classes_say() -> None:
    decoder = decoder_of(TINY)
    _, conditioning = sound_and_conditioning(TINY, 3, 40)
    made: list[int] = []
    audio = generate(decoder, conditioning, seed=1, n_samples=37, progress=made.append)
    assert audio.shape == (3, 37)
    assert audio.dtype == np.float32
    assert sum(made) == 37
    classes = mu_law.classes(mu_law.scale(torch.from_numpy(audio)))
    np.testing.assert_array_equal(mu_law.expand(classes).numpy(), audio)
    # Fed its own sound, the parallel path puts each chosen class where the same random number falls.
    logits = expected_logits(decoder, mu_law.scaled_of(classes), conditioning)
    uniform = np.stack([source.random(37) for source in random_sources(1, 3)])
    assert (classes_by_inversion(logits, uniform, 1.0) == classes.numpy()).mean() > 0.98


def classes_by_inversion(logits: np.ndarray, uniform: np.ndarray, temperature: float) -> np.ndarray:
    """Inverse of the cumulative distribution in float64: logits [B, C, N], uniform [B, N]; classes [B, N]."""
    odds = np.exp((logits - logits.max(axis=1, keepdims=True)).astype(np.float64) / temperature)
    cumulative = np.cumsum(odds, axis=1) / odds.sum(axis=1, keepdims=True)
    return (cumulative <= uniform[:, None]).sum(axis=1)


@pytest.mark.parametrize("temperature", [0.5, 1.0])
def test_classes_are_drawn_from_the_softmax(temperature: float) -> None:
    decoder = decoder_of(PAIRS)
    _, conditioning = sound_and_conditioning(PAIRS, 40, 16)
    uniform = np.random.default_rng(0).random((16, 40))
    with Generator(decoder, "float32", 1).start(40) as streams:
        drawn, logits = streams.advance(conditioning[:, 0].numpy(), uniform, temperature=temperature, keep_logits=True)
    expected = classes_by_inversion(logits.transpose(1, 2, 0), uniform.T, temperature)
    assert (expected == drawn.T).mean() > 0.995  # a number may fall within rounding of a boundary
    assert len(np.unique(drawn)) > 50


@pytest.mark.parametrize("precision", ["int16", "int8"])
def test_integer_sums_cannot_overflow(precision: str) -> None:
    config = WaveNetConfig("wide", 2, 2, 2, width=512, skip_width=16, n_conditioning=1)
    decoder = WaveNetDecoder(config)
    with torch.no_grad():
        for layer in decoder.layers:
            layer.dilated.weight.fill_(0.1)  # type: ignore[union-attr, operator]
            layer.residual.weight.fill_(-0.1)  # type: ignore[union-attr, operator]
    weights = pack(decoder, precision)
    for packed, block in ((weights.gate, block_of(config)), (weights.out, config.width)):
        magnitude = np.abs(packed.astype(np.int64)).reshape(-1, block // 2, UNIT_ROWS, 2).sum(axis=(1, 3))
        assert 0 < magnitude.max() * INPUT_LIMIT < 2**31


@pytest.mark.parametrize(("precision", "bound"), [("float32", 1e-5), ("bfloat16", 0.1)])
def test_the_graph_step_agrees_with_the_parallel_path(precision: str, bound: float) -> None:
    decoder = decoder_of(TINY)
    scaled, conditioning = sound_and_conditioning(TINY, 4, 50)
    found, drawn, uniform = forced(GraphGenerator(decoder, precision, "cpu"), scaled, conditioning)
    assert total_variation(found, expected_logits(decoder, scaled, conditioning)).max() < bound
    assert (classes_by_inversion(found, uniform, 1.0) == drawn).mean() > 0.98


def test_graph_and_kernels_generate_the_same_sound() -> None:
    decoder = decoder_of(PAIRS)
    _, conditioning = sound_and_conditioning(PAIRS, 3, 32)
    graph = generate(GraphGenerator(decoder, "float32", "cpu"), conditioning, seed=2)
    kernels = generate(decoder, conditioning, seed=2, precision="float32")
    assert (graph == kernels).mean() > 0.5  # a draw within rounding of a boundary leads elsewhere from then on


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("precision", ["float32", "float16"])
def test_the_captured_graph_agrees_with_the_parallel_path(precision: str) -> None:
    decoder = decoder_of(TINY)
    scaled, conditioning = sound_and_conditioning(TINY, 4, 50)
    found, _, _ = forced(GraphGenerator(decoder, precision), scaled, conditioning)
    distance = total_variation(found, expected_logits(decoder, scaled, conditioning))
    assert distance.max() < (1e-4 if precision == "float32" else 1e-2)


@pytest.fixture
def lone_member() -> Iterator[tuple[threading.Thread, np.ndarray]]:
    """One of two threads of a team, waiting for the other."""
    generator = Generator(decoder_of(TINY), "float32", 2)
    state = new_state(TINY, "float32", 1)
    frame = generator.conditioning.frame(np.zeros((1, TINY.n_conditioning), np.float32))
    given, chosen, logits = np.zeros((4, 1), np.int16), np.zeros((4, 1), np.int16), np.zeros((0, 1, 256), np.float32)
    arguments = (generator.weights, state, frame, 0, 2, 0, given, np.zeros((4, 1)), np.float32(1.0), chosen, logits)
    thread = threading.Thread(target=advance, args=arguments, daemon=True)
    thread.start()
    yield thread, state.sync
    stop(state.sync)
    thread.join()


def test_a_team_that_will_not_be_complete_can_be_stopped(lone_member: tuple[threading.Thread, np.ndarray]) -> None:
    thread, sync = lone_member
    thread.join(0.2)
    assert thread.is_alive()
    stop(sync)
    thread.join(60.0)
    assert not thread.is_alive()


def test_an_interruption_ends_the_threads() -> None:
    decoder = decoder_of(TINY)
    _, conditioning = sound_and_conditioning(TINY, 2, 40)

    def interrupt(_: int) -> None:
        raise KeyboardInterrupt

    before = threading.active_count()
    with pytest.raises(KeyboardInterrupt):
        generate(decoder, conditioning, seed=1, n_threads=2, progress=interrupt)
    assert threading.active_count() == before


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"conditioning": torch.zeros(2, 3, 4)}, r"shape is \[2, 3, 4\].*\[batch, frames, 5\]"),
        ({"conditioning": torch.full((1, 2, 5), torch.nan)}, "not finite"),
        ({"seed": -1}, "seed is -1"),
        ({"temperature": 0.0}, "temperature is 0.0"),
        ({"precision": "int4"}, "int4.*float32, int16, int8"),
        ({"n_samples": 17}, "last 16 samples; 17"),
        ({"n_threads": 0}, "0 threads"),
        ({"conditioning": torch.zeros(0, 2, 5)}, "batch of 0"),
    ],
)
def test_bad_arguments_are_named(change: dict[str, object], message: str) -> None:
    arguments: dict[str, object] = {"conditioning": torch.zeros(1, 2, 5), "seed": 1} | change
    with pytest.raises(TetradError, match=message):
        generate(decoder_of(TINY), **arguments)  # type: ignore[arg-type]


def test_a_network_that_cannot_be_packed_is_refused() -> None:
    with pytest.raises(TetradError, match=r"width 24.*multiple of 16"):
        Generator(WaveNetDecoder(WaveNetConfig("odd", 2, 2, 2, width=24, skip_width=16)))
    decoder = decoder_of(TINY)
    with torch.no_grad():
        decoder.out.weight[0, 0] = torch.nan
    with pytest.raises(TetradError, match=r"out\.weight.*not finite"):
        Generator(decoder)


def test_logits_that_are_not_finite_are_reported() -> None:
    decoder = decoder_of(TINY)
    with torch.no_grad():
        decoder.logits.weight.fill_(3e38)
    for generator in (Generator(decoder, "float32", 1), GraphGenerator(decoder, "float32", "cpu")):
        with pytest.raises(TetradError, match="not finite"):
            generate(generator, torch.zeros(1, 1, 5), seed=1)


def test_a_batch_beyond_the_memory_names_a_smaller_one() -> None:
    with pytest.raises(TetradError, match=r"batch of 10000000 streams.*lower the batch to \d+"):
        Generator(decoder_of(TINY), "int16", 1).start(10_000_000)
