/* Frames of the serial line: COBS(payload) and a zero; the payload ends with its CRC-16 (hardware/PROTOCOL.md).
 *
 * Pure: bytes in, bytes out. It is compiled for the computer as well, where `make test` reads the protocol's vectors.
 */
#ifndef FRAME_H
#define FRAME_H

#include <stdint.h>

enum {
    FRAME_MIN_BYTES = 4,     /* sequence, type and CRC */
    FRAME_MAX_BYTES = 64,    /* of a payload, its CRC included */
    FRAME_WIRE_BYTES = 66,   /* 64, one COBS code and the zero */
    FRAME_HEAD_BYTES = 2,    /* sequence and type */
    FRAME_CRC_BYTES = 2,
};

enum frame_result {
    FRAME_NONE,   /* more bytes are needed (or the frame was empty) */
    FRAME_GOOD,   /* reader->bytes holds reader->n_bytes of payload, its CRC taken off */
    FRAME_CRC,    /* dropped: the CRC is another one */
    FRAME_COBS,   /* dropped: the zero came inside a COBS block */
    FRAME_LENGTH, /* dropped: fewer than 4 or more than 64 bytes */
};

/* What is here of the frame that is coming in. All zeros is the start. */
struct frame_reader {
    uint8_t bytes[FRAME_MAX_BYTES];
    uint8_t n_bytes;    /* 65: too many came */
    uint8_t block_left; /* bytes that the COBS block still owes */
    uint8_t n_blocks;   /* blocks begun, at most 255 */
    uint8_t last_code;
};

/* CRC-16/IBM-3740 of n_bytes bytes: polynomial 0x1021 from 0xFFFF, not reflected. */
uint16_t frame_crc(const uint8_t *bytes, uint8_t n_bytes);

/* One byte from the line. After anything but FRAME_NONE the next byte begins a new frame. */
enum frame_result frame_feed(struct frame_reader *reader, uint8_t byte);

/* Puts the CRC behind n_bytes (2 to 62) of payload, for which it needs two bytes of room, and writes the frame, its
 * zero included, to wire (FRAME_WIRE_BYTES). Returns how many bytes it has there. */
uint8_t frame_write(uint8_t *payload, uint8_t n_bytes, uint8_t *wire);

#endif
