/* A hand; see hand.h. */
#include "hand.h"

#include <math.h>
#include <stdlib.h>

#include "events.h"

enum { N_ENCODERS = 4, CYCLES_PER_US = 16, MOST_BOUNCES = 8 };

static uint64_t random_state = 1;
static uint8_t phases[N_ENCODERS];       /* 0 to 3 within a detent, clockwise */
static uint64_t busy_until[N_ENCODERS];
static uint64_t n_edges;

/* Evenly from 0 to 1 (a 64-bit congruential generator's upper bits). */
static double chance(void) {
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (double)(random_state >> 11) / 9007199254740992.0;
}

void hand_seed(uint32_t seed) { random_state = seed; }
uint64_t hand_n_edges(void) { return n_edges; }

static int compare(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

/* A change to level at cycle, and then an even number of changes within the bounce that end at level. */
static void change(enum event_kind kind, int target, int level, uint64_t cycle, double bounce_cycles) {
    uint64_t at[MOST_BOUNCES];
    int n = bounce_cycles < 1 ? 0 : 2 * (int)(chance() * (MOST_BOUNCES / 2 + 1));
    for (int i = 0; i < n; i++) at[i] = cycle + 1 + (uint64_t)(chance() * bounce_cycles);
    qsort(at, (size_t)n, sizeof at[0], compare);
    events_put(cycle, kind, target, level);
    for (int i = 0; i < n; i++) events_put(at[i], kind, target, i % 2 == 0 ? !level : level);
    n_edges += 1 + (uint64_t)n;
}

/* How much longer a change takes that is so many changes from the turn's nearer end: even acceleration to the full
 * speed within two detents. At 400 detents a second that is 14 ms, far more than a wrist can do. */
static double slower(int changes) {
    if (changes >= 8) return 1;
    double factor = sqrt(32.0) * (sqrt(changes + 1.0) - sqrt(changes));
    return factor > 1 ? factor : 1;
}

uint64_t hand_turn(int encoder, int detents, double detents_per_s, double bounce_us, int bounce_percent,
                   int jitter_percent, uint64_t start) {
    /* Clockwise from rest (both open): A closes, B closes, A opens, B opens. */
    static const int CONTACT[4] = {0, 1, 0, 1};
    static const int LEVEL[4] = {0, 0, 1, 1};
    uint64_t at = busy_until[encoder] > start ? busy_until[encoder] : start;
    double usual = 16e6 / detents_per_s / 4;
    int n = 4 * abs(detents);
    for (int i = 0; i < n; i++) {
        double wait = usual * slower(i < n - 2 - i ? i : n - 2 - i > 0 ? n - 2 - i : 0) *
                      (1 + jitter_percent / 100.0 * (2 * chance() - 1));
        double bounce = bounce_us * CYCLES_PER_US * chance(), most = wait * bounce_percent / 100.0;
        uint8_t phase = phases[encoder];
        int clockwise = detents > 0;
        /* Backwards, the change that led into this phase is undone. */
        int step = clockwise ? phase : (phase + 3) % 4;
        int level = clockwise ? LEVEL[step] : !LEVEL[step];
        change(EVENT_CONTACT, 2 * encoder + CONTACT[step], level, at, bounce < most ? bounce : most);
        phases[encoder] = (uint8_t)((phase + (clockwise ? 1 : 3)) % 4);
        at += (uint64_t)wait;
    }
    busy_until[encoder] = at;
    return at;
}

void hand_press(int which, int down, double bounce_us, uint64_t start) {
    change(EVENT_SWITCH, which, down, start, bounce_us * CYCLES_PER_US);
}

void hand_move(int knob, int from_mv, int to_mv, double ms, uint64_t start) {
    int steps = (int)ms > 0 ? (int)ms : 1;
    for (int i = 1; i <= steps; i++) {
        events_put(start + (uint64_t)(i * ms / steps * 16e3), EVENT_KNOB, knob, from_mv + (to_mv - from_mv) * i / steps);
    }
}
