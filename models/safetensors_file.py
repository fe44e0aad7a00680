"""Reading safetensors that say what they are: a format and its version in the metadata, as our files do."""

from __future__ import annotations

import json
import struct
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from torch import Tensor

from synth.errors import TetradError


def read_safetensors(path: Path, file_format: str, version: int) -> tuple[dict[str, Tensor], dict[str, str]]:
    """The tensors and the metadata of a file; one of another format or version is a TetradError that says both."""
    try:
        if path.exists() and not path.is_file():  # opening a pipe that nobody writes to would wait for ever
            raise ValueError("not an ordinary file")
        content = path.read_bytes()
        tensors = load_tensors(content)
        (header_size,) = struct.unpack("<Q", content[:8])
        metadata: dict[str, str] = json.loads(content[8 : 8 + header_size]).get("__metadata__", {})
    except (OSError, SafetensorError, struct.error, ValueError) as error:
        raise TetradError(
            f"{path} can't be read ({error}); {file_format} version {version} in a safetensors file was expected; "
            "make it again or fetch it again"
        ) from error
    found = metadata.get("format"), metadata.get("version")
    if found != (file_format, str(version)):
        raise TetradError(
            f"{path} is {found[0]} version {found[1]}; {file_format} version {version} was expected; name another file"
        )
    return tensors, metadata
