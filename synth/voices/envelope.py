"""Time: where a voice is in each of its recordings, and the player's envelope on top.

A position is in control frames of one note, fractions allowed.

Held: the position runs one frame per tick. In a loop it turns at both ends (ping-pong): every value is a recorded one
and the walk is continuous whatever the loop points are, so a loop needs no search for matching ends and no crossfade,
which would level out the recording's own vibrato and tremolo. The oscillators' phases are their own, so turning
back has none of the phase trouble it has with samples. Without a loop it stops at the last held frame; an instrument
that decays goes on to decay at the slope of its last second.

Released: the position jumps to the recorded note-off and walks on, at 1 / `release` frames per tick; after the last
frame the note fades by 60 dB/s.
"""

from synth.frames import FRAME_RATE_HZ
from synth.jit import njit

END_FADE_DB = 60.0 / FRAME_RATE_HZ
"""dB per frame lost after the last recorded frame of a release."""


@njit()
def way(note):  # type: ignore[no-untyped-def]
    """Frames of a NOTE over which the parameter position goes."""
    return note.loop_end if note.loop_end > note.loop_start else note.hold_end


@njit("f8(f8, i8, i8, i8)")
def held_position(elapsed, loop_start, loop_end, hold_end):  # type: ignore[no-untyped-def]
    """Position after `elapsed` frames of a held note; loop_end <= loop_start means that there is no loop."""
    if loop_end <= loop_start:
        return min(elapsed, float(hold_end))
    if elapsed <= loop_end:
        return elapsed
    length = float(loop_end - loop_start)
    into = (elapsed - loop_end) % (2.0 * length)
    return loop_end - into if into <= length else loop_start + (into - length)


@njit("f8(f8, i8, i8, i8, f8)")
def held_fade_db(elapsed, loop_start, loop_end, hold_end, fade_per_frame):  # type: ignore[no-untyped-def]
    """dB lost by holding a note without a loop past its last frame; 0 or less."""
    if loop_end > loop_start or elapsed <= hold_end:
        return 0.0
    return -fade_per_frame * (elapsed - hold_end)


@njit("f8(f8, f8, f8, f8)")
def envelope_gain(seconds, attack_s, decay_s, sustain_db):  # type: ignore[no-untyped-def]
    """The player's envelope while a key is held, linear: up from 0 over `attack_s` (linear in amplitude), then to
    `sustain_db` over `decay_s` (linear in dB). All times 0 and 0 dB: 1 throughout, the sound as recorded."""
    if seconds < attack_s:
        return seconds / attack_s
    into = seconds - attack_s
    share = 1.0 if into >= decay_s else into / decay_s
    return 10.0 ** (share * sustain_db / 20.0)
