// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "siena/core/utf8.hpp"

#include <string>
#include <string_view>

#include "support/catch.hpp"

using namespace siena;

TEST_CASE("what is UTF-8, and what is not", "[core][utf8]") {
  for (const std::string_view good : {"", "a", "Größe", "€", "\xf0\x9f\x8e\xb5", "\x7f", "\xef\xbf\xbf", "\xf4\x8f\xbf\xbf"}) {
    CHECK(is_utf8(good));
  }
  // A byte alone, overlong forms, a surrogate, beyond the last character, a character that is cut off, Latin-1.
  for (const std::string_view bad :
       {"\x80", "\xff", "\xc0\x80", "\xc1\xbf", "\xe0\x80\x80", "\xf0\x80\x80\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80",
        "\xf5\x80\x80\x80", "\xc3", "\xe2\x82", "\xf0\x9f\x8e", "\xc3(", "M\xfcller"}) {
    CHECK_FALSE(is_utf8(bad));
  }
  CHECK(find_not_utf8("M\xfcller") == 1);
  CHECK(find_not_utf8("aß\xff") == 3);
  CHECK(utf8_length("") == 0);
  CHECK(utf8_length("€uro") == 3);
}

TEST_CASE("messages show a text of any length and bytes on one line", "[core][utf8]") {
  CHECK(excerpt("short") == "short");
  CHECK(excerpt("M\xfcller\n\x1b[31m") == "M?ller??[31m");
  CHECK(excerpt(std::string(1000, 'x'), 5) == "xxxxx...");
  CHECK(excerpt("€€€", 4) == "€€...");
  CHECK(excerpt("€€", 6) == "€€");
}
