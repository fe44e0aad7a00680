/* A hand: turns encoders and presses switches whose contacts bounce. */
#ifndef HAND_H
#define HAND_H

#include <stdint.h>

/* Puts the turn of an encoder (0 to 3) by so many detents (negative: counter-clockwise) into the events, from start on
 * or after what that encoder still has to do. Each detent is four contacts' changes. It begins and ends at rest (see slower() in hand.c). Their spacing varies by
 * jitter_percent; each bounces for up to bounce_us, but not past bounce_percent of the time to the next change.
 * Returns the cycle at which the turn has ended. */
uint64_t hand_turn(int encoder, int detents, double detents_per_s, double bounce_us, int bounce_percent,
                   int jitter_percent, uint64_t start);

/* A switch goes down (1) or up (0) and bounces for bounce_us. */
void hand_press(int which, int down, double bounce_us, uint64_t start);

/* A knob goes evenly from one voltage to another within so many milliseconds. */
void hand_move(int knob, int from_mv, int to_mv, double ms, uint64_t start);

void hand_seed(uint32_t seed);

/* Contact changes put in so far, bounce included. */
uint64_t hand_n_edges(void);

#endif
