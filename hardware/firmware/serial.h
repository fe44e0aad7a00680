/* The serial line behind two rings: interrupts move the bytes, the main loop never waits for one. */
#ifndef SERIAL_H
#define SERIAL_H

#include <stdbool.h>
#include <stdint.h>

enum { SERIAL_RING_BYTES = 128 }; /* 5 ms of the line, each way; a power of two below 256 */

/* Is there a byte to take? */
bool serial_has_byte(void);

/* Takes a byte that came; false when there is none. */
bool serial_take(uint8_t *byte);

/* Sends n_bytes, or nothing and returns false when they do not fit now. */
bool serial_send(const uint8_t *bytes, uint8_t n_bytes);

/* Bytes lost on the way in since the start: the ring was full, or the line broke one. Stops at 65535. */
uint16_t serial_overruns(void);

#endif
