"""What a voice reads: in each corner an instrument, and of it the notes for the voice's key and velocity.

While a note sounds, its corner may get another instrument, and a legato note another key. Then the corner's source
becomes the old one, the new one comes in, and both weigh in the blend, linearly over FADE_S (60 ms): a short morph
rather than a mix of two sounds, so the phases run on and nothing can cancel. Afterwards the voice is what it would be
if it had begun with the new source. A change that comes during a change waits for its end, and then goes to whatever is
wanted by then; notes that begin meanwhile have the new instrument at once.
"""

from collections.abc import Iterable

import numpy as np

from synth.control.corners import N_CORNERS
from synth.voices.align import find_landmarks
from synth.voices.blend import choose_release
from synth.voices.edges import Edges
from synth.voices.middle import LISTENED_FRAMES, corner_powers, measure_middles
from synth.voices.plan import FADE_S, TARGET
from synth.voices.prepared import PreparedInstrument
from synth.voices.prepared_path import PreparedPath
from synth.voices.segments import Int64Array, Records
from synth.voices.voice import FREE, HELD, N_SOURCES, RELEASED

_LANDMARKS = (
    "began",
    "begin",
    "missing_begin",
    "begin_log",
    "begin_now",
    "attack",
    "missing_rise",
    "attack_log",
    "fall_log",
    "attack_now",
    "fall_rate",
)


class Sources:
    """The instruments in use, and which of their notes the voices of `bank` (VOICE [S]) read."""

    def __init__(
        self,
        bank: Records,
        corners: list[PreparedInstrument],
        sample_rate_hz: int,
        paths: Iterable[PreparedPath] = (),
    ) -> None:
        self._bank = bank
        self._fade_samples = round(FADE_S * sample_rate_hz)
        self.edges = Edges(bank, self._fade_samples, paths)
        self._powers = np.zeros((N_CORNERS, LISTENED_FRAMES))
        # The same instrument has the same number in all corners.
        self._in_corner = np.array([corners.index(instrument) for instrument in corners])
        self._next = N_CORNERS
        self.instruments: dict[int, PreparedInstrument] = dict(enumerate(corners))
        self.in_use: list[tuple[int, int]] = list(enumerate(self._in_corner.tolist()))
        """(source, number of its instrument): all pairs that a voice may have."""
        self._find_special()

    def put(self, corner: int, instrument: PreparedInstrument) -> None:
        """An instrument for a corner. Voices that sound have it after the next `refresh`."""
        known = [number for number, other in self.instruments.items() if other is instrument]
        if not known:
            self.instruments[self._next] = instrument
            self._next += 1
        self._in_corner[corner] = known[0] if known else self._next - 1
        self._find_in_use()

    def begin(self, v: int, velocity_depth: float, evenness: float) -> None:
        """Chooses the notes of slot v for its key and velocity, in all corners at once."""
        bank = self._bank
        bank["fading"][v] = 0
        bank["weight"][v] = 0.0
        bank["instrument"][v, N_CORNERS:] = -1
        bank["lead"][v, N_CORNERS:] = -1
        bank["free"][v, N_CORNERS:] = 0
        bank["residual_source"][v] = -1
        bank["residual_from"][v] = bank["residual_to"][v] = bank["residual_stop"][v] = 0
        bank["duck_from"][v] = bank["duck_to"][v] = 1.0
        for corner in range(N_CORNERS):
            self._choose(v, corner, velocity_depth)
        self._measure(v, evenness)
        bank["middle_before_db"][v] = bank["middle_db"][v]
        self.edges.begin(v, self.instruments)

    def refresh(self, time: int, velocity_depth: float, evenness: float) -> int | None:
        """Ends the changes that are over at sample `time`, begins those that wait, and says when the next one ends."""
        bank = self._bank
        sounding = bank["state"] != FREE
        over = (bank["fading"] == 1) & (bank["fade_start"] + self._fade_samples <= time)
        bank["fading"][over] = 0
        bank["instrument"][:, N_CORNERS:][over] = -1
        bank["lead"][:, N_CORNERS:][over] = -1
        bank["free"][:, N_CORNERS:][over] = 0
        pitch = _whole_pitch(bank)
        wrong = (bank["instrument"][:, :N_CORNERS] != self._in_corner) | (bank["source_pitch"] != pitch[:, None])
        wrong &= sounding[:, None] & (bank["fading"] == 0)
        for slot in np.flatnonzero(wrong.any(axis=1)):
            v = int(slot)
            if bank["state"][v] == HELD and bank["frame"][v] == 0:
                self.begin(v, velocity_depth, evenness)  # nothing of it was heard yet
                continue
            self._begin_middle(v, time)
            for corner in np.flatnonzero(wrong[v]):
                self._change(v, int(corner), time, velocity_depth)
            self._measure(v, evenness)
        edges_end = self.edges.refresh(time, self.instruments)
        self._find_in_use()
        ends = (bank["fade_start"][(bank["fading"] == 1) & sounding[:, None]] + self._fade_samples).tolist()
        return min([*ends, *([] if edges_end is None else [edges_end])], default=None)

    def choose_release(self, v: int) -> None:
        """Decides, as slot v is let go, how each of its notes ends."""
        for source in range(N_SOURCES):
            if source < N_CORNERS or self._bank["fading"][v, source - N_CORNERS]:
                self._choose_release(v, source)

    def _choose_release(self, v: int, source: int) -> None:
        instrument = self.instruments[int(self._bank["instrument"][v, source])]
        table = instrument.table
        choose_release(table.notes, table.frames, self._bank, v, source, not instrument.sustains)

    def _choose(self, v: int, corner: int, velocity_depth: float) -> None:
        bank = self._bank
        number = int(self._in_corner[corner])
        pitch = int(_whole_pitch(bank)[v])
        choice = self.instruments[number].choose(pitch, int(bank["velocity"][v]))
        n = len(choice.notes)
        bank["instrument"][v, corner] = number
        bank["source_pitch"][v, corner] = pitch
        bank["note"][v, corner, :n] = choice.notes
        bank["weight"][v, corner] = 0.0
        bank["weight"][v, corner, :n] = choice.weights
        bank["velocity_db"][v, corner] = velocity_depth * choice.velocity_db
        bank["lead"][v, corner] = choice.lead
        bank["free"][v, corner] = choice.free
        find_landmarks(self.instruments[number].table.notes, bank, v, corner)

    def _change(self, v: int, corner: int, time: int, velocity_depth: float) -> None:
        bank = self._bank
        for name in ("instrument", "note", "weight", "walks_on", "velocity_db", "lead", "free", *_LANDMARKS):
            bank[name][v, N_CORNERS + corner] = bank[name][v, corner]
        if bank["residual_source"][v] == corner:
            bank["residual_source"][v] = N_CORNERS + corner
        self._choose(v, corner, velocity_depth)
        bank["fading"][v, corner] = 1
        bank["fade_start"][v, corner] = time
        if bank["state"][v] == RELEASED:
            self._choose_release(v, corner)

    def _begin_middle(self, v: int, time: int) -> None:
        """What `middle_db` is on its way to becomes what it comes from."""
        bank = self._bank
        share = min((time - int(bank["middle_start"][v])) / self._fade_samples, 1.0)
        before = bank["middle_before_db"][v]
        bank["middle_before_db"][v] = before + share * (bank["middle_db"][v] - before)
        bank["middle_start"][v] = time

    def _measure(self, v: int, evenness: float) -> None:
        for corner in range(N_CORNERS):
            table = self.instruments[int(self._bank["instrument"][v, corner])].table
            corner_powers(table.notes, table.frames, self._bank, v, corner, self._powers[corner])
        measure_middles(self._powers, self._bank, v, evenness)

    def _find_in_use(self) -> None:
        bank = self._bank
        numbers = bank["instrument"][bank["state"] != FREE]
        pairs = {*enumerate(self._in_corner.tolist())}
        for source in range(N_SOURCES):
            pairs.update((source, number) for number in np.unique(numbers[:, source]).tolist() if number >= 0)
        self.in_use = sorted(pairs)
        self.instruments = {number: self.instruments[number] for _, number in self.in_use}
        self._find_special()

    def _find_special(self) -> None:
        instruments = self.instruments
        self.with_residual = [(c, number) for c, number in self.in_use if instruments[number].table.residual.size]
        """Those of `in_use` that have residuals."""
        self.any_unpitched = any(instruments[number].unpitched for _, number in self.in_use)


def _whole_pitch(bank: Records) -> Int64Array:
    """For which key's notes each voice asks: int64 [S], 0..127."""
    return np.asarray(np.clip(np.rint(bank["pitch"][:, 0, TARGET]), 0, 127), np.int64)
