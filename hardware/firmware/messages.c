/* Messages to bytes and back; see messages.h. */
#include "messages.h"

#include <stdbool.h>
#include <string.h>

#include "frame.h"

static uint8_t *put_u16(uint8_t *at, uint16_t value) {
    at[0] = (uint8_t)value;
    at[1] = (uint8_t)(value >> 8);
    return at + 2;
}

static uint8_t *put_u32(uint8_t *at, uint32_t value) {
    return put_u16(put_u16(at, (uint16_t)value), (uint16_t)(value >> 16));
}

static uint32_t get_u32(const uint8_t *at) {
    return at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static uint8_t *put_head(uint8_t *payload, uint8_t sequence, uint8_t type) {
    payload[0] = sequence;
    payload[1] = type;
    return payload + FRAME_HEAD_BYTES;
}

uint8_t write_hello(const struct hello *hello, uint8_t sequence, uint8_t *payload) {
    uint8_t *at = put_head(payload, sequence, MESSAGE_HELLO);
    *at++ = hello->protocol_major;
    *at++ = hello->protocol_minor;
    *at++ = hello->firmware_major;
    *at++ = hello->firmware_minor;
    *at++ = hello->firmware_patch;
    at = put_u32(at, hello->board_id);
    *at++ = hello->reset_cause;
    *at++ = hello->n_encoders;
    *at++ = hello->counts_per_detent;
    *at++ = hello->n_switches;
    *at++ = hello->n_knobs;
    *at++ = hello->knob_bits;
    *at++ = hello->n_leds;
    at = put_u16(at, hello->capabilities);
    memcpy(at, hello->name, NAME_BYTES);
    return (uint8_t)(at + NAME_BYTES - payload);
}

uint8_t write_state(const struct state *state, uint8_t sequence, uint8_t *payload) {
    uint8_t *at = put_head(payload, sequence, MESSAGE_STATE);
    *at++ = state->host_sequence;
    for (uint8_t i = 0; i < N_ENCODERS; i++) {
        at = put_u16(at, state->encoders[i]);
    }
    *at++ = state->switch_levels;
    memcpy(at, state->switch_edges, N_SWITCHES);
    at += N_SWITCHES;
    for (uint8_t i = 0; i < N_KNOBS; i++) {
        at = put_u16(at, state->knobs[i]);
    }
    at = put_u16(at, state->uptime_ms);
    return (uint8_t)(at - payload);
}

uint8_t write_diagnostics(const struct diagnostics *diagnostics, uint8_t sequence, uint8_t *payload) {
    uint8_t *at = put_head(payload, sequence, MESSAGE_DIAGNOSTICS);
    at = put_u16(at, diagnostics->bad_frames);
    at = put_u16(at, diagnostics->unknown_types);
    at = put_u16(at, diagnostics->rx_overruns);
    at = put_u16(at, diagnostics->tx_dropped);
    for (uint8_t i = 0; i < N_ENCODERS; i++) {
        at = put_u16(at, diagnostics->illegal_transitions[i]);
    }
    at = put_u16(at, diagnostics->busiest_permille);
    at = put_u16(at, diagnostics->free_ram);
    return (uint8_t)(at - payload);
}

/* Bytes that the fields of a type need, or 0xFF for a type that is not known. */
static uint8_t fields_bytes(uint8_t type) {
    switch (type) {
        case MESSAGE_GREETING:
            return 2;
        case MESSAGE_LEDS:
            return N_LEDS;
        case MESSAGE_BRIGHTNESS:
            return 1;
        case MESSAGE_HEARTBEAT:
        case MESSAGE_DIAGNOSTICS_REQUEST:
            return 0;
        case MESSAGE_NAME_BOARD:
            return 4 + NAME_BYTES;
        default:
            return 0xFF;
    }
}

static bool is_name(const uint8_t *name) {
    bool padding = false;
    for (uint8_t i = 0; i < NAME_BYTES; i++) {
        padding = padding || name[i] == 0;
        if (padding ? name[i] != 0 : name[i] < ' ' || name[i] > '~') {
            return false;
        }
    }
    return true;
}

enum parse_result parse_host_message(const uint8_t *payload, uint8_t n_bytes, struct host_message *message) {
    message->sequence = payload[0];
    message->type = payload[1];
    uint8_t needed = fields_bytes(message->type);
    if (needed == 0xFF) {
        return PARSE_UNKNOWN;
    }
    if (n_bytes < FRAME_HEAD_BYTES + needed) {
        return PARSE_SHORT;
    }
    const uint8_t *fields = payload + FRAME_HEAD_BYTES;
    if (message->type == MESSAGE_GREETING) {
        message->protocol_major = fields[0];
        message->protocol_minor = fields[1];
    } else if (message->type == MESSAGE_LEDS) {
        memcpy(message->leds, fields, N_LEDS);
    } else if (message->type == MESSAGE_BRIGHTNESS) {
        message->brightness = fields[0];
    } else if (message->type == MESSAGE_NAME_BOARD) {
        message->board_id = get_u32(fields);
        memcpy(message->name, fields + 4, NAME_BYTES);
        if (message->board_id == 0 || !is_name(message->name)) {
            return PARSE_RANGE;
        }
    }
    return PARSE_OK;
}
