// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0

// The serial protocol of MLPerf Tiny, as examples/firmware answers it on an emulated board, against the simulator:
//     mlperf_tiny ROOT
// Ends with 77 where a compiler or the emulator is missing, with 1 where an answer is wrong.

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "emulator.hpp"
#include "serial_board.hpp"
#include "siena/deploy/c/input_bytes.hpp"
#include "siena/deploy/integer/quantize.hpp"
#include "siena/deploy/integer/simulate.hpp"
#include "support/deployed_networks.hpp"
#include "support/random_network.hpp"
#include "support/settled_network.hpp"
#include "support/temporary_folder.hpp"

using namespace siena;

namespace {

using Bytes = std::vector<std::uint8_t>;

/// A network as a model of the benchmark. Its inputs are bytes of images, numbers as it sees them, or features.
struct Model {
  std::string name;
  deploy::IntegerNetwork network;
  std::optional<data::Preparation> preparation;  // of bytes

  Model(std::string model, Network plain, bool bytes) : name(std::move(model)) {
    test::RandomNetwork(13).randomise(plain);
    test::settle(plain);
    const std::vector<Tensor> batch{test::varied_batch(plain, 8, 5)};
    network = deploy::quantize(plain, batch);
    if (bytes) preparation = test::some_preparation(input().shape);
  }
  const deploy::IntegerValue& input() const { return network.values[0]; }
  const deploy::IntegerValue& output() const { return network.values[static_cast<std::size_t>(network.output)]; }
  bool reconstructs() const { return name == "ad01"; }

  /// Any sample, as the runner loads it; the channels of each have means of their own.
  Bytes sample(std::uint64_t seed) const {
    Random random(seed);
    Bytes bytes;
    std::vector<std::uint64_t> mean;
    for (std::int64_t c = 0; c < input().shape.columns(); ++c) mean.push_back(random.below(192));
    for (std::int64_t i = 0; i < input().shape.elements(); ++i) {
      const auto byte = static_cast<std::uint8_t>(mean[static_cast<std::size_t>(i) % mean.size()] + random.below(64));
      if (reconstructs()) {  // no halves: floats and doubles do not agree on them
        const auto bits = std::bit_cast<std::uint32_t>(static_cast<float>((byte - 100) * 0.8713 * input().scale));
        for (int part = 0; part < 32; part += 8) bytes.push_back(static_cast<std::uint8_t>(bits >> part));
      } else {
        bytes.push_back(byte);
      }
    }
    return bytes;
  }
};

float feature(const Bytes& sample, std::size_t i) {
  std::uint32_t bits = 0;
  for (std::size_t part = 0; part < 4; ++part) bits |= std::uint32_t{sample[i * 4 + part]} << 8 * part;
  return std::bit_cast<float>(bits);
}

std::vector<std::int8_t> seen(const Model& model, const Bytes& sample) {
  std::vector<std::int8_t> x(static_cast<std::size_t>(model.input().shape.elements()));
  const auto channels = static_cast<std::size_t>(model.input().shape.columns());
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (model.preparation) {
      x[i] = deploy::c::byte_table(*model.preparation, i % channels, model.input())[sample[i]];
    } else {
      x[i] = model.reconstructs() ? model.input().nearest(feature(sample, i)) : static_cast<std::int8_t>(sample[i]);
    }
  }
  return x;
}

std::vector<double> results(const Model& model, const Bytes& sample) {
  std::vector<double> y, result;
  for (const std::int8_t q : deploy::simulate(model.network, seen(model, sample)))
    y.push_back(model.output().scale * (q - model.output().zero_point));
  double sum = 0;
  if (model.reconstructs()) {
    for (std::size_t i = 0; i < y.size(); ++i) sum += std::pow(y[i] - feature(sample, i), 2);
    return {sum / static_cast<double>(y.size())};
  }
  for (const double score : y) sum += std::exp(score);
  for (const double score : y) result.push_back(std::exp(score) / sum);
  return result;
}

/// The numbers of an answer's line that begins like this.
std::vector<double> numbers(const std::vector<std::string>& lines, const std::string& begin, std::size_t which = 0) {
  for (const std::string& line : lines) {
    if (!line.starts_with(begin) || which-- > 0) continue;
    std::string text = line.substr(begin.size());
    std::replace_if(
        text.begin(), text.end(), [](char c) { return c == ',' || c == ']'; }, ' ');
    std::istringstream words(text);
    std::vector<double> all;
    for (double x = 0; words >> x;) all.push_back(x);
    return all;
  }
  return {};
}

void expect(bool good, std::string_view what, const std::vector<std::string>& answer) {
  require<DataError>(good, "mlperf_tiny: expected {}, got {}", what, fmt::format("{}", fmt::join(answer, " | ")));
}

void load(firmware::SerialBoard& board, const Bytes& sample) {
  constexpr std::size_t at_once = 31;  // as the runner does
  board.ask(format("db load {}", sample.size()));
  std::vector<std::string> answer;
  for (std::size_t i = 0; i < sample.size(); i += at_once) {
    std::string command = "db ";
    for (std::size_t k = i; k < std::min(i + at_once, sample.size()); ++k) command += format("{:02x}", sample[k]);
    answer = board.ask(command);
  }
  expect(answer == std::vector<std::string>{"m-load-done"}, "a sample to be loaded", answer);
}

/// One inference of some samples each, and that what was loaded stays when there are several.
void check_results(firmware::SerialBoard& board, const Model& model) {
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    const Bytes sample = model.sample(seed);
    const std::vector<double> wanted = results(model, sample);
    load(board, sample);
    for (const char* command : {"infer 1 0", "infer 3 2", "results"}) {
      const std::vector<std::string> answer = board.ask(command);
      const std::vector<double> got = numbers(answer, "m-results-[");
      bool good = got.size() == wanted.size();
      for (std::size_t i = 0; i < got.size() && good; ++i) good = std::abs(got[i] - wanted[i]) <= 0.00051;
      expect(good, fmt::format("{} ({}, sample {}): {:.3f}", command, model.name, seed, fmt::join(wanted, ",")), answer);
    }
  }
}

/// The clock counts what the emulator lets pass.
void check_time(firmware::SerialBoard& board) {
  const auto microseconds = [&](int runs) {
    const std::vector<std::string> answer = board.ask(format("infer {} 1", runs));
    const std::vector<double> begin = numbers(answer, "m-lap-us-"), end = numbers(answer, "m-lap-us-", 1);
    expect(begin.size() == 1 && end.size() == 1, "two times", answer);
    return end[0] - begin[0];
  };
  const double one = microseconds(10), two = microseconds(20);
  require<DataError>(one > 1000 && std::abs(two - 2 * one) < 20, "mlperf_tiny: expected twice {} us, got {}", one, two);
}

void check(const Model& model, const firmware::Board& board, const std::filesystem::path& root, firmware::Emulator& emulator) {
  emulator.write(deploy::c_text(model.network, {.target = board.target, .preparation = model.preparation}));
  const std::string parts = (root / "examples/firmware").string();
  emulator.build(
      board,
      format("'{}/mlperf_tiny.c' '{}/board/cmsdk.c' -DBENCHMARK='\"{}\"' {} {} -lm", parts, parts, model.name,
             model.preparation ? "-DNETWORK_TAKES_BYTES" : "", model.reconstructs() ? "-DBENCHMARK_RECONSTRUCTS" : ""),
      {"network"});
  firmware::SerialBoard port(board.emulator, emulator.program());
  const auto answers = [&](const std::string& command, const std::vector<std::string>& lines) {
    const std::vector<std::string> answer = port.ask(command);
    expect(answer == lines, fmt::format("{} to be answered by {}", command, fmt::join(lines, " | ")), answer);
  };
  answers("name", {"m-name-dut-[siena]"});
  answers("profile", {"m-profile-[ULPMark for tinyML Firmware V0.0.1]", "m-model-[" + model.name + "]"});
  answers("names", {"e-[Unknown command: names]"});
  answers("infer 1 0", {"e-[Expected a sample to be loaded]"});
  answers("db load 5", {format("e-[Expected a load of {} bytes]", model.sample(1).size())});
  answers(format("db load {}", model.sample(1).size()), {format("m-[Expecting {} bytes]", model.sample(1).size())});
  answers("db 0z", {"e-[Expected two hexadecimal digits for each byte]"});
  check_results(port, model);
  answers("infer 0", {"e-[Expected at least one inference]"});
  check_time(port);
  fmt::print("{}: as the simulator has it\n", model.name);
}

int run(const std::filesystem::path& root) {
  const firmware::Board& board = firmware::boards[0];
  if (!firmware::Emulator::has(board)) {
    fmt::print("firmware: skipped, for want of a compiler or an emulator for {} ({})\n", board.name, board.core);
    return 77;
  }
  const test::TemporaryFolder temporary("siena_mlperf_tiny");
  firmware::Emulator emulator(root, temporary.path);
  check({"ic01", test::found_by_chance(resnet8(), 11), true}, board, root, emulator);
  check({"kws01", ds_cnn(), false}, board, root, emulator);
  check({"ad01", autoencoder(), false}, board, root, emulator);
  return 0;
}

}  // namespace

int main(int count, char** words) {
  try {
    require<ArgumentError>(count == 2, "mlperf_tiny: expected ROOT, got {} words", count - 1);
    return run(words[1]);
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}\n", error.what());
    return 1;
  }
}
