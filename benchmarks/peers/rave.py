"""A RAVE decoder of published size as a synthesizer: one stream of latents is one voice, all voices in one batch."""

import importlib.util

from benchmarks.peers.peer import PeerError

CONFIGS = ("v1", "v2")


class Rave:
    """A peer (benchmarks.peers.peer.Peer) on one thread of torch. It has no notes: a voice sounds all the time."""

    def __init__(self, config: str) -> None:
        self._config = config

    def open(self) -> None:
        if importlib.util.find_spec("torch") is None:
            raise PeerError("torch is missing; RAVE's decoder needs it; run `make models`.")
        import torch

        from benchmarks.peers import rave_decoder

        torch.set_num_threads(1)
        torch.manual_seed(0)
        config = {"v1": rave_decoder.V1, "v2": rave_decoder.V2}[self._config]
        self.rate_hz, self.block = rave_decoder.RATE_HZ, config.block
        self._torch = torch
        self._decoder = rave_decoder.Decoder(config).eval()
        self.n_weights = rave_decoder.n_weights(self._decoder)
        self._n_latents = rave_decoder.N_LATENTS
        self.hold(1)
        self.render()

    def hold(self, n_voices: int) -> None:
        self._latents = self._torch.randn(n_voices, self._n_latents, 1)
        with self._torch.inference_mode():
            for _ in range(3):  # the first runs of a shape choose their kernels
                self._sound = self._decoder(self._latents)

    def onsets_ms(self, n_trials: int) -> list[float]:
        raise PeerError(f"RAVE has no keys to time {n_trials} of; its delay is a block of sound at least.")

    def render(self) -> None:
        with self._torch.inference_mode():
            self._sound = self._decoder(self._latents)

    def peak(self) -> float:
        return float(self._sound.abs().max())
