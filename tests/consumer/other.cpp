// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "shared.hpp"
#ifdef HAS_AUDIO
#include <siena/data/speech_commands.hpp>
#endif
#ifdef HAS_IMAGES
#include <siena/data/image_folder.hpp>
#endif

bool other_files_refused() {
  int refused = 0, readers = 0;
  const auto refuses = [&](const auto& read) {
    ++readers;
    try {
      read();
    } catch (const siena::DataError&) {
      ++refused;
    }
  };
#ifdef HAS_AUDIO
  refuses([] { (void)siena::data::speech_commands("no such folder"); });
#endif
#ifdef HAS_IMAGES
  refuses([] { (void)siena::data::image_folder("no such folder"); });
#endif
  refuses([] { (void)siena::data::cifar10("no such folder"); });
  return refused == readers;
}

double other(const siena::Network& network) {
  return siena::total(Energy{.joules_per_mac = 3, .joules_per_byte = 0}, siena::describe(network));
}
