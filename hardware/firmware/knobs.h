/* Knobs: sums of 16 conversions to positions (0 to 1023) that follow a hand at once and rest when it rests.
 *
 * All inside is in sixteenths of a position. A sum that is 2 positions or more away is taken as it is, so that a turn
 * has no lag but the converter's round of 12 ms; a nearer one moves the filter by a quarter, which takes the noise out.
 * The position that is told changes only when the filter left it by 1.5, so a resting knob tells nothing; the
 * ends (0 and 1023) are taken at half a position, as they could not be reached otherwise.
 */
#ifndef KNOBS_H
#define KNOBS_H

#include <stdint.h>

enum {
    KNOB_SUM_OF = 16,                     /* conversions in a sum: the unit in here */
    KNOB_TOP = 1023 * KNOB_SUM_OF,        /* sum at the upper end */
    KNOB_AT_ONCE = 2 * KNOB_SUM_OF,       /* a step that is a hand and not noise */
    KNOB_PLAY = 3 * KNOB_SUM_OF / 2,      /* hysteresis of what is told */
    KNOB_END = KNOB_SUM_OF / 2,           /* that near to an end is the end */
};

struct knob {
    uint16_t filtered; /* sixteenths of a position */
    uint16_t told;     /* sixteenths of a position */
};

/* Begins at a sum (0 to KNOB_TOP). */
void knob_start(struct knob *knob, uint16_t sum);

/* Takes the next sum and returns the position, 0 to 1023. */
uint16_t knob_follow(struct knob *knob, uint16_t sum);

#endif
