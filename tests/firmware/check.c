/* SPDX-FileCopyrightText: 2026 The siena authors
 * SPDX-License-Identifier: Apache-2.0
 *
 * Runs a network on all samples of a file of the host and writes what it makes of them into another. */
#include "board.h"
#include "network.h"

static network_context context;

/* The plugin counts between these. */
__attribute__((noinline)) void count_begin(void) { __asm__ volatile("" ::: "memory"); }
__attribute__((noinline)) void count_end(void) { __asm__ volatile("nop" ::: "memory"); }

extern uint32_t board_stack_top[];
static inline uint32_t stack_pointer(void) {
  uint32_t sp;
#ifdef __riscv
  __asm__ volatile("mv %0, sp" : "=r"(sp));
#else
  __asm__ volatile("mov %0, sp" : "=r"(sp));
#endif
  return sp;
}

int main(void) {
  const int inputs = board_open("inputs", 0), outputs = board_open("outputs", 1);
  if (inputs < 0 || outputs < 0) return 1;
  for (int i = 0; board_read(inputs, network_input(&context), NETWORK_INPUT_SIZE); ++i) {
    if (i > 0) {
      network_run(&context);
    } else {
      board_paint_stack();
      count_begin();
      network_run(&context);
      count_end();
      const uint32_t deepest = (uint32_t)(uintptr_t)board_stack_top - board_stack_used();
      board_say("stack ");
      board_say_number(stack_pointer() - deepest);
      board_say("\n");
    }
    if (!board_write(outputs, network_output(&context), NETWORK_OUTPUT_SIZE)) return 1;
  }
  return 0;
}
