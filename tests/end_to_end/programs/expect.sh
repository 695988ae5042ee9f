#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 The siena authors
# SPDX-License-Identifier: Apache-2.0
#
# expect.sh STATUS TEXT COMMAND...: COMMAND must end with that exit status, and print what TEXT, a regular expression, matches.
expected=$1 text=$2
shift 2
said=$("$@" 2>&1)
status=$?
printf '%s\n' "$said"
if ((status != expected)); then
  echo "expected exit status $expected, got $status"
  exit 1
fi
if ! [[ $said =~ $text ]]; then
  echo "expected a text like '$text'"
  exit 1
fi
