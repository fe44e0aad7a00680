/* Events at exact cycles; see events.h. */
#include "events.h"

#include <stdio.h>
#include <stdlib.h>

#include "parts.h"

static avr_t *the_avr;
static struct event *heap;
static size_t n_events, room;
static uint64_t n_put, last_cycle;

static int earlier(const struct event *a, const struct event *b) {
    return a->cycle != b->cycle ? a->cycle < b->cycle : a->order < b->order;
}

static void swap(size_t a, size_t b) {
    struct event kept = heap[a];
    heap[a] = heap[b];
    heap[b] = kept;
}

static struct event pop(void) {
    struct event first = heap[0];
    heap[0] = heap[--n_events];
    for (size_t at = 0;;) {
        size_t least = at, left = 2 * at + 1;
        if (left < n_events && earlier(&heap[left], &heap[least])) least = left;
        if (left + 1 < n_events && earlier(&heap[left + 1], &heap[least])) least = left + 1;
        if (least == at) return first;
        swap(at, least);
        at = least;
    }
}

/* A timer of simavr is due at the next event, so that a sleeping processor is woken up to, not past it. */
static avr_cycle_count_t on_due(avr_t *avr, avr_cycle_count_t when, void *param) {
    (void)when;
    (void)param;
    while (n_events != 0 && heap[0].cycle <= avr->cycle) {
        struct event event = pop();
        parts_apply(event.kind, event.target, event.value);
    }
    return n_events == 0 ? 0 : heap[0].cycle;
}

void events_start(avr_t *avr) { the_avr = avr; }

void events_put(uint64_t cycle, enum event_kind kind, int target, int value) {
    if (n_events == room) {
        room = room == 0 ? 4096 : 2 * room;
        heap = realloc(heap, room * sizeof *heap);
        if (heap == NULL) {
            fprintf(stderr, "No memory for %zu events.\n", room);
            exit(1);
        }
    }
    if (cycle < the_avr->cycle) cycle = the_avr->cycle;
    if (cycle > last_cycle) last_cycle = cycle;
    size_t at = n_events++;
    heap[at] = (struct event){.cycle = cycle, .order = n_put++, .kind = kind, .target = target, .value = value};
    while (at != 0 && earlier(&heap[at], &heap[(at - 1) / 2])) {
        swap(at, (at - 1) / 2);
        at = (at - 1) / 2;
    }
    if (at == 0) {
        avr_cycle_timer_cancel(the_avr, on_due, NULL);
        avr_cycle_timer_register(the_avr, heap[0].cycle - the_avr->cycle, on_due, NULL);
    }
}

uint64_t events_last_cycle(void) { return n_events == 0 ? 0 : last_cycle; }
