"""How peers are measured, parsed and tabled: with known answers, on any machine."""

import io

import mido
import pytest

from benchmarks.peers import limits, packages, programs, published
from benchmarks.peers.measure import KEYED_COUNTS, Limits, Measured, as_json, attempt
from benchmarks.peers.peer import BLOCK, RATE_HZ, PeerError, keyed_onsets_ms, notes, share
from benchmarks.peers.table import NONE, markdown, megabytes, percent
from benchmarks.peers.zynaddsubfx import osc_port


class Beep:
    """A synthesizer whose notes begin `late` samples after the block, and ring a block on after their end."""

    rate_hz, block = RATE_HZ, BLOCK

    def __init__(self, late: int) -> None:
        self._late = late
        self._age: int | None = None
        self._out = [0.0] * BLOCK

    def open(self) -> None: ...

    def hold(self, n_voices: int) -> None:
        self._age = self._late

    def silence(self) -> None:
        self._age = None

    def begin_note(self) -> None:
        self._age = 0

    def onsets_ms(self, n_trials: int) -> list[float]:
        return keyed_onsets_ms(self, n_trials)

    def render(self) -> None:
        age = self._age
        self._out = [0.0 if age is None or age + i < self._late else -0.5 for i in range(BLOCK)]
        self._age = None if age is None else age + BLOCK

    def peak(self) -> float:
        return max(map(abs, self._out))

    def first_audible(self) -> int | None:
        return next((i for i, sample in enumerate(self._out) if sample), None)


@pytest.mark.parametrize("late", [0, 5, 127, 128, 1000])
def test_a_key_waits_for_its_block_and_then_for_the_sound(late: int) -> None:
    onsets = [ms * RATE_HZ / 1e3 for ms in keyed_onsets_ms(Beep(late), 50)]
    assert late <= min(onsets) < late + 20
    assert late + BLOCK - 20 < max(onsets) <= late + BLOCK


def test_a_note_that_never_comes_is_said() -> None:
    with pytest.raises(PeerError, match="did not sound within 1 s"):
        keyed_onsets_ms(Beep(10 * RATE_HZ), 1)


def test_silence_has_no_share() -> None:
    peer = Beep(0)
    peer.hold(1)
    assert share(peer, 0.05) > 0.0
    peer.silence()
    with pytest.raises(PeerError, match="Nothing sounded"):
        share(peer, 0.05)


@pytest.mark.parametrize("n_voices", [1, 16, 64, 128])
def test_notes_are_all_different_and_playable(n_voices: int) -> None:
    found = notes(n_voices)
    assert len(set(found)) == n_voices
    assert {channel for channel, _ in found} == set(range(min(4, n_voices)))
    assert all(36 <= key <= 84 for _, key in found)


@pytest.mark.parametrize("n_voices", [0, 129])
def test_other_numbers_of_notes_are_refused(n_voices: int) -> None:
    with pytest.raises(ValueError, match="expected 1 to 128"):
        notes(n_voices)


def measured(name: str, fixed: float, voice: float) -> Measured:
    return Measured(
        name,
        rate_hz=RATE_HZ,
        block=BLOCK,
        shares={n: [fixed + voice * n] * 3 for n in KEYED_COUNTS},
        onsets_ms=[1.0, 2.0, 4.5],
        start_s=1.25,
        memory_mb=44.6,
        disk_mb={"program": 6.14, "sounds": 149.0},
    )


def test_voices_per_core_is_where_the_line_ends() -> None:
    peer = measured("fluidsynth", 0.1, 0.009)
    assert peer.voices_per_core() == pytest.approx(100.0)
    assert peer.voice_share() == pytest.approx(0.009)
    assert peer.share(16) == pytest.approx(0.244)
    assert Measured("fluidsynth", shares={16: [0.2]}).voices_per_core() is None
    assert Measured("fluidsynth").share(16) is None


def test_one_disturbed_round_does_not_count() -> None:
    peer = measured("tetrad", 0.02, 0.005)
    peer.shares[64][1] = 0.9
    assert peer.voices_per_core() == pytest.approx(196.0)


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_the_tables_hold_what_was_measured() -> None:
    found = {"tetrad": measured("tetrad", 0.0, 0.01), "fluidsynth": measured("fluidsynth", 0.1, 0.005)}
    found["tetrad"].custom_s = 3.04
    found["rave-v1"] = Measured("rave-v1", 44_100, 2048, 12_777_920, {1: [0.3], 4: [0.9]})
    found["zynaddsubfx"] = Measured("zynaddsubfx", missing={"all": "zynaddsubfx: it is not installed."})
    machine = Limits([200_000.0, 250_000.0, 900_000.0], [10.0])
    text = markdown(found, machine)
    table, limits_table, *_ = text.split("\n\n")
    by_name = {cells(line)[0]: cells(line)[1:] for line in table.splitlines()}
    assert {len(cells(line)) for line in table.splitlines()} == {6}
    assert by_name[""] == ["Tetrad", "FluidSynth", "RAVE v1 decoder", "ZynAddSubFX", "NSynth Super (published)"]
    assert by_name["16 voices: share of a core"] == ["16 %", "18 %", NONE, NONE, NONE]
    assert by_name["4 voices: share of a core"] == [NONE, NONE, "90 %", NONE, NONE]
    assert by_name["voices per core (by the line through these)"][:4] == ["100", "180", "4.5", NONE]
    assert by_name["what one voice more costs, Tetrad's is 1"][:4] == ["1", "0.5", "20", NONE]
    assert by_name["key to sound, median (least to most)"][:3] == [
        "2.0 ms (1.0 to 4.5)", "2.0 ms (1.0 to 4.5)", "at least 46 ms (a block)"
    ]  # fmt: skip
    assert by_name["on disk"][1] == "program 6.1 MB; sounds 149 MB"
    assert by_name["an instrument of your own"][0] == "3.04 s, one recording"
    assert by_name["an instrument of your own"][-1] == published.CUSTOM.text
    assert cells(limits_table.splitlines()[2]) == ["inverse FFTs of 2048", "250,000 a second", "2,000", "5.0 %"]
    assert "- Not measured: all of ZynAddSubFX: zynaddsubfx: it is not installed." in text


def test_json_has_every_round_and_what_follows() -> None:
    report = as_json({"tetrad": measured("tetrad", 0.0, 0.01)}, Limits([1.0], [2.0]))
    assert report["peers"]["tetrad"]["shares"][64] == pytest.approx([0.64] * 3)
    assert report["peers"]["tetrad"]["voices_per_core"] == pytest.approx(100.0)
    assert report["limits"]["copy_gb_per_s"] == [2.0]


def test_a_measure_that_fails_leaves_its_reason_and_nothing_else_is_hidden() -> None:
    one = Measured("tetrad")

    def fails() -> float:
        raise PeerError("No font; one was expected; install it.")

    assert attempt(one, "start", fails) is None
    assert one.missing == {"start": "No font; one was expected; install it."}
    with pytest.raises(ZeroDivisionError):
        attempt(one, "start", lambda: 1 / 0)


@pytest.mark.parametrize(
    ("share_", "text"), [(None, NONE), (1.234, "123 %"), (0.1, "10 %"), (0.0834, "8.3 %"), (0.0069, "0.69 %")]
)
def test_percent(share_: float | None, text: str) -> None:
    assert percent(share_) == text


@pytest.mark.parametrize(("size", "text"), [(None, NONE), (148.6, "149 MB"), (6.14, "6.1 MB")])
def test_megabytes(size: float | None, text: str) -> None:
    assert megabytes(size) == text


def test_dpkgs_words() -> None:
    assert packages.installed_kib("x", "ii  1234") == 1234
    for said in ("", "rc  1234", "un  ", "ii  "):
        with pytest.raises(PeerError, match="x is not installed"):
            packages.installed_kib("x", said)


def test_pins_are_read_and_measured() -> None:
    assert packages.pinned_names("# x\nnumpy==2.4.6 \\\n    --hash=sha256:ab==\njack-client==0.5.7\n") == [
        "numpy", "jack-client"
    ]  # fmt: skip
    size_mb, missing = packages.distributions_mb(["numpy", "no-such-distribution-here"])
    assert missing == ["no-such-distribution-here"]
    assert 10.0 < size_mb < 200.0


def test_what_tetrad_takes_on_disk_has_all_its_parts() -> None:
    sizes = packages.tetrad_mb()
    assert set(sizes) == {"libraries", "program", "sounds"}
    assert 5.0 < sizes["sounds"] < 40.0
    assert 1.0 < sizes["program"] < sizes["libraries"]


def test_zynaddsubfx_says_its_port() -> None:
    assert osc_port("x\nlo server running on 16285\n") == 16285
    with pytest.raises(PeerError, match="OSC port was expected"):
        osc_port("Segmentation fault")


def test_the_score_is_a_midi_file_with_one_note() -> None:
    score = mido.MidiFile(file=io.BytesIO(programs.one_note_score()))
    assert [message.type for message in score.tracks[0]] == ["note_on", "note_off", "end_of_track"]
    assert 0.005 < score.length < 0.02


def test_a_voice_stays_below_the_machines_limits() -> None:
    assert limits.inverse_ffts_per_s() > limits.ffts_of_a_voice_per_s()
    assert limits.copy_gb_per_s() * 1e9 > limits.bytes_of_a_voice_per_s() > 1e5
