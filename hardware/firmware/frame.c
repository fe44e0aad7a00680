/* Frames of the serial line; see frame.h. */
#include "frame.h"

#ifdef __AVR__
#include <util/crc16.h>
#else
static uint16_t _crc_xmodem_update(uint16_t crc, uint8_t byte) {
    crc = (uint16_t)(crc ^ (uint16_t)(byte << 8));
    for (uint8_t bit = 0; bit < 8; bit++) {
        crc = (uint16_t)((crc & 0x8000u) ? (uint16_t)(crc << 1) ^ 0x1021u : (uint16_t)(crc << 1));
    }
    return crc;
}
#endif

uint16_t frame_crc(const uint8_t *bytes, uint8_t n_bytes) {
    uint16_t crc = 0xFFFF;
    for (uint8_t i = 0; i < n_bytes; i++) {
        crc = _crc_xmodem_update(crc, bytes[i]);
    }
    return crc;
}

static void put(struct frame_reader *reader, uint8_t byte) {
    if (reader->n_bytes < FRAME_MAX_BYTES) {
        reader->bytes[reader->n_bytes] = byte;
        reader->n_bytes++;
    } else {
        reader->n_bytes = FRAME_MAX_BYTES + 1;
    }
}

static enum frame_result close_frame(struct frame_reader *reader) {
    if (reader->n_blocks == 0) {
        return FRAME_NONE;
    }
    if (reader->n_bytes > FRAME_MAX_BYTES) {
        return FRAME_LENGTH;
    }
    if (reader->block_left != 0) {
        return FRAME_COBS;
    }
    if (reader->n_bytes < FRAME_MIN_BYTES) {
        return FRAME_LENGTH;
    }
    reader->n_bytes = (uint8_t)(reader->n_bytes - FRAME_CRC_BYTES);
    uint16_t found = (uint16_t)(reader->bytes[reader->n_bytes] | (uint16_t)(reader->bytes[reader->n_bytes + 1] << 8));
    return found == frame_crc(reader->bytes, reader->n_bytes) ? FRAME_GOOD : FRAME_CRC;
}

enum frame_result frame_feed(struct frame_reader *reader, uint8_t byte) {
    if (byte == 0) {
        enum frame_result result = close_frame(reader);
        reader->n_blocks = 0;
        reader->block_left = 0;
        return result;
    }
    if (reader->n_blocks == 0) {
        reader->n_bytes = 0;
    }
    if (reader->block_left != 0) {
        put(reader, byte);
        reader->block_left--;
        return FRAME_NONE;
    }
    /* A new block: the one before it stood for a zero, unless it was a full one. */
    if (reader->n_blocks != 0 && reader->last_code != 0xFF) {
        put(reader, 0);
    }
    if (reader->n_blocks < 0xFF) {
        reader->n_blocks++;
    }
    reader->last_code = byte;
    reader->block_left = (uint8_t)(byte - 1);
    return FRAME_NONE;
}

uint8_t frame_write(uint8_t *payload, uint8_t n_bytes, uint8_t *wire) {
    uint16_t crc = frame_crc(payload, n_bytes);
    payload[n_bytes] = (uint8_t)crc;
    payload[n_bytes + 1] = (uint8_t)(crc >> 8);
    n_bytes = (uint8_t)(n_bytes + FRAME_CRC_BYTES);
    /* No payload reaches 254 bytes, so a block always ends with a zero or with the frame. */
    uint8_t code_at = 0;
    uint8_t n_wire = 1;
    for (uint8_t i = 0; i < n_bytes; i++) {
        if (payload[i] == 0) {
            wire[code_at] = (uint8_t)(n_wire - code_at);
            code_at = n_wire;
        } else {
            wire[n_wire] = payload[i];
        }
        n_wire++;
    }
    wire[code_at] = (uint8_t)(n_wire - code_at);
    wire[n_wire] = 0;
    return (uint8_t)(n_wire + 1);
}
