/* How much of its time the processor sleeps, for the diagnostics. */
#ifndef ACCOUNT_H
#define ACCOUNT_H

#include <stdbool.h>
#include <stdint.h>

struct account {
    volatile uint32_t slept_cycles;
    volatile uint16_t asleep_since; /* cycles in the tick */
    volatile bool asleep;
};

extern struct account account;

/* First in each interrupt: the processor woke at now cycles in the tick (the tick itself wakes it at a tick's end). */
static inline void account_wake(uint16_t now) {
    if (account.asleep) {
        account.asleep = false;
        if (now > account.asleep_since) {
            account.slept_cycles += (uint16_t)(now - account.asleep_since);
        }
    }
}

/* Sleeps until an interrupt, on account. */
void account_sleep(void);

/* Once each 100 ms: takes the window in. */
void account_close_window(void);

/* Permille awake in the worst window of 100 ms since the last call. */
uint16_t account_busiest_permille(void);

#endif
