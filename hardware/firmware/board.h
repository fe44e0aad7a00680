/* The ATmega328P at 16 MHz: everything that touches a register. Another microcontroller is another file like this.
 *
 * Above it the firmware knows only: a tick 8,000 times a second (BOARD_ON_TICK), a byte that came (BOARD_ON_RECEIVED),
 * room for one to send (BOARD_ON_SENDABLE), and the functions below.
 */
#ifndef BOARD_H
#define BOARD_H

#include <avr/eeprom.h>
#include <avr/interrupt.h>
#include <avr/io.h>
#include <avr/sleep.h>
#include <avr/wdt.h>
#include <stdbool.h>
#include <stdint.h>
#include <util/atomic.h>

#include "pins.h"

enum {
    BOARD_TICK_HZ = 8000,
    BOARD_TICK_CYCLES = 16000000 / 8000,
    BOARD_BAUD = 250000,
};

#define BOARD_ON_TICK ISR(TIMER1_COMPA_vect)
#define BOARD_ON_RECEIVED ISR(USART_RX_vect)
#define BOARD_ON_SENDABLE ISR(USART_UDRE_vect)

/* Runs its block with interrupts off. */
#define BOARD_ATOMICALLY ATOMIC_BLOCK(ATOMIC_RESTORESTATE)

/* Serial line, SPI and converter have their pins by birth. */
_Static_assert(PIN_SERIAL_RX == PIN(D, 0) && PIN_SERIAL_TX == PIN(D, 1), "the UART's pins are PD0 and PD1");
_Static_assert(PIN_SHIFT_MOSI == PIN(B, 3) && PIN_SHIFT_MISO == PIN(B, 4) && PIN_SHIFT_SCK == PIN(B, 5),
               "the SPI's pins are PB3, PB4 and PB5");
_Static_assert(PIN_SHIFT_LATCH == PIN(B, 2), "slave select is PB2: another latch would need PB2 as an output too");
_Static_assert(PIN_PORT(PIN_KNOB_POSITION) == PIN_PORT(PIN(C, 0)) && PIN_PORT(PIN_KNOB_VOLUME) == PIN_PORT(PIN(C, 0)),
               "the converter's channels are on port C");

#define BOARD_MASK(pin) ((uint8_t)(1u << PIN_BIT(pin)))
#define BOARD_IS_HIGH(pin)                                                                                           \
    (((PIN_PORT(pin) == PIN_PORT(PIN(B, 0)) ? PINB : PIN_PORT(pin) == PIN_PORT(PIN(C, 0)) ? PINC : PIND) &           \
      BOARD_MASK(pin)) != 0)
#define BOARD_PULL_UP(pin)                                                                                           \
    (*(PIN_PORT(pin) == PIN_PORT(PIN(B, 0)) ? &PORTB : PIN_PORT(pin) == PIN_PORT(PIN(C, 0)) ? &PORTC : &PORTD) |=    \
     BOARD_MASK(pin))

/* Contacts of the four encoders: bit 2k is A and bit 2k + 1 is B of encoder k, low when closed. */
static inline uint8_t board_contacts(void) {
    uint8_t contacts = 0;
    if (BOARD_IS_HIGH(PIN_ENCODER_NW_A)) contacts |= 0x01;
    if (BOARD_IS_HIGH(PIN_ENCODER_NW_B)) contacts |= 0x02;
    if (BOARD_IS_HIGH(PIN_ENCODER_NE_A)) contacts |= 0x04;
    if (BOARD_IS_HIGH(PIN_ENCODER_NE_B)) contacts |= 0x08;
    if (BOARD_IS_HIGH(PIN_ENCODER_SW_A)) contacts |= 0x10;
    if (BOARD_IS_HIGH(PIN_ENCODER_SW_B)) contacts |= 0x20;
    if (BOARD_IS_HIGH(PIN_ENCODER_SE_A)) contacts |= 0x40;
    if (BOARD_IS_HIGH(PIN_ENCODER_SE_B)) contacts |= 0x80;
    return contacts;
}

/* One exchange with the shift registers, for each tick: shows the byte given the last time, returns the inputs as they
 * were at the last call (bit k is input A + k), and starts the next transfer. It takes 8 us of the tick's 125 and is
 * not waited for. */
static inline uint8_t board_shift(uint8_t outputs) {
    PORTB &= (uint8_t)~BOARD_MASK(PIN_SHIFT_LATCH);
    PORTB |= BOARD_MASK(PIN_SHIFT_LATCH);
    (void)SPSR; /* reading it, then SPDR, clears the flag of the transfer that ended */
    uint8_t inputs = SPDR;
    SPDR = outputs;
    return inputs;
}

/* True, with the value in *sample (0 to 1023), when the conversion is ready. One takes 104 us. */
static inline bool board_converted(uint16_t *sample) {
    if (ADCSRA & (1u << ADSC)) {
        return false;
    }
    *sample = ADC;
    return true;
}

/* Starts the conversion of knob 0 to 5, against AVCC. */
static inline void board_convert(uint8_t knob) {
    static const uint8_t CHANNELS[] = {PIN_BIT(PIN_KNOB_POSITION), PIN_BIT(PIN_KNOB_ATTACK),  PIN_BIT(PIN_KNOB_DECAY),
                                       PIN_BIT(PIN_KNOB_SUSTAIN),  PIN_BIT(PIN_KNOB_RELEASE), PIN_BIT(PIN_KNOB_VOLUME)};
    ADMUX = (uint8_t)((1u << REFS0) | CHANNELS[knob]);
    ADCSRA |= 1u << ADSC;
}

/* In BOARD_ON_RECEIVED: the byte; *ok is false when it came too late, broken or after one that was lost. */
static inline uint8_t board_received(bool *ok) {
    *ok = (UCSR0A & ((1u << FE0) | (1u << DOR0))) == 0;
    return UDR0;
}

/* In BOARD_ON_SENDABLE. */
static inline void board_send(uint8_t byte) { UDR0 = byte; }
static inline void board_stop_sending(void) { UCSR0B &= (uint8_t)~(1u << UDRIE0); }
static inline void board_want_to_send(void) { UCSR0B |= 1u << UDRIE0; }

/* Cycles since the last tick, for the account of time slept. */
static inline uint16_t board_cycles_in_tick(void) { return TCNT1; }

static inline void board_feed_watchdog(void) { wdt_reset(); }

static inline void board_interrupts_off(void) { cli(); }
static inline void board_interrupts_on(void) { sei(); }

/* Sleeps until an interrupt. To be called with interrupts off, which it allows in the very instruction before the
 * sleep, so that none slips in between. */
static inline void board_sleep(void) {
    sleep_enable();
    sei();
    sleep_cpu();
    sleep_disable();
}

/* One flag that costs a cycle to ask, for the account of time slept. */
static inline bool board_flag(void) { return (GPIOR0 & 1) != 0; }
static inline void board_raise_flag(void) { GPIOR0 |= 1; }
static inline void board_lower_flag(void) { GPIOR0 &= (uint8_t)~1u; }

/* Reads and writes the board's EEPROM; a byte is written (3.4 ms) only when it is another one. */
static inline void board_read_kept(void *to, uint8_t n_bytes) { eeprom_read_block(to, (const void *)0, n_bytes); }
static inline void board_keep_byte(uint8_t at, uint8_t byte) {
    wdt_reset();
    eeprom_update_byte((uint8_t *)(uint16_t)at, byte);
}

/* Why it started: bits 1 power on, 2 external, 4 brown-out, 8 watchdog; 0 where a bootloader took it away. */
uint8_t board_reset_cause(void);

/* Bytes of RAM that the stack has not touched since the start. */
uint16_t board_free_ram(void);

/* Pins, timer, SPI, converter, UART and watchdog; interrupts stay off. */
void board_start(void);

#endif
