"""An NSynth autoencoder of the published structure, small enough to be computed and kept in no time."""

from models.nsynth import NSynthConfig
from models.wavenet import WaveNetConfig

TINY = NSynthConfig(
    WaveNetConfig("tiny", n_layers=6, n_stages=3, filter_length=3, width=6, skip_width=5, n_conditioning=4, hop=8),
    name="tiny",
    n_layers=6,
    n_stages=3,
    width=5,
)
