/* How much of its time the processor sleeps; see account.h. */
#include "account.h"

enum { CYCLES_PER_PERMILLE = 1600 }; /* of 100 ms */

volatile uint16_t account_woke;
uint16_t account_slept;
static uint32_t slept_cycles;
static uint16_t busiest_permille;

void account_close_ms(void) {
    slept_cycles += account_slept;
    account_slept = 0;
}

void account_close_window(void) {
    uint32_t slept = slept_cycles;
    slept_cycles = 0;
    uint16_t slept_permille = (uint16_t)(slept / CYCLES_PER_PERMILLE);
    uint16_t permille = (uint16_t)(slept_permille < 1000 ? 1000 - slept_permille : 0);
    if (permille > busiest_permille) {
        busiest_permille = permille;
    }
}

uint16_t account_busiest_permille(void) {
    uint16_t value = busiest_permille;
    busiest_permille = 0;
    return value;
}
