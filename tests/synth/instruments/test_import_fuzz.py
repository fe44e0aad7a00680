"""Spoilt files end in notes or in words, whatever parser they meet; and the fuzzer sees it when they don't."""

import random

import pytest

from benchmarks.import_fuzz import FAILURES, run
from benchmarks.mutation import mutated, mutated_text
from tests.synth.instruments import planted_parsers


@pytest.mark.parametrize("n_files", [700, pytest.param(4200, marks=pytest.mark.long)])
def test_every_parser_withstands_spoilt_files(n_files: int) -> None:
    report = run(n_files, seed=7)
    assert report["files"] == n_files
    assert {name: report[name] for name in FAILURES} == dict.fromkeys(FAILURES, 0), report["examples"]
    assert set(report["by_parser"]) == {"audio", "names", "folders", "note_sets", "sfz", "fonts", "instruments"}
    for counts in report["by_parser"].values():
        assert counts["taken"] + counts["refused"] == n_files // 7
        assert counts["taken"] > 0


def test_the_fuzzer_finds_planted_faults() -> None:
    report = run(9, seed=1, parsers_module=planted_parsers.__name__, limit_s=planted_parsers.LIMIT_S)
    outcomes = {name: next(k for k, v in counts.items() if v) for name, counts in report["by_parser"].items()}
    assert outcomes.pop("a good") == "taken"
    assert outcomes.pop("b refuses") == "refused"
    assert set(outcomes.values()) == {"failed"}
    assert len(outcomes) == 7
    assert {name: report[name] for name in FAILURES} == {
        "exceptions": 1, "hangs": 2, "deaths": 1, "writes": 2, "looks_outside": 1
    }  # fmt: skip
    assert [example["parser"][0] for example in report["examples"]] == list("cdefghi")


def test_mutations_change_something_and_not_everything() -> None:
    chance = random.Random(1)
    data = bytes(range(256)) * 8
    spoilt = [mutated(data, chance) for _ in range(400)]
    assert sum(s != data for s in spoilt) > 350
    assert sum(s[-64:] == data[-64:] for s in spoilt) > 100
    texts = [mutated_text("a = b\n" * 20, chance, ("word",)) for _ in range(400)]
    assert sum("word" in t for t in texts) > 50
    assert mutated(b"", chance) is not None
    assert isinstance(mutated_text("", chance, ("word",)), str)
