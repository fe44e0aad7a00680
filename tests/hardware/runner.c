/* Runs the firmware in simavr with all its parts around it, driven by lines on the standard input.
 *
 * runner FIRMWARE.elf            in steps: time goes on with `run` only, the serial line is in memory
 * runner FIRMWARE.elf LINK       by the clock: in real time, the serial line is the pseudo-terminal at LINK
 *
 * Each line is answered by one: "ok ..." or "error ...". START below is the cycle now plus what `after` said.
 *   after MS                       the next command's events come so much later (one command)
 *   turn ENCODER DETENTS PER_S BOUNCE_US BOUNCE_PERCENT JITTER_PERCENT     -> cycle of its end
 *   switch K DOWN BOUNCE_US        contact CONTACT LEVEL        knob K MV        noise MV
 *   move K FROM_MV TO_MV MS        seed N
 *   run MS | settle                until the last event (in steps only) -> the cycle
 *   send HEX | received            the line, in memory
 *   leds                           duty and rises a second of each since the last `leds`
 *   load                           cycles, cycles asleep, permille awake in the worst 100 ms; since the last `load`
 *   stack                          lowest stack pointer so far
 *   reset | unplug | plug          a reset keeps the EEPROM; plug powers it up again
 *   edges                          contact changes so far         quit
 */
#include <poll.h>
#include <simavr/sim_avr.h>
#include <simavr/sim_elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "events.h"
#include "hand.h"
#include "parts.h"
#include "wire.h"

enum { CYCLES_PER_MS = 16000, WINDOW_CYCLES = 100 * CYCLES_PER_MS, SPL = 0x5D, SPH = 0x5E };

static avr_t *avr;
static uint64_t slept, load_since, load_slept, window_since, window_slept, worst_awake, delay;
static unsigned lowest_stack = 0xFFFF;
static const char *link_path;
static int plugged = 1;

static void on_sleep(avr_t *self, avr_cycle_count_t cycles) {
    (void)self;
    slept += cycles + 1; /* simavr goes on by one more */
}

static int step(void) {
    int state = avr_run(avr);
    unsigned stack = (unsigned)(avr->data[SPL] | avr->data[SPH] << 8);
    /* Before the first instructions the pointer is 0. */
    if (stack >= 0x100 && stack < lowest_stack) lowest_stack = stack;
    if (avr->cycle - window_since >= WINDOW_CYCLES) {
        uint64_t awake = (avr->cycle - window_since - (slept - window_slept)) * 1000 / (avr->cycle - window_since);
        if (awake > worst_awake) worst_awake = awake;
        window_since = avr->cycle;
        window_slept = slept;
    }
    return state != cpu_Done && state != cpu_Crashed;
}

static int run_until(uint64_t cycle) {
    while (avr->cycle < cycle) {
        if (!step()) return 0;
    }
    return 1;
}

static void answer_received(void) {
    size_t n;
    const uint8_t *bytes = wire_received(&n);
    fputs("ok ", stdout);
    for (size_t i = 0; i < n; i++) printf("%02x", bytes[i]);
    putchar('\n');
}

static void send_hex(const char *text) {
    for (unsigned byte; sscanf(text, "%2x", &byte) == 1; text += 2) {
        uint8_t one = (uint8_t)byte;
        wire_send(&one, 1);
    }
    puts("ok");
}

static void answer_leds(void) {
    struct led_report r[4];
    parts_leds(r);
    fputs("ok", stdout);
    for (int i = 0; i < 4; i++) printf(" %.5f %.1f", r[i].duty, r[i].rises_hz);
    putchar('\n');
}

static void answer_load(void) {
    printf("ok %llu %llu %llu\n", (unsigned long long)(avr->cycle - load_since),
           (unsigned long long)(slept - load_slept), (unsigned long long)worst_awake);
    load_since = window_since = avr->cycle;
    load_slept = window_slept = slept;
    worst_awake = 0;
}

static void run_to(uint64_t cycle) {
    if (run_until(cycle)) {
        printf("ok %llu\n", (unsigned long long)avr->cycle);
    } else {
        printf("error The processor stopped at cycle %llu.\n", (unsigned long long)avr->cycle);
    }
}

static void plug(void) {
    const char *problem = wire_plug(link_path);
    avr_reset(avr);
    parts_reset();
    plugged = 1;
    if (problem) {
        printf("error %s\n", problem);
    } else {
        puts("ok");
    }
}

static int in(int value, int end) { return value >= 0 && value < end; }

/* One line; 0 when it was the last. */
static int obey(const char *line) {
    int a, b, c, d;
    double x, y;
    uint64_t start = avr->cycle + delay;
    delay = 0;
    if (sscanf(line, "after %lf", &x) == 1) {
        delay = (uint64_t)(x * CYCLES_PER_MS);
        puts("ok");
    } else if (sscanf(line, "turn %d %d %lf %lf %d %d", &a, &b, &x, &y, &c, &d) == 6 && in(a, 4) && x > 0) {
        printf("ok %llu\n", (unsigned long long)hand_turn(a, b, x, y, c, d, start));
    } else if (sscanf(line, "switch %d %d %lf", &a, &b, &x) == 3 && in(a, 8)) {
        hand_press(a, b != 0, x, start);
        puts("ok");
    } else if (sscanf(line, "contact %d %d", &a, &b) == 2 && in(a, 8)) {
        events_put(start, EVENT_CONTACT, a, b != 0);
        puts("ok");
    } else if (sscanf(line, "knob %d %d", &a, &b) == 2 && in(a, 6)) {
        events_put(start, EVENT_KNOB, a, b);
        puts("ok");
    } else if (sscanf(line, "noise %d", &a) == 1) {
        events_put(start, EVENT_NOISE, 0, a);
        puts("ok");
    } else if (sscanf(line, "move %d %d %d %lf", &a, &b, &c, &x) == 4 && in(a, 6)) {
        hand_move(a, b, c, x, start);
        puts("ok");
    } else if (sscanf(line, "seed %d", &a) == 1) {
        hand_seed((uint32_t)a);
        puts("ok");
    } else if (sscanf(line, "run %lf", &x) == 1 && link_path == NULL) {
        run_to(avr->cycle + (uint64_t)(x * CYCLES_PER_MS));
    } else if (strcmp(line, "settle") == 0 && link_path == NULL) {
        run_to(events_last_cycle());
    } else if (strncmp(line, "send ", 5) == 0 && link_path == NULL) {
        send_hex(line + 5);
    } else if (strcmp(line, "received") == 0 && link_path == NULL) {
        answer_received();
    } else if (strcmp(line, "leds") == 0) {
        answer_leds();
    } else if (strcmp(line, "load") == 0) {
        answer_load();
    } else if (strcmp(line, "stack") == 0) {
        printf("ok %u\n", lowest_stack);
    } else if (strcmp(line, "edges") == 0) {
        printf("ok %llu\n", (unsigned long long)hand_n_edges());
    } else if (strcmp(line, "reset") == 0) {
        avr_reset(avr);
        puts("ok");
    } else if (strcmp(line, "unplug") == 0 && link_path != NULL) {
        wire_unplug();
        plugged = 0;
        puts("ok");
    } else if (strcmp(line, "plug") == 0 && link_path != NULL) {
        plug();
    } else if (strcmp(line, "quit") == 0) {
        return 0;
    } else {
        printf("error \"%s\" is not a command of the runner, or not in this mode; see the top of runner.c.\n", line);
    }
    return 1;
}

static double now_s(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* Lines from the standard input without waiting longer than wait_ms; 0 at its end or after `quit`. */
static int listen(int wait_ms) {
    static char pending[65536];
    static size_t n;
    struct pollfd in_fd = {.fd = 0, .events = POLLIN};
    if (poll(&in_fd, 1, wait_ms) <= 0) return 1;
    ssize_t got = read(0, pending + n, sizeof pending - n - 1);
    if (got <= 0) return 0;
    n += (size_t)got;
    pending[n] = 0;
    char *line = pending;
    for (char *end; (end = strchr(line, '\n')) != NULL; line = end + 1) {
        *end = 0;
        if (!obey(line)) return 0;
        fflush(stdout);
    }
    n = strlen(line);
    memmove(pending, line, n + 1);
    return 1;
}

/* In slices of a millisecond, never faster than the clock; after a pause of the machine it does not hurry after. */
static int run_by_the_clock(void) {
    uint64_t begun = avr->cycle;
    double since = now_s();
    while (listen(0)) {
        if (!plugged) {
            if (!listen(5)) return 0;
            begun = avr->cycle;
            since = now_s();
            continue;
        }
        wire_poll();
        if (!run_until(avr->cycle + CYCLES_PER_MS)) {
            fprintf(stderr, "The processor stopped at cycle %llu.\n", (unsigned long long)avr->cycle);
            return 1;
        }
        double ahead = (double)(avr->cycle - begun) / 16e6 - (now_s() - since);
        if (ahead > 0) {
            usleep((useconds_t)(ahead * 1e6));
        } else if (ahead < -0.05) {
            begun = avr->cycle;
            since = now_s();
        }
    }
    return 0;
}

int main(int argc, char **argv) {
    if (argc < 2 || argc > 3) {
        fputs("usage: runner FIRMWARE.elf [LINK]\n", stderr);
        return 2;
    }
    elf_firmware_t firmware = {0};
    if (elf_read_firmware(argv[1], &firmware) != 0) {
        fprintf(stderr, "%s can't be read: run `make` in hardware/firmware first.\n", argv[1]);
        return 2;
    }
    avr = avr_make_mcu_by_name("atmega328p");
    avr_init(avr);
    firmware.frequency = 16000000;
    avr_load_firmware(avr, &firmware);
    avr->frequency = 16000000;
    avr->vcc = avr->avcc = avr->aref = 5000;
    avr->log = LOG_ERROR;
    avr->sleep = on_sleep;
    events_start(avr);
    parts_start(avr);
    wire_start(avr);
    if (argc == 3) {
        link_path = argv[2];
        plug();
        fflush(stdout);
        int code = run_by_the_clock();
        wire_unplug();
        return code;
    }
    puts("ok");
    fflush(stdout);
    while (listen(-1)) {
    }
    return 0;
}
