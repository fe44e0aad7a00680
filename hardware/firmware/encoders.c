/* Quadrature decoding; see encoders.h. */
#include "encoders.h"

#include "messages.h"

enum { BOTH = 2, ENOUGH = COUNTS_PER_DETENT - COUNTS_PER_DETENT / 4 };

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

static uint16_t whole_detents(uint16_t counts) {
    return (uint16_t)((counts + COUNTS_PER_DETENT - ENOUGH) / COUNTS_PER_DETENT * COUNTS_PER_DETENT);
}

uint16_t encoder_detent(uint16_t counts, uint16_t detent) {
    uint16_t beyond = (uint16_t)(counts - detent);
    uint16_t before = (uint16_t)(detent - counts);
    return beyond < 0x8000 ? (uint16_t)(detent + whole_detents(beyond)) : (uint16_t)(detent - whole_detents(before));
}

uint16_t encoder_nearest(uint16_t counts) {
    return (uint16_t)((counts + COUNTS_PER_DETENT / 2) / COUNTS_PER_DETENT * COUNTS_PER_DETENT);
}
