// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "siena/train/loggers.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <limits>
#include <string>
#include <vector>

#include "siena/train/observers.hpp"
#include "support/catch.hpp"

using namespace siena;

namespace {

struct Folder {
  std::filesystem::path path = std::filesystem::temp_directory_path() / format("siena_loggers_{}", ::getpid());
  Folder() { std::filesystem::create_directories(path); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() { std::filesystem::remove_all(path); }
};

std::vector<std::string> lines(const std::filesystem::path& path) {
  std::ifstream in(path);
  std::vector<std::string> all;
  for (std::string line; std::getline(in, line);) all.push_back(line);
  return all;
}

EpochEvent plain() {
  return {.phase = "warm-up",
          .epoch = 1,
          .epochs = 2,
          .train = {.loss = 0.5, .accuracy = 0.25, .samples = 8},
          .lr = 0.1,
          .seconds = 2};
}
EpochEvent awkward() {
  return {.phase = "the \"second\",\n\\ phase\x01",
          .epoch = 2,
          .epochs = 2,
          .train = {.loss = 0.125, .samples = 8},
          .validation = {.loss = std::numeric_limits<double>::infinity(), .accuracy = 0.75, .samples = 4},
          .has_validation = true,
          .penalty = 3.5,
          .lr = 1e-7,
          .seconds = 1.5,
          .bounds = {{.name = "memory", .unit = "B", .value = 100, .limit = 200}, {.name = "m,\"x\"", .value = 3, .limit = 2}}};
}

}  // namespace

TEST_CASE("a JSON line an epoch, on disk at once") {
  const Folder folder;
  JsonLinesLog log(folder.path / "log.jsonl");
  log.on_epoch(plain());
  CHECK(lines(folder.path / "log.jsonl") ==
        std::vector<std::string>{R"({"phase":"warm-up","epoch":1,"epochs":2,"train":{"loss":0.5,"accuracy":0.25,"samples":8},)"
                                 R"("validation":null,"penalty":0,"lr":0.1,"seconds":2,"bounds":[]})"});
  JsonLinesLog copy = log;  // the same file
  copy.on_epoch(awkward());
  const auto all = lines(folder.path / "log.jsonl");
  REQUIRE(all.size() == 2);
  CHECK(all[1] ==
        R"({"phase":"the \"second\",\n\\ phase\u0001","epoch":2,"epochs":2,"train":{"loss":0.125,"accuracy":null,"samples":8},)"
        R"("validation":{"loss":null,"accuracy":0.75,"samples":4},"penalty":3.5,"lr":1e-07,"seconds":1.5,)"
        R"("bounds":[{"name":"memory","unit":"B","value":100,"limit":200,"kept":true},)"
        R"({"name":"m,\"x\"","unit":"","value":3,"limit":2,"kept":false}]})");
}

TEST_CASE("a CSV row an epoch, a column a bound") {
  const Folder folder;
  const std::string fixed =
      "phase,epoch,epochs,train_loss,train_accuracy,validation_loss,validation_accuracy,penalty,lr,seconds,feasible";
  CsvLog log(folder.path / "log.csv");
  EpochEvent second = awkward();
  second.phase = "search, \"late\"";
  log.on_epoch(plain());
  CHECK(lines(folder.path / "log.csv") == std::vector<std::string>{fixed, "warm-up,1,2,0.5,0.25,,,0,0.1,2,1"});
  CsvLog copy = log;  // the same file
  copy.on_epoch(second);
  const std::string header = fixed + ",memory (B),memory limit (B),\"m,\"\"x\"\"\",\"m,\"\"x\"\" limit\"";
  std::vector<std::string> expected{header, "warm-up,1,2,0.5,0.25,,,0,0.1,2,1,,,,",
                                    "\"search, \"\"late\"\"\",2,2,0.125,,,0.75,3.5,1e-07,1.5,0,100,200,3,2"};
  CHECK(lines(folder.path / "log.csv") == expected);
  // Bounds of other phases, of the same name or of other units, and the phase after them.
  second = plain();
  second.bounds = {{.name = "memory", .unit = "KiB", .value = 1, .limit = 2},
                   {.name = "memory", .unit = "B", .value = 5, .limit = 6},
                   {.name = "memory", .unit = "B", .value = 7, .limit = 6}};
  log.on_epoch(second);
  log.on_epoch(plain());
  expected[0] += ",memory (KiB),memory limit (KiB),memory (B),memory limit (B)";
  expected[1] += ",,,,";
  expected[2] += ",,,,";
  expected.push_back("warm-up,1,2,0.5,0.25,,,0,0.1,2,0,5,6,,,1,2,7,6");
  expected.push_back("warm-up,1,2,0.5,0.25,,,0,0.1,2,1,,,,,,,,");
  CHECK(lines(folder.path / "log.csv") == expected);
}

TEST_CASE("a pipe gets a new header where bounds come") {
  const Folder folder;
  const auto pipe = folder.path / "pipe";
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  const int reader = ::open(pipe.c_str(), O_RDONLY | O_NONBLOCK);
  REQUIRE(reader >= 0);
  CsvLog log(pipe);
  EpochEvent second = plain();
  second.bounds = {{.name = "memory", .unit = "B", .value = 5, .limit = 6}};
  log.on_epoch(plain());
  log.on_epoch(second);
  char text[1000] = {};
  REQUIRE(::read(reader, text, sizeof text - 1) > 0);
  ::close(reader);
  const std::string fixed =
      "phase,epoch,epochs,train_loss,train_accuracy,validation_loss,validation_accuracy,penalty,lr,seconds,feasible";
  CHECK(std::string(text) == fixed + "\nwarm-up,1,2,0.5,0.25,,,0,0.1,2,1\n" + fixed +
                                 ",memory (B),memory limit (B)\nwarm-up,1,2,0.5,0.25,,,0,0.1,2,1,5,6\n");
}

TEST_CASE("a quantity without a limit is logged without one") {
  const Folder folder;
  EpochEvent epoch = plain();
  epoch.bounds = {{.name = "gap8", .unit = "cycles", .value = 9, .limit = std::numeric_limits<double>::infinity()}};
  CsvLog(folder.path / "log.csv").on_epoch(epoch);
  JsonLinesLog(folder.path / "log.jsonl").on_epoch(epoch);
  CHECK(lines(folder.path / "log.csv")[0].ends_with(",feasible,gap8 (cycles)"));
  CHECK(lines(folder.path / "log.csv")[1] == "warm-up,1,2,0.5,0.25,,,0,0.1,2,1,9");
  CHECK_THAT(lines(folder.path / "log.jsonl")[0],
             ContainsSubstring(R"("bounds":[{"name":"gap8","unit":"cycles","value":9,"limit":null,"kept":true}])"));
}

TEST_CASE("an old log stays until there is something to write") {
  const Folder folder;
  const auto old = folder.path / "old.csv";
  { std::ofstream(old) << "old\n"; }
  CsvLog log(old);
  const JsonLinesLog never(folder.path / "never.jsonl");
  CHECK(lines(old) == std::vector<std::string>{"old"});
  CHECK_FALSE(std::filesystem::exists(folder.path / "never.jsonl"));
  log.on_epoch(plain());
  CHECK(lines(old).size() == 2);
  CHECK(lines(old)[0].starts_with("phase,"));
}

TEST_CASE("a log that cannot be opened is an error at once") {
  REQUIRE_THROWS_AS(JsonLinesLog("/no/such/folder/log.jsonl"), DataError);
  REQUIRE_THROWS_WITH(CsvLog("/no/such/folder/log.csv"),
                      ContainsSubstring("CsvLog: '/no/such/folder/log.csv': expected a file that "
                                        "can be written, got: No such file or directory"));
}

TEST_CASE("a full disk is an error") {
  if (std::filesystem::exists("/dev/full")) {
    JsonLinesLog log("/dev/full");
    REQUIRE_THROWS_WITH(log.on_epoch(plain()), ContainsSubstring("No space left on device"));
  }
}

TEST_CASE("an epoch a line on a stream") {
  std::FILE* file = std::tmpfile();
  EpochLines{file}.on_epoch(plain());
  std::rewind(file);
  char text[200] = {};
  REQUIRE(std::fgets(text, sizeof text, file) != nullptr);
  CHECK(std::string(text) == "warm-up 1/2  loss 0.5000  accuracy 25.0 %  lr 0.1  2 s\n");
  std::fclose(file);
}
