/* Quadrature decoding; see encoders.h. */
#include "encoders.h"

enum { BOTH = 2 };

/* Counts from the contacts before (first index) to those now. */
static const int8_t STEPS[4][4] = {
    {0, +1, -1, BOTH},
    {-1, 0, BOTH, +1},
    {+1, BOTH, 0, -1},
    {BOTH, -1, +1, 0},
};

void encoder_start(struct encoder *encoder, uint8_t contacts, uint16_t counts) {
    encoder->counts = counts;
    encoder->illegal = 0;
    encoder->contacts = contacts;
    encoder->play = 0;
    encoder->two_counts = BOTH;
}

void encoder_sample(struct encoder *encoder, uint8_t contacts) {
    int8_t step = STEPS[encoder->contacts][contacts];
    encoder->contacts = contacts;
    if (step == BOTH) {
        if (encoder->illegal != 0xFFFF) {
            encoder->illegal++;
        }
        step = encoder->two_counts;
    }
    encoder->counts = (uint16_t)(encoder->counts + (uint16_t)step);
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
