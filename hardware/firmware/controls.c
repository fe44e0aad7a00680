/* The tick: 8,000 times a second. See controls.h.
 *
 * The fastest spin, 400 detents a second, is a count each 625 us: five samples. A tick with nothing new costs about a
 * tenth of its 2,000 cycles.
 */
#include "controls.h"

#include "account.h"
#include "board.h"
#include "encoders.h"
#include "knobs.h"
#include "leds.h"

enum { TICKS_PER_MS = BOARD_TICK_HZ / 1000 };

static struct encoder encoders[N_ENCODERS];
static struct leds leds;
static uint8_t contacts;
static volatile uint8_t switch_inputs = 0xFF; /* low is down */
static volatile uint16_t now_ms;

/* The converter works on knob, of which n_samples are in sum. A sum is done for done_knob when done is set. */
static uint8_t knob, n_samples;
static uint16_t sum;
static volatile bool done;
static uint8_t done_knob;
static uint16_t done_sum;

static inline void decode(uint8_t now) {
    for (struct encoder *encoder = encoders; encoder != encoders + N_ENCODERS; encoder++) {
        uint8_t two = now & 3;
        now >>= 2;
        if (two != encoder->contacts) {
            encoder_sample(encoder, two);
        }
    }
}

static inline void convert(void) {
    uint16_t sample;
    if (!board_converted(&sample)) {
        return;
    }
    sum = (uint16_t)(sum + sample);
    n_samples++;
    if (n_samples == KNOB_SUM_OF) {
        done_knob = knob;
        done_sum = sum;
        done = true;
        knob = (uint8_t)(knob + 1 == N_KNOBS ? 0 : knob + 1);
        n_samples = 0;
        sum = 0;
    }
    board_convert(knob);
}

BOARD_ON_TICK {
    static uint8_t ticks;
    account_wake(BOARD_TICK_CYCLES);
    uint8_t now = board_contacts();
    if (now != contacts) {
        contacts = now;
        decode(now);
    }
    switch_inputs = board_shift(leds_tick(&leds));
    convert();
    ticks++;
    if (ticks == TICKS_PER_MS) {
        ticks = 0;
        now_ms++;
    }
}

void controls_start(void) {
    contacts = board_contacts();
    for (uint8_t i = 0; i < N_ENCODERS; i++) {
        encoder_start(&encoders[i], (uint8_t)(contacts >> (2 * i)) & 3, 0);
    }
    leds_start(&leds);
}

uint16_t controls_now_ms(void) {
    uint16_t value = 0;
    BOARD_ATOMICALLY { value = now_ms; }
    return value;
}

bool controls_has_ms(uint16_t since_ms) { return (uint8_t)now_ms != (uint8_t)since_ms; }

void controls_counts(uint16_t *counts, uint16_t *illegal) {
    for (uint8_t i = 0; i < N_ENCODERS; i++) {
        BOARD_ATOMICALLY {
            counts[i] = encoders[i].counts;
            illegal[i] = encoders[i].illegal;
        }
    }
}

uint8_t controls_switches(void) { return (uint8_t)~switch_inputs; }

bool controls_take_knob(uint8_t *which, uint16_t *value) {
    if (!done) {
        return false;
    }
    /* The next sum is 2 ms away, so nobody writes these now. */
    *which = done_knob;
    *value = done_sum;
    done = false;
    return true;
}

void controls_show(const uint8_t *duties, uint8_t brightness) {
    static uint8_t round;
    round++;
    leds_show(&leds, duties, brightness, round);
}
