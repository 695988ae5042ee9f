// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

// Signals that ask a program to end, which has something to finish first.

#include <unistd.h>

#include <cerrno>
#include <csignal>

namespace siena::examples {

/// The last one that was heard; 0: none.
inline volatile std::sig_atomic_t signal_received = 0;

/// Handles the signals that ask a program to end, but for those that our caller ignores, as nohup does. SIGUSR1 is what mpirun
/// hands on to all ranks without ending them itself.
inline void on_ending_signals(void (*handler)(int)) {
  for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGUSR1}) {
    struct sigaction action = {};
    sigaction(number, nullptr, &action);
    if (action.sa_handler == SIG_IGN) continue;
    action = {};
    action.sa_handler = handler;
    action.sa_flags = SA_RESTART;
    sigaction(number, &action, nullptr);
  }
}

/// The first signal ends the epoch, a second one, of whatever kind, the program.
inline void heed_signals() {
  on_ending_signals([](int number) {
    constexpr char heard[] = "\nending after this epoch; once more ends at once\n";
    const int error = errno;  // of what was interrupted
    [[maybe_unused]] const auto written = ::write(STDERR_FILENO, heard, sizeof(heard) - 1);
    errno = error;
    signal_received = number;
    on_ending_signals(SIG_DFL);
  });
}

}  // namespace siena::examples
