// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "siena/core/error.hpp"

namespace siena::firmware {

/// A program on an emulated board, with its serial port on two pipes. Its time passes by instructions, 8 ns each. Ends with the
/// object.
class SerialBoard {
 public:
  SerialBoard(std::string_view emulator, const std::filesystem::path& program) {
    const std::string command =
        format("exec {} -nographic -monitor none -serial stdio -icount shift=3 -kernel '{}'", emulator, program.string());
    std::array<int, 2> in{}, out{};
    require<DataError>(pipe2(in.data(), O_CLOEXEC) == 0 && pipe2(out.data(), O_CLOEXEC) == 0,
                       "SerialBoard: expected two pipes, got none");
    process_ = fork();
    if (process_ == 0) {
      dup2(in[0], STDIN_FILENO);
      dup2(out[1], STDOUT_FILENO);
      execl("/bin/sh", "sh", "-c", command.c_str(), nullptr);
      _exit(127);
    }
    close(in[0]), close(out[1]);
    to_ = in[1], from_ = out[0];
  }
  SerialBoard(const SerialBoard&) = delete;
  SerialBoard& operator=(const SerialBoard&) = delete;
  ~SerialBoard() {
    close(to_), close(from_);
    if (process_ <= 0) return;
    kill(process_, SIGKILL);
    waitpid(process_, nullptr, 0);
  }

  /// What is answered to a command, without the last line, "m-ready".
  std::vector<std::string> ask(const std::string& command) {
    const std::string bytes = command + "%";
    require<DataError>(write(to_, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()),
                       "SerialBoard: expected the emulator to read '{}', got that it did not", command);
    std::vector<std::string> lines;
    for (std::string line = read_line(command); line != "m-ready"; line = read_line(command)) lines.push_back(line);
    return lines;
  }

 private:
  std::string read_line(const std::string& command) {
    constexpr int patience = 60'000;  // ms
    for (;;) {
      if (const std::size_t end = read_.find("\r\n"); end != std::string::npos) {
        const std::string line = read_.substr(0, end);
        read_.erase(0, end + 2);
        return line;
      }
      std::array<char, 4096> some{};
      pollfd from{.fd = from_, .events = POLLIN, .revents = 0};
      const ssize_t size = poll(&from, 1, patience) > 0 ? ::read(from_, some.data(), some.size()) : 0;
      require<DataError>(size > 0, "SerialBoard: expected an answer to '{}' that ends with m-ready, got '{}'", command, read_);
      read_.append(some.data(), static_cast<std::size_t>(size));
    }
  }

  pid_t process_ = -1;
  int to_ = -1, from_ = -1;
  std::string read_;  // what no line was made of yet
};

}  // namespace siena::firmware
