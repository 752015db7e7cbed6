# SPDX-License-Identifier: AGPL-3.0-or-later
# ./dev test: every part, its cases counted, the sum on the last line.
# shellcheck shell=bash

PASSED=0 FAILED=0 SKIPPED=0
REASONS=()
LONG=
MARK=			# which tests of the API suite

# count PART PASSED FAILED SKIPPED: a part that ran nothing has failed.
count() {
	local failed=$3

	[ $(($2 + $3 + $4)) -gt 0 ] || {
		failed=1
		say "$1: ran no test"
	}
	PASSED=$((PASSED + $2))
	FAILED=$((FAILED + failed))
	SKIPPED=$((SKIPPED + $4))
	printf '== %s: %d passed, %d failed, %d skipped (%d s)\n' "$1" "$2" \
	    "$failed" "$4" $((SECONDS - PART_START))
}

part() {
	PART_START=$SECONDS
	printf '\n== %s\n' "$1"
}

# The two halves write beside each other.
logs() {
	LOGS=$DEV_HOME/test-logs${DEV_SANITIZE:+/asan}
	mkdir -p "$LOGS"
}

# number PATTERN FILE: the sum of the numbers that stand before or after it.
number() {
	sed -n "s/$1/\1/p" "$2" | awk '{ n += $1 } END { print n + 0 }'
}

# cmocka keeps no reason: it is the condition in front of skip().
skip_reasons() {
	local name

	# shellcheck disable=SC2013 # a name is a word
	for name in $(sed -n 's/^\[  SKIPPED \] \([a-z0-9_]*\)$/\1/p' "$2" |
	    sort -u); do
		REASONS+=("$1 $name: $(awk -v name="$name" '
		    index($0, name "(") == 1 { inside = 1 }
		    inside && /skip\(\)/ { sub(/^[ \t]*/, "", before)
			print before; exit }
		    { before = $0 }' "$DEV_ROOT/$1.c")")
	done
}

# One cmocka program; its exit status goes beside its log.
program_run() {
	local log=$LOGS/${1##*/}.log status=0

	timeout --foreground -k 5 "${DEV_PROGRAM_SECONDS:-600}" "$1" \
	    >"$log" 2>&1 </dev/null || status=$?
	printf '%s\n' "$status" >"$log.status"
}

# Many wait more than they compute: one more than there are cores.
programs_run() {
	local program

	for program in "$@"; do
		[ "$(jobs -rp | wc -l)" -le "$JOBS" ] || wait -n || true
		program_run "$program" &
	done
	wait
}

# What one said: its own count, or one failure when it died.
program_result() {
	local program=$1 log=$LOGS/${1##*/}.log status p f s

	status=$(cat "$log.status" 2>/dev/null || echo 1)
	if [ "$status" -eq 77 ]; then
		REASONS+=("${program##*/}: $(tail -n 1 "$log")")
		PROGRAM_S=$((PROGRAM_S + 1))
		return 0
	fi
	p=$(number '^\[  PASSED  \] \([0-9]*\) test.*' "$log")
	f=$(number '^\[  FAILED  \] \([0-9]*\) test.*' "$log")
	s=$(number '^\[  SKIPPED \] \([0-9]*\) test.*' "$log")
	if [ "$f" -eq 0 ] && { [ "$status" -ne 0 ] || [ $((p + s)) -eq 0 ]; }
	then
		f=1
	fi
	if [ "$f" -gt 0 ]; then
		say "${program##*/}: FAILED (exit $status)"
		grep -v '^\[ *\(RUN\|OK\) *\]' "$log" | tail -n 30
	fi
	skip_reasons "${program#"$BUILD"/}" "$log"
	PROGRAM_P=$((PROGRAM_P + p))
	PROGRAM_F=$((PROGRAM_F + f))
	PROGRAM_S=$((PROGRAM_S + s))
}

# programs PART DIR: every program of a directory of tests.
programs() {
	local source program programs=()

	PROGRAM_P=0 PROGRAM_F=0 PROGRAM_S=0
	part "$1"
	logs
	for source in "$DEV_ROOT/$2"/*.c; do
		[ ! -e "$source" ] ||
			programs+=("$BUILD/$2/$(basename "$source" .c)")
	done
	for program in "${programs[@]}"; do
		rm -f "$LOGS/${program##*/}.log.status"
	done
	launch "$LOGS/${2//\//-}.log" \
	    programs_run "${programs[@]}"
	landed || true
	for program in "${programs[@]}"; do
		program_result "$program"
	done
	count "$1" "$PROGRAM_P" "$PROGRAM_F" "$PROGRAM_S"
}

# A line "ok ..." or "not ok ..." a rule.
lint() {
	local log=$DEV_HOME/test-logs/lint.log

	part lint
	bash "$DEV_ROOT/tests/lint/lint.sh" >"$log" 2>&1 || true
	cat "$log"
	count lint "$(grep -c '^ok ' "$log" || true)" \
	    "$(grep -c '^not ok ' "$log" || true)" 0
}

# Those that run side by side look for theirs at once, and take them later.
free_port() {
	local port first=$((20000 + 4000 * ${LANE:-0} + RANDOM % 4000))

	for port in $(seq "$first" 39999); do
		DEV_PORT=$port
		port_taken 127.0.0.1 || port_taken ::1 || return 0
	done
	die "no free port" "end something that listens"
}

# summary WORD FILE: an attribute of pytest's JUnit report.
summary() {
	sed -n 's/.*<testsuite [^>]*\<'"$1"'="\([0-9]*\)".*/\1/p' "$2" 2>/dev/null |
		grep . || echo 0
}

# The API suite against the instance that runs in STATE.
pytest_run() {
	local name=$1 log=$DEV_HOME/test-logs/$1.log status=0 p f s
	local paths=("$DEV_ROOT/tests/api" "$DEV_ROOT/tests/fault")
	local word report=$log.xml
	shift

	# Whoever names files means these alone.
	for word in "$@"; do
		[ ! -e "${word%%::*}" ] || paths=()
	done

	rm -f "$report"
	TICK_NEXT=15
	# Whoever put us into the background made all of it deaf to SIGINT.
	launch "$log" env --default-signal=INT,QUIT \
	    DEV_DIR="$STATE" DOCKETD="$BUILD/docketd" \
	    DEV_BUILT="$BUILD" DOCKET="$BUILD/docket" PYTHONDONTWRITEBYTECODE=1 \
	    /usr/bin/python3 -m pytest -q -ra --color=no --junitxml="$report" \
	    -c "$DEV_ROOT/tests/pytest.ini" \
	    --rootdir "$DEV_ROOT/tests" ${MARK:+-m "$MARK"} "$@" \
	    "${paths[@]}"
	while kill -0 "$STEP_PID" 2>/dev/null; do
		tick "pytest" $((SECONDS - PART_START))
		sleep 0.5
	done
	landed || status=$?
	[ ! -t 1 ] || printf '\r'
	s=$(summary skipped "$report")
	f=$(($(summary failures "$report") + $(summary errors "$report")))
	p=$(($(summary tests "$report") - s - f))
	if [ "$f" -eq 0 ] && [ "$status" -ne 0 ]; then
		f=1
	fi
	[ "$f" -eq 0 ] || tail -n 150 "$log"
	sed -n '/^contract: [0-9]/p; /^score: /p' "$log"
	mapfile -t -O "${#REASONS[@]}" REASONS \
	    < <(sed -n "s/^SKIPPED /$name: /p" "$log")
	PROGRAM_P=$p PROGRAM_F=$f PROGRAM_S=$s
}

# What the sanitizers wrote: a report a file.
reports() {
	local file n=0

	for file in "$STATE"/sanitizer/*; do
		[ -s "$file" ] || continue
		n=$((n + 1))
		[ "$n" -gt 3 ] || show_log "$file" 60
	done
	n=$((n + $(cat "$STATE"/log/*.log "$STATE"/log/*.log.1 2>/dev/null |
	    grep -cE 'runtime error:|ERROR: (Address|Leak)Sanitizer' || true)))
	PROGRAM_F=$((PROGRAM_F + n))
	[ "$n" -eq 0 ] || say "$n sanitizer reports"
}

# api NAME DIR OPTION...: an instance of its own, the suite, its end.
api() {
	local name=$1 dir=$2
	shift 2

	part "$name"
	DEV_DIR=$DEV_HOME/$dir
	free_port
	state_open
	if [ -n "${DEV_SANITIZE-}" ]; then
		rm -rf "$STATE/sanitizer"
		mkdir "$STATE/sanitizer"
		own "$USER_APP" "$STATE/sanitizer"
		export ASAN_OPTIONS=detect_leaks=1:log_path=$STATE/sanitizer/report
		export UBSAN_OPTIONS=print_stacktrace=1:log_path=$STATE/sanitizer/report
	fi
	rm -rf "$STATE/pg"
	service_start "${PATIENT[@]}" "$@"
	pytest_run "$dir" ${LONG:+--long} "${PYTEST_ARGS[@]}"
	RUNNING=
	lock
	: >"$STATE/run/stopped"
	stop_all
	unlock
	[ -z "${DEV_SANITIZE-}" ] || reports
	count "$name" "$PROGRAM_P" "$PROGRAM_F" "$PROGRAM_S"
}

# The other trees and the fuzzing, which nobody waits for.
background() {
	gentle 19
	export DEV_SANITIZE=1
	build_programs "all check-programs"
	unset DEV_SANITIZE
	fuzz
}

# What a client sees, again under the sanitizers.
sanitized() {
	export DEV_SANITIZE=1
	build_programs "all check-programs"
	MARK="not alone and not plain" api "API under ASan+UBSan" test-asan
}

# The rest. Its limits of time are so much wider that there may be others
# beside it, who are not to wait for the load that it makes.
besides() {
	gentle 5
	export DEV_SANITIZE=1 ASAN_OPTIONS=detect_leaks=1
	build_programs "all check-programs"
	programs "unit under ASan+UBSan" tests/unit
	programs "store under ASan+UBSan" tests/store
	MARK="alone and not plain" \
	    api "faults under ASan+UBSan" test-asan-faults
	unset DEV_SANITIZE ASAN_OPTIONS UBSAN_OPTIONS
	build_programs "all check-programs"
	pooled transaction
	[ -z "$LONG" ] || pooled session
}

# check NAME COMMAND...: one pass or one failure.
check() {
	local name=$1 log=$DEV_HOME/test-logs/${1// /-}.log status=0
	shift

	part "$name"
	launch "$log" "$@"
	landed || status=$?
	[ "$status" -eq 0 ] || show_log "$log" 40
	count "$name" $((status == 0)) $((status != 0)) 0
}

# The document against the rules of the field, by a linter from npm.
openapi_lint() {
	local dir=$DEV_HOME/redocly

	set -e
	mkdir -p "$dir"
	"$DEV_HOME/build/docketd" --openapi >"$dir/openapi.json"
	cd "$dir"
	[ -x node_modules/.bin/redocly ] ||
		npm install --no-audit --no-fund @redocly/cli@1.34.5
	REDOCLY_TELEMETRY=off node_modules/.bin/redocly lint \
	    --extends recommended openapi.json 2>&1 | tee lint.out
	! grep -Eq '[1-9][0-9]* (error|warning)' lint.out
}

# What takes minutes: the second compiler, a release's own build, npm's tools.
long_parts() {
	packages_install clang-14 libclang-rt-14-dev
	CC=clang-14 build build-clang "all check-programs"
	programs "unit by clang" tests/unit
	programs "store by clang" tests/store
	build_programs "all check-programs"
	check "make distcheck" make -C "$BUILD" distcheck
	check "openapi lint" openapi_lint
	boxed
	coverage
	analysis
}

sum() {
	local reason line

	say ""
	for reason in "${REASONS[@]}"; do
		say "skipped: $reason"
	done
	line="$PASSED passed, $FAILED failed"
	[ "$SKIPPED" -eq 0 ] || line+=", $SKIPPED skipped"
	say "$line"
	[ "$FAILED" -eq 0 ]
}

dev_test() {
	PYTEST_ARGS=()
	while [ $# -gt 0 ]; do
		case $1 in
		--long) LONG=1 ;;
		*) PYTEST_ARGS+=("$1") ;;
		esac
		shift
	done
	traps
	state_open
	mkdir -p "$DEV_HOME/test-logs"
	# shellcheck disable=SC2086
	packages_install $PACKAGES_RUN $PACKAGES_TEST
	# shellcheck disable=SC2086
	[ -z "$LONG" ] || packages_install $PACKAGES_LONG
	[ -z "$LONG" ] || command -v npm >/dev/null ||
		packages_install nodejs npm
	build_programs "all check-programs"
	if [ "${#PYTEST_ARGS[@]}" -gt 0 ]; then
		api API test
		sum
		return
	fi
	lint
	aside background background
	programs unit tests/unit
	programs store tests/store
	# What measures time has no other suite beside it, and a database that is
	# as durable as production's.
	MARK=alone api faults test-faults
	aside_join background
	aside sanitized sanitized
	aside besides besides
	DEV_FSYNC=off MARK="not alone" api API test
	aside_join sanitized
	aside_join besides
	[ -z "${LONG-}" ] || long_parts
	sum
}
