// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0

// Measures the code of many networks and fits CodeSize to it:
//     code_sizes HEADER [--networks 400] [--folder FOLDER]
// writes code_sizes.hpp to HEADER. The networks are those of the benchmarks and what is left of them by chance, so many
// random ones, and layers of any make; as many others are not fitted to and say how near the promise is where nobody has
// looked. Ends with 77 where the compiler is missing.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <map>
#include <sstream>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "envelope.hpp"
#include "siena/core/file.hpp"
#include "siena/cost/flash.hpp"
#include "siena/cost/ram.hpp"
#include "siena/deploy/c/architecture.hpp"
#include "siena/deploy/c_source.hpp"
#include "siena/deploy/integer/quantize.hpp"
#include "siena/space/describe.hpp"
#include "support/deployed_networks.hpp"
#include "support/random_integer_network.hpp"
#include "support/random_network.hpp"
#include "support/temporary_folder.hpp"

using namespace siena;

namespace {

constexpr std::string_view compiler = "arm-none-eabi-gcc -std=c99 -mcpu=cortex-m4 -mthumb -O2";
constexpr std::size_t kinds = CodeSize::kinds;

/// A layer, and the function that computes it.
struct Called {
  LayerDesc<double> layer;
  std::string function;
};

constexpr std::string_view whole = "benchmarks", found = "benchmarks, found", random_ones = "random",
                           others = "random, not fitted",
                           layers_alone = "layers";  // the last is of no network's price

/// A network as C, and what was measured of it.
struct Measured {
  std::string name;
  std::string_view group;  ///< one of those below
  CTarget target;
  Architecture<double> architecture;
  std::vector<Called> calls;
  int holds = 0;
  std::map<std::string, double> code = {}, stack = {};  ///< bytes of functions
  double text = 0, tables = 0, arena = 0;

  std::string file() const { return format("{}_{}", name, target == CTarget::portable ? "p" : "m"); }
};

double words(double bytes) { return std::ceil(bytes / 4) * 4; }

std::string said_by(const std::filesystem::path& folder, const std::string& command) {
  if (std::system(format("cd '{}' && {} >said 2>&1", folder.string(), command).c_str()) != 0)
    fail<DataError>("code_sizes: expected '{}' to succeed, got: {}", command, read_file(folder / "said"));
  return read_file(folder / "said");
}

class Measurement {
 public:
  explicit Measurement(std::filesystem::path folder) : folder_(std::move(folder)) {
    std::filesystem::create_directories(folder_);
  }

  void add(const std::string& name, const Network& network, std::string_view group) {
    const auto integers = deploy::quantize(network, std::vector<Tensor>{test::RandomNetwork(5).batch(network, 4)});
    add(name, integers, describe(network), group);
  }
  void add(const std::string& name, const deploy::IntegerNetwork& integers, const Architecture<double>& architecture,
           std::string_view group) {
    for (const CTarget target : {CTarget::portable, CTarget::cortex_m}) {
      Measured one{.name = name, .group = group, .target = target, .architecture = architecture, .calls = {}};
      const deploy::CSource source = deploy::c_source(integers, folder_, {.name = one.file(), .target = target});
      for (const auto& layer : deploy::architecture_of(integers).layers) {
        const std::string comment = format("  /* {} */\n  ", layer.name);
        const std::size_t at = source.code.find(comment);
        if (at == source.code.npos) continue;
        const std::size_t begin = at + comment.size();
        one.calls.push_back({layer, source.code.substr(begin, source.code.find('(', begin) - begin)});
      }
      for (std::size_t at = 0; (at = source.code.find("\n  hold_1(", at)) != source.code.npos; ++at) ++one.holds;
      one.arena = static_cast<double>(source.arena);
      all_.push_back(std::move(one));
    }
  }
  /// Compiles all and reads what that takes.
  std::vector<Measured> measure() {
    const auto cores = std::max(1u, std::thread::hardware_concurrency());
    said_by(folder_, format("ls | grep '[.]c$' | xargs -n 8 -P {} {} -ffunction-sections -fdata-sections -fstack-usage -c",
                            cores, compiler));
    const std::string symbols = said_by(folder_, "ls | grep '[.]o$' | xargs arm-none-eabi-nm -S -A");
    const std::string sections = said_by(folder_, "ls | grep '[.]o$' | xargs arm-none-eabi-size -A");
    std::map<std::string, Measured*> files;
    for (Measured& one : all_) files[one.file()] = &one;
    std::istringstream lines(symbols);
    for (std::string line; std::getline(lines, line);) {
      std::istringstream parts(line);
      std::string address, size, type, name;
      if (parts >> address >> size >> type >> name && (type == "t" || type == "T"))
        files.at(line.substr(0, line.find(".o:")))->code[name] = std::stod("0x" + size);
    }
    read_sections(sections, files);
    for (Measured& one : all_) read_stack(one);
    return std::move(all_);
  }

 private:
  static void read_sections(const std::string& text, const std::map<std::string, Measured*>& files) {
    std::istringstream lines(text);
    Measured* one = nullptr;
    for (std::string line; std::getline(lines, line);) {
      if (const std::size_t end = line.find(".o "); end != line.npos && line.find(':') != line.npos)
        one = files.at(line.substr(0, end));
      std::istringstream parts(line);
      std::string section;
      double bytes = 0;
      if (!(parts >> section >> bytes)) continue;
      if (section.starts_with(".text")) one->text += words(bytes);
      if (section.starts_with(".rodata")) one->tables += words(bytes);
    }
  }
  void read_stack(Measured& one) const {
    std::istringstream lines(read_file(folder_ / (one.file() + ".su")));
    for (std::string line; std::getline(lines, line);) {
      const std::size_t tab = line.find('\t'), colon = line.rfind(':', tab);
      one.stack[line.substr(colon + 1, tab - colon - 1)] = std::stod(line.substr(tab));
    }
  }

  std::filesystem::path folder_;
  std::vector<Measured> all_;
};

/// What a function calls of the file takes of the stack, or of the library (memcpy, memset).
double called_stack(const Measured& one, const LayerDesc<double>& layer) {
  const bool copies = layer.kind == LayerKind::concat || layer.kind == LayerKind::rearrange;
  double most = copies ? 16 : 0;
  for (const auto& [name, bytes] : one.stack)
    if (name.starts_with("siena_") && layer.has_weights()) most = std::max(most, bytes);
  return most;
}

struct Points {
  std::vector<firmware::Envelope::Row> rows;
  firmware::Envelope::Row values, weights;
  void add(firmware::Envelope::Row row, double value, double weight = 1) {
    rows.push_back(std::move(row)), values.push_back(value), weights.push_back(weight);
  }
  firmware::Envelope::Row fit() const { return firmware::Envelope(rows, values, weights).fit(); }
  /// By numbers that are not negative: what has more takes no less.
  firmware::Envelope::Row fit_rising() const {
    Points rest = *this;
    while (true) {
      const firmware::Envelope::Row fitted = rest.fit();
      const auto least = std::min_element(fitted.begin() + 1, fitted.end());
      if (*least >= 0) return fitted;
      for (auto& row : rest.rows) row[static_cast<std::size_t>(least - fitted.begin())] = 0;
    }
  }
};

std::string numbers(const firmware::Envelope::Row& row) {
  std::string text;
  std::size_t size = row.size();
  while (size > 0 && row[size - 1] == 0) --size;
  for (std::size_t i = 0; i < size; ++i) text += format("{}{}", i == 0 ? "" : ", ", row[i]);
  return "{" + text + "}";
}
std::string numbers(const std::vector<firmware::Envelope::Row>& rows) {
  std::string text;
  for (const auto& row : rows) text += format("{}{}", text.empty() ? "" : ",\n", numbers(row));
  return "{{" + text + "}}";
}

/// The text of a CodeSize that was fitted. Frames grow by 8 bytes: one step more for what was not seen.
std::string fitted(const std::vector<Measured>& all, CTarget target, std::string_view measured_with) {
  std::vector<Points> code(kinds), stack(kinds);
  Points rest, frames;
  for (const Measured& one : all) {
    if (one.target != target || one.group == others) continue;
    double functions = 0;
    firmware::Envelope::Row row(5 + kinds + 2, 0), called(kinds + 1, 0);
    std::map<std::string, bool> seen;
    for (const auto& [layer, function] : one.calls) {
      const CodeParts parts = code_parts(layer, target);
      const std::size_t kind = CodeSize::at(parts.kind);
      const auto shared = detail::shared_code(layer, target, one.holds > 0);
      for (std::size_t k = 0; k < shared.size(); ++k) row[k] = std::max(row[k], shared[k] ? 1.0 : 0.0);
      row[5 + kind] += 1, called[1 + kind] = 1;
      if (parts.kind == CodeKind::concat) row[5 + kinds] += static_cast<double>(layer.producers.size());
      if (std::exchange(seen[function], true)) continue;
      // What no network has: a PReLU of one channel that is no table, and concats of nearly nothing but other scales.
      const bool strange = (parts.kind == CodeKind::table && function.starts_with("prelu")) || parts.kind == CodeKind::concat;
      if (one.group == layers_alone && strange) continue;
      const firmware::Envelope::Row counts(parts.counts.begin(),
                                           parts.counts.begin() + static_cast<std::ptrdiff_t>(parts.size));
      const double weight = one.group == layers_alone ? 0.02 : 1;  // nobody has such layers; they only must not be too little
      code[kind].add(counts, words(one.code.at(function)), weight);
      stack[kind].add(counts, one.stack.at(function) + called_stack(one, layer) - parts.stack, weight);
      functions += words(one.code.at(function));
    }
    if (one.group == layers_alone) continue;
    row[5 + kinds + 1] = one.holds, called[0] = 1;
    const std::string run = one.file() + "_run";
    rest.add(std::move(row), one.text - functions);
    frames.add(std::move(called), one.stack.at(run));
  }
  const auto besides = rest.fit(), run = frames.fit_rising();
  std::vector<firmware::Envelope::Row> codes, stacks;
  for (std::size_t k = 0; k < kinds; ++k) codes.push_back(code[k].fit()), stacks.push_back(stack[k].fit());
  const auto part = [](const firmware::Envelope::Row& row, std::size_t begin, std::size_t end) {
    return firmware::Envelope::Row(row.begin() + static_cast<std::ptrdiff_t>(begin),
                                   row.begin() + static_cast<std::ptrdiff_t>(end));
  };
  const bool portable = target == CTarget::portable;
  return format(
      "inline constexpr CodeSize {}{{.target = CTarget::{},\n.measured_with = \"{}\",\n.network = {{{}}},\n.call = {{{}}},\n"
      ".call_part = {},\n.call_hold = {},\n.code = {},\n.run_stack = {},\n.call_stack = {{{}}},\n.stack = {}}};\n",
      portable ? "code_portable" : "code_cortex_m", portable ? "portable" : "cortex_m", measured_with,
      numbers(part(besides, 0, 5)), numbers(part(besides, 5, 5 + kinds)), besides[5 + kinds], besides[5 + kinds + 1],
      numbers(codes), run[0] + 8, numbers(part(run, 1, 1 + kinds)), numbers(stacks));
}

/// Of the networks of a group, for one target.
void report(const std::vector<Measured>& all, std::string_view group, const CodeSize& code) {
  std::vector<double> flash, ram;
  for (const Measured& one : all) {
    if (one.target != code.target || one.group != group) continue;
    double most = 0;
    for (const auto& [layer, function] : one.calls) most = std::max(most, one.stack.at(function) + called_stack(one, layer));
    flash.push_back((one.text + one.tables) / total(Flash{code}, one.architecture));
    ram.push_back((one.arena + one.stack.at(one.file() + "_run") + most) / total(Ram{code}, one.architecture));
    if (flash.back() > 1 || ram.back() > 1) fmt::print("  more: {} {:.4f} {:.4f}\n", one.file(), flash.back(), ram.back());
  }
  for (auto* ratios : {&flash, &ram}) std::sort(ratios->begin(), ratios->end());
  const auto of = [](const std::vector<double>& r) {
    return format("{:.3f} {:.3f} {:.3f}", r.front(), r[r.size() / 2], r.back());
  };
  if (!flash.empty())
    fmt::print("{:<8} {:<18} {:>4} networks, linked / promised, least, median, most: flash {}, RAM {}\n",
               code.target == CTarget::portable ? "portable" : "cortex-m", group, flash.size(), of(flash), of(ram));
}

int run(const std::filesystem::path& header, int networks, const std::filesystem::path& folder) {
  if (std::system("arm-none-eabi-gcc --version >/dev/null 2>&1") != 0) {
    fmt::print("firmware: skipped, for want of the compiler arm-none-eabi-gcc\n");
    return 77;
  }
  Measurement measurement(folder);
  int count = 0;
  const auto named = test::deployed_networks();
  for (const auto& [name, network] : named) {
    const bool is_found = name.find("found") != name.npos;
    measurement.add(format("b{}", ++count), network, is_found ? found : whole);
    if (is_found || networks < 100) continue;
    for (std::uint64_t seed = 1; seed <= 6; ++seed) {
      Network left = test::found_by_chance(network, seed);
      test::RandomNetwork(13).randomise(left);
      measurement.add(format("b{}", ++count), left, found);
    }
  }
  for (std::uint64_t seed = 1; count < 2 * networks; ++seed) {
    Network network = seed % 3 == 0 ? test::RandomNetwork(seed).make_1d() : test::RandomNetwork(seed).make();
    network = test::found_by_chance(network, seed + 1);
    if (test::has<GroupNorm>(network)) continue;
    measurement.add(format("r{}", seed), network, count % 2 == 0 ? random_ones : others);
    ++count;
  }
  for (int seed = 1; seed <= 2 * networks; ++seed)
    measurement.add(format("i{}", seed), test::RandomIntegerNetwork(static_cast<std::uint64_t>(seed)).make(12), {},
                    layers_alone);
  const std::vector<Measured> all = measurement.measure();
  for (const CodeSize& code : {code_portable, code_cortex_m})
    for (const std::string_view group : {whole, found, random_ones, others}) report(all, group, code);
  std::istringstream version(said_by(folder, "arm-none-eabi-gcc -dumpversion"));
  std::string number;
  version >> number;
  const std::string with = format("arm-none-eabi-gcc {} -mcpu=cortex-m4 -mthumb -O2", number);
  write_file_atomically(
      header,
      format("// SPDX-FileCopyrightText: 2026 The siena authors\n// SPDX-License-Identifier: Apache-2.0\n#pragma once\n\n"
             "#include \"siena/cost/code_size.hpp\"\n\n// Written by ./dev code-sizes.\n\nnamespace siena {{\n\n{}\n{}\n"
             "}}  // namespace siena\n",
             fitted(all, CTarget::portable, with), fitted(all, CTarget::cortex_m, with)));
  return 0;
}

}  // namespace

int main(int count, char** words) {
  try {
    require<ArgumentError>(count >= 2 && count % 2 == 0, "code_sizes: expected HEADER and options with a value each");
    int networks = 400;
    const test::TemporaryFolder temporary("siena_code_sizes");
    std::filesystem::path folder = temporary.path;
    for (int i = 2; i < count; i += 2) {
      const std::string option = words[i];
      require<ArgumentError>(option == "--networks" || option == "--folder",
                             "code_sizes: expected --networks or --folder, got {}", option);
      if (option == "--networks") networks = std::stoi(words[i + 1]);
      if (option == "--folder") folder = words[i + 1];
    }
    return run(words[1], networks, folder);
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}\n", error.what());
    return 1;
  }
}
