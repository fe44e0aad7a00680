/* Brightness of the LEDs; see leds.h. */
#include "leds.h"

enum { SPREAD_FROM = 4 };

void leds_start(struct leds *leds) {
    static const uint8_t DARK[N_LEDS] = {0};
    leds->plane = 0;
    leds->ticks_left = 1;
    leds_show(leds, DARK, 0, 0);
}

static uint8_t steps_of(uint8_t duty, uint8_t brightness, uint8_t round) {
    /* In quarters of a step: 0 to 252. */
    uint16_t product = (uint16_t)(duty * (uint16_t)brightness);
    /* 65025 * 254 / 65536 is 252.02; the processor has no division. */
    uint8_t quarters = (uint8_t)(((uint32_t)product * 254u) >> 16);
    uint8_t steps = quarters >> 2;
    if (steps >= SPREAD_FROM) {
        static const uint8_t ORDER[4] = {0, 2, 1, 3};
        return (uint8_t)(steps + ((quarters & 3) > ORDER[round & 3] ? 1 : 0));
    }
    steps = (uint8_t)((quarters + 2) >> 2);
    return steps == 0 && product != 0 ? 1 : steps;
}

void leds_show(struct leds *leds, const uint8_t *duties, uint8_t brightness, uint8_t round) {
    uint8_t planes[LED_PLANES] = {0};
    for (uint8_t i = 0; i < N_LEDS; i++) {
        uint8_t steps = steps_of(duties[i], brightness, round);
        for (uint8_t plane = 0; plane < LED_PLANES; plane++) {
            if (steps & (1u << plane)) {
                planes[plane] = (uint8_t)(planes[plane] | (1u << i));
            }
        }
    }
    /* Byte by byte while the tick may come: it then shows one plane of the round before, for one round. */
    for (uint8_t plane = 0; plane < LED_PLANES; plane++) {
        leds->planes[plane] = planes[plane];
    }
}
