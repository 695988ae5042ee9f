// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "siena/deploy/c/body.hpp"
#include "siena/deploy/c/text.hpp"

namespace siena::deploy::c {

/// The tables and functions of one file. A function is there once; tables are each their own, equal or not: `Flash` promises
/// them by the shapes of the layers alone.
class Program {
 public:
  /// A call of the function of a body, which is added if there is none of that text yet. `values` are the places of its inputs,
  /// its output and its scratch memory, if it takes any; `of` is who calls it.
  std::string call(const Body& body, std::vector<std::string> values, std::string_view of) {
    const std::string scratch = body.scratch > 0 ? values.back() : "";
    if (body.scratch > 0) values.pop_back();
    const std::string name = function(body, values.size() - 1);
    for (const Argument& argument : body.arguments) values.push_back(this->argument(argument, of));
    if (body.scratch > 0) values.push_back(scratch);
    return wrapped("  " + name + "(", values, ");\n", 6);
  }
  /// What stands for an argument in a call: a number, or the name of a table.
  std::string argument(const Argument& argument, std::string_view of) {
    if (const auto* bytes = std::get_if<std::vector<std::int8_t>>(&argument.what)) return table(argument, *bytes, "int8_t", of);
    if (const auto* words = std::get_if<std::vector<std::int32_t>>(&argument.what))
      return table(argument, *words, "int32_t", of);
    return std::to_string(std::get<std::int32_t>(argument.what));
  }

  /// All that the file is made of, in its order.
  const std::string& preambles() const { return preambles_; }
  const std::string& tables() const { return table_texts_; }
  const std::string& functions() const { return function_texts_; }
  /// Bytes of the tables, by what they are called.
  const std::map<std::string, std::int64_t>& table_bytes() const { return bytes_; }

 private:
  std::string function(const Body& body, std::size_t inputs) {
    for (const std::string_view preamble : body.preambles)
      if (preambles_.find(preamble) == std::string::npos) preambles_ += format("{}\n", preamble);
    std::vector<std::string> parameters;
    for (std::size_t k = 0; k < inputs; ++k)
      parameters.push_back(inputs == 1 ? "const int8_t *x" : format("const int8_t *x{}", k));
    parameters.push_back("int8_t *y");
    for (const Argument& argument : body.arguments) parameters.push_back(std::string(argument.type()) + argument.name);
    if (body.scratch > 0) parameters.push_back("int8_t *scratch");
    const std::string next = format("{}_{}", body.name, counts_[body.name] + 1);
    const auto [found, is_new] = names_.try_emplace(wrapped(body.name, parameters, "", 0) + body.code, next);
    if (!is_new) return found->second;
    ++counts_[body.name];
    const std::string head = format("SIENA_FUNCTION void {}(", next);
    function_texts_ += format("/* {} */\n", comment(body.about));
    function_texts_ += wrapped(head, parameters, ") {\n", static_cast<int>(head.size())) + indented(body.code, 2) + "}\n\n";
    return next;
  }
  template <class T>
  std::string table(const Argument& argument, const std::vector<T>& numbers, std::string_view type, std::string_view of) {
    const std::string name = format("{}_{}", argument.name, ++counts_[argument.name]);
    std::vector<std::string> texts;
    for (const T number : numbers) texts.push_back(std::to_string(number));
    table_texts_ += format("/* {} */\n", comment(of));
    table_texts_ += wrapped(format("static const {} {}[{}] = {{\n", type, name, numbers.size()), texts, "};\n", 4);
    bytes_[argument.name] += static_cast<std::int64_t>(numbers.size() * sizeof(T));
    return name;
  }

  std::string preambles_, table_texts_, function_texts_;
  std::map<std::string, std::string> names_;  // of functions, by what they are
  std::map<std::string, int> counts_;         // of functions and tables that are called alike
  std::map<std::string, std::int64_t> bytes_;
};

}  // namespace siena::deploy::c
