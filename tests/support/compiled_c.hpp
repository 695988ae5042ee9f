// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "siena/core/file.hpp"
#include "siena/deploy/c_source.hpp"
#include "siena/deploy/integer/simulate.hpp"
#include "support/catch.hpp"
#include "support/random_integer_network.hpp"
#include "support/temporary_folder.hpp"

namespace siena::test {

/// Whether a command succeeds; what it says is lost.
inline bool succeeds(const std::string& command) { return std::system((command + " >/dev/null 2>&1").c_str()) == 0; }

/// Warnings without which no file is written.
inline constexpr const char* c_warnings = "-Wall -Wextra -Wpedantic -Wconversion -Werror";

/// Networks as C in one program of the host's compiler: each runs in a context of its own.
class CompiledC {
 public:
  /// Whether there is a compiler.
  static bool possible() {
    static const bool there = succeeds("cc --version");
    return there;
  }

  /// `inputs`: samples of the network, one after the other, as `run` gives their outputs; where they are `bytes`, they go
  /// through the network's preparation.
  void add(const deploy::IntegerNetwork& network, const std::vector<std::int8_t>& inputs, deploy::CSourceOptions options = {},
           bool bytes = false) {
    const std::string name = format("n{}", count_++);
    options.name = name;
    deploy::c_source(network, folder_.path, options);
    files_ += format(" {}.c", name);
    includes_ += format("#include \"{}.h\"\n", name);
    const std::size_t samples = inputs.size() / static_cast<std::size_t>(network.values[0].shape.elements());
    const std::string set =
        bytes ? name + "_set_bytes(&context, bytes)" : format("memcpy({}_input(&context), bytes, sizeof bytes)", name);
    body_ += deploy::c::fill(R"(  for (int i = 0; i < $samples; ++i) {
    static $name_context context;
    static uint8_t bytes[$NAME_INPUT_SIZE];
    if (fread(bytes, 1, sizeof bytes, stdin) != sizeof bytes) return 1;
    $set;
    $name_run(&context);
    fwrite($name_output(&context), 1, $NAME_OUTPUT_SIZE, stdout);
  }
)",
                             {{"name", name}, {"NAME", "N" + name.substr(1)}, {"samples", samples}, {"set", set}});
    inputs_.insert(inputs_.end(), inputs.begin(), inputs.end());
  }

  /// All outputs, those of the first network first. Throws DataError, with what the compiler or the program said.
  std::vector<std::int8_t> run(const std::string& compiler = "cc -std=c99 -O1") {
    const std::filesystem::path& at = folder_.path;
    write_file_atomically(at / "main.c", "#include <stdio.h>\n#include <string.h>\n" + includes_ + "int main(void) {\n" +
                                             body_ + "  return 0;\n}\n");
    write_file_atomically(at / "inputs", std::string(inputs_.begin(), inputs_.end()));
    // Many small files: xargs gives them to several compilers.
    write_file_atomically(at / "files", files_ + " main.c");
    const std::string compile = format("xargs -n 8 -P {} {} {} -c <files >said 2>&1",
                                       std::max(1u, std::thread::hardware_concurrency()), compiler, c_warnings);
    check(format("cd '{}' && {} && {} *.o -o program >said 2>&1 && ./program <inputs >outputs 2>said", at.string(), compile,
                 link(compiler)));
    const std::string bytes = read_file(at / "outputs");
    return {bytes.begin(), bytes.end()};
  }
  const std::filesystem::path& folder() const { return folder_.path; }

 private:
  /// As the compiler, which takes objects for what they are.
  static std::string link(const std::string& compiler) {
    const std::size_t language = compiler.find(" -x c++");
    return language == compiler.npos ? compiler : compiler.substr(0, language) + compiler.substr(language + 7);
  }
  void check(const std::string& command) {
    if (std::system(command.c_str()) != 0)
      fail<DataError>("CompiledC: expected '{}' to succeed, got: {}", command, read_file(folder_.path / "said"));
  }

  TemporaryFolder folder_{"siena_compiled_c"};
  std::string files_, includes_, body_;
  std::vector<std::int8_t> inputs_;
  int count_ = 0;
};

/// Whether C can be compiled; says that a test was skipped where it cannot.
inline bool compiles_c() {
  if (!CompiledC::possible()) WARN("skipped: no C compiler 'cc'");
  return CompiledC::possible();
}

/// Networks as C beside what the simulator makes of the same samples.
struct ComparedC {
  CompiledC c;
  std::vector<std::int8_t> expected;

  void add(const deploy::IntegerNetwork& network, RandomIntegerNetwork& random, int samples) {
    std::vector<std::int8_t> inputs;
    for (int i = 0; i < samples; ++i) {
      const std::vector<std::int8_t> input = random.input(network), output = deploy::simulate(network, input);
      inputs.insert(inputs.end(), input.begin(), input.end());
      expected.insert(expected.end(), output.begin(), output.end());
    }
    c.add(network, inputs);
  }
};

}  // namespace siena::test
