/* The firmware's own codec behind lines of text, for check_vectors.py.
 *
 * "decode HEX"  -> for each frame in it: "crc", "cobs", "length", "type", "fields", "range" or
 *                  "message TYPE SEQUENCE FIELD.." (numbers; a name as hex), then "end"
 * "encode TYPE SEQUENCE FIELD.." -> "wire HEX": what the board sends (types 1, 2, 3; a name as hex)
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "frame.h"
#include "messages.h"

static void print_message(const struct host_message *message) {
    printf("message %u %u", message->type, message->sequence);
    if (message->type == MESSAGE_GREETING) {
        printf(" %u %u", message->protocol_major, message->protocol_minor);
    } else if (message->type == MESSAGE_LEDS) {
        for (int i = 0; i < N_LEDS; i++) printf(" %u", message->leds[i]);
    } else if (message->type == MESSAGE_BRIGHTNESS) {
        printf(" %u", message->brightness);
    } else if (message->type == MESSAGE_NAME_BOARD) {
        printf(" %lu ", (unsigned long)message->board_id);
        for (int i = 0; i < NAME_BYTES; i++) printf("%02x", message->name[i]);
    }
    putchar('\n');
}

static void decode(const char *hex) {
    static struct frame_reader reader; /* one for all lines: what a frame leaves behind must not reach the next */
    static const char *const FRAME_WORDS[] = {"", "", "crc", "cobs", "length"};
    static const char *const PARSE_WORDS[] = {"", "type", "fields", "range"};
    unsigned byte;
    int used;
    while (sscanf(hex, " %2x%n", &byte, &used) == 1) {
        hex += used;
        enum frame_result result = frame_feed(&reader, (uint8_t)byte);
        if (result == FRAME_GOOD) {
            struct host_message message;
            memset(&message, 0, sizeof message);
            enum parse_result parsed = parse_host_message(reader.bytes, reader.n_bytes, &message);
            if (parsed == PARSE_OK) {
                print_message(&message);
            } else {
                puts(PARSE_WORDS[parsed]);
            }
        } else if (result != FRAME_NONE) {
            puts(FRAME_WORDS[result]);
        }
    }
    puts("end");
}

static unsigned long number(void) {
    const char *word = strtok(NULL, " \n");
    if (word == NULL) {
        fputs("encode: a field is missing\n", stderr);
        exit(1);
    }
    return strtoul(word, NULL, 10);
}

#define U8() ((uint8_t)number())
#define U16() ((uint16_t)number())

static uint8_t encode_hello(uint8_t sequence, uint8_t *payload) {
    struct hello h;
    h.protocol_major = U8(), h.protocol_minor = U8();
    h.firmware_major = U8(), h.firmware_minor = U8(), h.firmware_patch = U8();
    h.board_id = (uint32_t)number();
    h.reset_cause = U8();
    h.n_encoders = U8(), h.counts_per_detent = U8(), h.n_switches = U8();
    h.n_knobs = U8(), h.knob_bits = U8(), h.n_leds = U8();
    h.capabilities = U16();
    const char *hex = strtok(NULL, " \n");
    for (int i = 0; i < NAME_BYTES; i++) {
        unsigned byte = 0;
        if (hex != NULL) sscanf(hex + 2 * i, "%2x", &byte);
        h.name[i] = (uint8_t)byte;
    }
    return write_hello(&h, sequence, payload);
}

static uint8_t encode_state(uint8_t sequence, uint8_t *payload) {
    struct state s;
    s.host_sequence = U8();
    for (int i = 0; i < N_ENCODERS; i++) s.encoders[i] = U16();
    s.switch_levels = U8();
    for (int i = 0; i < N_SWITCHES; i++) s.switch_edges[i] = U8();
    for (int i = 0; i < N_KNOBS; i++) s.knobs[i] = U16();
    s.uptime_ms = U16();
    return write_state(&s, sequence, payload);
}

static uint8_t encode_diagnostics(uint8_t sequence, uint8_t *payload) {
    struct diagnostics d;
    d.bad_frames = U16(), d.unknown_types = U16(), d.rx_overruns = U16(), d.tx_dropped = U16();
    for (int i = 0; i < N_ENCODERS; i++) d.illegal_transitions[i] = U16();
    d.busiest_permille = U16();
    d.free_ram = U16();
    return write_diagnostics(&d, sequence, payload);
}

static void encode(char *rest) {
    uint8_t payload[FRAME_MAX_BYTES], wire[FRAME_WIRE_BYTES];
    strtok(rest, " \n");
    uint8_t type = U8(), sequence = U8(), n_bytes;
    if (type == MESSAGE_HELLO) {
        n_bytes = encode_hello(sequence, payload);
    } else if (type == MESSAGE_STATE) {
        n_bytes = encode_state(sequence, payload);
    } else {
        n_bytes = encode_diagnostics(sequence, payload);
    }
    uint8_t n_wire = frame_write(payload, n_bytes, wire);
    fputs("wire ", stdout);
    for (uint8_t i = 0; i < n_wire; i++) printf("%02x", wire[i]);
    putchar('\n');
}

int main(void) {
    static char line[1 << 16];
    while (fgets(line, sizeof line, stdin) != NULL) {
        if (strncmp(line, "decode ", 7) == 0) {
            decode(line + 7);
        } else if (strncmp(line, "encode ", 7) == 0) {
            encode(line);
        } else {
            fprintf(stderr, "Neither decode nor encode: %s", line);
            return 1;
        }
    }
    return 0;
}
