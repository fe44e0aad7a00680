"""Musical time: which beat a sample is, by a tempo of our own or by the MIDI clock that comes in.

A beat is a quarter note. While MIDI clock comes (24 pulses a beat), beats are counted pulses, and their places in time
are the pulses' with the jitter taken out. When it stays away for a second, time goes on at our own tempo, without a
jump. `Start` and `Continue` take effect at the pulse after them, as MIDI 1.0 says; after `Stop` the beats go on as long
as pulses come, so that an arpeggio is not silenced by a sequencer that stands still, and `running` tells the two apart.

The filter is an alpha-beta tracker of the pulses' times, a second-order loop (Kalata, "The Tracking Index", IEEE Trans.
AES-20(2), 1984; gains of the expanding memory, Brookner, "Tracking and Kalman Filtering Made Easy", 1998, section 1.2):
the first pulses count in full, and later ones have a memory of one beat. That leaves a third of the pulses' own jitter,
and a tempo that moves by 10 bpm a second is followed 3 ms behind.

One thread uses a Clock; nothing here waits or locks.
"""

from collections.abc import Iterable

from synth.control.events import Event, SetParameter, Transport, TransportKind
from synth.control.parameters import NOTE_LENGTHS, parameter_named
from synth.errors import TetradError

PULSES_PER_BEAT = 24
LOST_AFTER_S = 1.0
SLOWEST_BPM, FASTEST_BPM = 20.0, 500.0  # of a foreign clock; our own tempo has the range of the table
_MEMORY_PULSES = PULSES_PER_BEAT
_SURE_AFTER_PULSES = 8  # from then on a pulse can be an outlier
_OUTLIER_SHARE = 0.25  # of the time between two pulses: 5 ms at 120 bpm, five times the jitter of a USB bus
_OUTLIERS_OF_A_NEW_TEMPO = 3


def beats_of(note_length: str) -> float:
    """Beats (quarter notes) of a name in NOTE_LENGTHS. TetradError for any other."""
    if note_length not in NOTE_LENGTHS:
        raise TetradError(f"There is no note length {note_length!r}; expected one of {', '.join(NOTE_LENGTHS)}.")
    whole, _, part = note_length.removesuffix("T").partition("/")
    return 4.0 * int(whole) / int(part) * (2.0 / 3.0 if note_length.endswith("T") else 1.0)


class Clock:
    """Beats and samples. Events are fed in the order of their times; questions may be about any time."""

    def __init__(self, sample_rate_hz: int, tempo_bpm: float = 120.0) -> None:
        self.sample_rate_hz = sample_rate_hz
        self.running: bool | None = None
        """Whether the sequencer whose clock we follow plays; None before it said anything."""
        self.jumps = 0
        """How often the beats did not go on in order (Start, Continue, a new position)."""
        self.jumped_to_beat = 0.0
        """Where they went on the last time."""
        self._own_tempo_bpm = parameter_named("tempo").clamp(tempo_bpm)
        # Time is a straight line through (sample, beat); after `_lost_at` ours, before it the foreign clock's.
        self._sample, self._beat = 0.0, 0.0
        self._samples_per_beat = self._beat_length(self._own_tempo_bpm)
        self._lost_at: float | None = None  # None: no foreign clock since our line began
        self._last_pulse = 0
        self._pulses = 0  # that the filter remembers
        self._outliers = 0
        self._song_beat = 0.0
        self._jump_to: float | None = None  # at the next pulse

    def feed(self, events: Iterable[Event]) -> None:
        """Take note of Transport events and of the parameter tempo; all others are no business of a clock."""
        for event in events:
            if isinstance(event, Transport):
                self._transport(event)
            elif isinstance(event, SetParameter) and event.name == "tempo":
                self._set_tempo(event.value, event.time_samples)

    def follows(self, sample: int) -> bool:
        """Whether a foreign clock is what counts at a sample."""
        return self._lost_at is not None and sample < self._lost_at

    def tempo_bpm(self, sample: int) -> float:
        """Beats a minute at a sample."""
        return 60.0 * self.sample_rate_hz / self._samples_per_beat if self.follows(sample) else self._own_tempo_bpm

    def beat_at(self, sample: float) -> float:
        """The beat at a sample, fractions and all."""
        if self._lost_at is None or sample <= self._lost_at:
            return self._beat + (sample - self._sample) / self._samples_per_beat
        own = (sample - self._lost_at) / self._beat_length(self._own_tempo_bpm)
        return self.beat_at(self._lost_at) + own

    def sample_at(self, beat: float) -> int:
        """The sample nearest to a beat, at least 0."""
        sample = self._sample + (beat - self._beat) * self._samples_per_beat
        if self._lost_at is not None and sample > self._lost_at:
            own_beats = beat - self.beat_at(self._lost_at)
            sample = self._lost_at + own_beats * self._beat_length(self._own_tempo_bpm)
        return max(round(sample), 0)

    def seconds_of(self, note_length: str, sample: int) -> float:
        """Seconds of a name in NOTE_LENGTHS at the tempo of a sample."""
        return beats_of(note_length) * 60.0 / self.tempo_bpm(sample)

    def _beat_length(self, tempo_bpm: float) -> float:
        return 60.0 * self.sample_rate_hz / tempo_bpm

    def _set_tempo(self, tempo_bpm: float, sample: int) -> None:
        if not self.follows(sample):  # our line goes on from here, with another slope
            self._beat = self.beat_at(sample)
            self._sample, self._lost_at = float(sample), None
            self._samples_per_beat = self._beat_length(tempo_bpm)
        self._own_tempo_bpm = tempo_bpm

    def _transport(self, event: Transport) -> None:
        sample = event.time_samples
        match event.kind:
            case TransportKind.CLOCK:
                self._pulse(sample)
            case TransportKind.START:
                self.running, self._jump_to = True, 0.0
            case TransportKind.CONTINUE:
                self.running, self._jump_to = True, self._song_beat
            case TransportKind.STOP:
                if self.running and self._jump_to is None:
                    # The song goes on with the pulse that would have come next.
                    next_pulse = self._beat + 1.0 / PULSES_PER_BEAT
                    self._song_beat = next_pulse if self.follows(sample) else self.beat_at(sample)
                self.running, self._jump_to = False, None
            case TransportKind.POSITION:
                self._song_beat = event.sixteenths / 4.0
                if self.running:  # MIDI 1.0 allows it to a stopped song only, but some send it to move a playing one
                    self._jump_to = self._song_beat

    def _pulse(self, sample: int) -> None:
        if not self.follows(sample):
            # Beats go on in order: the nearest pulse to where our own tempo has come.
            self._beat = round(self.beat_at(sample) * PULSES_PER_BEAT) / PULSES_PER_BEAT
            self._sample, self._pulses, self._outliers = float(sample), 1, 0
        else:
            self._beat += 1.0 / PULSES_PER_BEAT
            self._track(float(sample))
        if self._jump_to is not None:
            self._beat, self._jump_to = self._jump_to, None
            self.jumps += 1
            self.jumped_to_beat = self._beat
        self._last_pulse = sample
        self._lost_at = sample + LOST_AFTER_S * self.sample_rate_hz

    def _track(self, sample: float) -> None:
        """One step of the filter: the line now goes through the estimated time of this pulse."""
        period = self._samples_per_beat / PULSES_PER_BEAT
        error = sample - (self._sample + period)
        if self._pulses >= _SURE_AFTER_PULSES and abs(error) > _OUTLIER_SHARE * period:
            side = 1 if error > 0.0 else -1
            self._outliers = self._outliers + side if self._outliers * side > 0 else side
            if abs(self._outliers) >= _OUTLIERS_OF_A_NEW_TEMPO:
                self._sample, self._pulses, self._outliers = sample, 1, 0
                self._samples_per_beat = self._possible((sample - self._last_pulse) * PULSES_PER_BEAT)
                return
            error = side * _OUTLIER_SHARE * period
        else:
            self._outliers = 0
        self._pulses = n = min(self._pulses + 1, _MEMORY_PULSES)
        self._sample += period + 2.0 * (2 * n - 1) / (n * (n + 1)) * error
        self._samples_per_beat = self._possible((period + 6.0 / (n * (n + 1)) * error) * PULSES_PER_BEAT)

    def _possible(self, samples_per_beat: float) -> float:
        return min(max(samples_per_beat, self._beat_length(FASTEST_BPM)), self._beat_length(SLOWEST_BPM))
