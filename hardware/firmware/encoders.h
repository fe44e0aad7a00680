/* Quadrature decoding: two contacts of an encoder, sampled, to a count that wraps (4 a detent, clockwise up).
 *
 * Contacts are two bits, A in bit 0 and B in bit 1, low when closed. Clockwise they go 3, 2, 0, 1, 3. A contact that
 * bounces counts one forward and one back, so bounce needs no filter and costs no time.
 * When both contacts changed between two samples, two counts passed and only their direction is unknown: the last
 * movement of two counts says it. (The last single count would not do: it may have been a bounce backwards. Leaving
 * the counts out would set the count apart from the detents for good.)
 */
#ifndef ENCODERS_H
#define ENCODERS_H

#include <stdint.h>

struct encoder {
    uint16_t counts;
    uint16_t illegal;  /* samples between which both contacts changed; stops at 65535 */
    uint8_t contacts;  /* at the last sample */
    uint8_t play;      /* 0 or 1: the count inside which a bounce stays without turning the direction */
    int8_t two_counts; /* +2 or -2: the last movement of at least two counts */
};

/* Begins with the contacts as they are, at the given count. */
void encoder_start(struct encoder *encoder, uint8_t contacts, uint16_t counts);

/* Where an encoder that counts so rests, in counts, when it was taken to rest at `detent` before: there, until all but a
 * quarter of the counts to another detent are passed. The computer's rule (firmware_host/events.py), so that what makes
 * an event there is sent at once, and a trembling contact nothing. */
uint16_t encoder_detent(uint16_t counts, uint16_t detent);

/* The detent that is nearest to these counts, for a computer that hears of them first. */
uint16_t encoder_nearest(uint16_t counts);

/* Counts from the contacts before (first index) to those now; 2: both changed. */
extern const int8_t ENCODER_STEPS[4][4];

/* One sample; contacts is 0 to 3. In the header, because a call from the tick would save and restore 12 registers. */
static inline void encoder_sample(struct encoder *encoder, uint8_t contacts) {
    int8_t step = ENCODER_STEPS[encoder->contacts][contacts];
    encoder->contacts = contacts;
    if (step == 2) {
        if (encoder->illegal != 0xFFFF) {
            encoder->illegal++;
        }
        step = encoder->two_counts;
    }
    uint16_t moved = (uint16_t)step;
    encoder->counts = (uint16_t)(encoder->counts + moved);
    int8_t play = (int8_t)((int8_t)encoder->play + step);
    if (play > 1) {
        encoder->two_counts = +2;
        play = 1;
    } else if (play < 0) {
        encoder->two_counts = -2;
        play = 0;
    }
    encoder->play = (uint8_t)play;
}

#endif
