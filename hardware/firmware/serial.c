/* The serial line behind two rings; see serial.h. */
#include "serial.h"

#include "account.h"
#include "board.h"

/* head is where the next byte goes, tail where the next comes from; each is written by one side only and is one byte,
 * so it is read whole. One place stays free, or full would look like empty. */
struct ring {
    uint8_t bytes[SERIAL_RING_BYTES];
    volatile uint8_t head, tail;
};

static struct ring received, to_send;
static volatile uint16_t overruns;

static inline uint8_t next(uint8_t at) { return (uint8_t)((at + 1) & (SERIAL_RING_BYTES - 1)); }

BOARD_ON_RECEIVED {
    account_wake(board_cycles_in_tick());
    bool ok;
    uint8_t byte = board_received(&ok);
    uint8_t head = next(received.head);
    /* A broken byte goes in as it is: the CRC drops its frame, and the zero behind it is found. */
    if (head != received.tail) {
        received.bytes[received.head] = byte;
        received.head = head;
    } else {
        ok = false;
    }
    if (!ok && overruns != 0xFFFF) {
        overruns++;
    }
}

BOARD_ON_SENDABLE {
    account_wake(board_cycles_in_tick());
    uint8_t tail = to_send.tail;
    if (tail == to_send.head) {
        board_stop_sending();
        return;
    }
    board_send(to_send.bytes[tail]);
    to_send.tail = next(tail);
}

bool serial_has_byte(void) { return received.tail != received.head; }

bool serial_take(uint8_t *byte) {
    uint8_t tail = received.tail;
    if (tail == received.head) {
        return false;
    }
    *byte = received.bytes[tail];
    received.tail = next(tail);
    return true;
}

bool serial_send(const uint8_t *bytes, uint8_t n_bytes) {
    uint8_t head = to_send.head;
    uint8_t free = (uint8_t)((to_send.tail - head - 1) & (SERIAL_RING_BYTES - 1));
    if (n_bytes > free) {
        return false;
    }
    for (uint8_t i = 0; i < n_bytes; i++) {
        to_send.bytes[head] = bytes[i];
        head = next(head);
    }
    to_send.head = head;
    BOARD_ATOMICALLY { board_want_to_send(); }
    return true;
}

uint16_t serial_overruns(void) {
    uint16_t value = 0;
    BOARD_ATOMICALLY { value = overruns; }
    return value;
}
