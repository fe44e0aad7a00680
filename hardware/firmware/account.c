/* How much of its time the processor sleeps; see account.h. */
#include "account.h"

#include "board.h"

enum { CYCLES_PER_PERMILLE = 1600 }; /* of 100 ms */

struct account account;
static uint16_t busiest_permille;

void account_sleep(void) {
    board_interrupts_off();
    account.asleep_since = board_cycles_in_tick();
    account.asleep = true;
    board_sleep();
}

void account_close_window(void) {
    uint32_t slept = 0;
    BOARD_ATOMICALLY {
        slept = account.slept_cycles;
        account.slept_cycles = 0;
    }
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
