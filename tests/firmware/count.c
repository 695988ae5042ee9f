/* SPDX-FileCopyrightText: 2026 The siena authors
 * SPDX-License-Identifier: Apache-2.0
 *
 * A plugin for QEMU (its interface 1, of 4.2 to 9) that counts instructions between count_begin and count_end: all, by function
 * and by mnemonic. One line each: "total N", "function NAME N", "instruction NAME N", the total first, in no particular order.
 *     qemu-system-arm ... -plugin libcount.so,out=FILE
 * The declarations are written out, since Debian has no header of them. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef uint64_t qemu_plugin_id_t;
typedef struct qemu_info_t qemu_info_t;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
extern void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t, void (*)(qemu_plugin_id_t, struct qemu_plugin_tb *));
extern void qemu_plugin_register_atexit_cb(qemu_plugin_id_t, void (*)(qemu_plugin_id_t, void *), void *);
extern size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *);
extern struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *, size_t);
extern const char *qemu_plugin_insn_symbol(const struct qemu_plugin_insn *);
extern char *qemu_plugin_insn_disas(const struct qemu_plugin_insn *);
extern void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *, void (*)(unsigned, void *), int, void *);
extern void qemu_plugin_register_vcpu_insn_exec_inline(struct qemu_plugin_insn *, int, void *, uint64_t);

__attribute__((visibility("default"))) int qemu_plugin_version = 1;

/* Counts are raised in place by translated code, so that they must never move. */
enum { most = 8192 };
struct count {
  char name[120];
  uint64_t now, before;
};
static struct count functions[most], instructions[most], total = {"", 0, 0};
static int function_count, instruction_count;
static FILE *out;

static struct count *find(struct count *all, int *count, const char *name, size_t length) {
  if (length >= sizeof all->name) length = sizeof all->name - 1;
  for (int i = 0; i < *count; ++i)
    if (strlen(all[i].name) == length && !memcmp(all[i].name, name, length)) return &all[i];
  if (*count == most) {
    fprintf(stderr, "count: more than %d names\n", most);
    exit(1);
  }
  memcpy(all[*count].name, name, length);
  return &all[(*count)++];
}

static void begin(unsigned cpu, void *unused) {
  (void)cpu, (void)unused;
  total.before = total.now;
  for (int i = 0; i < function_count; ++i) functions[i].before = functions[i].now;
  for (int i = 0; i < instruction_count; ++i) instructions[i].before = instructions[i].now;
}
static void write_counts(const char *what, const struct count *all, int count) {
  for (int i = 0; i < count; ++i)
    if (all[i].now > all[i].before)
      fprintf(out, "%s %s %llu\n", what, all[i].name, (unsigned long long)(all[i].now - all[i].before));
}
static void end(unsigned cpu, void *unused) {
  (void)cpu, (void)unused;
  fprintf(out, "total %llu\n", (unsigned long long)(total.now - total.before));
  write_counts("function", functions, function_count);
  write_counts("instruction", instructions, instruction_count);
  fflush(out);
}

static void translate(qemu_plugin_id_t id, struct qemu_plugin_tb *block) {
  (void)id;
  static char last[120]; /* of which symbol the instruction before was: markers count where they are entered */
  const size_t n = qemu_plugin_tb_n_insns(block);
  for (size_t i = 0; i < n; ++i) {
    struct qemu_plugin_insn *instruction = qemu_plugin_tb_get_insn(block, i);
    const char *symbol = qemu_plugin_insn_symbol(instruction);
    if (symbol == NULL) symbol = "?";
    if (i == 0 && strcmp(last, symbol)) {
      if (!strcmp(symbol, "count_begin")) qemu_plugin_register_vcpu_insn_exec_cb(instruction, begin, 0, NULL);
      if (!strcmp(symbol, "count_end")) qemu_plugin_register_vcpu_insn_exec_cb(instruction, end, 0, NULL);
    }
    snprintf(last, sizeof last, "%s", symbol);
    char *text = qemu_plugin_insn_disas(instruction);
    qemu_plugin_register_vcpu_insn_exec_inline(instruction, 0, &total.now, 1);
    qemu_plugin_register_vcpu_insn_exec_inline(
        instruction, 0, &find(functions, &function_count, symbol, strlen(symbol))->now, 1);
    qemu_plugin_register_vcpu_insn_exec_inline(
        instruction, 0, &find(instructions, &instruction_count, text, strcspn(text, " \t"))->now, 1);
    free(text);
  }
}
static void finish(qemu_plugin_id_t id, void *unused) {
  (void)id, (void)unused;
  fclose(out);
}

__attribute__((visibility("default"))) int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info, int count,
                                                               char **arguments) {
  (void)info;
  for (int i = 0; i < count; ++i)
    if (!strncmp(arguments[i], "out=", 4)) out = fopen(arguments[i] + 4, "w");
  if (out == NULL) {
    fprintf(stderr, "count: expected out=FILE, a file that can be written\n");
    return -1;
  }
  qemu_plugin_register_vcpu_tb_trans_cb(id, translate);
  qemu_plugin_register_atexit_cb(id, finish, NULL);
  return 0;
}
