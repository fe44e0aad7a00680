/* The serial line; see wire.h.
 *
 * simavr's own uart_pty has a thread and one link for all its users; this one is read between two steps of the
 * processor, so that a run with bytes in memory is the same each time.
 */
#define _GNU_SOURCE
#include "wire.h"

#include <errno.h>
#include <fcntl.h>
#include <simavr/avr_uart.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

/* 10 bits at 250,000 baud are 640; simavr takes a little longer for a byte, and would lose one after some hundred. */
enum { CYCLES_PER_BYTE = 720 };

struct bytes {
    uint8_t *at;
    size_t n, room;
};

static avr_t *the_avr;
static struct bytes towards, from, taken;
static size_t n_sent;
static int master = -1;
static char *link_path;

static void put(struct bytes *bytes, uint8_t byte) {
    if (bytes->n == bytes->room) {
        bytes->room = bytes->room == 0 ? 4096 : 2 * bytes->room;
        bytes->at = realloc(bytes->at, bytes->room);
        if (bytes->at == NULL) {
            fprintf(stderr, "No memory for %zu bytes of the line.\n", bytes->room);
            exit(1);
        }
    }
    bytes->at[bytes->n++] = byte;
}

static avr_cycle_count_t on_byte_time(avr_t *avr, avr_cycle_count_t when, void *param) {
    (void)param;
    if (n_sent == towards.n) {
        n_sent = towards.n = 0;
        return 0;
    }
    avr_raise_irq(avr_io_getirq(avr, AVR_IOCTL_UART_GETIRQ('0'), UART_IRQ_INPUT), towards.at[n_sent++]);
    return when + CYCLES_PER_BYTE;
}

static void on_output(avr_irq_t *irq, uint32_t value, void *param) {
    (void)irq;
    (void)param;
    uint8_t byte = (uint8_t)value;
    if (link_path == NULL) {
        put(&from, byte);
        return;
    }
    /* A full pseudo-terminal, or one that nobody opened, loses bytes as a line does. */
    if (master >= 0 && write(master, &byte, 1) < 0 && errno != EAGAIN && errno != EIO) perror("pseudo-terminal");
}

void wire_start(avr_t *avr) {
    the_avr = avr;
    uint32_t flags = 0;
    avr_ioctl(avr, AVR_IOCTL_UART_GET_FLAGS('0'), &flags);
    flags &= ~(uint32_t)(AVR_UART_FLAG_STDIO | AVR_UART_FLAG_POLL_SLEEP);
    avr_ioctl(avr, AVR_IOCTL_UART_SET_FLAGS('0'), &flags);
    avr_irq_register_notify(avr_io_getirq(avr, AVR_IOCTL_UART_GETIRQ('0'), UART_IRQ_OUTPUT), on_output, NULL);
}

const char *wire_plug(const char *link) {
    master = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (master < 0 || grantpt(master) != 0 || unlockpt(master) != 0) return "no pseudo-terminal to be had";
    struct termios raw;
    if (tcgetattr(master, &raw) != 0) return "the pseudo-terminal has no settings";
    cfmakeraw(&raw);
    tcsetattr(master, TCSANOW, &raw);
    free(link_path);
    link_path = strdup(link);
    unlink(link);
    return symlink(ptsname(master), link) == 0 ? NULL : "the link to the pseudo-terminal can't be made";
}

void wire_unplug(void) {
    if (master < 0) return;
    unlink(link_path);
    close(master);
    master = -1;
}

void wire_poll(void) {
    if (master < 0) return;
    uint8_t bytes[256];
    ssize_t n = read(master, bytes, sizeof bytes);
    if (n > 0) wire_send(bytes, (size_t)n);
}

void wire_send(const uint8_t *bytes, size_t n_bytes) {
    int idle = towards.n == 0;
    for (size_t i = 0; i < n_bytes; i++) put(&towards, bytes[i]);
    if (idle && n_bytes != 0) avr_cycle_timer_register(the_avr, CYCLES_PER_BYTE, on_byte_time, NULL);
}

const uint8_t *wire_received(size_t *n_bytes) {
    struct bytes swapped = taken;
    taken = from;
    from = swapped;
    from.n = 0;
    *n_bytes = taken.n;
    return taken.at;
}
