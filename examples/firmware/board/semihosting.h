/* SPDX-FileCopyrightText: 2026 The siena authors
 * SPDX-License-Identifier: Apache-2.0
 *
 * board.h by semihosting: for start-up files that define `semihosting`, the call of one operation, and read `stack_pointer`. */
#include "board.h"

extern uint32_t board_stack_bottom[], board_stack_top[]; /* of the linker script */
static int semihosting(int operation, const void *argument);
static uint32_t *stack_pointer(void);

void board_say(const char *text) { semihosting(0x04, text); }
void board_say_number(uint32_t number) {
  char text[11], *at = text + sizeof text - 1;
  *at = 0;
  do {
    *--at = (char)('0' + number % 10);
    number /= 10;
  } while (number > 0);
  board_say(at);
}
void board_exit(int code) {
  const uint32_t block[2] = {0x20026, (uint32_t)code};
  semihosting(0x20, block);
  for (;;) {
  }
}

int board_open(const char *path, int writes) {
  uint32_t length = 0;
  while (path[length] != 0) ++length;
  const uint32_t block[3] = {(uint32_t)(uintptr_t)path, writes ? 5 : 1, length};
  return semihosting(0x01, block);
}
int board_read(int file, void *to, uint32_t bytes) {
  const uint32_t block[3] = {(uint32_t)file, (uint32_t)(uintptr_t)to, bytes};
  return semihosting(0x06, block) == 0;
}
int board_write(int file, const void *from, uint32_t bytes) {
  const uint32_t block[3] = {(uint32_t)file, (uint32_t)(uintptr_t)from, bytes};
  return semihosting(0x05, block) == 0;
}

#define PAINT 0xC5C5C5C5u
__attribute__((noinline)) void board_paint_stack(void) {
  const uint32_t *const end = stack_pointer() - 16;
  for (volatile uint32_t *p = board_stack_bottom; p < end; ++p) *p = PAINT;
}
uint32_t board_stack_used(void) {
  const uint32_t *p = board_stack_bottom;
  while (p < board_stack_top && *p == PAINT) ++p;
  return (uint32_t)(board_stack_top - p) * 4;
}
