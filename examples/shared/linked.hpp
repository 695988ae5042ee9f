// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdio>
#include <filesystem>
#include <siena/cost.hpp>
#include <siena/space.hpp>
#include <sstream>
#include <string>

namespace siena::examples {

/// Bytes of flash that network.c of a folder takes when it is linked for a Cortex-M4, without what nobody need call; 0 where
/// there is no compiler for it.
inline double linked_flash(const std::filesystem::path& folder) {
  std::string quoted;
  for (const char letter : std::filesystem::absolute(folder).string())
    quoted += letter == '\'' ? "'\\''" : std::string(1, letter);
  const std::string command = format(
      "cd '{}' && at=$(mktemp) && trap 'rm -f \"$at\"' EXIT && exec 2>/dev/null && "
      "arm-none-eabi-gcc -std=c99 -mcpu=cortex-m4 -mthumb -O2 -ffunction-sections -fdata-sections -nostdlib "
      "-Wl,--gc-sections,-e,network_run,-u,network_input,-u,network_output,--unresolved-symbols=ignore-all "
      "network.c -o \"$at\" && arm-none-eabi-size -A \"$at\"",
      quoted);
  FILE* const said = popen(command.c_str(), "r");
  if (said == nullptr) return 0;
  std::string text;
  for (int letter = 0; (letter = std::fgetc(said)) != EOF;) text += static_cast<char>(letter);
  pclose(said);
  std::istringstream lines(text);
  double sum = 0, bytes = 0;
  std::string line, section;
  while (std::getline(lines, line)) {
    std::istringstream words(line);
    if (words >> section >> bytes && (section == ".text" || section == ".rodata")) sum += bytes;
  }
  return sum;
}

/// What the C in a folder was promised to take, and what it takes.
inline std::string promised_and_linked(const Network& network, const std::filesystem::path& folder, CTarget target) {
  const CodeSize& code = target == CTarget::portable ? code_portable : code_cortex_m;
  const Architecture<double> architecture = describe(network);
  const double flash = total(Flash{code}, architecture), linked = linked_flash(folder);
  std::string text = format("C in {}: {:.0f} B of flash promised", folder.string(), flash);
  if (linked > 0) text += format(", {:.0f} B linked for a Cortex-M4 ({:.3f})", linked, linked / flash);
  return text + format("; {:.0f} B of RAM promised, {:.0f} B of them the arena", total(Ram{code}, architecture),
                       Ram{code}.arena(architecture));
}

}  // namespace siena::examples
