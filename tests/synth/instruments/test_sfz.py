"""SFZ files: what they mean, and what they may not do."""

import math
import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile

from synth.errors import TetradError
from synth.instruments import sfz
from synth.instruments.notes import Finding, FoundNote
from synth.instruments.sample_loops import sample_word
from synth.instruments.sfz import find_sfz

RATE_HZ = 44_100
N = 4410


def _wav(path: Path, loop: tuple[int, int] | None = None, key: int = 60) -> np.ndarray:
    """A ramp, so that a stretch can be told from any other; `loop` (first, last) and `key` go into its smpl chunk."""
    path.parent.mkdir(parents=True, exist_ok=True)
    audio = (np.arange(N) / N).astype(np.float32)
    soundfile.write(path, audio, RATE_HZ, subtype="FLOAT", format="WAV")
    if loop is not None:
        data = path.read_bytes() + _smpl(loop, key)
        path.write_bytes(data[:4] + struct.pack("<I", len(data) - 8) + data[8:])
    return audio


def _smpl(loop: tuple[int, int], key: int) -> bytes:
    body = struct.pack("<9I", 0, 0, 22_675, key, 0, 0, 0, 1, 0) + struct.pack("<6I", 0, 0, *loop, 0, 0)
    return b"smpl" + struct.pack("<I", len(body)) + body


def _find(folder: Path, text: str | bytes) -> Finding:
    data = text if isinstance(text, bytes) else text.encode()
    (folder / "test.sfz").write_bytes(data)
    return find_sfz(folder / "test.sfz")


def _only(folder: Path, text: str | bytes) -> FoundNote:
    (note,) = _find(folder, text).notes
    return note


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    library = tmp_path / "library"
    _wav(library / "a.wav")
    _wav(library / "b.wav")
    return library


def test_a_region_says_key_velocity_gain_and_tuning(folder: Path) -> None:
    note = _only(
        folder, "<region> sample=a.wav lokey=58 hikey=62 pitch_keycenter=60 lovel=64 hivel=95 volume=-6 tune=-12"
    )
    assert (note.name, note.pitch, note.velocity, note.gain_db) == ("a.wav", 60, 80, -6.0)
    assert note.tuning_cents == pytest.approx(12.0)  # what plays 12 cents lower to be right was 12 cents sharp
    assert note.loop_s is None
    assert len(note.read().samples) == N


def test_levels_inherit_and_a_new_group_forgets_the_last(folder: Path) -> None:
    found = _find(
        folder,
        """<global> volume=1
           <master> tune=5 <group> volume=2 <region> sample=a.wav key=40 <region> sample=b.wav key=41 volume=3
           <group> <region> sample=a.wav key=42
           <group> volume=4 <region> sample=a.wav key=45
           <master> <region> sample=a.wav key=43
           <global> <region> sample=a.wav key=44""",
    )
    assert {note.pitch: (note.gain_db, note.tuning_cents) for note in found.notes} == {
        40: (2.0, -5.0), 41: (3.0, -5.0), 42: (1.0, -5.0), 45: (4.0, -5.0), 43: (1.0, 0.0), 44: (0.0, 0.0)
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "pitch"),
    [
        ("key=c4", 60), ("key=C#4", 61), ("key=Db4", 61), ("key=bb3", 58), ("key=c-1", 0), ("key=g9", 127),
        ("key=36", 36), ("key=60 pitch_keycenter=48", 48), ("lokey=40 hikey=50", 60), ("key=60 transpose=12", 48),
        ("pitch_keycenter=61 tune=100", 60), ("lokey=40 hikey=44 pitch_keytrack=0", 42), ("key=40 key=50", 50),
        ("lokey=40 hikey=44offset=3 pitch_keytrack=0", 42),
    ],
)  # fmt: skip
def test_keys(folder: Path, text: str, pitch: int) -> None:
    assert _only(folder, f"<region> sample=a.wav {text}").pitch == pitch


def test_offsets_of_the_control_header_move_all_keys(folder: Path) -> None:
    found = _find(
        folder, "<control> octave_offset=1 note_offset=-2\n<region> sample=a.wav key=50 <region> sample=b.wav key=c3"
    )
    assert [note.pitch for note in found.notes] == [58, 60]


@pytest.mark.parametrize(
    ("text", "velocity"),
    [("", 100), ("lovel=1 hivel=127", 100), ("lovel=0 hivel=63", 32), ("lovel=100", 114), ("hivel=1", 1),
     ("lovel=1 hivel=60 xfout_lovel=40 xfout_hivel=60", 26)],
)  # fmt: skip
def test_velocity_is_the_middle_of_the_layer(folder: Path, text: str, velocity: int) -> None:
    assert _only(folder, f"<region> sample=a.wav {text}").velocity == velocity


@pytest.mark.parametrize(
    ("text", "gain_db"),
    [("amplitude=50", -6.0206), ("volume=3 group_volume=-1 master_volume=2 global_volume=1", 5.0), ("volume=900", 48.0),
     ("volume=nonsense", 0.0), ("gain_cc7=12.7", 10.0), ("volume_oncc1=6", 0.0), ("volume=-3dB", -3.0)],
)  # fmt: skip
def test_gain(folder: Path, text: str, gain_db: float) -> None:
    assert _only(folder, f"<region> sample=a.wav {text}").gain_db == pytest.approx(gain_db, abs=1e-3)


def test_a_stretch_is_cut_and_its_loop_counted_from_its_beginning(folder: Path) -> None:
    audio = _wav(folder / "looped.wav", (2000, 2999))
    note = _only(folder, "<region> sample=looped.wav offset=1000 end=3999 loop_mode=loop_continuous")
    assert note.loop_s is not None
    np.testing.assert_allclose(note.loop_s, [1000 / RATE_HZ, 2000 / RATE_HZ])
    np.testing.assert_array_equal(note.read().samples[:, 0], audio[1000:4000])


def test_a_reversed_region(folder: Path) -> None:
    audio = _wav(folder / "looped.wav", (2000, 2999))
    backwards = _only(folder, "<region> sample=looped.wav offset=1000 end=3999 direction=reverse")
    np.testing.assert_array_equal(backwards.read().samples[:, 0], audio[1000:4000][::-1])
    assert backwards.loop_s is None


@pytest.mark.parametrize(
    ("text", "loop"),
    [
        ("sample=looped.wav", (100, 201)),
        ("sample=looped.wav loop_mode=no_loop", None),
        ("sample=looped.wav loopmode=one_shot", None),
        ("sample=looped.wav loop_start=50", (50, 201)),
        ("sample=looped.wav loop_mode=loop_sustain loop_start=10 loop_end=19", (10, 20)),
        ("sample=looped.wav loop_end=99999999", (100, N)),
        ("sample=looped.wav loop_start=300", None),
        ("sample=a.wav loop_start=10 loop_end=20", None),
        ("sample=a.wav loop_mode=loop_continuous loopstart=10 loopend=20", (10, 21)),
    ],
)
def test_loops_of_the_region_and_of_the_file(folder: Path, text: str, loop: tuple[int, int] | None) -> None:
    _wav(folder / "looped.wav", (100, 200))
    found = _only(folder, f"<region> {text}").loop_s
    assert (found is None) == (loop is None)
    if found is not None and loop is not None:
        np.testing.assert_allclose(found, np.array(loop) / RATE_HZ)


def test_the_sample_may_know_its_key(folder: Path) -> None:
    _wav(folder / "looped.wav", (100, 200), key=47)
    assert _only(folder, "<region> sample=looped.wav pitch_keycenter=sample").pitch == 47
    assert _only(folder, "<region> sample=a.wav pitch_keycenter=sample").pitch == 60


def test_a_flac_that_kept_its_smpl_chunk(folder: Path) -> None:
    soundfile.write(folder / "c.flac", np.zeros(N), RATE_HZ)
    data = (folder / "c.flac").read_bytes()
    block = b"riff" + _smpl((7, 70), 50)
    length = len(data[:4]) + 4 + int.from_bytes(data[5:8], "big")  # the stream's own description comes first
    (folder / "c.flac").write_bytes(
        data[:4]
        + bytes([data[4] & 0x7F])
        + data[5:length]
        + bytes([2])
        + len(block).to_bytes(3, "big")
        + block
        + data[length:]
    )
    assert sample_word(folder / "c.flac") == ((7, 71), 50)
    assert _only(folder, "<region> sample=c.flac").loop_s == (pytest.approx(7 / RATE_HZ), pytest.approx(71 / RATE_HZ))


@pytest.mark.parametrize(
    "text",
    [
        "<control>default_path=Deep Folder\\Sub/ // where they are\n<region>sample=My Sound (1).wav key=60",
        "<control> default_path=deep folder/sub/my sou\n<region> sample=nd (1).WAV key=60",
        "<region> key=60 /* a comment\n over lines */ sample=./Deep Folder/Sub/../Sub/my sound (1).wav\t volume=0",
        b"\xef\xbb\xbf<region>\r\nkey=60\r\nsample=Deep Folder\\Sub\\My Sound (1).wav\r\n",
        "// gr\xfcn\n<region> key=60 sample=Deep Folder/Sub/My Sound (1).wav".encode("latin-1"),
        "<region> key=60 sample=Deep Folder/Sub/My Sound (1).wav".encode("utf-16"),
        "#define $DIR Deep #define $K 6\n<region> key=$K0 sample=$DIR Folder/Sub/My Sound (1).wav",
    ],
)
def test_paths_as_libraries_write_them(folder: Path, text: str | bytes) -> None:
    _wav(folder / "Deep Folder" / "Sub" / "My Sound (1).wav")
    note = _only(folder, text)
    assert (note.name, note.pitch) == ("Deep Folder/Sub/My Sound (1).wav", 60)


def test_definitions_and_includes(folder: Path) -> None:
    (folder / "parts").mkdir()
    (folder / "parts" / "notes.txt").write_text('<region> sample=$FILE key=$KEY\n#include "parts/more.txt"')
    (folder / "parts" / "more.txt").write_text("<region> sample=$FILE key=$KEYS vol$UP=1")
    found = _find(
        folder,
        """#define $FILE a.wav
           #define $KEY 40 #define $KEYS 50
           #define $UP ume
           #include "Parts\\notes.txt"
           #define $KEY 41
           #include "parts/notes.txt" """,
    )
    assert [(note.pitch, note.gain_db) for note in found.notes] == [(40, 0.0), (41, 0.0), (50, 1.0)]


@pytest.mark.parametrize(
    ("opcodes", "why"),
    [
        ("trigger=release", "played on release"),
        ("trigger=legato", "played on legato"),
        ("sample=*sine", "players make themselves (*sine)"),
        ("hikey=-1", "played by no key"),
        ("on_locc64=64 on_hicc64=127", "played by no key"),
        ("sw_last=25", "key switch"),
        ("sw_down=24", "key switch"),
        ("locc1=64 hicc1=127", "controller"),
        ("lohdcc1=0.5", "controller"),
        ("lobend=100", "controller"),
        ("seq_length=2 seq_position=2", "round robin"),
        ("lorand=0.5 hirand=1", "round robin"),
        ("end=-1", "silent"),
        ("amplitude=0", "silent"),
        ("volume=-144", "silent"),
        ("lovel=90 hivel=80", "silent"),
        ("xfin_locc1=0 xfin_hicc1=127", "silent"),
        ("amplitude_oncc1=100", "silent"),
    ],
)
def test_what_does_not_sound_at_rest_is_counted_and_said(folder: Path, opcodes: str, why: str) -> None:
    found = _find(
        folder,
        f"<control> set_cc2=127\n<global> sw_lokey=24 sw_hikey=25 sw_default=24 sample=a.wav\n"
        f"<region> key=60 sw_last=24 hicc1=63 locc2=100 xfout_locc1=0 xfout_hicc1=127 seq_position=1\n"
        f"<region> key=60 {opcodes}\n<region> key=60 {opcodes} sw_up=25",
    )
    assert [note.pitch for note in found.notes] == [60]
    assert len(found.problems) == 1
    assert "2 of 3 regions" in found.problems[0]
    assert why in found.problems[0]


def test_a_round_robin_without_a_first_and_a_switch_without_a_default(folder: Path) -> None:
    assert len(_find(folder, "<region> sample=a.wav seq_position=2 <region> sample=b.wav seq_position=3").notes) == 1
    found = _find(folder, "<region> sample=a.wav sw_last=26 key=40 <region> sample=b.wav sw_last=25 key=41")
    assert [note.pitch for note in found.notes] == [41]  # the lower switch


def test_one_recording_for_many_keys_is_one_note(folder: Path) -> None:
    found = _find(
        folder, "".join(f"<region> sample=a.wav lokey={k} hikey={k} pitch_keycenter=60\n" for k in range(50, 70))
    )
    assert [note.pitch for note in found.notes] == [60]


def test_what_is_missing_or_broken_is_named_and_the_rest_taken(folder: Path) -> None:
    (folder / "broken.wav").write_bytes(b"no sound at all")
    found = _find(
        folder,
        "<region> sample=a.wav key=40 <region> sample=gone.wav <region> sample=broken.wav\n"
        "<region> sample=b.wav offset=9999",
    )
    assert [note.pitch for note in found.notes] == [40]
    for name in ("gone.wav", "broken.wav", "b.wav"):
        assert sum(name in problem for problem in found.problems) == 1


def test_problems_are_few_lines(folder: Path) -> None:
    found = _find(folder, "<region> sample=a.wav" + "".join(f"<region> sample=gone{n}.wav\n" for n in range(500)))
    assert len(found.problems) == sfz.MOST_PROBLEMS + 1
    assert found.problems[-1] == "and 480 more like these"


def test_many_regions_are_thinned_evenly(folder: Path) -> None:
    lines = [
        f"<region> sample=a.wav key={key} lovel={8 * v} hivel={8 * v + 7} tune={v}"
        for key in range(20, 108)
        for v in range(16)
    ]
    found = _find(folder, "\n".join(lines))
    assert len(found.notes) == 512
    layers = {key: sum(note.pitch == key for note in found.notes) for key in range(20, 108)}
    assert set(layers.values()) == {5, 6}
    at_60 = [note.velocity for note in found.notes if note.pitch == 60]
    assert at_60[0] == 4  # the softest and the loudest layer stay
    assert at_60[-1] == 124
    assert "1408 regions; 512 are taken" in found.problems[0]


@pytest.mark.parametrize(
    "sample", ["../secret.wav", "..\\secret.wav", "sub/../../secret.wav", "/etc/passwd", "C:\\x.wav", "link.wav"]
)
def test_paths_out_of_the_folder_are_refused(folder: Path, sample: str) -> None:
    _wav(folder.parent / "secret.wav")
    (folder / "sub").mkdir()
    (folder / "link.wav").symlink_to(folder.parent / "secret.wav")
    for text in (f"<region> sample={sample}", f"<control> default_path={sample[:3]}\n<region> sample={sample[3:]}"):
        with pytest.raises(TetradError, match="points outside its folder") as error:
            _find(folder, text)
        assert "\n" not in str(error.value)
    with pytest.raises(TetradError, match="points outside its folder"):
        _find(folder, f'#include "{sample}"')


def test_a_library_with_its_programs_in_a_folder_needs_its_folder_named(folder: Path) -> None:
    (folder / "Programs").mkdir()
    program = folder / "Programs" / "Piano.sfz"
    program.write_text("<control> default_path=..\\\n<region> sample=a.wav key=40")
    with pytest.raises(TetradError, match="add the folder of the whole library"):
        find_sfz(program)
    assert find_sfz(program, folder=folder).notes[0].name == "a.wav"
    with pytest.raises(TetradError, match="not inside"):
        find_sfz(program, folder=folder / "Programs" / "nowhere")


def test_includes_that_turn_in_a_circle_or_go_too_deep_are_refused(folder: Path) -> None:
    with pytest.raises(TetradError, match="includes itself"):
        _find(folder, '#include "test.sfz"')
    (folder / "other.txt").write_text('#include "TEST.sfz"')
    with pytest.raises(TetradError, match="includes itself"):
        _find(folder, '#include "other.txt"')
    for depth in range(9):
        (folder / f"{depth}.txt").write_text(f'<region> sample=a.wav\n#include "{depth + 1}.txt"')
    (folder / "9.txt").write_text("")
    with pytest.raises(TetradError, match="more than 8 deep"):
        _find(folder, '#include "0.txt"')
    assert _find(folder, '#include "2.txt"').notes
    (folder / "empty.txt").write_text("")
    with pytest.raises(TetradError, match=r"more than 16,384 of them"):
        _find(folder, '#include "empty.txt"\n' * 20_000)
    with pytest.raises(TetradError, match="is not there"):
        _find(folder, '#include "gone.txt"')


@pytest.mark.parametrize(
    "text",
    [
        b"x" * (5 << 20),
        b"<region>" * 30_000,
        b"<region> a=1\n" + b"b=2 " * 500_000,
        b"".join(b"#define $N%d 1\n" % n for n in range(9000)),
        b"<global>" + b"".join(b"locc%d=0 " % n for n in range(1000)) + b"<region> sample=a.wav\n" * 19_000,
        b"RIFF\0\0\0\0WAVE", b"", b"hello", b"\xff" * 1000,
    ],
)  # fmt: skip
def test_what_is_too_large_or_no_sfz_is_refused_in_one_line(folder: Path, text: bytes) -> None:
    with pytest.raises(TetradError) as error:
        _find(folder, text)
    assert len(str(error.value)) < 1000


@pytest.mark.parametrize(
    "text",
    [
        "<region> sample=a.wav " + " " * 1_000_000 + "x",
        "<region> sample=a.wav " + "a" * 1_000_000,
        "<region> sample=a.wav " + "/*" * 500_000,
        "<region> sample=a.wav " + '#include "' * 100_000,
        "<region> sample=a.wav " + "$" * 1_000_000 + "=1",
        "<region> sample=a.wav key=" + "9" * 1_000_000 + " tune=1e999 offset=-1e99",
        "#define $A " + "b" * 100_000 + "\n<region> sample=a.wav " + "$A" * 1000 + "=1",
        "<region> sample=" + "a/" * 100_000,
        "<region> sample=" + "z" * 5000 + ".wav <region> sample=a\0.wav <region> sample=a.wav",
    ],
)
def test_absurd_text_ends_in_words_or_notes(folder: Path, text: str) -> None:
    """A reader whose work grows with the square of a line's length takes minutes over these."""
    try:
        outcome = [note.name for note in _find(folder, text).notes]
    except TetradError as error:
        outcome = [str(error)]
    assert 0 < len(outcome[0]) < 1500


def test_mutated_files_end_in_words_or_notes(folder: Path) -> None:
    (folder / "part.txt").write_text("<group> lovel=1\n<region> sample=b.wav key=41")
    whole = b"""<control> default_path=./ note_offset=1 set_cc1=3
        #define $K 40
        #include "part.txt"
        <global> volume=-3 // x
        <master> sw_last=2 sw_default=2 <group> seq_position=1 xfin_locc1=0
        <region> sample=a.wav key=$K tune=-3 loop_mode=loop_continuous loop_start=3 loop_end=400 offset=2 end=4000
        <region> sample=b.wav lokey=c#2 hikey=60 pitch_keycenter=sample amplitude=40 trigger=attack /* y */"""
    words = [
        b"<region>",
        b'#include "test.sfz"',
        b"../",
        b"$K",
        b"=",
        b"\n",
        b"\0",
        b"-1",
        b"999999999999",
        b"\xff",
        b"*sine",
    ]
    random = np.random.default_rng(5)
    n_notes = 0
    for _ in range(1000):
        data = bytearray(whole)
        for _ in range(random.integers(1, 6)):
            at = int(random.integers(len(data)))
            kind = random.integers(4)
            if kind == 0:
                data[at] = int(random.integers(256))
            elif kind == 1:
                del data[at : at + int(random.integers(1, 40))]
            elif kind == 2:
                data[at:at] = words[int(random.integers(len(words)))]
            else:
                data[at:at] = data[: int(random.integers(len(data)))]
        try:
            notes = _find(folder, bytes(data)).notes
        except TetradError:
            continue
        for note in notes:
            assert note.pitch is not None
            assert 0 <= note.pitch <= 127
            assert 1 <= note.velocity <= 127
            assert math.isfinite(note.gain_db)
            assert note.loop_s is None or 0.0 <= note.loop_s[0] < note.loop_s[1] <= N / RATE_HZ
            n_notes += 1
        if notes[0].name == "a.wav":
            assert len(notes[0].read().samples) > 0
    assert n_notes > 700  # most mutations leave something to read
