/* Knobs; see knobs.h. */
#include "knobs.h"

static uint16_t distance(uint16_t a, uint16_t b) { return (uint16_t)(a > b ? a - b : b - a); }

void knob_start(struct knob *knob, uint16_t sum) {
    knob->filtered = sum;
    knob->told = sum;
}

uint16_t knob_follow(struct knob *knob, uint16_t sum) {
    uint16_t away = distance(sum, knob->filtered);
    if (away >= KNOB_AT_ONCE) {
        knob->filtered = sum;
    } else {
        /* Rounded up, or the filter would stop 3 sixteenths before its goal. */
        uint16_t step = (uint16_t)((away + 3) / 4);
        knob->filtered = (uint16_t)(sum > knob->filtered ? knob->filtered + step : knob->filtered - step);
    }
    if (knob->filtered <= KNOB_END) {
        knob->told = 0;
    } else if (knob->filtered >= KNOB_TOP - KNOB_END) {
        knob->told = KNOB_TOP;
    } else if (distance(knob->filtered, knob->told) >= KNOB_PLAY) {
        knob->told = knob->filtered;
    }
    return (uint16_t)((knob->told + KNOB_SUM_OF / 2) / KNOB_SUM_OF);
}
