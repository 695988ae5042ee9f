#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 The siena authors
# SPDX-License-Identifier: Apache-2.0
#
# resume.sh PROGRAM KILLS [OPTION...]: kills PROGRAM so many times, each time later than the last, resumes it, and compares its
# weights and its report with those of an uninterrupted run. Then the same with signals, and commands that are refused.
set -euo pipefail
program=$1 kills=$2
shift 2
options=(--epochs 2,3,2 --memory 40% --latency 60% --quiet "$@")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

# run NAME [OPTION...]: its weights in NAME.safetensors, its report in NAME.json.
run() { "$program" "${options[@]}" --save "$1.safetensors" --report "$1.json" "${@:2}" >"$1.out"; }
# Everything but how long it took.
without_times() { sed -E '/"seconds":/d' "$1"; }
same() {
  cmp "whole.safetensors" "$1.safetensors"
  diff <(without_times whole.json) <(without_times "$1.json")
}

run whole
# What the terminal shows of the test part is in the report: the matrix with the rate of each class.
grep -q recall whole.out
grep -A 2 '"details"' whole.json | grep -q '"classes"'

# In the foreground timeout waits until what it killed has let go of the folder.
killed=0
for ((i = 1; i <= kills; ++i)); do
  status=0
  {
    timeout --foreground -s KILL "$((i / 5)).$((i * 37 % 90 + 10))" \
      "$program" "${options[@]}" --checkpoint parts --resume --save parts.safetensors --report parts.json >/dev/null || status=$?
  } 2>/dev/null  # where the shell says that it was killed
  ((status == 137)) || break
  killed=$((killed + 1))
done
run parts --checkpoint parts --resume
same parts
echo "killed $killed times: the same weights and the same report"
((killed >= 1))

# begin FOLDER FILE [OPTION...]: the program, as $child, with its checkpoints in that folder, up to that one of them. nohup, and
# shells of what they begin in the background, have signals ignored.
begin() {
  env --default-signal=INT,TERM,HUP "$program" "${options[@]}" --checkpoint "$1" "${@:3}" >/dev/null 2>message &
  child=$!
  until [[ -e $1/$2.checkpoint ]]; do
    kill -0 "$child"
    sleep 0.01
  done
}
# ends_with STATUS: $child does.
ends_with() {
  status=0
  wait "$child" || status=$?
  ((status == $1))
}
begin asked warm-up
kill -s HUP "$child"
ends_with 129
begin asked search --resume
kill -s TERM "$child"
ends_with 143
grep -q "resume to" message
run asked --checkpoint asked --resume
same asked

# A phase whose checkpoint is lost is done again, and those after it go on from theirs.
rm asked/warm-up.checkpoint
run asked --checkpoint asked --resume 2>message
grep -q "'asked/warm-up.checkpoint' is missing, so the warm-up is done once more, for the search begins with its weights" message
same asked

# refused MESSAGE [OPTION...]: neither another run nor a damaged file is gone on from.
refused() {
  if run other --checkpoint asked "${@:2}" 2>message; then
    echo "expected to be refused: ${*:2}"
    exit 1
  fi
  grep -q "$1" message
}
refused "expected a folder for this run alone"
refused "begun with, 'seed 0', got 'seed 5'" --resume --seed 5
refused "begun with, 'shards 1', got 'shards 8'" --resume --shards 8
refused "expected the settings that 'asked' was begun with, 'method masks', got 'method both'" --resume --method both
refused "expected the settings that 'asked' was begun with, nothing, got 'bits 4'" --resume --bits 4
echo kept >log
refused "got 'batch 7'" --resume --batch 7 --log log
[[ $(cat log) == kept ]]
printf 'X' | dd of=asked/search.checkpoint bs=1 seek=5000 conv=notrunc status=none
refused "damaged" --resume
[[ ! -e other.json ]]

# So is a command that says less, which leaves the folder as it was.
mkdir few
"$program" --epochs 1,0,0 --method baseline --bits 4 --checkpoint few --quiet >/dev/null
cp few/run.txt before
if "$program" --epochs 1,0,0 --method baseline --checkpoint few --resume --quiet 2>message; then exit 1; fi
grep -q "the settings that 'few' was begun with, 'bits 4', got nothing" message
cmp before few/run.txt

# A second signal, though of another kind, ends the program at once.
for ((i = 1; i <= 5; ++i)); do
  rm -rf twice
  begin twice warm-up
  kill -s INT "$child"
  sleep 0.01
  kill -s TERM "$child" || true
  ends_with 130 || break  # otherwise the epoch was over before the second one came
done
((status == 143))
grep -q "ending after this epoch" message
if grep -q "resume to" message; then exit 1; fi

# So does the first one where nothing is trained.
env --default-signal=TERM "$program" --dry-run >/dev/null &
child=$!
sleep 0.05
kill -s TERM "$child"
ends_with 143

# A report that cannot be written after all takes no weights with it.
mkdir gone
begin late warm-up --save late.safetensors --report gone/report.json
rmdir gone
ends_with 2
grep -q -- "--report: expected to write 'gone/report.json', got: .*no folder 'gone'" message
cmp whole.safetensors late.safetensors

# A command that is refused leaves the folder free for the one that is put right.
if run wrong --checkpoint free --cost-model abacus 2>message; then exit 1; fi
grep -q "expected one of gap8" message
[[ ! -e free ]]
