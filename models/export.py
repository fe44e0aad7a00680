"""Write the ONNX encoder and decoder of a checkpoint, and refuse when they compute something else than torch does."""

from __future__ import annotations

import argparse
import hashlib
import json
import logging
from pathlib import Path

import numpy as np
import onnx
import torch

from models.autoencoder import Z_WINDOW, Autoencoder, HarmonicDecoder
from models.checkpoint import load_model, model_id
from synth.errors import TetradError
from synth.files import atomic_write_bytes
from synth.frames import EMBEDDING_HOP, Z_DIM
from synth.instruments.encoder import Encoder
from synth.onnx import VERSION
from synth.paths import pretrained_dir
from synth.voices.decoder import Decoder

OPSET = 18
TOLERANCE = 1e-4
"""Largest difference between ONNX Runtime and torch, relative to the largest magnitude of the output."""


def export(checkpoint: Path, directory: Path) -> dict[str, object]:
    """Write `encoder.onnx`, `decoder.onnx` and `model.json` into `directory`; nothing is replaced unless all agree.

    Returns the content of `model.json`: model_id, configuration, training steps and the differences that were measured.
    """
    model, metadata = load_model(checkpoint)
    identity = model_id(model)
    directory.mkdir(parents=True, exist_ok=True)
    pair = {"encoder": _encoder_graph(model), "decoder": _decoder_graph(model)}
    staged: dict[str, bytes] = {}
    difference: dict[str, float] = {}
    for kind, graph in pair.items():
        for key, value in (("tetrad_kind", kind), ("tetrad_version", VERSION), ("tetrad_model_id", identity)):
            graph.metadata_props.add(key=key, value=value)
        staged[kind] = graph.SerializeToString()
        temporary = directory / f".{kind}.unchecked.onnx"
        atomic_write_bytes(temporary, staged[kind])
        try:
            difference[kind] = (
                _encoder_difference(model, temporary) if kind == "encoder" else _decoder_difference(model, temporary)
            )
        finally:
            temporary.unlink()
        if not difference[kind] <= TOLERANCE:
            raise TetradError(
                f"the exported {kind} differs from torch by {difference[kind]:.2e} of its range; at most "
                f"{TOLERANCE:.0e} was expected; nothing was written; report the versions of torch and onnxruntime"
            )
    for kind, content in staged.items():
        atomic_write_bytes(directory / f"{kind}.onnx", content)
    summary: dict[str, object] = {
        "format": "tetrad-model",
        "version": 1,
        "model_id": identity,
        "config": model.config.to_dict(),
        "step": int(metadata["step"]),
        "training_minutes": round(float(metadata["seconds"]) / 60.0, 2),
        "onnx_difference": difference,
        "sha256": {kind: hashlib.sha256(content).hexdigest() for kind, content in staged.items()},
    }
    atomic_write_bytes(directory / "model.json", (json.dumps(summary, indent=2) + "\n").encode())
    return summary


def _graph(module: torch.nn.Module, inputs: tuple[torch.Tensor, ...], names: list[str], out: str) -> onnx.ModelProto:
    # It warns at each export that torchvision, which nothing here uses, is not installed.
    logging.getLogger("torch.onnx._internal.exporter._registration").setLevel(logging.ERROR)
    batch, samples = torch.export.Dim.DYNAMIC, torch.export.Dim.DYNAMIC
    shapes = tuple({0: batch, 1: samples} if name == "wave" else {0: batch} for name in names)
    program = torch.onnx.export(
        module.eval(),
        inputs,
        input_names=names,
        output_names=[out],
        dynamic_shapes=shapes,
        opset_version=OPSET,
        dynamo=True,
        verbose=False,
    )
    assert program is not None
    graph = program.model_proto
    for node in graph.graph.node:  # stack traces, with the paths of whoever's machine this is
        del node.metadata_props[:]
        node.doc_string = ""
    onnx.checker.check_model(graph)
    return graph


def _encoder_graph(model: Autoencoder) -> onnx.ModelProto:
    inputs = (torch.zeros(2, 8 * EMBEDDING_HOP), torch.full((2,), 220.0), torch.zeros(2))
    return _graph(model.encoder, inputs, ["wave", "f0_hz", "inharmonicity"], "z")


class _Core(torch.nn.Module):
    """The part of the harmonic decoder that has weights, as a module of its own."""

    def __init__(self, decoder: HarmonicDecoder) -> None:
        super().__init__()
        self.decoder = decoder

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        return self.decoder.core(features)


def _decoder_graph(model: Autoencoder) -> onnx.ModelProto:
    return _graph(_Core(model.decoder), (torch.zeros(2, model.decoder.n_features),), ["features"], "out")


def _encoder_difference(model: Autoencoder, path: Path) -> float:
    rng = np.random.default_rng(0)
    encoder, worst = Encoder(path), 0.0
    for n_embeddings in (1, 7, 125):
        n = n_embeddings * EMBEDDING_HOP
        tone = np.sin(np.arange(n) * rng.uniform(0.02, 1.0)) * np.exp(-np.arange(n) / 16000.0)
        for level in (0.3, 0.01, 0.0):  # silence too: the log of nothing is where graphs go wrong
            wave = (level * (tone + 0.03 * rng.standard_normal(n))).astype(np.float32)
            f0_hz, inharmonicity = float(rng.uniform(30.0, 3000.0)), float(rng.uniform(0.0, 1e-3))
            with torch.no_grad():
                numbers = torch.tensor([f0_hz]), torch.tensor([inharmonicity])
                expected = model.encoder(torch.from_numpy(wave)[None], *numbers)[0].numpy()
            worst = _worse(worst, _relative(encoder.run(wave, f0_hz, inharmonicity), expected))
    return worst


def _decoder_difference(model: Autoencoder, path: Path) -> float:
    rng = np.random.default_rng(0)
    decoder, worst = Decoder(path), 0.0
    for n_voices in (1, 3, 64):
        z = rng.standard_normal((n_voices, Z_WINDOW * Z_DIM)).astype(np.float32)
        pitch = rng.uniform(0.0, 127.0, n_voices).astype(np.float32)
        velocity = rng.uniform(1.0, 127.0, n_voices).astype(np.float32)
        with torch.no_grad():
            expected = model.decoder(*(torch.from_numpy(a) for a in (z, pitch, velocity))).numpy()
        worst = _worse(worst, _relative(decoder.run(z, pitch, velocity), expected))
    return worst


def _worse(one: float, other: float) -> float:
    """The larger; NaN, which max() may lose, is the worst."""
    return other if np.isnan(other) or other > one else one


def _relative(found: np.ndarray, expected: np.ndarray) -> float:
    return float(np.abs(found - expected).max() / np.abs(expected).max())


class ExportCommand:
    """`tetrad model export`"""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("checkpoint", type=Path, nargs="?", default=pretrained_dir() / "checkpoint.safetensors")
        parser.add_argument("--out", type=Path, default=pretrained_dir(), help="directory of the pair")

    def run(self, args: argparse.Namespace) -> int:
        summary = export(args.checkpoint, args.out)
        difference = summary["onnx_difference"]
        print(f"wrote {args.out}/encoder.onnx and decoder.onnx, model {summary['model_id']}, difference {difference}")
        return 0
