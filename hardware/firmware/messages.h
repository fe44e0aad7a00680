/* The messages of protocol 1.0 as this firmware knows them, in the fields' order on the wire (hardware/PROTOCOL.md). */
#ifndef MESSAGES_H
#define MESSAGES_H

#include <stdint.h>

enum {
    PROTOCOL_MAJOR = 1,
    PROTOCOL_MINOR = 0,
    N_ENCODERS = 4,
    COUNTS_PER_DETENT = 4,
    N_SWITCHES = 8,
    N_KNOBS = 6,
    KNOB_BITS = 10,
    N_LEDS = 4,
    NAME_BYTES = 16,
    CAPABILITY_BRIGHTNESS = 1,
    CAPABILITY_DIAGNOSTICS = 2,
};

enum message_type {
    MESSAGE_HELLO = 0x01,
    MESSAGE_STATE = 0x02,
    MESSAGE_DIAGNOSTICS = 0x03,
    MESSAGE_GREETING = 0x81,
    MESSAGE_LEDS = 0x82,
    MESSAGE_BRIGHTNESS = 0x83,
    MESSAGE_HEARTBEAT = 0x84,
    MESSAGE_DIAGNOSTICS_REQUEST = 0x85,
    MESSAGE_NAME_BOARD = 0x86,
};

struct hello {
    uint8_t protocol_major, protocol_minor;
    uint8_t firmware_major, firmware_minor, firmware_patch;
    uint32_t board_id; /* 0: never named */
    uint8_t reset_cause;
    uint8_t n_encoders, counts_per_detent, n_switches, n_knobs, knob_bits, n_leds;
    uint16_t capabilities;
    uint8_t name[NAME_BYTES]; /* ASCII, padded with zeros */
};

struct state {
    uint8_t host_sequence;
    uint16_t encoders[N_ENCODERS];
    uint8_t switch_levels;
    uint8_t switch_edges[N_SWITCHES];
    uint16_t knobs[N_KNOBS];
    uint16_t uptime_ms;
};

struct diagnostics {
    uint16_t bad_frames, unknown_types, rx_overruns, tx_dropped;
    uint16_t illegal_transitions[N_ENCODERS];
    uint16_t busiest_permille;
    uint16_t free_ram;
};

/* What a frame from the computer says; which part counts follows from the type. */
struct host_message {
    uint8_t sequence;
    uint8_t type;
    uint8_t protocol_major, protocol_minor; /* greeting */
    uint8_t leds[N_LEDS];                   /* duty, 0 to 255 */
    uint8_t brightness;
    uint32_t board_id; /* name_board */
    uint8_t name[NAME_BYTES];
};

enum parse_result {
    PARSE_OK,
    PARSE_UNKNOWN, /* a type of a newer protocol */
    PARSE_SHORT,   /* fewer bytes than the fields need */
    PARSE_RANGE,   /* a name_board with the number 0, or a name that is not printable ASCII padded with zeros */
};

/* Each writes sequence, type and fields to payload (64 bytes) and returns their number; the CRC is frame.h's. */
uint8_t write_hello(const struct hello *hello, uint8_t sequence, uint8_t *payload);
uint8_t write_state(const struct state *state, uint8_t sequence, uint8_t *payload);
uint8_t write_diagnostics(const struct diagnostics *diagnostics, uint8_t sequence, uint8_t *payload);

/* Reads a payload without its CRC (2 to 62 bytes). Bytes behind the fields are a newer minor version's. */
enum parse_result parse_host_message(const uint8_t *payload, uint8_t n_bytes, struct host_message *message);

#endif
