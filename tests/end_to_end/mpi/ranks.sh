#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 The siena authors
# SPDX-License-Identifier: Apache-2.0
#
# ranks.sh MPIEXEC PROGRAM CASE: what a benchmark program does on several ranks, against one process.
set -euo pipefail
mpiexec=$1 program=$2 case=$3
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
# Open MPI: more ranks than cores, and by any user; MPICH asks for neither.
export OMPI_MCA_rmaps_base_oversubscribe=1 OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
export OMPI_MCA_mpi_yield_when_idle=1 OMP_NUM_THREADS=1 OMP_WAIT_POLICY=passive
run=("$program" --smoke --quiet --epochs 1,2,1 --memory 40% --latency none)

die() {
  printf '%s\n' "$@" >&2
  exit 1
}
# expect WORDS COMMAND...: fails within 20 seconds, and says the words once.
expect() {
  local words=$1 status=0
  shift
  timeout 20 "$@" >out.txt 2>&1 || status=$?
  ((status != 0 && status != 124)) || die "expected a failure of: $*; status $status" "$(cat out.txt)"
  [[ $(grep -c -- "$words" out.txt) == 1 ]] || die "expected '$words' once from: $*" "$(cat out.txt)"
}

case $case in
  bits)
    "${run[@]}" --shards 8 --save 1.safetensors >1.txt
    for ranks in 2 4; do
      "$mpiexec" -n $ranks "${run[@]}" --save $ranks.safetensors --log $ranks.jsonl >$ranks.txt
      cmp 1.safetensors $ranks.safetensors
      [[ $(wc -l <$ranks.txt) == $(wc -l <1.txt) ]] || die "expected one report, got" "$(cat $ranks.txt)"
    done
    ;;
  resume)
    # A random rank is killed, later each time; others go on from there.
    keep=("${run[@]}" --checkpoint kept --resume --save found.safetensors)
    "${run[@]}" --shards 8 --save expected.safetensors >/dev/null
    killed=0
    RANDOM=${SEED:=$((RANDOM))}
    echo "seed $SEED"
    for ((i = 1; i <= ${KILLS:-3}; ++i)); do
      counts=(2 4 8) ranks=${counts[i % 3]} victim=$((RANDOM % ranks)) status=0
      job=(-n 1 timeout -s KILL "$((1 + i / 3)).$((RANDOM % 9 + 1))" "${keep[@]}")
      ((victim == 0)) || job=(-n "$victim" "${keep[@]}" : "${job[@]}")
      ((victim == ranks - 1)) || job+=(: -n "$((ranks - 1 - victim))" "${keep[@]}")
      # mpirun of Open MPI 4.1 may wait for ever for a rank that died while MPI was starting.
      timeout -k 5 20 "$mpiexec" "${job[@]}" >/dev/null 2>&1 || status=$?
      ((status == 0)) || killed=$((killed + 1))
    done
    "${keep[@]}" --shards 8 >/dev/null
    cmp expected.safetensors found.safetensors
    ((killed > 0)) || die "expected to kill a rank"
    echo "killed $killed times"
    ;;
  signals)
    # A signal to one rank ends the epoch on all, and so does what mpirun hands on; others go on from what was kept.
    keep=("${run[@]}" --checkpoint kept --resume --save found.safetensors)
    "${run[@]}" --shards 8 --save expected.safetensors >/dev/null
    # shellcheck disable=SC2016  # for the other shell
    known=(bash -c 'echo $$ >pid; exec "$@"' known)
    # tell SIGNAL PHASE COMMAND...: the process that is known, once an epoch of the phase is kept.
    tell() {
      local status=0
      timeout 60 "${@:3}" >out.txt 2>&1 &
      until [[ -e kept/$2.checkpoint ]]; do
        kill -0 $! || die "expected a checkpoint of the $2 from: ${*:3}" "$(cat out.txt)"
        sleep 0.02
      done
      kill -s "$1" "$(cat pid)"
      wait $! || status=$?
      # mpirun of MPICH gives 0 after a signal that it has handed on.
      [[ $status != 124 && $(grep -c "resume to" out.txt) == 1 ]] ||
        die "expected 'resume to' once from: ${*:3}; status $status" "$(cat out.txt)"
    }
    tell TERM warm-up "$mpiexec" -n 1 "${keep[@]}" : -n 1 "${known[@]}" "${keep[@]}" : -n 2 "${keep[@]}"
    tell USR1 search "${known[@]}" "$mpiexec" -n 2 "${keep[@]}"
    "${keep[@]}" --shards 8 >/dev/null
    cmp expected.safetensors found.safetensors
    ;;
  failures)
    expect "as many on each of 2 ranks, got 3" "$mpiexec" -n 2 "${run[@]}" --shards 3
    expect "expected the same command line on all 2 ranks, got '.*--seed 1' on rank 0 and '.*--seed 2' on rank 1" \
      "$mpiexec" -n 1 "${run[@]}" --seed 1 : -n 1 "${run[@]}" --seed 2
    cp "$program" other
    echo >>other  # another build
    expect "expected the same program on all 2 ranks" "$mpiexec" -n 1 "${run[@]}" : -n 1 ./other "${run[@]:1}"
    expect "expected a finite" "$mpiexec" -n 2 "${run[@]}" --lr 1000
    # Images of each rank's own: the least that is CIFAR-10, of two classes.
    for rank in 0 1; do
      mkdir -p rank$rank/data
      for file in data_batch_{1..5} test_batch; do
        for ((i = 0; i < 8; ++i)); do printf "\\x$((i % 2))%3072s" $((rank + 1)); done >rank$rank/data/$file.bin
      done
    done
    images=("${run[@]}" --data data)
    expect "expected the same samples on all 2 ranks" "$mpiexec" -n 1 -wdir rank0 "${images[@]}" : -n 1 -wdir rank1 "${images[@]}"
    # A file that one rank finds, and the other does not: the one that fails says so, and ends both.
    "$program" --smoke --quiet --method baseline --epochs 0,0,0 --save weights.safetensors >/dev/null
    mkdir there elsewhere
    cp weights.safetensors there
    expect "rank 1: .*weights.safetensors" "$mpiexec" -n 1 -wdir there "${run[@]}" --init weights.safetensors : \
      -n 1 -wdir elsewhere "${run[@]}" --init weights.safetensors
    ;;
  own)
    "$program" >1.txt
    for ranks in 2 3 4; do
      "$mpiexec" -n $ranks "$program" >$ranks.txt
      diff 1.txt $ranks.txt
    done
    expect "one rank has other plans" "$mpiexec" -n 3 "$program" fails
    expect "all ranks have other plans" "$mpiexec" -n 3 "$program" together
    ;;
  *) die "ranks.sh: no case '$case'" ;;
esac
