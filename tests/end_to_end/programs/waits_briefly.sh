#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 The siena authors
# SPDX-License-Identifier: Apache-2.0
#
# waits_briefly.sh PROGRAM: unless told otherwise a program has its threads spin briefly while they wait, under
# its own name.
spins_of() {  # its name, and its environment: the one it starts with, and a moment later its own
  local said=
  "$@" --quiet --epochs 100,100,100 &
  for ((i = 0; i < 100; ++i)); do
    said=$(tr '\0' '\n' <"/proc/$!/environ" | grep '^GOMP_SPINCOUNT=') && break
    sleep 0.05
  done
  cat "/proc/$!/comm"
  kill -9 $!
  printf '%s\n' "$said"
}
name=$(basename "$1" | head -c 15)  # as much of it as the system keeps
unset OMP_WAIT_POLICY GOMP_SPINCOUNT
[[ $(spins_of "$1") == "$name"$'\n'GOMP_SPINCOUNT=10000 ]] || { echo "expected the program to set GOMP_SPINCOUNT, and to keep its name"; exit 1; }
export GOMP_SPINCOUNT=77
[[ $(spins_of "$1") == "$name"$'\n'GOMP_SPINCOUNT=77 ]] || { echo "expected the program to leave GOMP_SPINCOUNT alone"; exit 1; }
