/* SPDX-FileCopyrightText: 2026 The siena authors
 * SPDX-License-Identifier: Apache-2.0
 *
 * Start-up of a 32-bit RISC-V without anything below it (qemu-system-riscv32 -M virt -bios none). */
#include "semihosting.h"

extern uint32_t board_bss_begin[], board_bss_end[];
int main(void);

__asm__(
    ".section .start, \"ax\"\n"
    ".globl _start\n"
    "_start:\n"
    ".option push\n"
    ".option norelax\n"
    "la gp, __global_pointer$\n"
    ".option pop\n"
    "la sp, board_stack_top\n"
    "call board_start\n"
    ".text\n");

/* The three instructions must lie in one page and have 32 bits each. */
static int semihosting(int operation, const void *argument) {
  register int a0 __asm__("a0") = operation;
  register const void *a1 __asm__("a1") = argument;
  __asm__ volatile(
      ".balign 16\n.option push\n.option norvc\nslli x0, x0, 0x1f\nebreak\nsrai x0, x0, 7\n.option pop"
      : "+r"(a0)
      : "r"(a1)
      : "memory");
  return a0;
}
static uint32_t *stack_pointer(void) {
  uint32_t *sp;
  __asm__ volatile("mv %0, sp" : "=r"(sp));
  return sp;
}

__attribute__((noreturn)) void board_start(void) {
  for (uint32_t *to = board_bss_begin; to < board_bss_end;) *to++ = 0;
  board_paint_stack();
  board_exit(main());
  for (;;) {
  }
}
