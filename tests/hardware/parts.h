/* What is wired to the ATmega328P: encoders, 74HC165 with the switches, 74HC595 with the LEDs, knobs with noise.
 * The pins are those of hardware/firmware/pins.h, the same file that the firmware is built with. */
#ifndef PARTS_H
#define PARTS_H

#include <simavr/sim_avr.h>
#include <stdint.h>

#include "events.h"

struct led_report {
    double duty;     /* share of the time lit since the last report, 0 to 1 */
    double rises_hz; /* times a second that it was switched on */
};

void parts_start(avr_t *avr);

/* After a reset simavr has the pins at 0, as if every contact were closed: they are what they were again. */
void parts_reset(void);

/* Contacts: target 2k (A) or 2k + 1 (B), value 1 is open. Switches: 1 is down. Knobs: millivolts. Noise: millivolts
 * up and down, evenly spread, at each conversion of each knob. */
void parts_apply(enum event_kind kind, int target, int value);

/* What the four LEDs did since the last call. */
void parts_leds(struct led_report *reports);

#endif
