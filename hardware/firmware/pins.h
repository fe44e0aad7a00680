/* Which pin of the Arduino Nano (ATmega328P) goes where: the one place that says it.
 *
 * PIN(port, bit) is port B, C or D and its bit, as the data sheet names them; NANO gives the print on the board.
 * The shift registers' inputs and outputs are counted from A: SWITCH_x 0 is input A of the 74HC165, LED_x 0 is output
 * QA of the 74HC595. The order of the encoders, switches, knobs and LEDs is the protocol's.
 */
#ifndef PINS_H
#define PINS_H

#define PIN(port, bit) PIN_OF_PORT_##port(bit)
#define PIN_OF_PORT_B(bit) (0x00 | (bit))
#define PIN_OF_PORT_C(bit) (0x08 | (bit))
#define PIN_OF_PORT_D(bit) (0x10 | (bit))
#define PIN_BIT(pin) ((pin) & 7)
#define PIN_PORT(pin) ((pin) >> 3)

/* Serial line to the computer: the Nano's own USB bridge. */
#define PIN_SERIAL_RX PIN(D, 0) /* NANO RX0 */
#define PIN_SERIAL_TX PIN(D, 1) /* NANO TX1 */

/* Contacts of the encoders, closed to ground; internal pull-ups. Clockwise, A closes before B. */
#define PIN_ENCODER_NW_A PIN(D, 2) /* NANO D2 */
#define PIN_ENCODER_NW_B PIN(D, 3) /* NANO D3 */
#define PIN_ENCODER_NE_A PIN(D, 4) /* NANO D4 */
#define PIN_ENCODER_NE_B PIN(D, 5) /* NANO D5 */
#define PIN_ENCODER_SW_A PIN(D, 6) /* NANO D6 */
#define PIN_ENCODER_SW_B PIN(D, 7) /* NANO D7 */
#define PIN_ENCODER_SE_A PIN(B, 0) /* NANO D8 */
#define PIN_ENCODER_SE_B PIN(B, 1) /* NANO D9 */

/* Shift registers. The latch is RCLK of the 74HC595 and SH/LD# of the 74HC165: its low level loads the switches, its
 * rising edge shows the LEDs. It is also the SPI's slave select, which has to be an output in master mode. */
#define PIN_SHIFT_LATCH PIN(B, 2) /* NANO D10 */
#define PIN_SHIFT_MOSI PIN(B, 3)  /* NANO D11 */
#define PIN_SHIFT_MISO PIN(B, 4)  /* NANO D12 */
#define PIN_SHIFT_SCK PIN(B, 5)   /* NANO D13, with the Nano's own LED on it */

/* Wipers of the knobs; the bit is also the channel of the converter. */
#define PIN_KNOB_POSITION PIN(C, 0) /* NANO A0 */
#define PIN_KNOB_ATTACK PIN(C, 1)   /* NANO A1 */
#define PIN_KNOB_DECAY PIN(C, 2)    /* NANO A2 */
#define PIN_KNOB_SUSTAIN PIN(C, 3)  /* NANO A3 */
#define PIN_KNOB_RELEASE PIN(C, 4)  /* NANO A4 */
#define PIN_KNOB_VOLUME PIN(C, 5)   /* NANO A5 */

/* Inputs of the 74HC165; a switch that is down is low. */
#define SWITCH_ENCODER_NW 0
#define SWITCH_ENCODER_NE 1
#define SWITCH_ENCODER_SW 2
#define SWITCH_ENCODER_SE 3
#define SWITCH_PATCH_1 4
#define SWITCH_PATCH_2 5
#define SWITCH_PATCH_3 6
#define SWITCH_PATCH_4 7

/* Outputs of the 74HC595; high lights the LED. */
#define LED_PATCH_1 0
#define LED_PATCH_2 1
#define LED_PATCH_3 2
#define LED_PATCH_4 3

#endif
