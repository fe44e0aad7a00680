"""Measure speed and fidelity on this machine."""

from collections.abc import Mapping
from typing import ClassVar

from synth.command import Group


class BenchCommand(Group):
    """`tetrad bench ...`"""

    entry_point_group = "tetrad.bench"

    commands: ClassVar[Mapping[str, str]] = {
        "engine": "synth.bench:BenchEngineCommand",
        "latency": "synth.bench_latency:BenchLatencyCommand",
        "import": "synth.instruments.bench_import:BenchImportCommand",
    }
