/* The serial line: UART0 on a pseudo-terminal that can be pulled out, or in memory. */
#ifndef WIRE_H
#define WIRE_H

#include <simavr/sim_avr.h>
#include <stddef.h>
#include <stdint.h>

void wire_start(avr_t *avr);

/* Opens a pseudo-terminal and makes link (a path) point at it; an error text, or NULL. */
const char *wire_plug(const char *link);

/* Closes it and takes the link away: the computer sees a device that is gone. */
void wire_unplug(void);

/* Moves bytes from the pseudo-terminal towards the UART; to be called each millisecond or so of the board's time. */
void wire_poll(void);

/* In memory: bytes to the UART, at the pace of the line. */
void wire_send(const uint8_t *bytes, size_t n_bytes);

/* In memory: bytes that the UART sent since the last call; valid until the next. */
const uint8_t *wire_received(size_t *n_bytes);

#endif
