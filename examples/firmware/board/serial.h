/* SPDX-FileCopyrightText: 2026 The siena authors
 * SPDX-License-Identifier: Apache-2.0
 *
 * What the benchmark needs of a board: a serial port, and a clock that runs on. */
#ifndef SERIAL_H
#define SERIAL_H

#include <stdint.h>

/* Sets up both. */
void board_serial_open(void);
/* Waits for a byte. */
char board_serial_read(void);
void board_serial_write(char byte);

/* Since the port was opened; to be asked at least once in 171 s. */
uint64_t board_microseconds(void);

#endif
