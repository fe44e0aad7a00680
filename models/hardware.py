"""What training runs on: processor cores, one GPU, or several GPUs with one process each (torchrun)."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass

import torch
from torch import distributed

from synth.errors import TetradError


@dataclass(frozen=True)
class Hardware:
    """This process's device, and which of how many processes it is (`rank` of `world`)."""

    device: torch.device
    jobs: int
    rank: int = 0
    world: int = 1

    @staticmethod
    @contextlib.contextmanager
    def find(device: str, jobs: int) -> Iterator[Hardware]:
        """Open what `--device auto|cpu|cuda` asks for; under torchrun, join the other processes until the end.

        Raises TetradError when `cuda` is asked for and there is none.
        """
        if device == "cuda" and not torch.cuda.is_available():
            raise TetradError("there is no CUDA device that torch can use; one was asked for; name --device cpu")
        on_gpu = device != "cpu" and torch.cuda.is_available()
        local = int(os.environ.get("LOCAL_RANK", "0"))
        chosen = torch.device("cuda", local) if on_gpu else torch.device("cpu")
        if on_gpu:
            torch.cuda.set_device(chosen)
            torch.backends.cuda.matmul.allow_tf32 = True
            torch.backends.cudnn.allow_tf32 = True
        if "WORLD_SIZE" not in os.environ:
            yield Hardware(chosen, jobs)
            return
        distributed.init_process_group("nccl" if on_gpu else "gloo")
        try:
            yield Hardware(chosen, jobs, distributed.get_rank(), distributed.get_world_size())
        finally:
            distributed.destroy_process_group()

    @property
    def is_first(self) -> bool:
        """The process that measures, logs and saves."""
        return self.rank == 0

    def wait_for_all(self) -> None:
        if self.world > 1:
            distributed.barrier()

    def agree(self, seconds: float) -> float:
        """The first process's clock, so that all see the same learning rate and stop at the same step."""
        if self.world == 1:
            return seconds
        shared = torch.tensor([seconds], dtype=torch.float64, device=self.device)
        distributed.broadcast(shared, src=0)
        return float(shared)

    def autocast(self) -> AbstractContextManager[object]:
        """bfloat16 products on a GPU; float32 on processors, few of which multiply bfloat16."""
        return torch.autocast("cuda", dtype=torch.bfloat16) if self.device.type == "cuda" else contextlib.nullcontext()


@contextlib.contextmanager
def out_of_memory_in_words(batch_size: int) -> Iterator[None]:
    """Say which setting to lower when the GPU's memory is full."""
    try:
        yield
    except torch.OutOfMemoryError as error:
        raise TetradError(
            f"the GPU's memory is full with {batch_size} notes a step; the set and one step were expected to fit; "
            "lower --batch-size or --wavenet-batch"
        ) from error
