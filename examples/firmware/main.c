/* SPDX-FileCopyrightText: 2026 The siena authors
 * SPDX-License-Identifier: Apache-2.0
 *
 * Reads a sample from the computer that emulates or debugs the board, runs the network, and says what it found. */
#include "board.h"
#include "network.h"

static network_context context; /* all that the network works in */

static int sample(const char *path) {
  const int file = board_open(path, 0);
  if (file < 0) return 0;
#ifdef NETWORK_TAKES_BYTES /* the pixels of an image, as a camera gives them */
  static uint8_t bytes[NETWORK_INPUT_SIZE];
  if (!board_read(file, bytes, sizeof bytes)) return 0;
  network_set_bytes(&context, bytes);
  return 1;
#else /* numbers as the network sees them: x = NETWORK_INPUT_SCALE * (q - NETWORK_INPUT_ZERO_POINT) */
  return board_read(file, network_input(&context), NETWORK_INPUT_SIZE);
#endif
}

int main(void) {
  if (!sample("sample.bin")) {
    board_say("no sample.bin of ");
    board_say_number(NETWORK_INPUT_SIZE);
    board_say(" bytes in the folder of the build\n");
    return 1;
  }
  network_run(&context);

  const int8_t *scores = network_output(&context);
  int best = 0;
  for (int i = 1; i < NETWORK_OUTPUT_SIZE; ++i) {
    if (scores[i] > scores[best]) best = i;
  }
  board_say("class ");
  board_say_number((uint32_t)best);
#ifdef NETWORK_HAS_CLASSES
  board_say(": ");
  board_say(network_classes[best]);
#endif
  board_say("\n");
  return 0;
}
