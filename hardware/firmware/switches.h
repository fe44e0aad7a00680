/* Eight switches, debounced: a level changes when it was read another way for 5 ms in sum (an integrator). */
#ifndef SWITCHES_H
#define SWITCHES_H

#include <stdint.h>

#include "messages.h"

enum { SWITCH_STEADY_SAMPLES = 5 }; /* at one sample a millisecond */

struct switches {
    uint8_t levels;                 /* bit k: switch k is down */
    uint8_t edges[N_SWITCHES];      /* changes of the level, wrapping: odd is down */
    uint8_t integrators[N_SWITCHES]; /* samples that spoke against the level, less those that spoke for it */
};

/* One sample a millisecond; bit k of down says that switch k is read as down. */
void switches_sample(struct switches *switches, uint8_t down);

#endif
