// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0

// Networks on emulated boards, against the simulator and against what was promised:
//     firmware ROOT [--boards NAME,...] [--samples N] [--networks PART] [--bits 2 to 8|mixed] [--folder FOLDER]
//              [--written FOLDER [--flash BYTES] [--ram BYTES] [--seconds TIME]]
// --bits: of the weights; mixed: of each output channel its own, by chance.
// --written: what the network.c of a folder takes when it is linked, beside what was promised and the time that was predicted.
// Ends with 77 where a board's compiler or emulator is missing, with 1 where anything differs.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "emulator.hpp"
#include "siena/core/file.hpp"
#include "siena/cost/flash.hpp"
#include "siena/cost/ram.hpp"
#include "siena/deploy/integer/quantize.hpp"
#include "siena/deploy/integer/simulate.hpp"
#include "siena/space/describe.hpp"
#include "support/deployed_networks.hpp"
#include "support/few_bits.hpp"
#include "support/random_integer_network.hpp"
#include "support/settled_network.hpp"
#include "support/temporary_folder.hpp"

using namespace siena;

namespace {

struct Options {
  std::filesystem::path root;
  std::string boards, networks, bits;
  int samples = 100;
  std::filesystem::path folder;  // ""; one that is gone in the end
  std::filesystem::path written;
  double flash = std::nan(""), ram = flash, seconds = flash;

  bool takes(const firmware::Board& board) const {
    return boards.empty() || ("," + boards + ",").find("," + std::string(board.name) + ",") != std::string::npos;
  }
};

Options options(int count, char** words) {
  require<ArgumentError>(count % 2 == 0, "firmware: expected ROOT and options with a value each, got {} words", count - 1);
  Options result{.root = words[1], .boards = {}, .networks = {}, .bits = {}, .folder = {}, .written = {}};
  for (int i = 2; i < count; i += 2) {
    const std::string name = words[i], value = words[i + 1];
    if (name == "--boards") {
      result.boards = value;
    } else if (name == "--networks") {
      result.networks = value;
    } else if (name == "--bits") {
      result.bits = value;
    } else if (name == "--samples") {
      result.samples = std::stoi(value);
    } else if (name == "--folder") {
      result.folder = value;
    } else if (name == "--written") {
      result.written = value;
    } else if (name == "--flash") {
      result.flash = std::stod(value);
    } else if (name == "--ram") {
      result.ram = std::stod(value);
    } else if (name == "--seconds") {
      result.seconds = std::stod(value);
    } else {
      fail<ArgumentError>("firmware: expected an option, such as --boards, got {}", name);
    }
  }
  for (const firmware::Board& board : firmware::boards)
    if (result.takes(board)) return result;
  fail<ArgumentError>("firmware: expected one of the boards an386, an500, an547, rv32, got {}", result.boards);
}

std::int64_t macs(const deploy::IntegerNetwork& network) {
  std::int64_t sum = 0;
  for (const auto& operation : network.operations) {
    if (const auto* what = std::get_if<deploy::integer::Convolution>(&operation.what)) sum += what->geometry.macs();
  }
  return sum;
}

test::NamedNetwork with_bits(const test::NamedNetwork& named, const std::string& bits) {
  if (bits.empty()) return named;
  if (bits == "mixed") return {named.name + ", mixed", test::with_chance_bits(named.network, 3)};
  const int all = std::stoi(bits);
  return {format("{}, {} bits", named.name, all), test::with_bits(named.network, [&](std::int64_t) { return all; })};
}

/// A network with inputs, and what it makes of them.
struct Sampled {
  std::string name;
  Architecture<double> architecture;
  deploy::IntegerNetwork network;
  std::vector<std::int8_t> inputs, outputs;
  std::int64_t samples, different;  ///< outputs that are not those of another input

  Sampled(test::NamedNetwork named, int count) : name(named.name), architecture(describe(named.network)), samples(count) {
    test::settle(named.network);
    network = deploy::quantize(named.network, std::vector<Tensor>{test::varied_batch(named.network, 8, 5)});
    test::RandomIntegerNetwork random(7);
    std::set<std::vector<std::int8_t>> all;
    for (int i = 0; i < count; ++i) {
      // One half as they were calibrated, one half of any bytes.
      const std::vector<std::int8_t> input = i % 2 == 1 ? random.input(network) : seen(named.network, i);
      const std::vector<std::int8_t> output = deploy::simulate(network, input);
      inputs.insert(inputs.end(), input.begin(), input.end());
      outputs.insert(outputs.end(), output.begin(), output.end());
      all.insert(output);
    }
    different = std::ssize(all);
  }

  /// It shows little that outputs are as expected where all are the same: as of small networks, where one unit may be off.
  bool tells() const { return name.find("found") != std::string::npos || 3 * different >= samples; }

 private:
  std::vector<std::int8_t> seen(const Network& plain, int i) const {
    const Tensor batch = test::varied_batch(plain, 1, static_cast<std::uint64_t>(100 + i));
    std::vector<std::int8_t> input;
    for (std::int64_t r = 0; r < batch.rows(); ++r) {
      for (const float x : batch.row(r)) input.push_back(network.values[0].nearest(x));
    }
    return input;
  }
};

constexpr const char* columns = "{:<30} {:<6} {:>8} {:>8} {:>6} {:>7} {:>7} {:>6} {:>6} {:>6} {:>9} {:>6} {:>9} {:>7} {:>6}\n";

void heading(int samples) {
  fmt::print(
      "{} inputs each; bytes, promised | linked and how much of what was promised; of one run instructions, and cycles of a\n"
      "Cortex-M4 by their classes, if memory never waits; how many different outputs; bytes of all that differ from the "
      "simulator's\n",
      samples);
  fmt::print(fmt::runtime(columns), "network", "board", "flash |", "linked", "ratio", "RAM |", "linked", "ratio", "code",
             "stack", "instr.", "a MAC", "cycles", "outputs", "wrong");
}

/// One line of the table; whether all is as promised: outputs, tables and arena on all boards, and no more code or stack than
/// that where code was measured.
bool check(const firmware::Board& board, const Sampled& sampled, firmware::Emulator& emulator) {
  const deploy::CSource source = deploy::c_text(sampled.network, {.target = board.target});
  if (source.table_bytes() > board.flash) {
    fmt::print("{:<30} {:<6} does not fit\n", sampled.name, board.name);
    return true;
  }
  const firmware::Run run =
      emulator.run(board, source, sampled.inputs, static_cast<std::size_t>(sampled.network.values[0].shape.elements()));
  std::int64_t wrong = std::abs(std::ssize(sampled.outputs) - std::ssize(run.outputs));
  for (std::size_t i = 0; i < std::min(run.outputs.size(), sampled.outputs.size()); ++i)
    wrong += run.outputs[i] != sampled.outputs[i] ? 1 : 0;
  const CodeSize& code = board.target == CTarget::portable ? code_portable : code_cortex_m;
  const double flash = total(Flash{code}, sampled.architecture), ram = total(Ram{code}, sampled.architecture);
  const auto linked_flash = static_cast<double>(run.tables + run.code),
             linked_ram = static_cast<double>(run.context + run.stack);
  const auto decimals = [](double x, int digits) { return digits == 2 ? format("{:.2f}", x) : format("{:.3f}", x); };
  fmt::print(fmt::runtime(columns), sampled.name, board.name, flash, linked_flash, decimals(linked_flash / flash, 3), ram,
             linked_ram, decimals(linked_ram / ram, 3), run.code, run.stack, run.counts.instructions,
             decimals(static_cast<double>(run.counts.instructions) / static_cast<double>(macs(sampled.network)), 2),
             std::llround(run.counts.cycles()), sampled.different, wrong);
  std::fflush(stdout);
  const bool exact =
      run.tables == source.table_bytes() && (run.context == source.arena || run.context == (source.arena + 3) / 4 * 4);
  const bool measured = board.name == "an386";  // of CodeSize::measured_with
  return wrong == 0 && sampled.tells() && exact && (!measured || (linked_flash <= flash && linked_ram <= ram));
}

/// What a network takes whose files were written before; whether that is at most what was promised, and the time within 3 % of
/// what was predicted: for 120 MHz and memory that waits a fifth of the time, as in tables of latency.
bool check_written(const firmware::Board& board, const Options& options, firmware::Emulator& emulator) {
  const deploy::CSource source{.name = "network",
                               .header = read_file(options.written / "network.h"),
                               .code = read_file(options.written / "network.c"),
                               .tables = {}};
  constexpr std::string_view macro = "#define NETWORK_INPUT_SIZE ";
  std::size_t size = 0;
  std::istringstream(source.header.substr(source.header.find(macro) + macro.size())) >> size;
  const firmware::Run run = emulator.run(board, source, std::vector<std::int8_t>(size), size);
  const auto flash = static_cast<double>(run.tables + run.code), ram = static_cast<double>(run.context + run.stack);
  const double seconds = run.counts.cycles() * 1.2 / 120e6;
  const auto part = [](double is, double said) {
    return std::isnan(said) ? "" : format(" ({:.3f} of what was said)", is / said);
  };
  fmt::print("{}: {} B of flash{}, {} B of RAM{}, {:.0f} cycles, {:.3f} ms{}\n", board.name, flash, part(flash, options.flash),
             ram, part(ram, options.ram), run.counts.cycles(), 1e3 * seconds, part(seconds, options.seconds));
  return !(flash > options.flash || ram > options.ram || std::abs(seconds / options.seconds - 1) > 0.03);
}

int run(const Options& options) {
  for (const firmware::Board& board : firmware::boards) {
    if (!options.takes(board) || firmware::Emulator::has(board)) continue;
    fmt::print("firmware: skipped, for want of a compiler or an emulator for {} ({})\n", board.name, board.core);
    return 77;
  }
  const test::TemporaryFolder temporary("siena_firmware");
  firmware::Emulator emulator(options.root, options.folder.empty() ? temporary.path : options.folder);
  bool good = true;
  if (!options.written.empty()) {
    for (const firmware::Board& board : firmware::boards) {
      if (options.takes(board)) good = check_written(board, options, emulator) && good;
    }
    return good ? 0 : 1;
  }
  heading(options.samples);
  for (const test::NamedNetwork& named : test::deployed_networks()) {
    if (named.name.find(options.networks) == std::string::npos) continue;
    const Sampled sampled(with_bits(named, options.bits), options.samples);
    for (const firmware::Board& board : firmware::boards) {
      if (options.takes(board)) good = check(board, sampled, emulator) && good;
    }
  }
  return good ? 0 : 1;
}

}  // namespace

int main(int count, char** words) {
  try {
    return run(options(count, words));
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}\n", error.what());
    return 1;
  }
}
