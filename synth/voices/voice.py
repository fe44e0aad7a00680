"""The control half's memory of its voices: one record per slot."""

import numpy as np

from synth.control.corners import N_CORNERS, N_EDGES
from synth.control.events import Dimension
from synth.frames import N_PARTIALS
from synth.grid.pair_path import N_WARP
from synth.voices.prepared import NOTES_PER_CORNER
from synth.voices.segments import N_LEVELS

FREE, HELD, RELEASED = 0, 1, 2
"""States of a slot: free -> held (note-on) -> released (note-off) -> free (silent); any -> free (stolen, cut off)."""

NEVER = 1 << 62
"""Of samples."""
N_GROUPS = 3
"""Grids of ticks that voices join: a third of a frame apart, which is a block of 128 samples at 48 kHz."""
GROUP_SIZE = 24
"""Voices of a group before the next one is used."""
N_SOURCES = 2 * N_CORNERS
"""What a voice reads: 0 to 3 what each corner has, 4 to 7 what it had, which fades out after a change."""
N_EDGE_SOURCES = 2 * N_EDGES
"""0 to 3 the path that each edge has, 4 to 7 the one that it had, which fades out after a change."""
CURVE = 3
"""Target, start, since: a value on its way, as in synth.voices.plan.parameter_at."""

_PER_NOTE = (N_SOURCES, NOTES_PER_CORNER)
VOICE = np.dtype(
    [
        ("state", np.int64),
        ("free_from", np.int64),  # sample from which a free slot may sound anew
        ("serial", np.int64),  # number of the note, the same for all its unison voices
        ("channel", np.int64),
        ("key_down", np.int64),  # 0 or 1: a pedal may hold the note without its key
        ("sostenuto", np.int64),  # 0 or 1: the middle pedal holds it
        ("key", np.float64),
        ("velocity", np.float64),
        # time, in absolute samples
        ("onset", np.int64),
        ("base", np.int64),  # onset, change of key or release: where the grid of ticks starts
        ("held_base", np.float64),  # frames that the held note had behind it at `base`
        ("next_tick", np.int64),
        ("frame", np.int64),  # the frame since `base` that the next tick computes
        ("reached", np.int64),  # at which held_frames and release_frames are right
        ("group", np.int64),  # of voices that tick together, 0 to N_GROUPS - 1
        ("onset_ramp", np.int64),  # samples in which frame 0 is reached
        ("held_frames", np.float64),  # since the onset
        ("release_frames", np.float64),  # since the release, stretched by the parameter
        ("probing", np.int64),  # 1: the next tick measures the release and sends nothing
        ("released", np.int64),  # sample of the release
        # the player's controls as the note began
        ("start_fraction", np.float64),  # parameter position, 0..1
        ("attack_s", np.float64),
        ("decay_s", np.float64),
        ("pitch", np.float64, (1, CURVE)),  # of the key in its tuning: MIDI number
        ("glide_from", np.float64),  # semitones above that
        ("glide_start", np.int64),  # sample
        ("glide_s", np.float64),
        ("expression", np.float64, (len(Dimension), CURVE)),  # its own, in the order and the units of Dimension
        ("follows", np.float64),  # 1: it has its channel's expression too; 0: let go, it keeps what it had
        # place among the voices of its note
        ("pitch_place", np.float64),  # -1..1
        ("room_place", np.float64),  # -1..1
        ("share", np.float64),  # linear gain
        ("envelope", np.float64),  # linear, at the last tick
        # the notes in each corner
        ("instrument", np.int64, (N_SOURCES,)),  # number of the prepared instrument
        ("velocity_db", np.float64, (N_SOURCES,)),
        ("source_pitch", np.int64, (N_CORNERS,)),  # whole MIDI number for which the notes were chosen
        ("fading", np.int64, (N_CORNERS,)),  # 1: the corner's source goes over from what it was
        ("fade_start", np.int64, (N_CORNERS,)),  # sample
        ("middle_db", np.float64, (N_CORNERS, N_CORNERS)),  # row < column: missing between two; else own
        ("middle_before_db", np.float64, (N_CORNERS, N_CORNERS)),  # from which it goes over in FADE_S
        ("middle_start", np.int64),  # sample
        ("note", np.int64, _PER_NOTE),
        ("weight", np.float64, _PER_NOTE),
        ("walks_on", np.int64, _PER_NOTE),  # 1: released, it walks on through the held part, fading
        ("lead", np.int64, (N_SOURCES,)),  # the heaviest note, if it has a residual; else -1
        ("free", np.int64, (N_SOURCES,)),  # 1: a note's partials are not where the key and the law put them
        # alignment, see synth.voices.align: in frames, means over a source's notes
        ("began", np.float64, (N_SOURCES,)),  # where in the recordings it began
        ("begin", np.float64, (N_SOURCES,)),  # when it is heard from there
        ("missing_begin", np.float64, (N_SOURCES,)),  # dB of the rise from there that it has behind it as it begins
        ("begin_log", np.float64, (N_SOURCES,)),
        ("begin_now", np.float64, (N_SOURCES,)),
        ("attack", np.float64, (N_SOURCES,)),  # how long its attack lasts from there
        ("missing_rise", np.float64, (N_SOURCES,)),  # dB of the attack's last that it has behind it as it begins
        ("attack_log", np.float64, (N_SOURCES,)),  # natural logarithm of that
        ("fall_log", np.float64, (N_SOURCES,)),  # likewise, how long its release lasts
        ("attack_now", np.float64, (N_SOURCES,)),  # how long its attack is to last
        ("risen", np.float64),  # when what fades a source in is over
        ("fall_rate", np.float64, (N_SOURCES,)),  # how fast its release is to be read; 1 as recorded
        # the paths between the corners, see synth.voices.surface
        ("curved", np.int64),  # 1: at least one edge has a path, or had one just now
        ("path", np.int64, (N_EDGE_SOURCES,)),  # number of the prepared path; -1: a straight line
        ("path_flip", np.int64, (N_EDGE_SOURCES,)),  # 1: it runs from the edge's end to its beginning
        ("path_note", np.int64, (N_EDGE_SOURCES, 2)),
        ("path_weight", np.float64, (N_EDGE_SOURCES, 2)),
        ("path_pitch", np.int64, (N_EDGES,)),  # whole MIDI number for which the notes were chosen
        ("path_fading", np.int64, (N_EDGES,)),  # 1: the edge goes over from what it was
        ("path_start", np.int64, (N_EDGES,)),  # sample
        ("warp", np.float32, (N_EDGE_SOURCES, N_WARP)),  # 0..1, along the edge
        # the segment last sent, as the renderer has it
        ("ramp_start", np.int64),
        ("ramp_length", np.int64),
        ("f0", np.float64),  # cycles per sample
        ("inharmonicity", np.float64),
        ("gain", np.float64, (2,)),
        ("power", np.float64),  # sum of the squares of level_to
        ("audible", np.float64),  # K-weighted power of the whole note, now or soon
        ("level_from", np.float32, (N_LEVELS,)),
        ("level_to", np.float32, (N_LEVELS,)),
        ("free_partials", np.int64),  # 1: partials are at `stretch`
        ("stretch", np.float32, (N_PARTIALS,)),  # frequency of a partial over f0
        # the residual that plays, as the renderer has it; times and lengths in samples, places in those of the residual
        ("residual_source", np.int64),  # whose lead it is; -1: none
        ("residual_time", np.int64),  # since when what follows holds
        ("residual_place", np.float64),  # then
        ("residual_rate", np.float64),  # places per sample, then
        ("residual_bend", np.float64),  # change of the rate per sample, for residual_length
        ("residual_length", np.int64),
        ("residual_stop", np.int64),  # up to which sample the ring is filled
        ("residual_from", np.float64),  # gain, a ramp like the levels
        ("residual_to", np.float64),
        ("duck_from", np.float64),  # gain of the bands beside the residual, likewise
        ("duck_to", np.float64),
        # what a release adds, in dB, to be continuous with the held note
        ("offset_all_db", np.float64),
        ("offset_db", np.float32, (N_LEVELS,)),
    ],
    align=True,
)
