"""The patches that come with Tetrad: whole, different, playable with what ships, and each complete."""

import json

import pytest

from synth.control.corners import Corner, weights
from synth.control.parameters import INDEX
from synth.control.patch import Patch, lacking, patch_bytes, read_document, read_patch
from synth.control.patch_bank import PatchBank, shipped_patches_dir
from synth.control.patch_resolve import resolve
from synth.instruments.format import read_header
from synth.instruments.library import Library
from synth.paths import shipped_instruments_dir

PATHS = sorted(shipped_patches_dir().glob("*.json"))
FAMILIES = {name: read_header(path)["family"] for name, path in Library((shipped_instruments_dir(),)).paths().items()}


def patches() -> list[Patch]:
    return [read_patch(path) for path in PATHS]


def test_there_are_enough_of_them_and_each_is_another() -> None:
    assert len(PATHS) >= 24
    assert len({patch.name.casefold() for patch in patches()}) == len(PATHS)
    assert len({(frozenset(patch.corners), patch.values) for patch in patches()}) == len(PATHS)


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_it_is_whole(path: object) -> None:
    document = read_document(str(path))
    patch = Patch.from_json(document)
    assert lacking(document) == ()
    assert list(json.loads(patch_bytes(patch))["parameters"]) == list(INDEX)
    assert resolve(patch, FAMILIES).warnings == ()
    assert None not in patch.corners
    assert len(set(patch.corners)) == len(Corner)
    assert patch.author
    assert patch.tags
    # The surface is worth touching: at the patch's place two corners at least are heard.
    assert sorted(weights(patch.value("x"), patch.value("y")))[-2] > 0.04
    # A full chord of ten keys stays within the 64 voices.
    assert patch.value("unison") * 10 <= 64


def test_every_shipped_instrument_is_in_one() -> None:
    assert {name for patch in patches() for name in patch.corners} == set(FAMILIES)


def test_the_bank_has_them_in_their_order(tmp_path: object) -> None:
    bank = PatchBank(tmp_path)  # type: ignore[arg-type]
    assert bank.warnings == ()
    assert [entry.number for entry in bank.entries()] == list(range(len(PATHS)))
    assert [entry.path for entry in bank.entries()] == PATHS
    assert all(entry.shipped for entry in bank.entries())
