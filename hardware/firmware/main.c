/* The encoder board: controls in, frames out; frames in, LEDs out (hardware/PROTOCOL.md).
 *
 * The tick and the serial line work in interrupts. This loop takes what came from the computer after each of them, and
 * once a millisecond it follows the knobs, debounces the switches and sends STATE when something is to be told. Then it
 * sleeps. (Comparing the state at each tick took a third of the processor, to be 0.9 ms earlier.)
 */
#include <stdbool.h>
#include <string.h>

#include "account.h"
#include "board.h"
#include "controls.h"
#include "encoders.h"
#include "frame.h"
#include "kept.h"
#include "knobs.h"
#include "messages.h"
#include "serial.h"
#include "switches.h"

enum {
    FIRMWARE_MAJOR = 0,
    FIRMWARE_MINOR = 1,
    FIRMWARE_PATCH = 0,
    STATE_EVERY_MS = 2,       /* at most */
    KNOBS_EVERY_MS = 25,      /* at most, where only knobs move: each frame wakes a computer */
    REST_MS = 100,            /* of an encoder, until its counts within a detent are told */
    HEARTBEAT_EVERY_MS = 250, /* at least */
    HOST_SILENT_MS = 2000,    /* then the LEDs breathe */
    LEDS_EVERY_MS = 8,        /* a round of their planes */
    WINDOW_MS = 100,          /* of the account of time */
};

static struct state state, sent;
static struct diagnostics counters;
static struct switches switches;
static struct knob knobs[N_KNOBS];
static uint8_t knobs_begun; /* bit k: knob k had its first sum */
static uint8_t leds[N_LEDS];
static uint8_t brightness = 255;
static bool host_there, hello_due, diagnostics_due, state_due = true;
static uint16_t host_seen_ms, state_sent_ms, counted_ms;
static uint16_t detents[N_ENCODERS]; /* where the computer takes the encoders to rest, in counts (encoder_detent) */
static uint8_t sequence;
static uint32_t board_id;
static uint8_t board_name[NAME_BYTES];

static void count(uint16_t *counter) {
    if (*counter != 0xFFFF) {
        (*counter)++;
    }
}

/* Frames payload and sends it; false when the ring has no room for it. */
static bool send_payload(uint8_t *payload, uint8_t n_bytes) {
    uint8_t wire[FRAME_WIRE_BYTES];
    if (!serial_send(wire, frame_write(payload, n_bytes, wire))) {
        count(&counters.tx_dropped);
        return false;
    }
    sequence++;
    return true;
}

static void send_hello(void) {
    uint8_t payload[FRAME_MAX_BYTES];
    struct hello hello = {
        .protocol_major = PROTOCOL_MAJOR,
        .protocol_minor = PROTOCOL_MINOR,
        .firmware_major = FIRMWARE_MAJOR,
        .firmware_minor = FIRMWARE_MINOR,
        .firmware_patch = FIRMWARE_PATCH,
        .board_id = board_id,
        .reset_cause = board_reset_cause(),
        .n_encoders = N_ENCODERS,
        .counts_per_detent = COUNTS_PER_DETENT,
        .n_switches = N_SWITCHES,
        .n_knobs = N_KNOBS,
        .knob_bits = KNOB_BITS,
        .n_leds = N_LEDS,
        .capabilities = CAPABILITY_BRIGHTNESS | CAPABILITY_DIAGNOSTICS,
    };
    memcpy(hello.name, board_name, NAME_BYTES);
    if (send_payload(payload, write_hello(&hello, sequence, payload))) {
        hello_due = false;
        state_due = true;
    }
}

static void send_diagnostics(void) {
    uint8_t payload[FRAME_MAX_BYTES];
    uint16_t counts[N_ENCODERS];
    controls_counts(counts, counters.illegal_transitions);
    counters.rx_overruns = serial_overruns();
    counters.free_ram = board_free_ram();
    counters.busiest_permille = account_busiest_permille();
    if (send_payload(payload, write_diagnostics(&counters, sequence, payload))) {
        diagnostics_due = false;
    }
}

static void send_state(uint16_t now_ms) {
    uint8_t payload[FRAME_MAX_BYTES];
    state.uptime_ms = now_ms;
    state_sent_ms = now_ms;
    if (send_payload(payload, write_state(&state, sequence, payload))) {
        for (uint8_t i = 0; i < N_ENCODERS; i++) {
            detents[i] = encoder_detent(state.encoders[i], state_due ? encoder_nearest(state.encoders[i]) : detents[i]);
        }
        sent = state;
        state_due = false;
    }
}

static void obey(const struct host_message *message) {
    if (message->type == MESSAGE_GREETING) {
        hello_due = true;
    } else if (message->type == MESSAGE_LEDS) {
        memcpy(leds, message->leds, N_LEDS);
    } else if (message->type == MESSAGE_BRIGHTNESS) {
        brightness = message->brightness;
    } else if (message->type == MESSAGE_DIAGNOSTICS_REQUEST) {
        diagnostics_due = true;
    } else if (message->type == MESSAGE_NAME_BOARD) {
        board_id = message->board_id;
        memcpy(board_name, message->name, NAME_BYTES);
        kept_write(board_id, board_name);
        hello_due = true;
    }
}

static void listen(uint16_t now_ms) {
    static struct frame_reader reader;
    uint8_t byte;
    while (serial_take(&byte)) {
        enum frame_result result = frame_feed(&reader, byte);
        if (result == FRAME_NONE) {
            continue;
        }
        if (result != FRAME_GOOD) {
            count(&counters.bad_frames);
            continue;
        }
        struct host_message message;
        enum parse_result parsed = parse_host_message(reader.bytes, reader.n_bytes, &message);
        if (parsed == PARSE_OK) {
            obey(&message);
        } else {
            count(parsed == PARSE_UNKNOWN ? &counters.unknown_types : &counters.bad_frames);
        }
        state.host_sequence = message.sequence;
        host_there = true;
        host_seen_ms = now_ms;
    }
}

static void look_at_controls(uint16_t now_ms) {
    uint16_t counts[N_ENCODERS], illegal[N_ENCODERS];
    controls_counts(counts, illegal);
    if (memcmp(counts, state.encoders, sizeof counts) != 0) {
        memcpy(state.encoders, counts, sizeof counts);
        counted_ms = now_ms;
    }
    uint8_t which;
    uint16_t sum;
    if (controls_take_knob(&which, &sum)) {
        if ((knobs_begun & (1u << which)) == 0) {
            knobs_begun = (uint8_t)(knobs_begun | (1u << which));
            knob_start(&knobs[which], sum);
        }
        state.knobs[which] = knob_follow(&knobs[which], sum);
    }
}

/* Up and down in 2 s, between 1/63 and 7/63 of full. */
static void breathe(uint16_t now_ms) {
    uint8_t phase = (uint8_t)(now_ms >> 3);
    uint8_t duty = (uint8_t)(4 + ((phase < 128 ? phase : 255 - phase) / 5));
    const uint8_t duties[N_LEDS] = {duty, duty, duty, duty};
    controls_show(duties, 255);
}

static void each_ms(uint16_t now_ms) {
    static uint8_t since_leds, since_window;
    switches_sample(&switches, controls_switches());
    state.switch_levels = switches.levels;
    memcpy(state.switch_edges, switches.edges, N_SWITCHES);
    if (host_there && (uint16_t)(now_ms - host_seen_ms) >= HOST_SILENT_MS) {
        host_there = false;
    }
    since_leds++;
    if (since_leds == LEDS_EVERY_MS) {
        since_leds = 0;
        if (host_there) {
            controls_show(leds, brightness);
        } else {
            breathe(now_ms);
        }
    }
    since_window++;
    if (since_window == WINDOW_MS) {
        since_window = 0;
        account_close_window();
    }
}

/* Whether there is something that is told at once. */
static bool clicked(void) {
    for (uint8_t i = 0; i < N_ENCODERS; i++) {
        if (encoder_detent(state.encoders[i], detents[i]) != detents[i]) {
            return true;
        }
    }
    return state.host_sequence != sent.host_sequence ||
           memcmp(state.switch_edges, sent.switch_edges, sizeof state.switch_edges) != 0;
}

/* What an encoder counts within a detent can wait: no computer does anything for it, but each frame wakes one. */
static bool to_be_told(uint16_t now_ms) {
    uint16_t since_ms = (uint16_t)(now_ms - state_sent_ms);
    if (state_due || since_ms >= HEARTBEAT_EVERY_MS || clicked()) {
        return true;
    }
    if (since_ms >= KNOBS_EVERY_MS && memcmp(state.knobs, sent.knobs, sizeof state.knobs) != 0) {
        return true;
    }
    return (uint16_t)(now_ms - counted_ms) >= REST_MS && memcmp(state.encoders, sent.encoders, sizeof state.encoders) != 0;
}

static void speak(uint16_t now_ms) {
    if (hello_due) {
        send_hello();
    }
    if (diagnostics_due) {
        send_diagnostics();
    }
    /* Before each knob had its first sum, after 12 ms, there is no position to tell. */
    if ((uint16_t)(now_ms - state_sent_ms) < STATE_EVERY_MS || knobs_begun != (1u << N_KNOBS) - 1) {
        return;
    }
    if (to_be_told(now_ms)) {
        send_state(now_ms);
    }
}

int main(void) {
    board_start();
    controls_start();
    kept_read(&board_id, board_name);
    hello_due = true;
    board_interrupts_on();
    uint16_t last_ms = controls_now_ms();
    for (;;) {
        board_feed_watchdog();
        uint16_t now_ms = controls_now_ms();
        listen(now_ms);
        if (last_ms != now_ms) {
            account_close_ms();
            while (last_ms != now_ms) {
                last_ms++;
                each_ms(last_ms);
            }
            look_at_controls(now_ms);
            speak(now_ms);
        }
        do {
            account_sleep();
        } while (!serial_has_byte() && !controls_has_ms(now_ms));
    }
}
