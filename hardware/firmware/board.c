/* The ATmega328P's start; see board.h. */
#include "board.h"

#include <util/delay.h>

/* Above .data and .bss, below the stack; each free byte holds this until the stack reached it. */
enum { UNTOUCHED = 0xA5 };
extern uint8_t _end;
extern uint8_t __stack;

static uint8_t reset_cause __attribute__((section(".noinit")));

/* Before main and before .data: after a reset by the watchdog it runs on, at 15 ms, and would bite again. */
void board_before_main(void) __attribute__((naked, used, section(".init3")));
void board_before_main(void) {
    reset_cause = MCUSR;
    MCUSR = 0;
    wdt_disable();
    for (uint8_t *at = &_end; at <= &__stack; at++) {
        *at = UNTOUCHED;
    }
}

uint8_t board_reset_cause(void) { return reset_cause & 0x0F; }

uint16_t board_free_ram(void) {
    const uint8_t *at = &_end;
    while (at <= &__stack && *at == UNTOUCHED) {
        at++;
    }
    return (uint16_t)(at - &_end);
}

void board_start(void) {
    wdt_enable(WDTO_250MS);
    BOARD_PULL_UP(PIN_ENCODER_NW_A);
    BOARD_PULL_UP(PIN_ENCODER_NW_B);
    BOARD_PULL_UP(PIN_ENCODER_NE_A);
    BOARD_PULL_UP(PIN_ENCODER_NE_B);
    BOARD_PULL_UP(PIN_ENCODER_SW_A);
    BOARD_PULL_UP(PIN_ENCODER_SW_B);
    BOARD_PULL_UP(PIN_ENCODER_SE_A);
    BOARD_PULL_UP(PIN_ENCODER_SE_B);

    /* SPI: master, mode 0, 16 MHz / 16 = 1 MHz, most significant bit first. That suits wires on a breadboard. */
    PORTB |= BOARD_MASK(PIN_SHIFT_LATCH);
    DDRB |= BOARD_MASK(PIN_SHIFT_LATCH) | BOARD_MASK(PIN_SHIFT_MOSI) | BOARD_MASK(PIN_SHIFT_SCK);
    SPCR = (1u << SPE) | (1u << MSTR) | (1u << SPR0);

    /* Converter: 16 MHz / 128 = 125 kHz (10 good bits need 50 to 200 kHz). No digital input on the knobs' pins. */
    DIDR0 = 0x3F;
    ADCSRA = (1u << ADEN) | (1u << ADPS2) | (1u << ADPS1) | (1u << ADPS0);
    board_convert(0);

    /* UART: 16 MHz / 16 / (3 + 1) = 250,000 baud without error; 8N1. */
    UBRR0 = 16000000UL / 16 / BOARD_BAUD - 1;
    UCSR0C = (1u << UCSZ01) | (1u << UCSZ00);
    UCSR0B = (1u << RXCIE0) | (1u << RXEN0) | (1u << TXEN0);

    /* Timer 1 counts to the tick and begins again. */
    OCR1A = BOARD_TICK_CYCLES - 1;
    TCCR1B = (1u << WGM12) | (1u << CS10);
    TIMSK1 = 1u << OCIE1A;

    /* What is not used draws no current: TWI, timers 0 and 2. */
    PRR = (1u << PRTWI) | (1u << PRTIM0) | (1u << PRTIM2);
    SMCR = 0; /* sleep is idle: timer 1 and the UART go on */

    /* The pull-ups (20 to 50 kohm) load the contacts' 10 nF in 0.5 ms; read earlier, an open contact looks closed. */
    _delay_ms(5);
}
