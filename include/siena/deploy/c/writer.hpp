// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "siena/core/config.hpp"
#include "siena/cost/arena.hpp"
#include "siena/cost/code_target.hpp"
#include "siena/deploy/c/architecture.hpp"
#include "siena/deploy/c/body.hpp"
#include "siena/deploy/c/input_bytes.hpp"
#include "siena/deploy/c/options.hpp"
#include "siena/deploy/c/packed_weights.hpp"
#include "siena/deploy/c/program.hpp"
#include "siena/deploy/c/target.hpp"
#include "siena/deploy/c/text.hpp"
#include "siena/deploy/integer/arithmetic.hpp"
#include "siena/deploy/integer/network.hpp"

namespace siena::deploy::c {

/// Puts both files together.
class Writer {
 public:
  Writer(const IntegerNetwork& network, const CSourceOptions& options)
      : network_(network), options_(options), name_(identifier(options.name)), plan_(arena_of(network, options.target)) {
    std::transform(name_.begin(), name_.end(), std::back_inserter(macro_), [](unsigned char x) { return std::toupper(x); });
    check();
    for (const auto& operation : network_.operations)
      shapes_.push_back(function_of(deploy::detail::OperationDescriber(network_, operation).describe()));
    for (std::size_t i = 0; i < network_.operations.size(); ++i) add(i);
    if (options.preparation && options.preparation->bytes) add_bytes();
    if (!classes().empty()) add_classes();
  }

  CSource write() {
    return {.name = name_,
            .header = header(),
            .code = code(),
            .tables = program_.table_bytes(),
            .arena = static_cast<std::int64_t>(plan_.total)};
  }

 private:
  const IntegerValue& input() const { return network_.input_value(); }
  const IntegerValue& output() const { return network_.output_value(); }
  std::string place(int value) const { return format("arena + {}", static_cast<std::int64_t>(plan_.values[value].offset)); }
  std::vector<std::string> classes() const {
    if (!options_.preparation || rebuilds_input()) return {};
    return options_.preparation->classes;
  }
  /// Classes of samples are then not what the outputs are.
  bool rebuilds_input() const {
    const auto outputs = static_cast<std::size_t>(output().shape.elements());
    return output().shape == input().shape && options_.preparation->classes.size() != outputs;
  }
  /// `$name` and `$NAME` are those of the network.
  std::string named(std::string_view text) const { return fill(text, {{"name", name_}, {"NAME", macro_}}); }

  void check() const {
    require<ArgumentError>(plan_.values[0].home == 0 && !network_.operations.empty(),
                           "c_source: expected a network that reads its input, got one that does not");
    require<ArgumentError>(plan_.total < 2147483648.0,
                           "c_source: expected values that fit into 2 GiB of memory, got {} bytes; hint: padding counts, too",
                           plan_.total);
    if (!options_.preparation) return;
    const data::Preparation& preparation = *options_.preparation;
    const auto channels = static_cast<std::size_t>(input().shape.columns());
    require<ShapeError>(
        preparation.shape == input().shape && preparation.mean.size() == channels && preparation.deviation.size() == channels,
        "c_source: expected a preparation of the network's inputs {}, got one of {} with a mean of {} channels", input().shape,
        preparation.shape, preparation.mean.size());
    for (std::size_t k = 0; k < channels; ++k)
      require<ArgumentError>(
          std::isfinite(preparation.mean[k]) && std::isfinite(preparation.deviation[k]) && preparation.deviation[k] > 0,
          "c_source: expected a finite mean and a deviation above 0 of each channel, got {} and {} of {}", preparation.mean[k],
          preparation.deviation[k], k);
    const auto outputs = static_cast<std::size_t>(output().shape.elements());
    require<ArgumentError>(classes().empty() || classes().size() == outputs,
                           "c_source: expected a name for each of the {} outputs, got {}", outputs, classes().size());
  }

  void add(std::size_t i) {
    const IntegerOperation& operation = network_.operations[i];
    const ArenaValue& to = plan_.values[operation.output];
    if (to.home != operation.output) return;  // a view
    const Site site{.network = network_, .operation = operation, .backwards = to.backwards, .asks_shift = differs_in_shift(i)};
    const Body body = body_of(site, options_.target);
    std::vector<std::string> values;
    for (const int value : operation.inputs) values.push_back(place(value));
    values.push_back(place(operation.output));
    if (body.scratch > 0) {
      const ArenaValue& scratch = plan_.scratch[i];
      require<ArgumentError>(scratch.bytes >= static_cast<double>(body.scratch),
                             "c_source: expected {} bytes of scratch memory for {}, got a plan with {}", body.scratch,
                             operation.name, scratch.bytes);
      values.push_back(format("arena + {}", static_cast<std::int64_t>(scratch.offset)));
    }
    calls_ += format("  /* {} */\n", comment(operation.name)) + program_.call(body, std::move(values), operation.name);
    if (operation.low <= -128 && operation.high >= 127) return;
    const std::string made = place(operation.output);
    calls_ += program_.call(holding_body(network_, operation), {made, made}, operation.name);
  }
  /// Whether an operation that would have the same function shifts its sums by another number of bits. Where weights are packed
  /// that is an argument anyway.
  bool differs_in_shift(std::size_t i) const {
    for (std::size_t k = 0; k < shapes_.size(); ++k) {
      const bool alike = shapes_[i] && shapes_[k] == shapes_[i] && !packs(i) && !packs(k);
      if (alike && shift_bits(network_.operations[k]) != shift_bits(network_.operations[i])) return true;
    }
    return false;
  }
  bool packs(std::size_t i) const {
    const auto* what = std::get_if<integer::Convolution>(&network_.operations[i].what);
    return what != nullptr && shapes_[i]->has_weights() && packed_slices(*what).back().bits < 8;
  }

  /// From bytes, of a camera as a rule, to inputs: by a factor for each channel where that is exact, else by a table.
  void add_bytes() {
    const data::Preparation& preparation = *options_.preparation;
    std::vector<ByteTable> tables;
    for (std::size_t k = 0; k < preparation.mean.size(); ++k) tables.push_back(byte_table(preparation, k, input()));
    if (std::count(tables.begin(), tables.end(), tables[0]) == static_cast<std::ptrdiff_t>(tables.size())) tables.resize(1);
    const std::string channel = format("i % {}", tables.size());
    std::string value;
    if (const auto factors = byte_factors(preparation, tables, input())) {
      const auto of_channel = [&](const std::string& name, const std::vector<std::int32_t>& numbers) {
        if (numbers.size() == 1) return std::to_string(numbers[0]);
        return format("{}[{}]", program_.argument({name, numbers}, "bytes to inputs, for each channel"), channel);
      };
      value = format("(int8_t)siena_clamp(siena_blend({}, bytes[i], 0, 0, {}, {}), -128, 127)",
                     of_channel("factor", factors->factor), of_channel("offset", factors->offset), factors->shift);
    } else {
      std::vector<std::int8_t> all;
      for (const ByteTable& table : tables) all.insert(all.end(), table.begin(), table.end());
      const std::string row = tables.size() == 1 ? "" : channel + " * 256 + ";
      value = format("{}[{}bytes[i]]", program_.argument({"inputs", all}, "bytes to inputs, for each channel"), row);
    }
    declarations_ += R"(
/* Sets the input from bytes, such as the pixels of a camera: channels innermost, rows from the top. */
void $name_set_bytes($name_context *context, const uint8_t bytes[$NAME_INPUT_SIZE]);
)";
    functions_ += R"(
void $name_set_bytes($name_context *context, const uint8_t bytes[$NAME_INPUT_SIZE]) {
  int8_t *const x = $name_input(context);
  for (int i = 0; i < $NAME_INPUT_SIZE; ++i) x[i] = )" +
                  value + ";\n}\n";
  }
  void add_classes() {
    declarations_ += R"(
/* What the outputs are called; and which of them is the greatest, the first of several. */
extern const char *const $name_classes[$NAME_OUTPUT_SIZE];
int $name_class(const $name_context *context);
)";
    std::vector<std::string> names;
    for (const std::string& name : classes()) names.push_back(literal(name));
    functions_ += "\n" + wrapped("const char *const $name_classes[$NAME_OUTPUT_SIZE] = {\n", names, "};\n", 4) + R"(
int $name_class(const $name_context *context) {
  const int8_t *const y = $name_output(context);
  int best = 0;
  for (int i = 1; i < $NAME_OUTPUT_SIZE; ++i) {
    if (y[i] > y[best]) best = i;
  }
  return best;
}
)";
  }

  static std::string real(double x) {
    const std::string text = format("{}", x);
    return text.find_first_of(".e") == std::string::npos ? text + ".0" : text;
  }
  std::string value_macros(std::string_view what, const IntegerValue& value) const {
    return fill(R"(#define $NAME_$WHAT_SIZE $size /* $shape */
#define $NAME_$WHAT_SCALE $scale
#define $NAME_$WHAT_ZERO_POINT ($zero)
)",
                {{"NAME", macro_},
                 {"WHAT", std::string(what)},
                 {"size", value.shape.elements()},
                 {"shape", value.shape.to_string()},
                 {"scale", real(value.scale)},
                 {"zero", value.zero_point}});
  }
  /// What the network expects of its inputs.
  std::string preparation_text() const {
    if (!options_.preparation) return "Inputs are what the network was trained with.";
    const data::Preparation& preparation = *options_.preparation;
    std::string channels;
    constexpr std::size_t most = 16;
    for (std::size_t k = 0; k < std::min(preparation.mean.size(), most); ++k)
      channels += format("{}({}, {})", k == 0 ? "" : ", ", preparation.mean[k], preparation.deviation[k]);
    if (preparation.mean.size() > most) channels += ", ...";
    const bool sound = preparation.sound.has_value();
    return format("Inputs are (x - mean) / deviation, where x is {}; (mean, deviation) of each channel:\n   {}.",
                  preparation.bytes ? "a byte / 255"
                  : sound           ? "a feature of sound, as the front-end gives it"
                                    : "a value",
                  channels);
  }
  std::string table_text() const {
    std::string text;
    for (const auto& [name, bytes] : program_.table_bytes()) text += format("{}{} {}", text.empty() ? "" : ", ", name, bytes);
    return text;
  }
  std::string report_text() const {
    if (options_.report.empty()) return "";
    return "\n" + indented(comment(options_.report), 3) + (options_.report.back() == '\n' ? "" : "\n");
  }

  std::string header() const {
    const std::string about = format("{}.{}.{} for {}", SIENA_VERSION_MAJOR, SIENA_VERSION_MINOR, SIENA_VERSION_PATCH,
                                     names_of(options_.target)[static_cast<std::size_t>(options_.target)]);
    const std::string arena = options_.target == CTarget::portable ? "" : "\n  int32_t aligned;";
    return fill(R"(/* $name: a network of integers, written by siena $about.

   Bytes of tables in flash: $tables; of a context in RAM: $arena.
   A number q stands for scale * (q - zero point). Images lie row by row, the channels of a pixel side by side.
   $preparation
$report*/
#ifndef $NAME_H
#define $NAME_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

$input
$output
/* What a run works in: one for each thread that runs the network. */
#define $NAME_ARENA_SIZE $arena
typedef $union {$aligned
  int8_t arena[$NAME_ARENA_SIZE];
} $name_context;

/* A context in an array of bytes of yours$alignment; where that is too small it does not compile. */
#define $NAME_CONTEXT_IN(array) \
  (($name_context *)(void *)((array) + 0 * sizeof(char[sizeof(array) >= sizeof($name_context) ? 1 : -1])))

/* Where the input is to be written before each run, which puts other numbers there. */
int8_t *$name_input($name_context *context);

void $name_run($name_context *context);

/* Where the output is until the next input is written. */
const int8_t *$name_output(const $name_context *context);
$declarations
#ifdef __cplusplus
}
#endif

#endif
)",
                {{"name", name_},
                 {"NAME", macro_},
                 {"about", about},
                 {"tables", table_text()},
                 {"arena", static_cast<std::int64_t>(plan_.total)},
                 {"preparation", comment(preparation_text())},
                 {"report", report_text()},
                 {"input", value_macros("INPUT", input())},
                 {"output", value_macros("OUTPUT", output())},
                 {"union", options_.target == CTarget::portable ? "struct" : "union"},
                 {"aligned", arena},
                 {"alignment", options_.target == CTarget::portable ? "" : ", aligned as an int32_t is"},
                 {"declarations", named(declarations_)}});
  }

  std::string code() const {
    const std::string rest = program_.preambles() + program_.tables() + "\n" + program_.functions();
    const std::string interface = named(functions_);
    const auto uses = [&](std::string_view what) { return (rest + interface).find(what) != std::string::npos; };
    return fill(R"(/* See $name.h. */
#include "$name.h"

#include <limits.h>
$string
#if INT_MAX < 2147483647
#error "$name: expected a compiler whose int has 32 bits"
#endif

/* Functions stay what they are, and tables where they are: as many bytes as were promised. */
#if defined(__GNUC__) && !defined(__clang__)
#define SIENA_FUNCTION static __attribute__((noipa))
#else
#define SIENA_FUNCTION static
#endif

$arithmetic$rest
int8_t *$name_input($name_context *context) { return context->$x; }

const int8_t *$name_output(const $name_context *context) { return context->$y; }

void $name_run($name_context *context) {
  int8_t *const arena = context->arena;
$calls}
$interface)",
                {{"name", name_},
                 {"string", uses("mem") ? "#include <string.h>\n" : ""},
                 {"arithmetic", arithmetic(uses)},
                 {"rest", rest},
                 {"x", place(0)},
                 {"y", place(network_.output)},
                 {"calls", calls_.empty() ? "  (void)arena;\n" : calls_},
                 {"interface", interface}});
  }
  /// The functions of the arithmetic that are called.
  static std::string arithmetic(const auto& uses) {
    std::string result;
    for (std::string_view rest = integer::Arithmetic::text; !rest.empty();) {
      const std::size_t end = rest.find("}\n") + 2;
      const std::string_view function = rest.substr(0, end);
      rest.remove_prefix(end);
      const std::size_t name = function.find("siena_");
      if (!uses(function.substr(name, function.find('(') + 1 - name))) continue;
      for (std::size_t at = 0; at < function.size();) {
        const std::size_t next = function.find('\n', at) + 1;
        const std::string_view line = function.substr(at, next - at);
        const bool inside = at > 0 && line[0] != '}';
        result += format("{}{}", inside ? "  " : "", line), at = next;
      }
      result += "\n";
    }
    return result;
  }

  const IntegerNetwork& network_;
  const CSourceOptions& options_;
  std::string name_, macro_;
  ArenaPlan plan_;
  std::vector<std::optional<LayerDesc<double>>> shapes_;  // of each operation, that others may share its function by
  Program program_;
  std::string calls_, declarations_, functions_;  // the last two with $name for that of the network
};

}  // namespace siena::deploy::c
