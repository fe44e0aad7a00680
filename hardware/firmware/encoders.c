/* Quadrature decoding; see encoders.h. */
#include "encoders.h"

enum { BOTH = 2 };

const int8_t ENCODER_STEPS[4][4] = {
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
