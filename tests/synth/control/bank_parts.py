"""What the tests of the patch bank have in common."""

from pathlib import Path

from synth.control.patch import Patch, write_patch
from synth.control.patch_bank import PatchBank


def make_bank(folder: Path) -> PatchBank:
    """A bank of the player's in `folder/own`, with two patches that come with Tetrad: numbers 0 and 1."""
    shipped = folder / "shipped"
    shipped.mkdir()
    write_patch(shipped / "000-glass.json", Patch(name="Glass", tags=("bells",)))
    write_patch(shipped / "001-wood.json", Patch(name="Wood", corners=("marimba", "harp", "kalimba", None)))
    return PatchBank(folder / "own", shipped)


def reopened(bank: PatchBank) -> PatchBank:
    """The bank as the next start finds it."""
    return PatchBank(bank.folder, bank.folder.parent / "shipped")


def table(bank: PatchBank) -> list[tuple[int, str]]:
    return [(entry.number, entry.name) for entry in bank.entries()]


def contents(bank: PatchBank) -> list[tuple[int, Patch]]:
    return [(entry.number, entry.patch) for entry in bank.entries()]


def edited(name: str, reverb: float = 0.9) -> Patch:
    return Patch(name=name).with_values({"reverb": reverb})
