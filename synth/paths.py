"""Where things lie: the player's own data, the shipped instruments, the shipped networks."""

import os
from pathlib import Path

import platformdirs

_SYNTH_DIR = Path(__file__).resolve().parent


def user_data_dir() -> Path:
    """The player's own data; `TETRAD_HOME` in the environment overrides the platform's place. May not exist yet."""
    override = os.environ.get("TETRAD_HOME")
    return Path(override) if override else platformdirs.user_data_path("tetrad", appauthor=False)


def user_instruments_dir() -> Path:
    """Where `tetrad instruments add` puts instruments. May not exist yet."""
    return user_data_dir() / "instruments"


def shipped_instruments_dir() -> Path:
    """Instruments that come with Tetrad, read-only."""
    return _SYNTH_DIR / "instruments" / "shipped"


def pretrained_dir() -> Path:
    """The trained networks (ONNX pair, checkpoint, model.json), read-only.

    They belong to `models`, which `synth` must not import; both are packages of one distribution and therefore lie
    side by side, in the checkout as in site-packages.
    """
    return _SYNTH_DIR.parent / "models" / "pretrained"


def model_dir() -> Path:
    """The ONNX pair that plays and encodes: `TETRAD_MODEL` in the environment, or the shipped one."""
    override = os.environ.get("TETRAD_MODEL")
    return Path(override) if override else pretrained_dir()
