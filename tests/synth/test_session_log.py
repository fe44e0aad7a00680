"""The log's file: bounded, and no disk that fails stops anybody."""

from pathlib import Path

from synth.session_log import LONGEST_FILE_BYTES, LogFile
from tests.faults import FULL, Disk
from tests.listening import wait_until


def test_lines_are_there_after_the_end_and_a_long_log_stays_short(tmp_path: Path) -> None:
    path = tmp_path / "logs" / "engine.log"
    file = LogFile(path)
    file.write("warning", "the first\nof all")
    file.close()
    (line,) = path.read_text().splitlines()
    assert line.endswith(" warning: the first of all")
    for _ in range(4):
        file = LogFile(path)
        for number in range(900):
            file.write("refused", f"{number} " + "x" * 200)
        file.close()
        assert file.lost == 0
    sizes = {found.name: found.stat().st_size for found in path.parent.iterdir()}
    assert set(sizes) == {"engine.log", "engine.log.1"}
    assert max(sizes.values()) <= LONGEST_FILE_BYTES
    assert path.read_text().splitlines()[-1].split()[2] == "899"


def test_a_full_disk_costs_its_lines_and_no_more(tmp_path: Path) -> None:
    path = tmp_path / "logs" / "engine.log"
    with Disk(tmp_path, 0, FULL, lasting=True) as disk:
        file = LogFile(path)
        file.write("warning", "not kept")
        wait_until(lambda: file.lost == 1, "the refusal")
        disk.mend()
        file.write("warning", "kept")
        file.close()
    assert [line.split(": ")[1] for line in path.read_text().splitlines()] == ["kept"]
