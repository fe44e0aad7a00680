/* What happens at the board's pins, at exact cycles: a queue that simavr's cycle timer empties. */
#ifndef EVENTS_H
#define EVENTS_H

#include <simavr/sim_avr.h>
#include <stdint.h>

enum event_kind { EVENT_CONTACT, EVENT_SWITCH, EVENT_KNOB, EVENT_NOISE };

struct event {
    uint64_t cycle;
    uint64_t order; /* of two at one cycle, the one that was put in first comes first */
    enum event_kind kind;
    int target;
    int value;
};

void events_start(avr_t *avr);

/* From this cycle on (not before now): the value of the target. */
void events_put(uint64_t cycle, enum event_kind kind, int target, int value);

/* Cycle of the last event that waits, 0 if none does. */
uint64_t events_last_cycle(void);

#endif
