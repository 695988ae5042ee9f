/* SPDX-FileCopyrightText: 2026 The siena authors
 * SPDX-License-Identifier: Apache-2.0
 *
 * What the start-up files (cortex_m.c, riscv.c) offer besides starting main: text and files of the computer that emulates or
 * debugs the board (semihosting), and how much of the stack was used. */
#ifndef BOARD_H
#define BOARD_H

#include <stdint.h>

void board_say(const char *text);
void board_say_number(uint32_t number);
/* Ends the emulator with this code. */
void board_exit(int code);

/* A file of the host, to be read or written; below 0: there is none. */
int board_open(const char *path, int writes);
/* 1 where all bytes were read or written. */
int board_read(int file, void *to, uint32_t bytes);
int board_write(int file, const void *from, uint32_t bytes);

/* Paints what is left of the stack; and the most bytes that were used since main began. */
void board_paint_stack(void);
uint32_t board_stack_used(void);

#endif
