/* Switches, debounced; see switches.h. */
#include "switches.h"

void switches_sample(struct switches *switches, uint8_t down) {
    for (uint8_t i = 0; i < N_SWITCHES; i++) {
        uint8_t bit = (uint8_t)(1u << i);
        if (((down ^ switches->levels) & bit) == 0) {
            if (switches->integrators[i] != 0) {
                switches->integrators[i]--;
            }
        } else {
            switches->integrators[i]++;
            if (switches->integrators[i] == SWITCH_STEADY_SAMPLES) {
                switches->integrators[i] = 0;
                switches->levels ^= bit;
                switches->edges[i]++;
            }
        }
    }
}
