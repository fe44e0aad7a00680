"""From a recording as it was found to a note that can be analysed, in words where something is wrong with it."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from synth.errors import TetradError
from synth.frames import SAMPLE_RATE_HZ, Float32Array, pitch_to_hz
from synth.instruments import heard as heard_module
from synth.instruments.analysis import analyse_note
from synth.instruments.keys import key_name
from synth.instruments.listening import CancelledError, listen, listen_all
from synth.instruments.notes import Finding, FoundNote, RawAudio
from synth.instruments.pitch import PitchEstimate

RATE_HZ = 44_100
LEAD_S = 0.3


def tone(pitch: float, seconds: float = 1.5, rate_hz: int = RATE_HZ, lead_s: float = LEAD_S) -> Float32Array:
    """A plucked tone after some silence, float32 [N]."""
    time_s = np.arange(round(seconds * rate_hz)) / rate_hz
    f0_hz = float(pitch_to_hz(pitch))
    partials = range(1, max(2, min(12, int(0.45 * rate_hz / f0_hz))))
    wave = sum(0.7**k * np.sin(2.0 * np.pi * k * f0_hz * time_s + k) for k in partials)
    envelope = np.minimum(time_s / 0.003, 1.0) * np.exp(-2.0 * time_s)
    return np.concatenate([np.zeros(round(lead_s * rate_hz)), 0.3 * envelope * wave]).astype(np.float32)


def found(
    samples: Float32Array, rate_hz: int = RATE_HZ, pitch: int | None = None, name: str = "a", **more: object
) -> FoundNote:
    columns = samples if samples.ndim == 2 else samples[:, None]
    return FoundNote(name, lambda: RawAudio(columns, rate_hz), pitch, **more)  # type: ignore[arg-type]


def saying(pitch: float, confidence: float = 0.95, pitched: bool = True) -> Callable[[Float32Array], PitchEstimate]:
    """An estimator that is always of one opinion: what matters here is what is made of it."""
    return lambda _: PitchEstimate(pitch, confidence, pitched)


def loudest_partial(audio: Float32Array) -> PitchEstimate:
    """Right for `tone`, whose fundamental is its loudest partial."""
    spectrum = np.abs(np.fft.rfft(audio * np.hanning(audio.size), 1 << 18))
    f0_hz = float(spectrum.argmax()) * SAMPLE_RATE_HZ / (1 << 18)
    return PitchEstimate(69.0 + 12.0 * float(np.log2(f0_hz / 440.0)), 0.95, True)


UNPITCHED = saying(float("nan"), 0.9, False)


def test_a_tone_is_heard_with_its_pitch_from_its_onset() -> None:
    heard = listen(found(tone(57.2)))  # with the estimator that ships
    assert heard.note.pitch == 57
    assert heard.pitch == pytest.approx(57.2, abs=0.1)
    assert heard.tuning_cents == pytest.approx(20.0, abs=10.0)
    assert heard.onset_s == pytest.approx(LEAD_S, abs=0.002)
    assert heard.note.audio.dtype == np.float32
    assert analyse_note(heard.note.audio, 57).tuning_cents == pytest.approx(20.0, abs=1.0)
    assert heard.remarks == ()


@pytest.mark.parametrize("rate_hz", [8_000, 44_100, 96_000, 192_000])
def test_any_rate_gives_the_same_note(rate_hz: int) -> None:
    heard = listen(found(tone(60.0, rate_hz=rate_hz), rate_hz), estimate=saying(60.0))
    assert heard.onset_s == pytest.approx(LEAD_S, abs=0.002)
    assert analyse_note(heard.note.audio, 60).tuning_cents == pytest.approx(0.0, abs=1.0)
    assert heard.note.audio.size / SAMPLE_RATE_HZ == pytest.approx(1.5, abs=0.05)


def test_eight_bits_at_eight_kilohertz(tmp_path: Path) -> None:
    path = tmp_path / "low.wav"
    soundfile.write(path, tone(60.0, rate_hz=8_000), 8_000, "PCM_U8")
    samples, rate_hz = soundfile.read(path, dtype="float32", always_2d=True)
    heard = listen(found(samples, rate_hz), estimate=loudest_partial)
    assert heard.note.pitch == 60
    assert heard.onset_s == pytest.approx(LEAD_S, abs=0.004)  # 8 bits have steps of -42 dB


class TestChannels:
    def test_alike_are_averaged(self) -> None:
        mono = tone(60.0)
        heard = listen(found(np.stack([mono, mono], axis=1)), estimate=saying(60.0))
        alone = listen(found(mono), estimate=saying(60.0))
        assert np.abs(heard.note.audio - alone.note.audio).max() < 1e-6
        assert heard.remarks == ()

    @pytest.mark.parametrize("second", [-0.99, -0.8, 0.0])
    def test_that_cancel_or_are_silent_are_not(self, second: float) -> None:
        mono = tone(60.0)
        heard = listen(found(np.stack([second * mono, mono], axis=1)), estimate=saying(60.0))
        alone = listen(found(mono), estimate=saying(60.0))
        level = np.sqrt((1.0 + second**2) / 2.0)
        assert np.abs(heard.note.audio - level * alone.note.audio).max() < 1e-5
        cancels = ("its 2 channels cancel each other: channel 2 was taken alone",)
        assert heard.remarks == (cancels if second < 0.0 else ())

    def test_unlike_ones_keep_their_level(self) -> None:
        other = np.roll(tone(60.0), 40) - np.roll(tone(67.0), 20)  # some correlation
        heard = listen(found(np.stack([tone(60.0), other], axis=1)), estimate=saying(60.0))
        wanted = np.sqrt(0.5 * (np.sum(tone(60.0) ** 2) + np.sum(other**2)) * SAMPLE_RATE_HZ / RATE_HZ)
        assert np.sqrt(np.sum(heard.note.audio**2)) == pytest.approx(wanted, rel=0.02)


class TestWhatIsWrongWithARecording:
    def test_an_offset_is_removed_and_said(self) -> None:
        heard = listen(found(tone(60.0) + np.float32(0.05)), estimate=saying(60.0))
        assert heard.dc == pytest.approx(0.05, abs=1e-4)
        assert "an offset of 5.0 %" in heard.remarks[0]
        clean = listen(found(tone(60.0)), estimate=saying(60.0))
        size = min(heard.note.audio.size, clean.note.audio.size) - 1_000
        assert np.abs(heard.note.audio - clean.note.audio)[:size].max() < 1e-3

    def test_an_offset_of_a_sound_without_silence(self) -> None:
        time_s = np.arange(RATE_HZ) / RATE_HZ
        steady = (0.3 * np.sin(2.0 * np.pi * 41.3 * time_s) + 0.02).astype(np.float32)
        assert listen(found(steady), estimate=saying(28.0)).dc == pytest.approx(0.02, abs=5e-4)

    def test_slow_movements_are_no_offset(self) -> None:
        time_s = np.arange(RATE_HZ // 2) / RATE_HZ
        drum = (0.8 * np.exp(-9.0 * time_s) * np.sin(2.0 * np.pi * 60.0 * time_s) + 0.2 * np.exp(-6.0 * time_s)).astype(
            np.float32
        )
        assert listen(found(drum), estimate=UNPITCHED).dc == 0.0

    def test_clipping_is_repaired_and_said(self) -> None:
        samples = 3.0 * tone(60.0)
        limit = 0.8 * np.abs(samples).max()
        heard = listen(found(np.clip(samples, -limit, limit)), estimate=saying(60.0))
        whole = listen(found(samples), estimate=saying(60.0))
        assert heard.clipped_samples == np.count_nonzero(np.abs(samples) > limit) > 50
        assert f"{heard.clipped_samples} samples clipped, all of them repaired" in heard.remarks
        assert np.abs(heard.note.audio).max() == pytest.approx(np.abs(whole.note.audio).max(), rel=0.05)

    def test_a_few_samples_that_are_no_numbers(self) -> None:
        samples = tone(60.0)
        samples[[20_000, 20_001, 30_000]] = np.nan, np.inf, -np.inf
        heard = listen(found(samples), estimate=saying(60.0))
        assert np.isfinite(heard.note.audio).all()
        assert "3 samples that were NaN or infinite" in heard.remarks[0]

    def test_many_are_refused(self) -> None:
        samples = tone(60.0)
        samples[::50] = np.nan
        with pytest.raises(TetradError, match="are NaN or infinite; expected numbers"):
            listen(found(samples))

    def test_integers_in_a_file_of_floats(self) -> None:
        heard = listen(found(tone(60.0) * np.float32(32_768.0)), estimate=saying(60.0))
        plain = listen(found(tone(60.0)), estimate=saying(60.0))
        assert "read as integers" in heard.remarks[0]
        assert np.abs(heard.note.audio - plain.note.audio).max() < 1e-6

    @pytest.mark.parametrize("level", [0.0, 5e-5])
    def test_silence_is_refused(self, level: float) -> None:
        noise = np.random.default_rng(0).uniform(-level, level, RATE_HZ).astype(np.float32)
        with pytest.raises(TetradError, match=r"a is silent \(it peaks under -80 dBFS\)"):
            listen(found(noise + np.float32(0.1)))

    def test_a_click_is_padded_and_has_no_pitch(self) -> None:
        click = np.random.default_rng(0).uniform(-0.5, 0.5, 441).astype(np.float32)
        heard = listen(found(click))
        assert (heard.note.pitched, heard.note.pitch) == (False, 60)
        assert heard.note.audio.size == 4_800
        assert "taken as a sound without pitch" in heard.remarks[0]
        assert analyse_note(heard.note.audio, 60).pitched is False

    def test_more_than_a_minute_is_cut(self) -> None:
        heard = listen(
            found(np.concatenate([tone(60.0, 1.0), 0.2 * tone(60.0, 0.5, lead_s=65.0)])), estimate=saying(60.0)
        )
        assert heard.note.audio.size == 60 * SAMPLE_RATE_HZ
        assert "was cut after 60" in heard.remarks[0]

    def test_noise_is_measured_and_the_end_cut_where_the_sound_meets_it(self) -> None:
        samples = np.concatenate([tone(60.0, 4.0), np.zeros(RATE_HZ, np.float32)])
        samples += 10.0 ** (-52.0 / 20.0) * np.random.default_rng(0).standard_normal(samples.size).astype(np.float32)
        heard = listen(found(samples), estimate=saying(60.0))
        assert heard.noise_floor_db == pytest.approx(-52.0, abs=1.5)
        assert 1.0 < heard.end_s - LEAD_S < 3.0  # 17 dB a second from -15 dB
        assert "cut where the sound meets it" in heard.remarks[0]

    @pytest.mark.parametrize("shape", [(0, 1), (100, 0), (100,)])
    def test_no_samples_are_refused(self, shape: tuple[int, ...]) -> None:
        with pytest.raises(TetradError, match="has samples of shape"):
            listen(FoundNote("a", lambda: RawAudio(np.zeros(shape, np.float32), RATE_HZ)))


class TestKeys:
    def test_the_source_is_believed_and_contradicted_in_words(self) -> None:
        heard = listen(found(tone(60.0), pitch=72), estimate=saying(60.1))
        assert heard.note.pitch == 72
        assert heard.remarks == ("it sounds like C4 +10 cents; its source says C5, and was believed",)

    def test_an_estimate_that_is_not_sure_contradicts_nobody(self) -> None:
        assert listen(found(tone(60.0), pitch=72), estimate=saying(60.0, 0.6)).remarks == ()

    def test_the_player_is_believed_more(self) -> None:
        heard = listen(found(tone(60.0), pitch=72), pitch=48, estimate=saying(60.0))
        assert heard.note.pitch == 48
        assert "the player says C3" in heard.remarks[0]

    def test_no_pitch(self) -> None:
        heard = listen(found(tone(60.0)), estimate=UNPITCHED)
        assert (heard.note.pitch, heard.note.pitched, heard.pitched) == (60, False, False)
        assert "no pitch could be heard" in heard.remarks[0]

    def test_no_pitch_on_a_key_that_is_known_is_left_to_the_analysis(self) -> None:
        note = listen(found(tone(60.0), pitch=38), estimate=UNPITCHED).note
        assert (note.pitch, note.pitched) == (38, None)

    def test_the_player_says_that_there_is_none(self) -> None:
        note = listen(found(tone(60.0)), pitched=False).note
        assert note.pitched is False

    def test_the_player_says_that_there_is_one_and_none_is_heard(self) -> None:
        with pytest.raises(TetradError, match="no pitch could be heard in it; say which key"):
            listen(found(tone(60.0)), pitched=True, estimate=UNPITCHED)

    def test_the_player_says_that_there_is_one_and_a_guess_is_taken(self) -> None:
        heard = listen(found(tone(60.0)), pitched=True, estimate=saying(60.1, 0.2, pitched=False))
        assert (heard.note.pitch, heard.note.pitched) == (60, True)
        assert heard.remarks == ("it was heard as C4 with a confidence of 0.20 only",)

    @pytest.mark.parametrize(("cents", "left_cents"), [(30.0, 30.0), (80.0, 0.0), (-75.0, 0.0)])
    def test_tuning_is_corrected_where_the_analysis_does_not_look(self, cents: float, left_cents: float) -> None:
        heard = listen(
            found(tone(60.0 + cents / 100.0), pitch=60, release_s=LEAD_S + 1.0), estimate=saying(60.0 + cents / 100.0)
        )
        assert heard.tuning_cents == pytest.approx(cents)
        assert analyse_note(heard.note.audio, 60).tuning_cents == pytest.approx(left_cents, abs=1.0)
        stretched = 2.0 ** ((cents - left_cents) / 1200.0)
        assert heard.note.release_s == pytest.approx(stretched * 1.0, abs=0.003)

    def test_tuning_is_kept_where_that_is_asked(self) -> None:
        heard = listen(found(tone(60.8), pitch=60), correct_tuning=False, estimate=saying(60.8))
        plain = listen(found(tone(60.8), pitch=61), estimate=saying(60.8))
        assert np.array_equal(heard.note.audio, plain.note.audio)

    def test_what_the_source_says_of_its_tuning_is_used(self) -> None:
        heard = listen(found(tone(58.0), pitch=60, tuning_cents=-200.0), estimate=saying(58.02))
        assert heard.remarks == ("it sounds -198 cents off its key, and was tuned to it",)
        assert abs(analyse_note(heard.note.audio, 60).tuning_cents) < 5.0

    def test_names_of_keys(self) -> None:
        assert [key_name(p) for p in (0, 60, 61.31, 68.75, 127)] == ["C-1", "C4", "C#4 +31 cents", "A4 -25 cents", "G9"]


def test_times_and_level_of_the_source_go_along() -> None:
    loop_s = (LEAD_S + 0.2, LEAD_S + 0.7)
    heard = listen(
        found(tone(60.0), pitch=60, release_s=LEAD_S + 1.0, loop_s=loop_s, gain_db=-6.0), estimate=saying(60.0)
    )
    plain = listen(found(tone(60.0), pitch=60), estimate=saying(60.0))
    assert heard.note.loop_s == pytest.approx((0.2, 0.7), abs=0.003)
    assert heard.note.release_s == pytest.approx(1.0, abs=0.003)
    assert np.allclose(heard.note.audio, plain.note.audio * 10.0 ** (-6.0 / 20.0), atol=1e-6)


def test_a_loop_in_a_tail_too_soft_to_be_heard_is_kept_and_one_outside_is_not() -> None:
    samples = np.concatenate([tone(60.0, 1.0), 1e-6 * tone(60.0, 1.0, lead_s=0.0)])
    heard = listen(found(samples, loop_s=(1.5, 2.2)), estimate=saying(60.0))
    assert heard.note.loop_s == pytest.approx((1.2, 1.9), abs=0.003)
    outside = listen(found(samples, loop_s=(5.0, 6.0)), estimate=saying(60.0))
    assert outside.note.loop_s is None
    assert "its loop from 5.000 to 6.000 s is outside" in outside.remarks[0]


class TestSeveralNotes:
    def test_all_but_the_broken_one(self) -> None:
        def broken() -> RawAudio:
            raise TetradError("c.wav can't be read; expected WAV")

        notes = [found(tone(p, 0.5), pitch=p, name=f"n{p}") for p in (64, 60)]
        notes.insert(1, FoundNote("c", broken))
        seen: list[tuple[int, int]] = []
        heard, remarks = listen_all(
            Finding("x", tuple(notes)), lambda done, total: seen.append((done, total)), estimate=loudest_partial
        )
        assert [h.note.pitch for h in heard] == [60, 64]
        assert remarks == ["left out: c.wav can't be read; expected WAV"]
        assert seen == [(1, 3), (2, 3), (3, 3)]

    def test_nothing_left_is_an_error(self) -> None:
        silent = found(np.zeros(RATE_HZ, np.float32))
        with pytest.raises(TetradError, match=r"x: nothing could be heard: a is silent .*\(and 1 more like it\)"):
            listen_all(Finding("x", (silent, silent)))
        with pytest.raises(TetradError, match="it holds no notes"):
            listen_all(Finding("x", ()))

    def test_of_two_alike_the_better_is_taken(self) -> None:
        notes = (
            found(tone(60.0, 0.4), pitch=60, name="short"),
            found(tone(60.0, 1.5), pitch=60, name="long"),
            found(np.clip(4.0 * tone(60.0, 1.5), -0.3, 0.3), pitch=60, name="clipped"),
            found(tone(60.0, 0.4), pitch=60, velocity=50, name="soft"),
        )
        heard, remarks = listen_all(Finding("x", notes), estimate=saying(60.0))
        assert [h.name for h in heard] == ["soft", "long"]
        assert "left out: short: long has its key, C4, and velocity, 100, too" in remarks
        assert any(r.startswith("left out: clipped") for r in remarks)

    def test_sounds_without_pitch_get_keys_of_their_own(self) -> None:
        rng = np.random.default_rng(0)
        notes = tuple(found(rng.uniform(-0.5, 0.5, RATE_HZ // 2).astype(np.float32), name=n) for n in ("kick", "snare"))
        notes += (found(tone(37.0), pitch=37, name="keyed"),)
        heard, remarks = listen_all(Finding("kit", notes), estimate=UNPITCHED)
        assert {h.name: h.note.pitch for h in heard} == {"kick": 36, "keyed": 37, "snare": 38}
        assert "2 sounds without pitch lie on keys of their own, from C2 up" in remarks

    def test_one_without_pitch_among_many_with_one_is_left_out(self) -> None:
        notes = tuple(found(tone(p, 0.5), pitch=p, name=f"n{p}") for p in (60, 62))
        noise = np.random.default_rng(0).uniform(-0.5, 0.5, 300).astype(np.float32)
        finding = Finding("x", (*notes, found(noise, name="knock")))
        heard, remarks = listen_all(finding, estimate=loudest_partial)
        assert [h.name for h in heard] == ["n60", "n62"]
        assert remarks == ["left out: knock: no pitch could be heard; put its key into its name to take it"]

    def test_names_an_octave_off_are_said_once(self) -> None:
        notes = tuple(found(tone(p, 0.5), pitch=p + 12, name=f"n{p}") for p in (55, 57, 60, 62))
        _, remarks = listen_all(Finding("x", notes), estimate=loudest_partial)
        assert remarks[0] == "4 of 4 notes sound an octave lower than their source says"

    def test_what_is_wrong_with_many_notes_is_said_once(self) -> None:
        notes = tuple(found(tone(p, 0.5) + np.float32(0.05), pitch=p, name=f"n{p}") for p in (55, 57, 60, 62))
        heard, remarks = listen_all(Finding("x", notes), estimate=loudest_partial)
        assert remarks == ["4 notes, from n55 to n62: an offset of 5.0 % of full scale was removed"]
        assert all(h.remarks for h in heard)

    def test_a_key_for_many_notes_is_refused(self) -> None:
        notes = tuple(found(tone(p, 0.5), name=f"n{p}") for p in (60, 62))
        with pytest.raises(TetradError, match="x holds 2 notes; a key was given, which suits one note"):
            listen_all(Finding("x", notes), pitch=60)

    def test_cancelling(self) -> None:
        asked: list[bool] = []

        def second_time() -> bool:
            asked.append(len(asked) > 0)
            return asked[-1]

        notes = tuple(found(tone(p, 0.5), pitch=p) for p in (60, 62))
        with pytest.raises(CancelledError, match="cancelled after 1 of 2 notes"):
            listen_all(Finding("x", notes), cancelled=second_time, estimate=UNPITCHED)

    def test_together_they_fit_in_memory(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(heard_module, "MOST_SAMPLES", 5 * SAMPLE_RATE_HZ)
        notes = tuple(found(tone(p, s), pitch=p, name=f"n{p}") for p, s in ((60, 1.0), (62, 3.0), (64, 4.0), (66, 0.5)))
        heard, remarks = listen_all(Finding("x", notes), estimate=UNPITCHED)
        sizes = [h.note.audio.size / SAMPLE_RATE_HZ for h in heard]
        assert sizes == pytest.approx([1.0, 1.75, 1.75, 0.5], abs=0.05)
        assert abs(heard[2].note.audio[-1]) < 1e-3
        assert any("so many notes are kept for" in r for r in remarks)


@pytest.mark.parametrize("seed", range(60))
def test_any_samples_are_heard_or_refused_in_words(seed: int) -> None:
    rng = np.random.default_rng(seed)
    size = int(rng.integers(1, 9_000))
    samples = rng.standard_normal((size, int(rng.integers(1, 4)))) * 10.0 ** rng.uniform(-6.0, 6.0)
    samples *= rng.random((size, 1)) < rng.choice([0.001, 0.1, 1.0])
    for _ in range(int(rng.integers(0, 4))):
        start, value = int(rng.integers(size)), rng.choice([0.0, 1.0, -1.0, np.nan, np.inf, 1e30, 1e-40])
        samples[start : start + int(rng.integers(1, 3_000))] = value
    rate_hz = int(rng.choice([1_000, 8_000, 44_100, 768_000], p=[0.1, 0.3, 0.3, 0.3]))
    note = FoundNote(
        "odd",
        lambda: RawAudio(samples.astype(np.float32), rate_hz),
        pitch=int(rng.integers(128)) if seed % 2 else None,
        tuning_cents=float(rng.uniform(-5_000.0, 5_000.0)),
        release_s=float(rng.uniform(-1.0, 5.0)),
        loop_s=(float(rng.uniform(-1.0, 2.0)), float(rng.uniform(-1.0, 4.0))),
        gain_db=float(rng.uniform(-200.0, 200.0)),
    )
    opinion = saying(float(rng.uniform(20.0, 110.0)), float(rng.random()))
    try:
        note_heard = listen(note, estimate=opinion).note
    except TetradError:
        with pytest.raises(TetradError, match=r"^odd"):
            listen(note, estimate=opinion)
        return
    assert np.isfinite(note_heard.audio).all()
    assert 4_800 <= note_heard.audio.size <= 60 * SAMPLE_RATE_HZ
    assert 0 <= note_heard.pitch <= 127
    duration_s = note_heard.audio.size / SAMPLE_RATE_HZ
    assert note_heard.release_s is None or 0.0 < note_heard.release_s <= duration_s
    assert note_heard.loop_s is None or 0.0 <= note_heard.loop_s[0] < note_heard.loop_s[1] <= duration_s
    analyse_note(note_heard.audio, note_heard.pitch)
