/* Everything the tick does: encoders, shift registers, converter, time. The main loop reads copies. */
#ifndef CONTROLS_H
#define CONTROLS_H

#include <stdbool.h>
#include <stdint.h>

#include "messages.h"

/* Reads the contacts as they are now; before interrupts are let in. */
void controls_start(void);

/* Milliseconds since the start; wraps. */
uint16_t controls_now_ms(void);

/* Has a millisecond passed since now_ms? */
bool controls_has_ms(uint16_t now_ms);

/* Copies the counts of the encoders, and how often both contacts of each changed at once. */
void controls_counts(uint16_t *counts, uint16_t *illegal);

/* What the switches read at the last tick: bit k is set when switch k is down, bounce and all. */
uint8_t controls_switches(void);

/* The next sum of 16 conversions; false when there is none that was not taken. */
bool controls_take_knob(uint8_t *knob, uint16_t *sum);

/* The brightness that the LEDs have from the next round on: duties 0 to 255, scaled by brightness. */
void controls_show(const uint8_t *duties, uint8_t brightness);

#endif
