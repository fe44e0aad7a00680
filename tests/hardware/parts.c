/* The parts around the processor; see parts.h. */
#include "parts.h"

#include <simavr/avr_adc.h>
#include <simavr/avr_ioport.h>
#include <simavr/avr_spi.h>
#include <stdlib.h>
#include <string.h>

#include "pins.h"

enum { N_CONTACTS = 8, N_LEDS = 4, N_KNOBS = 6 };

static const int CONTACT_PINS[N_CONTACTS] = {PIN_ENCODER_NW_A, PIN_ENCODER_NW_B, PIN_ENCODER_NE_A, PIN_ENCODER_NE_B,
                                             PIN_ENCODER_SW_A, PIN_ENCODER_SW_B, PIN_ENCODER_SE_A, PIN_ENCODER_SE_B};
static const int KNOB_PINS[N_KNOBS] = {PIN_KNOB_POSITION, PIN_KNOB_ATTACK,  PIN_KNOB_DECAY,
                                       PIN_KNOB_SUSTAIN,  PIN_KNOB_RELEASE, PIN_KNOB_VOLUME};

static avr_t *the_avr;
static int contacts[N_CONTACTS] = {1, 1, 1, 1, 1, 1, 1, 1}; /* 1 is open */
static uint8_t switch_inputs = 0xFF; /* low is down */
static uint8_t loaded;               /* the 74HC165's register */
static uint8_t shifted, shown;       /* the 74HC595's two registers */
static int latch = 1;
static int knob_mv[N_KNOBS], noise_mv;
static uint32_t noise_state = 1;
static uint64_t led_since, led_lit_since[N_LEDS], led_lit[N_LEDS], led_rises[N_LEDS];

static avr_irq_t *pin_irq(int pin) {
    return avr_io_getirq(the_avr, AVR_IOCTL_IOPORT_GETIRQ((uint32_t)("BCD"[PIN_PORT(pin)])), PIN_BIT(pin));
}

/* When the firmware writes a port's other pins, simavr sets its inputs anew, to their pull-ups; this tells it what
 * hangs there. */
static void drive(int pin, int level) {
    static uint32_t driven[3], levels[3];
    int port = PIN_PORT(pin);
    uint32_t mask = 1u << PIN_BIT(pin);
    driven[port] |= mask;
    levels[port] = level ? levels[port] | mask : levels[port] & ~mask;
    avr_ioport_external_t outside = {.name = (unsigned long)"BCD"[port], .mask = driven[port] & 0xFF, .value = levels[port] & 0xFF};
    avr_ioctl(the_avr, AVR_IOCTL_IOPORT_SET_EXTERNAL("BCD"[port]), &outside);
    avr_raise_irq(pin_irq(pin), (uint32_t)level);
}

static void show(uint8_t byte) {
    for (int i = 0; i < N_LEDS; i++) {
        int was = shown >> i & 1, is = byte >> i & 1;
        if (is && !was) {
            led_lit_since[i] = the_avr->cycle;
            led_rises[i]++;
        } else if (was && !is) {
            led_lit[i] += the_avr->cycle - led_lit_since[i];
        }
    }
    shown = byte;
}

static void on_latch(avr_irq_t *irq, uint32_t value, void *param) {
    (void)irq;
    (void)param;
    if (value == 0) {
        loaded = switch_inputs;
    } else if (!latch) {
        show(shifted);
    }
    latch = value != 0;
}

/* Both registers hang on one clock: what goes into the one comes out of the other. While SH/LD# is low the 74HC165
 * does not shift. */
static void on_spi(avr_irq_t *irq, uint32_t value, void *param) {
    (void)irq;
    (void)param;
    shifted = (uint8_t)value;
    avr_raise_irq(avr_io_getirq(the_avr, AVR_IOCTL_SPI_GETIRQ(0), SPI_IRQ_INPUT), loaded);
    loaded = 0xFF;
}

static void on_conversion(avr_irq_t *irq, uint32_t value, void *param) {
    (void)irq;
    (void)param;
    avr_adc_mux_t mux;
    memcpy(&mux, &value, sizeof value);
    for (int k = 0; k < N_KNOBS; k++) {
        if (mux.src != (unsigned)PIN_BIT(KNOB_PINS[k])) continue;
        noise_state = noise_state * 1664525u + 1013904223u;
        int noise = noise_mv == 0 ? 0 : (int)(noise_state >> 8) % (2 * noise_mv + 1) - noise_mv;
        int mv = knob_mv[k] + noise;
        mv = mv < 0 ? 0 : mv > 5000 ? 5000 : mv;
        avr_raise_irq(avr_io_getirq(the_avr, AVR_IOCTL_ADC_GETIRQ, ADC_IRQ_ADC0 + PIN_BIT(KNOB_PINS[k])),
                      (uint32_t)mv);
    }
}

void parts_reset(void) {
    /* simavr passes on changes only: both ways, or the firmware finds the pins that the reset has cleared. */
    for (int i = 0; i < N_CONTACTS; i++) {
        drive(CONTACT_PINS[i], !contacts[i]);
        drive(CONTACT_PINS[i], contacts[i]);
    }
}

void parts_start(avr_t *avr) {
    the_avr = avr;
    parts_reset();
    avr_irq_register_notify(pin_irq(PIN_SHIFT_LATCH), on_latch, NULL);
    avr_irq_register_notify(avr_io_getirq(avr, AVR_IOCTL_SPI_GETIRQ(0), SPI_IRQ_OUTPUT), on_spi, NULL);
    avr_irq_register_notify(avr_io_getirq(avr, AVR_IOCTL_ADC_GETIRQ, ADC_IRQ_OUT_TRIGGER), on_conversion, NULL);
}

void parts_apply(enum event_kind kind, int target, int value) {
    if (kind == EVENT_CONTACT) {
        contacts[target] = value;
        drive(CONTACT_PINS[target], value);
    } else if (kind == EVENT_SWITCH) {
        switch_inputs = (uint8_t)(value ? switch_inputs & ~(1 << target) : switch_inputs | 1 << target);
    } else if (kind == EVENT_KNOB) {
        knob_mv[target] = value;
    } else {
        noise_mv = value;
    }
}

void parts_leds(struct led_report *reports) {
    uint64_t now = the_avr->cycle;
    double cycles = now > led_since ? (double)(now - led_since) : 1.0;
    for (int i = 0; i < N_LEDS; i++) {
        if (shown >> i & 1) {
            led_lit[i] += now - led_lit_since[i];
            led_lit_since[i] = now;
        }
        reports[i].duty = (double)led_lit[i] / cycles;
        reports[i].rises_hz = (double)led_rises[i] / cycles * the_avr->frequency;
        led_lit[i] = led_rises[i] = 0;
    }
    led_since = now;
}
