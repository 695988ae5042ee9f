// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#if __has_include(<nlohmann/json.hpp>)
#include "siena/core/json.hpp"

#include <string>

#include "support/catch.hpp"
#include "support/temporary_folder.hpp"

using namespace siena;

namespace {
std::string repeated(const std::string& text, std::size_t times) {
  std::string all;
  for (std::size_t i = 0; i < times; ++i) all += text;
  return all;
}
}  // namespace

TEST_CASE("JSON from elsewhere is read as it is", "[core][json]") {
  CHECK(parse_json(R"({"a": [1, -2.5, "ü", null, true], "b": {}})", "x") ==
        nlohmann::json{{"a", {1, -2.5, "ü", nullptr, true}}, {"b", nlohmann::json::object()}});
  CHECK(parse_json("\xef\xbb\xbf[1]\r\n", "x") == nlohmann::json{1});
  CHECK(parse_json(repeated("[", 16) + repeated("]", 16), "x").size() == 1);
  CHECK(parse_json(R"([{"a": 1}, {"a": 2}])", "x").size() == 2);  // the same name in two objects
}

TEST_CASE("JSON is refused by what we say, whatever it is", "[core][json]") {
  const auto refused = [](const std::string& text, const std::string& message, const JsonLimits& limits = {}) {
    CHECK_THROWS_AS(parse_json(text, "file.json", limits), FormatError);
    CHECK_THROWS_WITH(parse_json(text, "file.json", limits),
                      ContainsSubstring("file.json: expected ") && ContainsSubstring(message));
    try {
      parse_json(text, "file.json", limits);
    } catch (const FormatError& error) {
      CHECK(std::string(error.what()).size() < 400);
      CHECK(is_utf8(error.what()));
    }
  };
  refused("", "expected JSON, got: parse error at line 1, column 1");
  refused("{\"a\": 1,\n]", "line 2, column 1");
  refused("[1] [2]", "expected JSON, got");
  refused("[1e999]", "expected JSON, got: number overflow");
  refused("\"" + std::string(1'000'000, 'x'), "expected JSON, got");
  refused("[\"M\xfcller\"]", "expected JSON in UTF-8, got another byte at 3");
  refused(R"({"a": 1, "b": {"c": 2, "c": 3}})", "expected every name once, got 'c' twice");
  // Two million levels, open or closed, of lists or objects: whoever destroys, copies or prints them would run out of stack.
  for (const std::string& text :
       {repeated("[", 2'000'000), repeated("[", 2'000'000) + repeated("]", 2'000'000), repeated("{\"a\":", 1'000'000),
        "{\"points\":" + repeated("[{\"a\":", 500'000) + "1" + repeated("}]", 500'000) + "}",
        repeated("[", 17) + repeated("]", 17)}) {
    refused(text, "expected JSON of at most 16 levels, got deeper nesting");
  }
  refused("[[1]]", "at most 1 levels", {.depth = 1});
  refused("[1234]", "expected JSON of at most 5 bytes, got 6", {.bytes = 5});
}

TEST_CASE("JSON in a file", "[core][json]") {
  const test::TemporaryFolder folder("siena_json");
  const auto file = folder.path / "a.json";
  write_file_atomically(file, "[1, 2]");
  CHECK(read_json(file) == nlohmann::json{1, 2});
  CHECK_THROWS_WITH(read_json(file, {.bytes = 5}), ContainsSubstring("a.json") && ContainsSubstring("more than 5 bytes"));
  CHECK_THROWS_AS(read_json(folder.path / "none.json"), DataError);
  CHECK_THROWS_WITH(read_json("/dev/zero"), ContainsSubstring("more than 67108864 bytes"));
}

TEST_CASE("messages show JSON of any size and depth", "[core][json]") {
  CHECK(json_excerpt(7) == "7");
  CHECK(json_excerpt("a\xff") == "\"a\xef\xbf\xbd\"");
  CHECK(json_excerpt({1, 2.5, nullptr}) == "[1,2.5,null]");
  CHECK(json_excerpt({{"a", {1}}}) == R"({"a":[1]})");
  CHECK(json_excerpt(nlohmann::json::array()) == "[]");
  CHECK(json_excerpt(nlohmann::json(std::vector<int>(1000, 7))).size() < 80);
  CHECK(json_excerpt(std::string(1000, 'x')).size() < 80);
  nlohmann::json deep = 1;
  for (int level = 0; level < 100'000; ++level) deep = nlohmann::json::array({std::move(deep)});
  CHECK(json_excerpt(deep) == "[[[[...]]]]");
}
#endif
