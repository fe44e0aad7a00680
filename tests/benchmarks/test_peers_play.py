"""The peers themselves, each for a moment, where they are installed."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from benchmarks.peers import fluidsynth, zynaddsubfx
from benchmarks.peers.__main__ import main
from benchmarks.peers.host import Host
from benchmarks.peers.peer import PeerError
from benchmarks.peers.rave_decoder import V1, V2, Config, Decoder, n_weights
from benchmarks.peers.tetrad import Tetrad

ROOT = Path(__file__).resolve().parents[2]
needs_fluidsynth = pytest.mark.skipif(
    not fluidsynth.FONT.is_file(), reason=f"{fluidsynth.FONT} is missing; install {' '.join(fluidsynth.PACKAGES)}"
)
needs_zynaddsubfx = pytest.mark.skipif(
    not (zynaddsubfx.PLUGIN.is_file() and zynaddsubfx.BANK.is_dir()),
    reason=f"{zynaddsubfx.PLUGIN} is missing; install {' '.join(zynaddsubfx.PACKAGES)}",
)


@needs_fluidsynth
def test_fluidsynth_holds_its_notes() -> None:
    peer = fluidsynth.FluidSynth()
    peer.open()
    peer.hold(16)
    assert 16 <= peer.active_voices() <= 32
    peer.hold(4)
    assert 4 <= peer.active_voices() <= 8
    assert peer.peak() > 0.01


def test_fluidsynth_without_a_font_is_said(tmp_path: Path) -> None:
    with pytest.raises(PeerError, match=r"nothing\.sf2 is missing; install fluidsynth"):
        fluidsynth.FluidSynth(tmp_path / "nothing.sf2").open()


@needs_zynaddsubfx
@pytest.mark.long
def test_zynaddsubfx_plays_through_its_process() -> None:
    with Host("zynaddsubfx") as host:
        (onset_ms,) = host.ask("onsets", trials=1)["onsets_ms"]
        assert 0.0 < onset_ms < 100.0
        host.ask("hold", voices=8)
        assert host.ask("share", seconds=0.1)["share"] > 0.0
        memory = host.ask("memory")
        assert 5.0 < memory["added_mb"] < memory["memory_mb"] < 500.0
        with pytest.raises(PeerError, match="sing is no question"):
            host.ask("sing")


def test_tetrad_holds_its_notes_and_ends_them() -> None:
    peer = Tetrad()
    peer.open()
    for n_voices in (16, 2, 4):
        peer.hold(n_voices)  # raises when another number sounds
        assert peer.peak() > 1e-3


def test_a_stream_of_blocks_is_the_whole() -> None:
    torch.manual_seed(1)
    small = Config("small", 2, (2, 4, 4, 4), ((1, 3), (1, 3, 9), (1, 3), (1,)), 3, 3, 1, noise=False)
    decoder = Decoder(small).eval()
    latents = torch.randn(2, 128, 6)
    with torch.inference_mode():
        whole = decoder(latents)
        again = Decoder(small).eval()
        again.load_state_dict(decoder.state_dict())
        parts = torch.cat([again(latents[:, :, i : i + 1]) for i in range(6)], dim=1)
    assert whole.shape == (2, 6 * small.block)
    assert float(whole.abs().max()) > 0.0
    torch.testing.assert_close(parts, whole)


def test_the_decoders_have_the_published_sizes() -> None:
    with torch.device("meta"):
        assert n_weights(Decoder(V1)) == pytest.approx(12.8e6, rel=0.01)
        assert n_weights(Decoder(V2)) == pytest.approx(15.6e6, rel=0.01)
    assert V1.block == V2.block == 2048


def test_v1_has_noise_of_its_own() -> None:
    tiny = Config("tiny", 2, (4, 4, 4, 2), ((1,),) * 4, 3, 7, 3, noise=True)
    with torch.inference_mode():
        decoder = Decoder(tiny).eval()
        silence = decoder(torch.zeros(1, 128, 1))
    assert silence.shape == (1, 2048)
    assert float(silence.abs().max()) > 0.0


def test_an_unknown_peer_says_which_there_are() -> None:
    with pytest.raises(PeerError, match="nobody is no peer; expected one of tetrad, fluidsynth"):
        Host("nobody")


@needs_fluidsynth
@pytest.mark.long
def test_the_command_prints_json_and_writes_tables(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "benchmarks.peers", "--peers", "fluidsynth", "--rounds", "1", "--seconds", "0.1"]
    command += ["--onsets", "2", "--starts", "1", "--no-install", "--json", "--markdown", str(tmp_path / "table.md")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    peer = report["peers"]["fluidsynth"]
    assert peer["missing"] == {} or set(peer["missing"]) <= {"start", "size of fluidsynth"}
    assert {count: len(shares) for count, shares in peer["shares"].items()} == {"1": 1, "16": 1, "64": 1}
    assert report["conditions"]["core"] in os.sched_getaffinity(0)
    assert "| FluidSynth |" in (tmp_path / "table.md").read_text(encoding="utf-8").splitlines()[0]


@pytest.mark.parametrize(
    ("words", "why"), [(["--rounds", "0"], "more than 0"), (["--core", "9999"], "--core 9999 is none")]
)
def test_wrong_numbers_are_refused(words: list[str], why: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as wrong:
        main(words)
    assert wrong.value.code == 2
    assert why in capsys.readouterr().err
