/* Brightness of the LEDs by bit angle modulation: six planes, shown for 1, 2, 4 .. 32 ticks of 1/8000 s.
 *
 * One round is 63 ticks, so 127 rounds a second; that leaves 63 duties. The two bits below are spread over four rounds
 * where a step of 1/63 is not seen (from 4/63 up); a duty that would vanish is the smallest that shines.
 */
#ifndef LEDS_H
#define LEDS_H

#include <stdint.h>

#include "messages.h"

enum { LED_PLANES = 6, LED_ROUND_TICKS = 63 };

struct leds {
    uint8_t planes[LED_PLANES]; /* bit k: LED k shines in this plane */
    uint8_t plane;
    uint8_t ticks_left; /* of the plane */
};

/* All dark. */
void leds_start(struct leds *leds);

/* One tick: which LEDs shine in it, bit k for LED k. */
static inline uint8_t leds_tick(struct leds *leds) {
    uint8_t lit = leds->planes[leds->plane];
    leds->ticks_left--;
    if (leds->ticks_left == 0) {
        leds->plane = (uint8_t)(leds->plane + 1 == LED_PLANES ? 0 : leds->plane + 1);
        leds->ticks_left = (uint8_t)(1u << leds->plane);
    }
    return lit;
}

/* The planes of the next round. duties: 0 to 255 each; brightness scales them (255: as they are); round counts on. */
void leds_show(struct leds *leds, const uint8_t *duties, uint8_t brightness, uint8_t round);

#endif
