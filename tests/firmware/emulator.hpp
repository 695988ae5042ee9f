// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

// Networks of integers on emulated boards: built with the start-up files of examples/firmware, run by QEMU, counted by count.c.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <initializer_list>
#include <map>
#include <span>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "siena/core/file.hpp"
#include "siena/deploy/c_source.hpp"

namespace siena::firmware {

struct Board {
  std::string_view name, core, compiler, start, script, emulator;
  deploy::CTarget target;
  std::int64_t flash = 4 << 20;  ///< bytes

  /// Of its binutils: "arm-none-eabi-".
  std::string_view prefix() const { return compiler.substr(0, compiler.find("gcc")); }
};

inline constexpr Board boards[] = {
    {"an386", "Cortex-M4", "arm-none-eabi-gcc -mcpu=cortex-m4 -mthumb -mfloat-abi=hard --specs=nano.specs", "cortex_m.c",
     "mps2.ld", "qemu-system-arm -M mps2-an386", deploy::CTarget::cortex_m},
    {"an500", "Cortex-M7", "arm-none-eabi-gcc -mcpu=cortex-m7 -mthumb -mfloat-abi=hard --specs=nano.specs", "cortex_m.c",
     "mps2.ld", "qemu-system-arm -M mps2-an500", deploy::CTarget::cortex_m},
    {"an547", "Cortex-M55", "arm-none-eabi-gcc -mcpu=cortex-m55 -mthumb -mfloat-abi=hard --specs=nano.specs", "cortex_m.c",
     "mps3.ld", "qemu-system-arm -M mps3-an547", deploy::CTarget::cortex_m, 480 << 10},
    {"rv32", "RV32IMC", "riscv64-unknown-elf-gcc -march=rv32imc -mabi=ilp32 --specs=picolibc.specs", "riscv.c", "riscv_virt.ld",
     "qemu-system-riscv32 -M virt -bios none", deploy::CTarget::portable},
};

/// Instructions that were executed.
struct Counts {
  std::int64_t instructions = 0;
  std::map<std::string, std::int64_t> classes;  ///< by mnemonic

  /// Cycles of a Cortex-M4 whose memory never waits (Arm's Technical Reference Manual, r0p1, 3.3.1): loads 2, branches that are
  /// taken 3, of those with a condition a half.
  double cycles() const {
    double sum = 0;
    for (const auto& [mnemonic, count] : classes) sum += cycles_of(mnemonic) * static_cast<double>(count);
    return sum;
  }

 private:
  static double cycles_of(std::string_view mnemonic) {
    const std::string_view base = mnemonic.substr(0, mnemonic.find('.'));
    const auto is = [&](std::initializer_list<std::string_view> words) {
      return std::find(words.begin(), words.end(), base) != words.end();
    };
    if (is({"ldrd", "strd"})) return 3;
    if (is({"push", "pop", "ldm", "stm", "ldmia", "stmdb"})) return 5;
    if (base.starts_with("ldr")) return 2;
    if (is({"b", "bl", "bx", "blx"})) return 3;
    if (is({"beq", "bne", "blt", "bgt", "ble", "bge", "blo", "bhs", "bhi", "bls", "bmi", "bpl", "cbz", "cbnz"})) return 2;
    return is({"sdiv", "udiv"}) ? 7 : 1;
  }
};

/// What a board makes of a network, and what that takes.
struct Run {
  std::vector<std::int8_t> outputs;
  std::int64_t flash = 0, ram = 0;      ///< bytes of the whole program, the stack's section left out
  std::int64_t code = 0, tables = 0;    ///< of the network's file
  std::int64_t context = 0, stack = 0;  ///< in RAM while it runs
  Counts counts;                        ///< of one run
};

/// Builds and runs in a folder.
class Emulator {
 public:
  /// `root`: of the project.
  Emulator(std::filesystem::path root, std::filesystem::path folder) : root_(std::move(root)), folder_(std::move(folder)) {
    std::filesystem::create_directories(folder_);
  }

  static bool has(const Board& board) {
    const auto there = [](std::string_view command) {
      const std::string program(command.substr(0, command.find(' ')));
      return std::system(("command -v " + program + " >/dev/null 2>&1").c_str()) == 0;
    };
    return there(board.compiler) && there(board.emulator) && there("cc");
  }

  /// All inputs one after the other; the first one is counted, too. Throws DataError with what a compiler or the emulator said.
  Run run(const Board& board, const deploy::CSource& source, std::span<const std::int8_t> inputs, std::size_t input_size) {
    write(source);
    build(board, "'" + (root_ / "tests/firmware/check.c").string() + "'", {source.name});
    Run result = sizes(board);
    write("inputs", std::string(inputs.begin(), inputs.begin() + static_cast<std::ptrdiff_t>(input_size)));
    result.counts = count(board).at(0);
    const std::string said = read_file(folder_ / "said");
    std::istringstream(said.substr(said.find("stack ") + 6)) >> result.stack;
    write("inputs", std::string(inputs.begin(), inputs.end()));
    emulate(board, "");
    const std::string outputs = read_file(folder_ / "outputs");
    result.outputs.assign(outputs.begin(), outputs.end());
    return result;
  }

  void write(const deploy::CSource& source) {
    write_file_atomically(folder_ / (source.name + ".h"), source.header);
    write_file_atomically(folder_ / (source.name + ".c"), source.code);
  }
  void write(const std::string& file, const std::string& text) { write_file_atomically(folder_ / file, text); }

  /// A program of a file with a main and of networks that were written.
  void build(const Board& board, const std::string& main, const std::vector<std::string>& networks) {
    const std::string parts = (root_ / "examples/firmware/board").string();
    if (!std::filesystem::exists(folder_ / "libcount.so"))
      call(format("cc -O2 -fPIC -shared '{}' -o libcount.so", (root_ / "tests/firmware/count.c").string()));
    const std::string compile =
        format("{} -std=c99 -O2 -Wall -Wextra -ffunction-sections -fdata-sections -I'{}' -I.", board.compiler, parts);
    std::string objects;
    for (const std::string& name : networks) {
      call(format("{} -Wconversion -Werror -c {}.c -o {}.o", compile, name, name));
      objects += name + ".o ";
    }
    call(format("{} '{}/{}' {} {} -nostartfiles -Wl,--gc-sections -L'{}' -T{} -o program.elf", compile, parts, board.start,
                main, objects, parts, board.script));
  }
  std::filesystem::path program() const { return folder_ / "program.elf"; }

  /// What the program executes between its count_begin and count_end, each time.
  std::vector<Counts> count(const Board& board) {
    emulate(board, " -plugin ./libcount.so,out=counts");
    std::vector<Counts> all;
    const std::string text = read_file(folder_ / "counts");
    std::istringstream words(text);
    std::string what, name;
    for (std::int64_t n = 0; words >> what;) {
      if (what == "total") {
        words >> all.emplace_back().instructions;
      } else if (words >> name >> n && what == "instruction") {
        all.back().classes[name] = n;
      }
    }
    return all;
  }

 private:
  void emulate(const Board& board, std::string_view more) {
    call(format("{} -nographic -monitor none -serial none -semihosting-config enable=on,target=native -kernel program.elf{}",
                board.emulator, more));
  }
  Run sizes(const Board& board) {
    Run result;
    for (const auto& [section, bytes] : sections(board, "program.elf")) {
      const bool data = section == ".data";
      if (section == ".text" || section == ".rodata" || section.starts_with(".ARM.exidx") || data) result.flash += bytes;
      if (section == ".bss" || data) result.ram += bytes;
    }
    for (const auto& [section, bytes] : sections(board, "network.o")) {
      if (section.starts_with(".text") || section.starts_with(".ARM.exidx")) result.code += bytes;
    }
    call(format("{}nm -S network.o", board.prefix()));
    const std::string symbols = read_file(folder_ / "said");
    std::istringstream lines(symbols);
    for (std::string line; std::getline(lines, line);) {
      std::istringstream words(line);
      std::string address, size, type, name;
      if (words >> address >> size >> type >> name && (type == "r" || type == "R"))
        result.tables += std::stoll(size, nullptr, 16);
    }
    call(format("{}nm -S program.elf | grep ' context$'", board.prefix()));
    result.context = std::stoll(read_file(folder_ / "said").substr(9, 8), nullptr, 16);
    return result;
  }
  std::vector<std::pair<std::string, std::int64_t>> sections(const Board& board, std::string_view file) {
    call(format("{}size -A {}", board.prefix(), file));
    std::vector<std::pair<std::string, std::int64_t>> result;
    const std::string text = read_file(folder_ / "said");
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
      std::istringstream words(line);
      std::string name;
      std::int64_t bytes = 0;
      if (line.starts_with('.') && words >> name >> bytes) result.push_back({name, bytes});
    }
    return result;
  }
  /// What it says goes to the file `said`.
  void call(const std::string& command) {
    if (std::system(format("cd '{}' && {} >said 2>&1", folder_.string(), command).c_str()) != 0)
      fail<DataError>("firmware: expected '{}' to succeed, got: {}", command, read_file(folder_ / "said"));
  }

  std::filesystem::path root_, folder_;
};

}  // namespace siena::firmware
