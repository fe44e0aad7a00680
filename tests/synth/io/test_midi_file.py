"""Reading MIDI files: exact times, and one clear line for every kind of bad file."""

import io
import random
from pathlib import Path

import mido
import pytest

from synth.errors import TetradError
from synth.io.midi_file import TimedMessage, overlapping_notes, read_midi_file, write_midi_file

OPENTTD_MUSIC = Path("/usr/share/games/openttd/baseset/openmsx")


def smf(tracks: list[list[object]], *, kind: int = 1, ticks_per_beat: int = 480) -> bytes:
    """A MIDI file's bytes by mido; `tracks` are lists of its messages with times in ticks since the one before."""
    buffer = io.BytesIO()
    file = mido.MidiFile(type=kind, ticks_per_beat=ticks_per_beat, tracks=[mido.MidiTrack(track) for track in tracks])
    file.save(file=buffer)
    return buffer.getvalue()


def tempo(us_per_beat: int, time: int = 0) -> object:
    return mido.MetaMessage("set_tempo", tempo=us_per_beat, time=time)


def on(key: int, time: int = 0, channel: int = 0) -> object:
    return mido.Message("note_on", note=key, velocity=64, channel=channel, time=time)


def off(key: int, time: int = 0, channel: int = 0) -> object:
    return mido.Message("note_off", note=key, velocity=64, channel=channel, time=time)


SMALL = smf([[tempo(400_000)], [on(60), off(60, 480)], [on(64, 240, 1), off(64, 480, 1)]])


def test_a_tempo_map_in_one_track_moves_the_notes_of_all(tmp_path: Path) -> None:
    """120 beats a minute for one beat, then 60 for two, then 250 for the rest; worked out by hand."""
    path = tmp_path / "a.mid"
    path.write_bytes(
        smf([[tempo(500_000), tempo(1_000_000, 480), tempo(240_000, 960)], [on(60, 240), off(60, 480), on(62, 1200)]])
    )
    assert read_midi_file(path) == [
        TimedMessage(0.25, b"\x90\x3c\x40"),
        TimedMessage(1.0, b"\x80\x3c\x40"),  # 0.5 s to beat 1, half a beat of 1 s
        TimedMessage(0.5 + 2.0 + 0.24, b"\x90\x3e\x40"),  # beat 4: two slow beats and a fast one
    ]


def test_without_a_tempo_a_beat_is_half_a_second(tmp_path: Path) -> None:
    path = tmp_path / "a.mid"
    path.write_bytes(smf([[on(60, 96)]], kind=0, ticks_per_beat=96))
    assert read_midi_file(path) == [TimedMessage(0.5, b"\x90\x3c\x40")]


def test_times_do_not_drift(tmp_path: Path) -> None:
    """20,000 ticks of 1/3 of a millisecond: summing rounded seconds would be off in the ninth digit."""
    path = tmp_path / "a.mid"
    path.write_bytes(smf([[tempo(333_333), *[on(60, 1)] * 20_000]], kind=0, ticks_per_beat=1000))
    assert read_midi_file(path)[-1].time_s == 20_000 * 333_333 / 1e9


@pytest.mark.parametrize(
    ("division", "ticks", "seconds"),
    [
        (b"\xe7\x28", 1000, 1.0),  # 25 frames a second of 40 ticks: milliseconds
        (b"\xe2\x50", 2400, 1.0),  # 30 times 80
        (b"\xe3\x64", 30_000, 10.01),  # 29.97 times 100
    ],
)
def test_a_time_code_knows_no_tempo(tmp_path: Path, division: bytes, ticks: int, seconds: float) -> None:
    content = bytearray(smf([[tempo(100_000), on(60, ticks)]], kind=0))
    content[12:14] = division
    path = tmp_path / "a.mid"
    path.write_bytes(content)
    assert read_midi_file(path)[0].time_s == pytest.approx(seconds, abs=1e-12)


def test_channels_running_status_and_controllers_arrive_as_bytes(tmp_path: Path) -> None:
    track = bytes.fromhex("00 92 3c 40 00 40 40 0a 3c 00  00 e2 01 7f  00 c2 07  00 b2 40 7f  00 ff 2f 00")
    path = tmp_path / "a.mid"
    path.write_bytes(b"MThd" + bytes.fromhex("00000006 0000 0001 0060") + b"MTrk" + len(track).to_bytes(4) + track)
    expected = ["92 3c 40", "92 40 40", "92 3c 00", "e2 01 7f", "c2 07", "b2 40 7f"]
    assert [data.hex(" ") for _, data in read_midi_file(path)] == expected


def test_what_is_written_is_read(tmp_path: Path) -> None:
    messages = [
        TimedMessage(0.0, b"\xb0\x07\x60"),
        TimedMessage(0.25, b"\x91\x40\x50"),
        TimedMessage(1.5, b"\x81\x40\x00"),
    ]
    write_midi_file(tmp_path / "a.mid", messages)
    assert read_midi_file(tmp_path / "a.mid") == messages


def test_every_truncation_is_found(tmp_path: Path) -> None:
    path = tmp_path / "a.mid"
    path.write_bytes(SMALL)
    assert len(read_midi_file(path)) == 4
    for length in range(len(SMALL)):
        path.write_bytes(SMALL[:length])
        with pytest.raises(TetradError, match=r"a complete standard MIDI file was expected; fetch or export it again$"):
            read_midi_file(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"RIFF\x00\x00\x00\x00RMID" + SMALL, r"is a RIFF file \(perhaps .rmi\), not a MIDI file"),
        (b"PK\x03\x04" + bytes(100), "begins with .* not a MIDI file"),
        (smf([[on(60)], [on(64)]], kind=2), "is a MIDI file of format 2"),
        (smf([[tempo(500_000)]]), "holds no notes"),
        (SMALL[:12] + b"\x00\x00" + SMALL[14:], "divides time by 0"),
        (SMALL[:33], "is cut off: it holds 1 of the 3 tracks that it declares"),
        (SMALL[:50], r"is cut off: \d+ bytes are missing from track 2"),
    ],
)
def test_a_bad_file_is_one_clear_line(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "a.mid"
    path.write_bytes(content)
    with pytest.raises(TetradError, match=message) as caught:
        read_midi_file(path)
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(TetradError, match="No such file"):
        read_midi_file(tmp_path / "none.mid")


def test_damaged_bytes_never_escape_as_another_exception(tmp_path: Path) -> None:
    chance = random.Random(2)
    path = tmp_path / "a.mid"
    outcomes = set()
    for _ in range(1500):
        content = bytearray(SMALL)
        for _ in range(chance.randrange(1, 4)):
            content[chance.randrange(len(content))] = chance.randrange(256)
        path.write_bytes(content)
        try:
            read_midi_file(path)
            outcomes.add("read")
        except TetradError:
            outcomes.add("refused")
    assert outcomes == {"read", "refused"}


def test_overlapping_notes_are_counted_per_key_and_channel() -> None:
    steps = ["90 3c 40", "91 3c 40", "90 40 40", "90 3c 40", "90 3c 00", "81 3c 00", "90 43 01", "b0 07 40"]
    assert overlapping_notes([TimedMessage(0.0, bytes.fromhex(step)) for step in steps]) == 3


@pytest.mark.parametrize("name", ["tttheme2.mid", "5432gone_redfarn.mid", "midnight_snow_run.mid"])
def test_other_peoples_files_take_as_long_as_mido_says(name: str) -> None:
    path = OPENTTD_MUSIC / name
    messages = read_midi_file(path)
    elapsed_s, times_s = 0.0, []
    for message in mido.MidiFile(path):
        elapsed_s += message.time
        if not message.is_meta:
            times_s.append(elapsed_s)
    assert len(times_s) > 1000
    assert [message.time_s for message in messages] == pytest.approx(times_s, abs=1e-6)
