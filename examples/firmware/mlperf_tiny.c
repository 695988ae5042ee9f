/* SPDX-FileCopyrightText: 2026 The siena authors
 * SPDX-License-Identifier: Apache-2.0
 *
 * Answers the runner of MLPerf Tiny (github.com/mlcommons/tiny, benchmark/runner) over the serial port: commands end with '%',
 * each is answered by lines, of which the last is "m-ready". Nothing is said before the first command, since the runner would
 * take that for its answer. BENCHMARK is the model's name there: "ic01", "vww01", "kws01" or "ad01". */
#include <math.h>
#include <string.h>

#include "network.h"
#include "serial.h"

/* The longest command, "db " and 31 bytes of the sample, has 65 characters. */
enum { longest = 80 };

static network_context context;
static int8_t input[NETWORK_INPUT_SIZE]; /* of the network, which writes over its own */

/* What the runner loads: bytes of an image or numbers as the network sees them; features of sound that may be anomalous. */
#ifdef BENCHMARK_RECONSTRUCTS
typedef float element;
#else
typedef uint8_t element;
#endif
static union {
  element all[NETWORK_INPUT_SIZE];
  uint8_t bytes[NETWORK_INPUT_SIZE * sizeof(element)];
} sample;
static uint32_t expected, loaded;

static void say(const char *text) {
  while (*text) board_serial_write(*text++);
}
static void say_number(uint64_t number) {
  char text[21], *at = text + sizeof text - 1;
  *at = 0;
  do {
    *--at = (char)('0' + number % 10);
    number /= 10;
  } while (number > 0);
  say(at);
}
/* Three digits behind the point. */
static void say_real(float number) {
  const uint32_t thousandths = (uint32_t)(number * 1000 + 0.5f);
  say_number(thousandths / 1000);
  say(".");
  for (uint32_t unit = 100; unit > 0; unit /= 10) board_serial_write((char)('0' + thousandths / unit % 10));
}
static void say_time(void) {
  say("m-lap-us-");
  say_number(board_microseconds());
  say("\r\n");
}

static void prepare(void) {
#ifdef BENCHMARK_RECONSTRUCTS
  for (int i = 0; i < NETWORK_INPUT_SIZE; ++i) {
    const float q = floorf(sample.all[i] / (float)NETWORK_INPUT_SCALE + 0.5f) + NETWORK_INPUT_ZERO_POINT;
    input[i] = (int8_t)(q < -128 ? -128 : q > 127 ? 127 : q);
  }
#elif defined NETWORK_TAKES_BYTES
  network_set_bytes(&context, sample.bytes);
  memcpy(input, network_input(&context), sizeof input);
#else
  memcpy(input, sample.bytes, sizeof input);
#endif
}
static void infer(void) {
  memcpy(network_input(&context), input, sizeof input);
  network_run(&context);
}

/* The probability of each class; or how far what came out is from what went in, as the mean of squares. */
static void say_results(void) {
  const int8_t *y = network_output(&context);
  float sum = 0;
  say("m-results-[");
#ifdef BENCHMARK_RECONSTRUCTS
  for (int i = 0; i < NETWORK_OUTPUT_SIZE; ++i) {
    const float off = (float)NETWORK_OUTPUT_SCALE * (float)(y[i] - NETWORK_OUTPUT_ZERO_POINT) - sample.all[i];
    sum += off * off;
  }
  say_real(sum / NETWORK_OUTPUT_SIZE);
#else
  static float odds[NETWORK_OUTPUT_SIZE];
  int8_t best = y[0];
  for (int i = 1; i < NETWORK_OUTPUT_SIZE; ++i) best = y[i] > best ? y[i] : best;
  for (int i = 0; i < NETWORK_OUTPUT_SIZE; ++i) sum += odds[i] = expf((float)NETWORK_OUTPUT_SCALE * (float)(y[i] - best));
  for (int i = 0; i < NETWORK_OUTPUT_SIZE; ++i) {
    if (i > 0) say(",");
    say_real(odds[i] / sum);
  }
#endif
  say("]\r\n");
}

/* What follows a word and spaces, or 0 where the text does not begin with it. */
static const char *after(const char *text, const char *word) {
  const size_t length = strlen(word);
  if (strncmp(text, word, length) != 0 || (text[length] != 0 && text[length] != ' ')) return 0;
  for (text += length; *text == ' ';) ++text;
  return text;
}
static uint32_t number(const char **text, uint32_t otherwise) {
  if (**text == 0) return otherwise;
  uint32_t result = 0;
  while (**text >= '0' && **text <= '9') result = result * 10 + (uint32_t)(*(*text)++ - '0');
  while (**text == ' ') ++*text;
  return result;
}
static int digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  c |= 32;
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static void begin_load(const char *bytes) {
  expected = number(&bytes, 0);
  loaded = 0;
  if (expected != sizeof sample) {
    expected = 0;
    say("e-[Expected a load of ");
    say_number(sizeof sample);
    say(" bytes]\r\n");
    return;
  }
  say("m-[Expecting ");
  say_number(expected);
  say(" bytes]\r\n");
}
static void load(const char *digits) {
  for (; *digits && loaded < expected; digits += 2) {
    const int high = digit(digits[0]), low = high < 0 ? -1 : digit(digits[1]);
    if (low < 0) {
      say("e-[Expected two hexadecimal digits for each byte]\r\n");
      return;
    }
    sample.bytes[loaded++] = (uint8_t)(high << 4 | low);
    if (loaded == expected) say("m-load-done\r\n");
  }
}

static void measure(const char *counts) {
  uint32_t runs = number(&counts, 1), warm_up = number(&counts, 10);
  if (runs == 0 || loaded != sizeof sample) {
    say(runs == 0 ? "e-[Expected at least one inference]\r\n" : "e-[Expected a sample to be loaded]\r\n");
    return;
  }
  prepare();
  say("m-warmup-start-");
  say_number(warm_up);
  say("\r\n");
  while (warm_up-- > 0) infer();
  say("m-warmup-done\r\nm-infer-start-");
  say_number(runs);
  say("\r\n");
  say_time();
  while (runs-- > 0) infer();
  say_time();
  say("m-infer-done\r\n");
  say_results();
}

static void answer(const char *command) {
  const char *rest;
  if (after(command, "name")) {
    say("m-name-dut-[siena]\r\n");
  } else if (after(command, "profile")) {
    say("m-profile-[ULPMark for tinyML Firmware V0.0.1]\r\nm-model-[" BENCHMARK "]\r\n");
  } else if (after(command, "timestamp")) {
    say_time();
  } else if ((rest = after(command, "db load"))) {
    begin_load(rest);
  } else if ((rest = after(command, "db"))) {
    load(rest);
  } else if ((rest = after(command, "infer"))) {
    measure(rest);
  } else if (after(command, "results")) {
    say_results();
  } else {
    say("e-[Unknown command: ");
    say(command);
    say("]\r\n");
  }
  say("m-ready\r\n");
}

int main(void) {
  static char command[longest + 1];
  uint32_t length = 0;
  board_serial_open();
  for (;;) {
    const char c = board_serial_read();
    if (c == '%') {
      command[length] = 0;
      answer(command);
      length = 0;
    } else if (c != '\r' && c != '\n' && length < longest) {
      command[length++] = c;
    }
  }
}
