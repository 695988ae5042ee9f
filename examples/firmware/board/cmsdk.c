/* SPDX-FileCopyrightText: 2026 The siena authors
 * SPDX-License-Identifier: Apache-2.0
 *
 * serial.h by the UART and the timer of Arm's Cortex-M System Design Kit, where MPS2 boards with AN386 or AN500 have them. */
#include "serial.h"

#define MHZ 25u /* of both */
#define BAUD 115200u

struct uart {
  volatile uint32_t data, state, control, interrupts, divider;
};
struct timer {
  volatile uint32_t control, value, reload;
};
#define UART ((struct uart *)0x40004000)
#define TIMER ((struct timer *)0x40000000)

void board_serial_open(void) {
  UART->divider = MHZ * 1000000u / BAUD;
  UART->control = 3; /* sends and receives */
  TIMER->reload = ~0u;
  TIMER->value = ~0u;
  TIMER->control = 1; /* counts down, and begins again */
}
char board_serial_read(void) {
  while (!(UART->state & 2)) {
  }
  return (char)UART->data;
}
void board_serial_write(char byte) {
  while (UART->state & 1) {
  }
  UART->data = (uint8_t)byte;
}

uint64_t board_microseconds(void) {
  static uint64_t ticks;
  static uint32_t before = ~0u;
  const uint32_t now = TIMER->value;
  ticks += before - now;
  before = now;
  return ticks / MHZ;
}
