# SPDX-License-Identifier: AGPL-3.0-or-later
# The fuzzing part of ./dev test: targets, their seeds, what they found.
# shellcheck shell=bash

# fuzz_target NAME SECONDS: its seeds, then what grows out of them. Few runs
# are no test: then it goes on until they are enough.
fuzz_target() {
	local name=$1 log=$DEV_HOME/test-logs/fuzz-$1.log status=0 run
	local seeds=$DEV_HOME/fuzz/$1-seeds dict=$DEV_ROOT/tests/fuzz/dict/$1.dict

	rm -rf "$seeds" "$log" "$log.status"
	mkdir -p "$DEV_HOME/corpus/$name" "$seeds"
	run=("$BUILD/tests/fuzz/$name" -max_len=4096 -timeout=10 -reload=0
		-artifact_prefix="$DEV_HOME/fuzz/$name-")
	[ ! -e "$dict" ] || run+=(-dict="$dict")
	run+=("$DEV_HOME/corpus/$name" "$seeds")
	/usr/bin/python3 "$DEV_ROOT/tests/fuzz/seeds.py" unpack \
	    "$DEV_ROOT/tests/fuzz/seeds/$name.txt" "$seeds" >"$log" 2>&1 ||
		status=1
	[ "$status" -ne 0 ] ||
		"${run[@]}" -max_total_time="$2" >"$log" 2>&1 || status=$?
	if [ "$status" -eq 0 ] &&
	    [ "$(number '^Done \([0-9]*\) runs.*' "$log")" -lt 1000 ]; then
		"${run[@]}" -runs=1000 >"$log" 2>&1 || status=$?
	fi
	printf '%s\n' "$status" >"$log.status"
}

# fuzz_lanes LANES SECONDS NAME...: so many targets side by side.
fuzz_lanes() {
	local lanes=$1 seconds=$2 lane i
	shift 2

	for ((lane = 1; lane <= lanes; lane++)); do
		for ((i = lane; i <= $#; i += lanes)); do
			fuzz_target "${!i}" "$seconds"
		done &
	done
	wait
}

# One target's line, or its end and the input that it failed with.
fuzz_result() {
	local name=$1 log=$DEV_HOME/test-logs/fuzz-$1.log runs seeds

	runs=$(number '^Done \([0-9]*\) runs.*' "$log")
	seeds=$(find "$DEV_HOME/fuzz/$name-seeds" -type f | wc -l)
	if [ "$(cat "$log.status" 2>/dev/null)" = 0 ] &&
	    [ "$seeds" -gt 0 ] && [ "$runs" -ge 1000 ]; then
		PROGRAM_P=$((PROGRAM_P + 1))
		printf '%s: %d runs, coverage %d, corpus %d, seeds %d\n' \
		    "$name" "$runs" "$(sed -n \
		    's/^#.* cov: \([0-9]*\) .*/\1/p' "$log" | tail -n 1)" \
		    "$(sed -n 's/^#.* corp: \([0-9]*\)\/.*/\1/p' "$log" |
		    tail -n 1)" "$seeds"
		return
	fi
	PROGRAM_F=$((PROGRAM_F + 1))
	show_log "$log" 40
	say "$name: FAILED, $runs runs, $seeds seeds$(sed -n \
	    's/.*Test unit written to /; the input is kept: /p' "$log")"
}

# A minute in all, shared by the targets; with --long an hour.
fuzz() {
	local target targets=() lanes each
	local seconds=${FUZZ_SECONDS:-${LONG:+3600}}

	for target in "$DEV_ROOT"/tests/fuzz/*.c; do
		[ ! -e "$target" ] || targets+=("$(basename "$target" .c)")
	done
	[ "${#targets[@]}" -gt 0 ] || return 0
	CC=clang-14 CFLAGS='-g -O1' build build-fuzz all --enable-fuzz \
	    --enable-asan --enable-ubsan
	part fuzz
	PROGRAM_P=0 PROGRAM_F=0
	mkdir -p "$DEV_HOME/fuzz"
	lanes=$((JOBS < ${#targets[@]} ? JOBS : ${#targets[@]}))
	each=$((${seconds:-60} / ((${#targets[@]} + lanes - 1) / lanes)))
	# shellcheck disable=SC2034  # read by tick
	TICK_NEXT=15
	launch "$DEV_HOME/test-logs/fuzz.log" fuzz_lanes "$lanes" \
	    $((each < 3 ? 3 : each)) "${targets[@]}"
	while kill -0 "$STEP_PID" 2>/dev/null; do
		tick "fuzz" $((SECONDS - PART_START))
		sleep 0.5
	done
	landed || true
	[ ! -t 1 ] || printf '\r'
	for target in "${targets[@]}"; do
		fuzz_result "$target"
	done
	count fuzz "$PROGRAM_P" "$PROGRAM_F" 0
}
