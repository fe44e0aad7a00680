/* The board's number and name; see kept.h. */
#include "kept.h"

#include <string.h>

#include "board.h"
#include "frame.h"

struct kept {
    uint32_t board_id;
    uint8_t name[NAME_BYTES];
    uint16_t crc;
};

static uint16_t crc_of(const struct kept *kept) {
    return frame_crc((const uint8_t *)kept, sizeof kept->board_id + NAME_BYTES);
}

void kept_read(uint32_t *board_id, uint8_t *name) {
    static const char UNNAMED[NAME_BYTES] = "Tetrad board";
    struct kept kept;
    board_read_kept(&kept, sizeof kept);
    if (kept.crc == crc_of(&kept)) {
        *board_id = kept.board_id;
        memcpy(name, kept.name, NAME_BYTES);
    } else {
        *board_id = 0;
        memcpy(name, UNNAMED, NAME_BYTES);
    }
}

void kept_write(uint32_t board_id, const uint8_t *name) {
    struct kept kept = {.board_id = board_id};
    memcpy(kept.name, name, NAME_BYTES);
    kept.crc = crc_of(&kept);
    for (uint8_t i = 0; i < sizeof kept; i++) {
        board_keep_byte(i, ((const uint8_t *)&kept)[i]);
    }
}
