"""The bank: numbers, names, the trash, import and export."""

import itertools
import random
from pathlib import Path

import pytest

from synth.control.patch import Patch, patch_bytes, read_patch, write_patch
from synth.control.patch_bank import PatchBank
from synth.errors import TetradError
from tests.synth.control.bank_parts import contents, edited, make_bank, reopened, table
from tests.synth.control.test_patch import random_patch


@pytest.fixture
def bank(tmp_path: Path) -> PatchBank:
    return make_bank(tmp_path)


@pytest.fixture
def shipped(bank: PatchBank) -> Path:
    return bank.folder.parent / "shipped"


def test_a_saved_patch_is_there_after_a_restart(bank: PatchBank) -> None:
    patch = edited("Mine")
    entry = bank.save(patch)
    assert (entry.number, entry.shipped, entry.path.name) == (2, False, "mine.json")
    for seen in (bank, reopened(bank)):
        assert seen.named("mine").patch == patch
        assert seen.at(2) == seen.find("MINE")
        assert (seen.at(3), seen.find("other")) == (None, None)
        assert table(seen) == [(0, "Glass"), (1, "Wood"), (2, "Mine")]
        assert seen.warnings == ()


def test_an_unknown_name_offers_the_nearest(bank: PatchBank) -> None:
    with pytest.raises(TetradError, match=r"no patch is called 'Glas'; .* did you mean Glass\?"):
        bank.named("Glas")
    with pytest.raises(TetradError, match="`patches` lists all"):
        bank.named("zzzzzz")


def test_a_number_can_be_wished_for(bank: PatchBank) -> None:
    bank.save(edited("Mine"), 0)
    assert table(bank) == [(0, "Mine"), (1, "Wood"), (2, "Glass")]
    bank.save(edited("Far"), 16_383)
    bank.move("Wood", 0)
    assert table(reopened(bank)) == [(0, "Wood"), (1, "Mine"), (2, "Glass"), (16_383, "Far")]
    with pytest.raises(TetradError, match="patch number 16384"):
        bank.save(edited("Too far"), 16_384)
    assert bank.find("Too far") is None
    assert not (bank.folder / "too-far.json").exists()


def test_a_thousand_patches_keep_their_numbers(bank: PatchBank) -> None:
    for number in range(1000):
        (bank.folder / f"{number:04d}.json").write_bytes(patch_bytes(edited(f"Patch {number}")))
    assert table(reopened(bank))[2:] == [(number + 2, f"Patch {number}") for number in range(1000)]
    (bank.folder / "0500.json").unlink()
    assert reopened(bank).named("Patch 501").number == 503  # the gap stays: its file may come back


def test_numbers_of_a_new_version_s_patches_come_after_the_player_s(bank: PatchBank, shipped: Path) -> None:
    bank.save(edited("Mine"))
    write_patch(shipped / "000-a-new-one.json", Patch(name="Brass"))
    assert table(reopened(bank)) == [(0, "Glass"), (1, "Wood"), (2, "Mine"), (3, "Brass")]


def test_names_that_make_the_same_file_name(bank: PatchBank) -> None:
    names = ["Mine!", "Mine?", "mine / 1", "../../etc/passwd", "...", "名前", "x" * 64, "ä" * 64, "CON", ".numbers"]
    for name in names:
        bank.save(edited(name))
    again = reopened(bank)
    assert [entry.name for entry in again.entries()][2:] == names
    assert {entry.path.parent for entry in again.entries()[2:]} == {bank.folder}
    assert sorted(p.name for p in bank.folder.parent.iterdir()) == ["own", "shipped"]


def test_the_player_s_patch_stands_in_a_shipped_one_s_place(bank: PatchBank, shipped: Path) -> None:
    before = {path: path.read_bytes() for path in shipped.iterdir()}
    entry = bank.save(edited("Glass"))
    assert (entry.number, entry.shipped) == (0, False)
    assert table(bank) == [(0, "Glass"), (1, "Wood")]
    bank.remove("Glass")
    assert bank.named("Glass").shipped
    assert contents(bank)[0] == (0, Patch(name="Glass", tags=("bells",)))
    assert bank.restore().patch == edited("Glass")
    assert reopened(bank).at(0) == bank.at(0)
    assert {path: path.read_bytes() for path in shipped.iterdir()} == before


def test_shipped_patches_are_not_renamed_or_removed(bank: PatchBank) -> None:
    for change in (lambda: bank.remove("Glass"), lambda: bank.rename("Glass", "Mine")):
        with pytest.raises(TetradError, match="Glass comes with Tetrad and can't be re"):
            change()
    assert table(bank) == [(0, "Glass"), (1, "Wood")]


def test_renaming_keeps_number_and_sound(bank: PatchBank) -> None:
    bank.save(edited("Mine"), 77)
    entry = bank.rename("Mine", "Yours")
    assert (entry.number, entry.name, entry.path.name) == (77, "Yours", "yours.json")
    assert bank.rename("Yours", "YOURS").name == "YOURS"
    assert table(reopened(bank)) == [(0, "Glass"), (1, "Wood"), (77, "YOURS")]
    assert reopened(bank).named("yours").patch == edited("YOURS")
    for taken in ("glass", "Wood"):
        with pytest.raises(TetradError, match="already; a new name was expected"):
            bank.rename("Yours", taken)
    with pytest.raises(TetradError, match="printable"):
        bank.rename("Yours", "")
    assert table(bank) == [(0, "Glass"), (1, "Wood"), (77, "YOURS")]


def test_tags_and_search(bank: PatchBank) -> None:
    bank.save(Patch(name="Night Pad", author="Ada", tags=("pad", "Dark"), corners=("oboe", None, "choir", "harp")))
    bank.tag("Wood", ["pad", "pluck"])
    assert bank.tags() == ["bells", "Dark", "pad", "pluck"]
    assert [entry.name for entry in bank.entries(tag="PAD")] == ["Wood", "Night Pad"]
    assert [entry.name for entry in bank.entries("harp PAD")] == ["Wood", "Night Pad"]
    assert [entry.name for entry in bank.entries("ada oboe")] == ["Night Pad"]
    assert bank.entries("oboe", tag="pluck") == []
    wood = reopened(bank).named("Wood")
    assert (wood.shipped, wood.number, wood.patch.tags) == (False, 1, ("pad", "pluck"))


def test_what_was_removed_comes_back_after_a_restart(bank: PatchBank) -> None:
    for name in ("One", "Two", "Three"):
        bank.save(edited(name))
    before = contents(bank)
    bank.remove("Two")
    bank.remove("One")
    assert table(bank) == [(0, "Glass"), (1, "Wood"), (4, "Three")]
    again = reopened(bank)
    assert again.restore().name == "One"
    assert again.restore().name == "Two"
    assert contents(again) == before
    assert contents(reopened(again)) == before
    with pytest.raises(TetradError, match="nothing was removed"):
        again.restore()


def test_the_number_of_a_removed_patch_is_free(bank: PatchBank) -> None:
    bank.save(edited("One"))
    bank.remove("One")
    assert bank.save(edited("Two")).number == 2


def test_a_restored_patch_takes_no_number_away(bank: PatchBank) -> None:
    bank.save(edited("One"), 5)
    bank.remove("One")
    bank.save(edited("Two"), 5)
    assert bank.restore("one").number == 2
    assert table(reopened(bank)) == [(0, "Glass"), (1, "Wood"), (2, "One"), (5, "Two")]


def test_a_replaced_patch_is_kept_and_comes_back(bank: PatchBank) -> None:
    first, second = edited("Mine", 0.1), edited("Mine", 0.2)
    bank.save(first)
    bank.save(second)
    bank.save(second)  # nothing new: no copy
    assert [(found.why, found.patch) for found in bank.discarded()] == [("replaced", first)]
    assert bank.restore("Mine").patch == first
    assert bank.restore("Mine").patch == second
    assert reopened(bank).named("Mine").patch == second
    with pytest.raises(TetradError, match="no patch 'Never' in the trash"):
        bank.restore("Never")


@pytest.mark.parametrize("seed", range(10))
def test_nothing_that_was_ever_saved_is_lost(bank: PatchBank, seed: int) -> None:
    """A hundred random changes: every sound saved is in the bank or in the trash, and a restart changes nothing."""
    dice = random.Random(seed)
    values = itertools.count(1)
    saved: set[float] = set()
    for _ in range(100):
        own = [entry.name for entry in bank.entries() if not entry.shipped]
        kind = dice.randrange(6)
        if kind < 2 or not own:
            value = next(values) / 1000
            bank.save(edited(f"P{dice.randrange(12)}", value), dice.choice((None, dice.randrange(20))))
            saved.add(value)
        elif kind == 2:
            bank.remove(dice.choice(own))
        elif kind == 3:
            new = f"P{dice.randrange(12)}"
            if bank.find(new) is None:
                bank.rename(dice.choice(own), new)
        elif kind == 4:
            if bank.discarded():
                bank.restore(dice.choice(bank.discarded()).patch.name)
        else:
            bank.move(dice.choice(own), dice.randrange(20))
        numbers = [entry.number for entry in bank.entries()]
        assert len(set(numbers)) == len(numbers)
    kept = {entry.patch.value("reverb") for entry in bank.entries() if not entry.shipped}
    kept |= {found.patch.value("reverb") for found in bank.discarded()}
    assert kept == saved
    assert contents(reopened(bank)) == contents(bank)
    assert bank.warnings == reopened(bank).warnings == ()


def test_import_and_export(bank: PatchBank, tmp_path: Path) -> None:
    patch = random_patch(random.Random(5), "Mine")
    bank.save(patch)
    path = bank.export_file("Mine", tmp_path)
    assert path == tmp_path / "mine.json"
    assert read_patch(path) == patch
    with pytest.raises(TetradError, match="exists; the name of a new file was expected"):
        bank.export_file("Mine", path)
    assert bank.import_file(path).name == "Mine"  # the same sound: nothing new
    assert len(bank.entries()) == 3
    assert read_patch(bank.export_patch(edited("Not saved"), tmp_path)) == edited("Not saved")
    write_patch(path, edited("Glass"))
    assert bank.import_file(path).name == "Glass (2)"
    write_patch(path, edited("Glass", 0.2))
    assert bank.import_file(path).name == "Glass (3)"
    assert bank.named("Glass").shipped
    path.write_text("{}")
    with pytest.raises(TetradError, match="does not say"):
        bank.import_file(path)
    assert [name for _, name in table(reopened(bank))] == ["Glass", "Wood", "Mine", "Glass (2)", "Glass (3)"]


def test_a_long_name_that_is_taken_still_fits(bank: PatchBank, tmp_path: Path) -> None:
    bank.save(edited("x" * 64))
    write_patch(tmp_path / "a.json", edited("x" * 64, 0.2))
    assert bank.import_file(tmp_path / "a.json").name == "x" * 60 + " (2)"


def test_an_older_patch_says_what_it_lacks(bank: PatchBank) -> None:
    path = bank.save(edited("Old")).path
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(line for line in lines if "chorus_rate" not in line))
    again = reopened(bank)
    assert again.named("Old").lacks == ("chorus_rate",)
    assert again.named("Glass").lacks == ()
    assert again.warnings == ()
