"""The release archive: the same bytes wherever it is made, whole, and refused when version and changelog disagree."""

import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from tests.documents import ROOT, broken_links

SCRIPT = ROOT / ".ci" / "release.sh"
NAME = "Somebody"
MAIL = "somebody@example.org"


def git(folder: Path, *arguments: str) -> str:
    who = ["-c", f"user.name={NAME}", "-c", f"user.email={MAIL}", "-c", "commit.gpgsign=false"]
    done = subprocess.run(["git", "-C", str(folder), *who, *arguments], check=True, capture_output=True, text=True)
    return done.stdout.strip()


def with_script(folder: Path) -> Path:
    """The script under test lies in that checkout, whatever its last commit has."""
    (folder / ".ci").mkdir(exist_ok=True)
    return Path(shutil.copy(SCRIPT, folder / ".ci" / "release.sh"))


def release(checkout: Path, out: Path, commit: str = "HEAD", **environment: str) -> subprocess.CompletedProcess[str]:
    command = [str(with_script(checkout)), commit, str(out)]
    return subprocess.run(command, check=False, capture_output=True, text=True, env={**os.environ, **environment})


def only_archive(folder: Path) -> Path:
    (archive,) = folder.glob("*.tar.gz")
    return archive


@pytest.fixture(scope="module")
def clones(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two clones of this repository, nothing checked out, under names of unlike length and with unlike settings."""
    if not (ROOT / ".git").exists():
        pytest.skip("this is no git checkout, and a release is made of a commit")
    found = []
    for name in ("one", "another-clone"):
        folder = tmp_path_factory.mktemp("clones") / name
        subprocess.run(["git", "clone", "--quiet", "--shared", "--no-checkout", ROOT, folder], check=True)
        found.append(folder)
    git(found[1], "config", "tar.umask", "0077")
    git(found[1], "config", "core.autocrlf", "true")
    return found


@pytest.fixture(scope="module")
def unpacked(clones: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tree in the archive of the first clone."""
    out = tmp_path_factory.mktemp("unpacked")
    said = release(clones[0], out)
    assert said.returncode == 0, said.stderr
    with tarfile.open(only_archive(out)) as archive:
        archive.extractall(out, filter="data")
    (tree,) = (path for path in out.iterdir() if path.is_dir())
    return tree


@pytest.mark.slow
def test_two_clones_give_the_same_bytes(clones: list[Path], unpacked: Path, tmp_path: Path) -> None:
    said = release(
        clones[1], tmp_path, TZ="Asia/Kolkata", LC_ALL="C.UTF-8", GZIP="--rsyncable", TAR_OPTIONS="--exclude=LICENSE"
    )
    assert said.returncode == 0, said.stderr
    first, second = only_archive(unpacked.parent), only_archive(tmp_path)
    assert first.name == second.name
    assert first.read_bytes() == second.read_bytes()
    assert Path(f"{first}.sha256").read_text().split() == [sha256(second), second.name]


def test_what_a_device_needs_is_in_it(unpacked: Path) -> None:
    paths = {path.relative_to(unpacked).as_posix() for path in unpacked.rglob("*") if path.is_file()}
    lines = (unpacked / "SHA256SUMS").read_text().splitlines()
    listed = {name: digest for digest, _, name in (line.partition("  ") for line in lines)}
    assert set(listed) == paths - {"SHA256SUMS"}
    assert {name for name, digest in listed.items() if sha256(unpacked / name) != digest} == set()
    assert {"pyproject.toml", "LICENSE", "RELEASE", ".ci/setup.sh", "models/pretrained/decoder.onnx"} <= paths
    assert sum(path.endswith(".tetrad-instrument") for path in paths) >= 32
    assert not any(path.startswith(("tests/", "benchmarks/")) for path in paths)
    assert os.access(unpacked / ".ci" / "setup.sh", os.X_OK)


def test_its_program_runs_and_finds_its_instruments(unpacked: Path, tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(unpacked), "TETRAD_HOME": str(tmp_path)}
    command = [sys.executable, "-B", "-m", "synth.cli", "instruments", "show", "flute"]
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=unpacked, env=environment)
    assert (done.returncode, done.stderr) == (0, "")
    assert "flute" in done.stdout


def test_links_of_its_documents_lead_somewhere(unpacked: Path) -> None:
    pages = sorted(unpacked.rglob("*.md"))
    assert len(pages) > 20
    broken = [broken_links(str(page.relative_to(unpacked)), page.read_text("utf-8"), unpacked) for page in pages]
    assert [found for found in broken if found] == []


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A repository with as much of a release as the script looks at."""
    folder = tmp_path / "small"
    (folder / "synth").mkdir(parents=True)
    (folder / "synth" / "__init__.py").write_text('"""It."""\n\n__version__ = "1.2.3"\n')
    (folder / "CHANGELOG.md").write_text("# Changelog\n\n## 1.2.3, 2026-11-30\n")
    git(tmp_path, "init", "--quiet", "small")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "All")
    return folder


def test_a_tagged_commit_is_called_by_its_version(small: Path, tmp_path: Path) -> None:
    git(small, "tag", "v1.2.3")
    assert release(small, tmp_path / "out", "v1.2.3").returncode == 0
    assert only_archive(tmp_path / "out").name == "tetrad-1.2.3.tar.gz"


def test_a_commit_without_a_tag_says_which_it_is(small: Path, tmp_path: Path) -> None:
    assert release(small, tmp_path / "out").returncode == 0
    assert only_archive(tmp_path / "out").name == f"tetrad-1.2.3+g{git(small, 'rev-parse', 'HEAD')[:12]}.tar.gz"


@pytest.mark.parametrize(
    ("tag", "changelog", "words"),
    [
        ("v1.2.4", "## 1.2.3, 2026-11-30\n", "the tag v1.2.4 is on version 1.2.3"),
        ("v1.2.3", "## Unreleased\n", "CHANGELOG.md has no section 1.2.3"),
    ],
)
def test_a_tag_that_does_not_fit_is_refused(small: Path, tmp_path: Path, tag: str, changelog: str, words: str) -> None:
    (small / "CHANGELOG.md").write_text(changelog)
    git(small, "commit", "--quiet", "--all", "--allow-empty", "--message", "Changelog")
    git(small, "tag", tag)
    said = release(small, tmp_path / "out")
    assert said.returncode == 1
    assert words in said.stderr
    assert not (tmp_path / "out").exists()


def test_a_commit_that_is_not_there_is_refused(small: Path, tmp_path: Path) -> None:
    said = release(small, tmp_path / "out", "v9.9.9")
    assert (said.returncode, len(said.stderr.splitlines())) == (1, 1)


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
