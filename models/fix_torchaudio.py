"""Make torchaudio import beside a CPU build of torch. Run by the Makefile after it has installed both.

torchaudio 2.11.0 is the newest there is. Its wheel on PyPI holds two shared objects in `torchaudio/lib`, linked
to CUDA; beside a torch without CUDA loading them fails (`libc10_cuda.so: cannot open shared object file`) and takes
the whole import with it. We use its Python parts alone (`functional.resample`, `transforms.MelSpectrogram`,
mu-law), and `import torchaudio` loads the objects only when they are there. So: torch without CUDA -> the folder is
renamed to `lib.cuda`; torch with CUDA -> it is renamed back. Does nothing when all is well; can be run at any time:

    python -m models.fix_torchaudio
"""

import importlib.util
import sys
from pathlib import Path


def fix(package_dir: Path, torch_has_cuda: bool) -> str:
    """Rename `package_dir/lib` as the docstring above says, and say in a sentence what was done.

    `package_dir`: torchaudio's folder in site-packages.
    """
    active, aside = package_dir / "lib", package_dir / "lib.cuda"
    if not torch_has_cuda and active.is_dir() and _links_cuda(active):
        active.rename(aside)
        return f"torch is a CPU build: moved torchaudio's CUDA objects to {aside.name}, its Python parts work"
    if torch_has_cuda and aside.is_dir() and not active.exists():
        aside.rename(active)
        return f"torch has CUDA: moved torchaudio's CUDA objects back to {active.name}"
    return "torchaudio fits torch as it is"


def _links_cuda(library_dir: Path) -> bool:
    """Whether a shared object in the folder names CUDA's libraries (their names stand as text in its ELF header)."""
    return any(
        name in library.read_bytes() for library in library_dir.glob("*.so") for name in (b"libc10_cuda", b"libcudart")
    )


def main() -> int:
    """Fix the torchaudio of the running Python. Exit status 1 when torch or torchaudio is missing."""
    spec = importlib.util.find_spec("torchaudio")
    if spec is None or spec.origin is None or importlib.util.find_spec("torch") is None:
        print("torch and torchaudio are not both installed; run `make models`", file=sys.stderr)
        return 1
    import torch

    print(fix(Path(spec.origin).parent, torch.version.cuda is not None))
    return 0


if __name__ == "__main__":
    sys.exit(main())
