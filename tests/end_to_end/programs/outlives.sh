#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 The siena authors
# SPDX-License-Identifier: Apache-2.0
#
# outlives.sh PROGRAM: readers that go away, files that may not grow, and a second program in one folder take nothing from a run,
# and what goes wrong is said by the name of its option.
set -uo pipefail
program=("$(realpath "$1")" --smoke --memory 60%)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder" || exit 1

wrong() { echo "expected $*"; exit 1; }
# refused TEXT STATUS MESSAGE: the program ended with status 2 and said that; nothing half-written is left.
refused() {
  (($2 == 2)) || wrong "status 2, got $2: $3"
  [[ $3 =~ $1 ]] || wrong "a text like '$1', got: $3"
  left=$(find . -name '.siena-*')
  [[ -z $left ]] || wrong "no temporary file, got $left"
}

# Whoever reads the words goes after the first: every file is there.
stdbuf -oL -eL "${program[@]}" --save weights --report report --log log 2>&1 | head -n 1 >first
status=${PIPESTATUS[0]}
((status <= 1)) || wrong "status 0 or 1 without a reader, got $status"
[[ -s weights && -s report && $(wc -l <log) == 3 ]] || wrong "all files without a reader, got: $(ls -l)"

# Files that may not grow.
for output in "--save late" "--log lines" "--checkpoint run" "--report told"; do
  read -r option name <<<"$output"
  blocks=$([[ $option == --log ]] && echo 0 || echo 2)
  said=$(ulimit -f "$blocks"; "${program[@]}" --quiet "$option" "$name" 2>&1)
  refused "image_classification: $option: .*'$name.*File too large" $? "$said"
  [[ $option != --save || $said == *"memory "*": kept"* ]] || wrong "the report in words all the same, got: $said"
done
[[ -e late || -e told ]] && wrong "no part of a file, got: $(ls -l)"

if [[ -e /dev/full ]]; then
  said=$("${program[@]}" --quiet --save full 2>&1 >/dev/full)
  refused "standard output: .*No space left" $? "$said"
  cmp weights full || wrong "the weights in spite of the words"
fi

# One folder of checkpoints, two programs.
"${program[@]}" --quiet --epochs 1000,1000,1000 --checkpoint busy >/dev/null 2>&1 &
until [[ -e busy/warm-up.checkpoint ]]; do kill -0 $! || wrong "a program that runs"; sleep 0.02; done
for more in "" "--resume"; do
  said=$("${program[@]}" --quiet --checkpoint busy $more 2>&1)
  refused "--checkpoint: expected to be alone in 'busy', got another program.*wait for its end, or name another" $? "$said"
done
kill -9 $!
wait
said=$("${program[@]}" --quiet --checkpoint busy 2>&1)  # the lock has gone with it
[[ $said == *"expected a folder for this run alone, got 'busy'"* ]] || wrong "checkpoints of another run, got: $said"

# The other one has taken a new folder while this one was reading its data.
mkdir new
exec 9>new/.lock
flock 9
said=$("${program[@]}" --quiet --checkpoint new 2>&1)
refused "--checkpoint: expected to be alone in 'new'" $? "$said"
[[ ! -e new/run.txt ]] || wrong "nothing in the folder of another one"
