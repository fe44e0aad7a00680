"""The import of a TensorFlow checkpoint: ones that TensorFlow wrote, and every way in which a file can be wrong."""

import argparse
import importlib.util
import json
import random
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch

from models.magenta.bundle import MAX_INDEX_BYTES, open_bundle
from models.magenta.command import ImportMagentaCommand, read_checkpoint
from models.magenta.table import DamagedError, read_table
from models.magenta.variables import variables
from models.nsynth import CONFIGS
from models.nsynth_file import load_nsynth
from synth.errors import TetradError
from tests.models import make_checkpoint as make
from tests.models.make_checkpoint import Checkpoint
from tests.models.test_nsynth import REFERENCE, check_reference_vectors, reference_state, reference_values
from tests.models.tiny_nsynth import TINY

# Written by TensorFlow 2.21 with reference/write_tf_checkpoint.py.
WITH_AVERAGES = REFERENCE / "tiny_averages" / "model.ckpt-1"
IN_SHARDS = REFERENCE / "tiny_shards" / "model.ckpt-1"
FIRST_FORMAT = REFERENCE / "first_format.ckpt"
AVERAGE = "/ExponentialMovingAverage"

needs_tensorflow = pytest.mark.skipif(
    importlib.util.find_spec("tensorflow") is None, reason="TensorFlow (the extra `tensorflow`) is not installed"
)


def tiny_values(suffix: str = "") -> dict[str, npt.NDArray[np.generic]]:
    return {v.name + suffix: reference_values(v.name, v.shape) for v in variables(TINY)}


def copy_of(prefix: Path, directory: Path) -> Path:
    for path in prefix.parent.iterdir():
        shutil.copy(path, directory)
    return directory / prefix.name


def run_import(prefix: Path, out: Path) -> int:
    parser = argparse.ArgumentParser()
    command = ImportMagentaCommand()
    command.add_arguments(parser)
    return command.run(parser.parse_args([str(prefix), "--out", str(out)]))


@pytest.mark.parametrize(("prefix", "kind"), [(WITH_AVERAGES, "averaged"), (IN_SHARDS, "plain")])
def test_a_checkpoint_that_tensorflow_wrote(prefix: Path, kind: str) -> None:
    tensors, found_kind = read_checkpoint(prefix, TINY)
    expected = reference_state(TINY)
    assert found_kind == kind
    assert set(tensors) == set(expected)
    for name, tensor in expected.items():
        assert torch.equal(tensors[name], tensor), name


def test_the_averages_differ_from_the_plain_weights_that_lie_beside_them() -> None:
    """Else the test above would not see which were read. One step of Adam at 0.1 lies between them."""
    bundle = open_bundle(WITH_AVERAGES)
    for variable in variables(TINY):
        difference = bundle.read(variable.name + AVERAGE) - bundle.read(variable.name)
        np.testing.assert_allclose(difference, 0.1, atol=1e-5)


def test_the_command_writes_a_network_that_loads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(CONFIGS, "nsynth", TINY)
    assert run_import(WITH_AVERAGES, tmp_path / "tiny.safetensors") == 0
    model = load_nsynth(tmp_path / "tiny.safetensors")
    for name, tensor in reference_state(TINY).items():
        assert torch.equal(model.state_dict()[name], tensor), name
    assert capsys.readouterr().out == f"wrote {tmp_path}/tiny.safetensors: 86 variables, 4544 averaged weights\n"
    assert [path.name for path in tmp_path.iterdir()] == ["tiny.safetensors"]


def test_the_commands_default_is_the_players_data_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(CONFIGS, "nsynth", TINY)
    monkeypatch.setenv("TETRAD_HOME", str(tmp_path / "home"))
    ImportMagentaCommand().run(argparse.Namespace(checkpoint=IN_SHARDS, out=None))
    assert load_nsynth(tmp_path / "home" / "nsynth.safetensors").config == TINY


def test_another_networks_checkpoint_leaves_the_old_file(tmp_path: Path) -> None:
    out = tmp_path / "out.safetensors"
    out.write_bytes(b"old")
    message = r"has ae_startconv/W with shape \[1, 3, 1, 5\]|lacks ae_dilatedconv_7"
    with pytest.raises(TetradError, match=message):
        run_import(WITH_AVERAGES, out)
    assert out.read_bytes() == b"old"


def test_our_own_writer_is_read_as_well(tmp_path: Path) -> None:
    """Averages alone, four data files, an index of many blocks: nothing of this did TensorFlow write above."""
    prefix = Checkpoint(tiny_values(AVERAGE), n_shards=4).write(tmp_path / "model.ckpt-7")
    tensors, kind = read_checkpoint(prefix, TINY)
    assert kind == "averaged"
    for name, tensor in reference_state(TINY).items():
        assert torch.equal(tensors[name], tensor), name


def test_the_index_files_own_name_will_do(tmp_path: Path) -> None:
    assert open_bundle(IN_SHARDS.with_name("model.ckpt-1.index")).prefix == IN_SHARDS


def test_a_table_of_many_blocks() -> None:
    items = {b"key %05d" % i: b"value" * (i % 7) for i in range(2000)}
    assert read_table(make.table(items, per_block=9)) == items


# What is not a checkpoint at all.


def test_a_checkpoint_of_the_first_format_is_named() -> None:
    with pytest.raises(
        TetradError, match=r"first_format\.ckpt is a checkpoint of TensorFlow's first format \(one file\)"
    ):
        open_bundle(FIRST_FORMAT)


def test_a_directory_is_answered_with_what_it_holds(tmp_path: Path) -> None:
    with pytest.raises(TetradError, match=r"is a directory; .* name \S+tiny_shards/model\.ckpt-1$"):
        open_bundle(IN_SHARDS.parent)
    with pytest.raises(TetradError, match=r"is a directory; .* it holds none$"):
        open_bundle(tmp_path)
    with pytest.raises(TetradError, match="is a directory"):
        open_bundle(Path("/"))


def test_something_else_is_no_checkpoint(tmp_path: Path) -> None:
    (tmp_path / "checkpoint").write_text("model_checkpoint_path: 'model.ckpt'")
    with pytest.raises(TetradError, match="checkpoint is not a checkpoint; the prefix of one was expected"):
        open_bundle(tmp_path / "checkpoint")
    with pytest.raises(TetradError, match=r"there is no \S+nothing\.index"):
        open_bundle(tmp_path / "nothing")


# An index that is damaged.


def test_no_part_of_an_index_is_read() -> None:
    content = IN_SHARDS.with_name("model.ckpt-1.index").read_bytes()
    for n_bytes in range(len(content)):
        with pytest.raises(DamagedError, match="does not end as an index does"):
            read_table(content[:n_bytes])


def test_a_changed_byte_is_seen_or_does_not_matter() -> None:
    """Every byte in turn. Padding and the handle of the empty meta block may change without harm."""
    content = IN_SHARDS.with_name("model.ckpt-1.index").read_bytes()
    table = read_table(content)
    chance = random.Random(1)
    n_harmless = 0
    for position in range(len(content)):
        changed = bytearray(content)
        changed[position] ^= chance.randrange(1, 256)
        try:
            assert read_table(bytes(changed)) == table
            n_harmless += 1
        except DamagedError:
            continue
    assert n_harmless < 70


def test_a_truncated_index_is_named(tmp_path: Path) -> None:
    prefix = copy_of(IN_SHARDS, tmp_path)
    index = tmp_path / "model.ckpt-1.index"
    index.write_bytes(index.read_bytes()[:2000])
    with pytest.raises(TetradError, match=r"model\.ckpt-1\.index does not end as an index does .* fetch it again"):
        read_checkpoint(prefix, TINY)


def test_noise_is_no_index(tmp_path: Path) -> None:
    chance = random.Random(2)
    for n_bytes in (0, 7, 48, 100, 5000):
        for ending in (b"", bytes.fromhex("57fb808b247547db")):
            (tmp_path / "noise.index").write_bytes(chance.randbytes(n_bytes) + ending)
            with pytest.raises(TetradError, match=r"noise\.index .*the index of a TensorFlow checkpoint was expected"):
                open_bundle(tmp_path / "noise")


def test_a_huge_index_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "huge.index").open("wb") as file:
        file.truncate(MAX_INDEX_BYTES + 1)
    with pytest.raises(TetradError, match=rf"has {MAX_INDEX_BYTES + 1} bytes; an index of at most"):
        open_bundle(tmp_path / "huge")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (make.table_of_blocks([make.block([(b"a", b"b")])], compression=1), r"a compressed block \(kind 1\)"),
        (make.table_of_blocks([make.block([(b"b", b""), (b"a", b"")])]), "keys out of order"),
        (make.table_of_blocks([make.block([(b"b", b"")]), make.block([(b"a", b"")])]), "keys out of order"),
        (make.table_of_blocks([make.block([(b"a", b""), (b"a", b"")])]), "keys out of order"),
        (make.table_of_blocks([b"\x00\x01\x00a" + b"\xff\xff\xff\x7f"]), "8 bytes with 2147483647 restart points"),
        (make.table_of_blocks([b"\x01\x01\x00a" + bytes(4)]), "an entry that does not fit"),  # shares with nothing
        (make.table_of_blocks([b"\x00\x05\x00a" + bytes(4)]), "an entry that does not fit"),  # its key
        (make.table_of_blocks([b"\x00\x01\x05a" + bytes(4)]), "an entry that does not fit"),  # its value
        (make.table_of_blocks([make.block([(b"k" * 1025, b"")])]), "an entry that does not fit"),
        (make.table_of_blocks([b"\x80" * 20 + bytes(4)]), "a number that does not end"),
        (make.table_of_blocks([b"\x80" + bytes(4)]), "a number that does not end|does not fit"),
        (make.table_of_blocks([b""]), "0 bytes with 0 restart points"),
        (make.table({})[:-48] + b"\0\0\xff\xff\x7f\x04".ljust(40, b"\0") + make.table({})[-8:], "past its end"),
    ],
)
def test_a_hostile_table_is_refused_in_words(data: bytes, message: str) -> None:
    with pytest.raises(DamagedError, match=message):
        read_table(data)


def test_a_block_named_a_thousand_times_is_read_once_and_a_half() -> None:
    """A small file that would unfold into a large one."""
    content = make.block([(b"%05d" % i, b"v" * 100) for i in range(1000)])
    single = make.table_of_blocks([content])
    handle = make.varint(0) + make.varint(len(content))
    index = make.block((b"%05d" % i, handle) for i in range(1000))
    body = single[: len(content) + 5]
    footer = (b"\0\0" + make.varint(len(body)) + make.varint(len(index))).ljust(40, b"\0") + single[-8:]
    with pytest.raises(DamagedError, match="keys out of order"):
        read_table(body + index + b"\0" + make.masked_crc(index + b"\0") + footer)


@pytest.mark.parametrize(
    ("header", "message"),
    [
        (make.number(1, 1) + make.number(2, 1), "written on a big-endian machine"),
        (make.number(1, 1) + make.message(3, make.number(2, 2)), "of format 2, newer than 1"),
        (make.number(1, 0), "has 0 data files"),
        (make.number(1, -1), "has -1 data files"),
        (make.number(1, 100_000), "has 100000 data files"),
        (b"\xff\xff\xff", "has entries that are no descriptions of variables"),
    ],
)
def test_a_header_that_cannot_be_is_refused(tmp_path: Path, header: bytes, message: str) -> None:
    prefix = Checkpoint(tiny_values(), header=header).write(tmp_path / "model.ckpt-1")
    with pytest.raises(TetradError, match=message):
        open_bundle(prefix)


# Variables that are not those of the network.


@pytest.mark.parametrize("suffix", ["", AVERAGE])
def test_missing_and_extra_variables_are_named(tmp_path: Path, suffix: str) -> None:
    values = tiny_values(suffix)
    del values[f"dilatedconv_3/biases{suffix}"]
    values["dilatedconv_7/W"] = np.zeros(3, np.float32)
    values["res_1/W/Momentum"] = np.zeros(3, np.float32)
    prefix = Checkpoint(values).write(tmp_path / "model.ckpt-1")
    message = rf"lacks dilatedconv_3/biases{suffix} and has dilatedconv_7/W, res_1/W/Momentum; the 86 variables"
    with pytest.raises(TetradError, match=message):
        read_checkpoint(prefix, TINY)


def test_many_missing_variables_are_counted(tmp_path: Path) -> None:
    prefix = Checkpoint({"ae_startconv/W": reference_values("ae_startconv/W", (1, 3, 1, 5))}).write(tmp_path / "model")
    with pytest.raises(TetradError, match=r"lacks ae_startconv/biases, ae_dilatedconv_1/W, .* and 82 more; the 86"):
        read_checkpoint(prefix, TINY)


def test_a_lonely_average_is_not_completed_with_plain_weights(tmp_path: Path) -> None:
    values = tiny_values() | {f"logits/W{AVERAGE}": reference_values("logits/W", (1, 1, 5, 256))}
    prefix = Checkpoint(values).write(tmp_path / "model.ckpt-1")
    with pytest.raises(TetradError, match=f"lacks ae_startconv/W{AVERAGE}, .* and 82 more"):
        read_checkpoint(prefix, TINY)


@pytest.mark.parametrize("suffix", ["", AVERAGE])
def test_a_variable_of_another_shape_is_named(tmp_path: Path, suffix: str) -> None:
    values = tiny_values(suffix)
    values[f"skip_2/W{suffix}"] = np.zeros((1, 1, 5, 6), np.float32)
    prefix = Checkpoint(values).write(tmp_path / "model.ckpt-1")
    with pytest.raises(
        TetradError, match=rf"has skip_2/W{suffix} with shape \[1, 1, 5, 6\]; \[1, 1, 6, 5\] was expected"
    ):
        read_checkpoint(prefix, TINY)


@pytest.mark.parametrize("dtype", ["float64", "float16", "int32"])
def test_a_variable_of_another_type_is_named(tmp_path: Path, dtype: str) -> None:
    values = tiny_values()
    values["skip_2/W"] = values["skip_2/W"].astype(dtype)
    prefix = Checkpoint(values).write(tmp_path / "model.ckpt-1")
    with pytest.raises(TetradError, match=f"has skip_2/W as {dtype}; expected float32"):
        read_checkpoint(prefix, TINY)


def test_values_that_are_not_numbers_are_named(tmp_path: Path) -> None:
    values = tiny_values()
    values["out1/biases"] = np.array([0.0, np.nan, 0.0, 0.0, 0.0], np.float32)
    prefix = Checkpoint(values).write(tmp_path / "model.ckpt-1")
    with pytest.raises(TetradError, match="has values in out1/biases that are not numbers"):
        read_checkpoint(prefix, TINY)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (make.number(3, 1), "has out1/biases in file 1 of 1"),
        (make.number(3, -1), "has out1/biases in file -1 of 1"),
        (make.number(4, 1 << 40), r"out1/biases lies at 1099511627776 with 20"),
        (make.number(4, -1), "out1/biases lies at -1 with 20"),
        (make.number(5, 16), r"gives out1/biases, \[5\], 16 bytes"),
        (make.number(5, -20), r"gives out1/biases, \[5\], -20 bytes"),
        (make.number(4, 0), "wrong checksum for out1/biases"),
        (make.message(7, b""), r"has out1/biases in slices \(a partitioned variable\)"),
        (make.message(2, make.number(3, 1)), r"has out1/biases with shape \[-1\]"),
        (make.message(2, make.message(2, make.number(1, 1))), r"has out1/biases with shape \[5, 1\]"),
        (make.message(2, make.message(2, b"") * 254), "has a variable of 255 dimensions"),
    ],
)
def test_an_entry_that_cannot_be_is_refused(tmp_path: Path, fields: bytes, message: str) -> None:
    prefix = Checkpoint(tiny_values(), fields={"out1/biases": fields}).write(tmp_path / "model.ckpt-1")
    with pytest.raises(TetradError, match=message):
        read_checkpoint(prefix, TINY)


# Data files that are damaged.


def test_a_missing_data_file_is_named(tmp_path: Path) -> None:
    prefix = copy_of(IN_SHARDS, tmp_path)
    (tmp_path / "model.ckpt-1.data-00002-of-00003").unlink()
    with pytest.raises(TetradError, match=r"model\.ckpt-1\.data-00002-of-00003 is missing; it belongs to \S+\.index"):
        read_checkpoint(prefix, TINY)


def test_a_short_data_file_is_named(tmp_path: Path) -> None:
    prefix = copy_of(WITH_AVERAGES, tmp_path)
    data = tmp_path / "model.ckpt-1.data-00000-of-00001"
    data.write_bytes(data.read_bytes()[:-1])
    with pytest.raises(TetradError, match=r"00000-of-00001 has \d+ bytes, but startconv/\S+ lies at .* cut short"):
        read_checkpoint(prefix, TINY)


def test_a_changed_byte_of_the_data_names_the_variable(tmp_path: Path) -> None:
    prefix = copy_of(WITH_AVERAGES, tmp_path)
    entry = open_bundle(prefix).entries[f"cond_map_4/W{AVERAGE}"]
    data = tmp_path / "model.ckpt-1.data-00000-of-00001"
    content = bytearray(data.read_bytes())
    content[entry.offset + entry.size - 1] ^= 0x10
    data.write_bytes(content)
    with pytest.raises(
        TetradError, match=f"has a wrong checksum for cond_map_4/W{AVERAGE}; fetch the checkpoint again"
    ):
        read_checkpoint(prefix, TINY)


# TensorFlow itself, where it is installed.


def write_with_tensorflow(listed: Path, prefix: Path, *options: str) -> None:
    script = REFERENCE / "write_tf_checkpoint.py"
    subprocess.run([sys.executable, script, listed, prefix, *options], check=True, capture_output=True)


@needs_tensorflow
def test_an_index_of_tensorflow_with_many_blocks(tmp_path: Path) -> None:
    """TensorFlow's blocks have 256 kB."""
    names = [f"v{i:04d}{'x' * 200}/W" for i in range(1600)]
    (tmp_path / "listed.json").write_text(json.dumps([{"name": name, "shape": [1, 2]} for name in names]))
    write_with_tensorflow(tmp_path / "listed.json", tmp_path / "many")
    assert (tmp_path / "many.index").stat().st_size > 300_000
    bundle = open_bundle(tmp_path / "many")
    assert len(bundle.entries) == 1601
    for name in names[::50]:
        np.testing.assert_array_equal(bundle.read(name), reference_values(name, (1, 2)))


@needs_tensorflow
@pytest.mark.slow
def test_the_published_networks_checkpoint_from_tensorflow_to_the_reference_vectors() -> None:
    with tempfile.TemporaryDirectory() as directory:  # not tmp_path, which is kept: 1.2 GB
        prefix, out = Path(directory) / "model.ckpt-200000", Path(directory) / "nsynth.safetensors"
        write_with_tensorflow(REFERENCE / "magenta_nsynth_variables.json", prefix, "--averages")
        assert run_import(prefix, out) == 0
        check_reference_vectors(load_nsynth(out))
