/* How much of its time the processor sleeps, for the diagnostics. */
#ifndef ACCOUNT_H
#define ACCOUNT_H

#include <stdint.h>

#include "board.h"

/* When it woke: cycles in the tick, or BOARD_TICK_CYCLES when the tick itself woke it. */
extern volatile uint16_t account_woke;

/* First in each interrupt. It has only a flag to ask and a number to keep, as it is paid 27,000 times a second. */
static inline void account_wake(uint16_t now) {
    if (board_flag()) {
        board_lower_flag();
        account_woke = now;
    }
}

/* Cycles slept since account_close_ms: at most 16,000, as a sleep ends with the tick. */
extern uint16_t account_slept;

/* Sleeps until an interrupt, on account. */
static inline void account_sleep(void) {
    board_interrupts_off();
    uint16_t since = board_cycles_in_tick();
    board_raise_flag();
    board_sleep();
    uint16_t woke = account_woke; /* written again only after the next sleep began */
    if (woke > since) {
        account_slept = (uint16_t)(account_slept + (woke - since));
    }
}

/* Once each millisecond. */
void account_close_ms(void);

/* Once each 100 ms: takes the window in. */
void account_close_window(void);

/* Permille awake in the worst window of 100 ms since the last call. */
uint16_t account_busiest_permille(void);

#endif
