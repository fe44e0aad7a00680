/* The board's number and name, kept in its EEPROM with a CRC. */
#ifndef KEPT_H
#define KEPT_H

#include <stdint.h>

#include "messages.h"

/* Number 0 and "Tetrad board" when nothing good is kept. */
void kept_read(uint32_t *board_id, uint8_t *name);

/* Writes only bytes that differ: 3.4 ms each, at most 75 ms in which the main loop stands and the tick goes on. */
void kept_write(uint32_t board_id, const uint8_t *name);

#endif
