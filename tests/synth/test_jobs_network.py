"""Dask workers in network namespaces of their own, that reach the scheduler over a bridge: two machines, as it were."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.synth import job_work
from tests.synth.dask_cluster import ROOT, Cluster

pytestmark = pytest.mark.slow
NETWORK = f"10.213.{os.getpid() % 250 + 1}"
"""/24; the scheduler's machine is .1."""


def ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True)


@pytest.fixture
def machines() -> Iterator[list[str]]:
    """Names of three namespaces on one bridge, which have the addresses .1, .2 and .3."""
    if shutil.which("ip") is None:
        pytest.skip("network namespaces need the program ip (Debian package iproute2)")
    tag = f"tj{os.getpid() % 100_000}"
    names = [f"{tag}n{i}" for i in range(3)]
    try:
        try:
            ip("netns", "add", f"{tag}b")
            ip("-n", f"{tag}b", "link", "add", "bridge", "type", "bridge")
        except subprocess.CalledProcessError as error:
            pytest.skip(f"network namespaces are not allowed here: {error.stderr.decode().strip()}")
        ip("-n", f"{tag}b", "link", "set", "bridge", "up")
        for i, name in enumerate(names):
            ip("netns", "add", name)
            ip("-n", f"{tag}b", "link", "add", f"port{i}", "type", "veth", "peer", "name", "eth0", "netns", name)
            ip("-n", f"{tag}b", "link", "set", f"port{i}", "master", "bridge", "up")
            ip("-n", name, "address", "add", f"{NETWORK}.{i + 1}/24", "dev", "eth0")
            for device in ("eth0", "lo"):
                ip("-n", name, "link", "set", device, "up")
        yield names
    finally:
        for name in (*names, f"{tag}b"):
            subprocess.run(["ip", "netns", "delete", name], capture_output=True, check=False)


PROGRAM = """
import sys
from pathlib import Path
from synth.jobs import run_jobs
from tests.synth import job_work
tasks = (job_work.Task(i, Path(sys.argv[2]), 0.2) for i in range(100))
run_jobs(job_work.note_run, tasks, dask=sys.argv[1], on_result=lambda i, pid: print(i, pid, flush=True))
"""


@pytest.mark.long
def test_work_goes_on_when_one_of_two_machines_is_cut_off(machines: list[str], tmp_path: Path) -> None:
    """The client and the scheduler on the first, a worker on each of the others; then the third loses its cable."""
    log = tmp_path / "log"
    log.mkdir()
    inside = [["ip", "netns", "exec", name] for name in machines]
    # Instead of 30 s, after which Dask gives up a connection without an answer.
    impatient = {"DASK_DISTRIBUTED__COMM__TIMEOUTS__TCP": "12s"}
    dask = Cluster(tmp_path, prefix=inside[0], host=f"{NETWORK}.1", environment=impatient)
    try:
        for i in (1, 2):
            dask.start_worker("--host", f"{NETWORK}.{i + 1}", prefix=inside[i], environment=impatient)
        client = subprocess.Popen(
            [*inside[0], sys.executable, "-c", PROGRAM, dask.address, str(log)],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT), **impatient},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert client.stdout is not None
        results: dict[int, int] = {}
        before_cut = 0
        for line in client.stdout:
            index, pid = map(int, line.split())
            assert index not in results
            results[index] = pid
            if not before_cut and len(set(results.values())) == 2:
                before_cut = len(results)
                ip("-n", machines[2], "link", "set", "eth0", "down")
        _, errors = client.communicate(timeout=120)
        assert client.returncode == 0, errors
        assert errors == ""
    finally:
        dask.close()
    assert sorted(results) == list(range(100))
    assert 0 < before_cut < 100
    assert all(job_work.runs(log).count(index) == 1 for index in list(results)[:before_cut])
