/* SPDX-FileCopyrightText: 2026 The siena authors
 * SPDX-License-Identifier: Apache-2.0
 *
 * Start-up of an Arm Cortex-M: vectors, floating point and vector units on, .data and .bss, main. */
#include "semihosting.h"

extern uint32_t board_data_load[], board_data_begin[], board_data_end[], board_bss_begin[], board_bss_end[];
int main(void);

static int semihosting(int operation, const void *argument) {
  register int r0 __asm__("r0") = operation;
  register const void *r1 __asm__("r1") = argument;
  __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
  return r0;
}
static uint32_t *stack_pointer(void) {
  uint32_t *sp;
  __asm__ volatile("mov %0, sp" : "=r"(sp));
  return sp;
}

/* The processor sets the stack pointer from the first vector. */
__attribute__((noreturn)) void board_start(void) {
  *(volatile uint32_t *)0xE000ED88 |= 0xFu << 20; /* CPACR */
  __asm__ volatile("dsb\n isb");
  const uint32_t *from = board_data_load;
  for (uint32_t *to = board_data_begin; to < board_data_end;) *to++ = *from++;
  for (uint32_t *to = board_bss_begin; to < board_bss_end;) *to++ = 0;
  board_paint_stack();
  board_exit(main());
  for (;;) {
  }
}
static void fault(void) { board_exit(99); }

/* The first 16 vectors; interrupts would follow. */
__attribute__((section(".vectors"), used)) static const struct {
  uint32_t *stack;
  void (*handlers[15])(void);
} vectors = {board_stack_top,
             {board_start, fault, fault, fault, fault, fault, fault, fault, fault, fault, fault, fault, fault, fault, fault}};
