// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "siena/core/csv.hpp"

#include <string>
#include <vector>

#include "support/catch.hpp"

using namespace siena;

namespace {
using Lines = std::vector<std::vector<std::string>>;

Lines lines_of(std::string_view text, char delimiter = 0) {
  CsvReader csv(text, "file.csv", delimiter);
  Lines lines;
  while (csv.next()) lines.emplace_back(csv.fields().begin(), csv.fields().end());
  return lines;
}
}  // namespace

TEST_CASE("CSV as people and programs write it", "[core][csv]") {
  const Lines expected{{"a", "b"}, {"1", ""}, {"", "2"}};
  CHECK(lines_of("a,b\n1,\n,2\n") == expected);
  CHECK(lines_of("a,b\n1,\n,2") == expected);
  CHECK(lines_of("\xef\xbb\xbf"
                 "a,b\r\n\r\n1,\r\n  \n,2\r\n\n\n") == expected);
  CHECK(lines_of("a;b\n1;\n;2") == expected);
  CHECK(lines_of("a\tb\n1\t\n\t2") == expected);
  CHECK(lines_of("\"a\",\"b\"\n\"1\",\"\"\n,\"2\"") == expected);
  CHECK(lines_of("a;b,c\n", ';') == Lines{{"a", "b,c"}});
  CHECK(lines_of("\"a, b\",\"say \"\"hi\"\"\",c\"d\n") == Lines{{"a, b", "say \"hi\"", "c\"d"}});
  CHECK(lines_of("alone\n1\n") == Lines{{"alone"}, {"1"}});
  CHECK(lines_of("").empty());
  CHECK(lines_of("\n\r\n \n").empty());
}

TEST_CASE("CSV that is none names the line", "[core][csv]") {
  CHECK_THROWS_WITH(lines_of("a,b\n\n1,\"2\n3,4\n"),
                    ContainsSubstring("file.csv, line 3: expected a quote that ends on its line, got '\"2'"));
  CHECK_THROWS_WITH(lines_of("a,b\n\"1\"2,3\n"),
                    ContainsSubstring("line 2: expected the end of a field behind its quotes, got '2,3'"));
  CHECK_THROWS_WITH(lines_of("a,b\n1,M\xfcller\n"), ContainsSubstring("line 2: expected text in UTF-8"));
  CHECK_THROWS_AS(lines_of("\xff\xfe"
                           "a"),
                  FormatError);  // UTF-16
}

TEST_CASE("texts as fields, and without the blanks around them", "[core][csv]") {
  CHECK(trimmed(" \ta b\t ") == "a b");
  CHECK(trimmed("") == "");
  CHECK(trimmed(" \t ") == "");
  for (const std::string text : {"plain", "a, b", "say \"hi\"", "", "a;b"})
    CHECK(lines_of("x," + csv_text(text) + ",y", ',') == Lines{{"x", text, "y"}});
}

TEST_CASE("numbers are read whole, in every locale", "[core][csv]") {
  const auto number = [](std::string_view text) {
    double value = -99;
    return read_number(text, value) ? value : -99;
  };
  CHECK(number("0.1") == 0.1);
  CHECK(number(" +1e3\t") == 1000);
  CHECK(number("-.5") == -0.5);
  for (const std::string_view none : {"", " ", "+", "1,5", "1.5x", "0x10", "1 2", "--1", "+-1", "-+1", "++1", "1e999"})
    CHECK(number(none) == -99);
  int whole = 0;
  CHECK(read_number("12", whole));
  CHECK(whole == 12);
  CHECK_FALSE(read_number("1.5", whole));
  CHECK_FALSE(read_number("99999999999", whole));
}
