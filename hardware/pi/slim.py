"""Makes an installation small: what no player runs goes, and of libraries what no loader reads.

    python hardware/pi/slim.py FOLDER      a site-packages; prints how many MB went

Wheels carry tests, and libraries with symbol tables and debugging information: 50 of Kivy's 74 MB, 23 of llvmlite's
168. Those lie behind all that is mapped into memory, so a library may end there. pip and what builds go as well, 24 MB:
`install.sh` brings them back for an update. Running it again changes nothing.
"""

import shutil
import struct
import sys
from pathlib import Path

NEVER_RUN = (
    "numba/tests",
    "numpy/**/tests",
    "kivy/include",
    "kivy/tests",
    "kivy/tools",
    "onnxruntime/datasets",
    "onnxruntime/quantization",
    "onnxruntime/tools",
    "onnxruntime/transformers",
)
"""Folders of packages, none of which imports them by itself."""
INSTALLERS = ("pip", "setuptools", "wheel")
OF_SETUPTOOLS = ("pkg_resources", "_distutils_hack", "distutils-precedence.pth")
_LOAD = 1
_HEADER = struct.Struct("<16sHHIQQQIHHHHHH")
_SEGMENT = struct.Struct("<IIQQQQQQ")


def loaded_length(library: bytes) -> int | None:
    """How many bytes of an ELF file for 64 bits, little-endian, its segments reach; None where it is something else."""
    if len(library) < _HEADER.size or library[:6] != b"\x7fELF\x02\x01":
        return None
    header = _HEADER.unpack_from(library)
    at, size, count = header[5], header[9], header[10]
    if size != _SEGMENT.size or at + size * count > len(library):
        return None
    segments = [_SEGMENT.unpack_from(library, at + size * i) for i in range(count)]
    return max([at + size * count, *(offset + length for _, _, offset, _, _, length, _, _ in segments)])


def shorten(path: Path) -> int:
    """Cut a library off behind its last segment, its table of sections too; gives the bytes that went."""
    library = path.read_bytes()
    end = loaded_length(library)
    if end is None or end >= len(library):
        return 0
    header = list(_HEADER.unpack_from(library))
    header[6] = header[12] = header[13] = 0  # where the sections' table is, how long, where their names are
    shorter = path.with_name(f".{path.name}.part")
    shorter.write_bytes(_HEADER.pack(*header) + library[_HEADER.size : end])
    shutil.copymode(path, shorter)
    shorter.replace(path)  # a program that has the old one loaded keeps it
    return len(library) - end


def slim(folder: Path) -> int:
    """All of it for a site-packages; gives the bytes that went."""
    gone = 0
    installers = [pattern for name in INSTALLERS for pattern in (name, f"{name}-*.dist-info")]
    for pattern in (*NEVER_RUN, *installers, *OF_SETUPTOOLS):
        for unused in sorted(folder.glob(pattern)):
            gone += sum(path.stat().st_size for path in (unused, *unused.rglob("*")) if path.is_file())
            if unused.is_dir():
                shutil.rmtree(unused)
            else:
                unused.unlink()
    libraries = (path for path in sorted(folder.rglob("*.so*")) if path.is_file() and not path.is_symlink())
    return gone + sum(shorten(path) for path in libraries)


if __name__ == "__main__":
    print(f"{slim(Path(sys.argv[1])) / 1e6:.0f} MB of tests and debugging information were removed")
