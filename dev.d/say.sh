# SPDX-License-Identifier: AGPL-3.0-or-later
# Messages, the ticker of long steps, and the way out of a failure.
# shellcheck shell=bash

STEP_PID=
STEP_GENTLE=

say() {
	printf '%s\n' "$*"
}

# die WHAT NEXT: what failed and what to do about it.
die() {
	printf '\ndev: %s\n' "$1" >&2
	[ $# -lt 2 ] || printf 'Next: %s\n' "$2" >&2
	exit 1
}

# The end of the log of a step that failed.
show_log() {
	[ -s "$1" ] || return 0
	printf -- '--- last lines of %s\n' "$1" >&2
	tail -n "${2:-25}" "$1" >&2
	printf -- '---\n' >&2
}

tick() {
	local what=$1 seconds=$2

	if [ -t 1 ]; then
		printf '\r%s ... %d s ' "$what" "$seconds"
	elif [ "$seconds" -ge "$TICK_NEXT" ]; then
		printf '%s ... %d s\n' "$what" "$seconds"
		TICK_NEXT=$((seconds + 15))
	fi
}

# launch LOG COMMAND...: in the background as STEP_PID, in a process group of
# its own, so that a signal can end all of it.
launch() {
	local log=$1
	shift

	set -m
	("$@") >"$log" 2>&1 </dev/null 9>&- &
	STEP_PID=$!
	set +m
}

# landed: wait for it; its exit status.
landed() {
	local status=0

	wait "$STEP_PID" || status=$?
	STEP_PID=
	return "$status"
}

# step WHAT LOG NEXT COMMAND...: run it in the background, tell how long it
# takes; on failure show the end of its log and the next step, and exit.
step() {
	local what=$1 log=$2 next=$3 start=$SECONDS status=0
	shift 3

	TICK_NEXT=5
	[ ! -t 1 ] || printf '%s ... ' "$what"
	launch "$log" "$@"
	while kill -0 "$STEP_PID" 2>/dev/null; do
		tick "$what" $((SECONDS - start))
		sleep 0.05
	done
	landed || status=$?
	if [ "$status" -ne 0 ]; then
		[ ! -t 1 ] || printf '\n'
		show_log "$log"
		die "$what: failed (exit $status)" "$next"
	fi
	[ ! -t 1 ] || printf '\r'
	printf '%s: done (%d s)\n' "$what" $((SECONDS - start))
}

# End a step that a signal interrupts. Package installation is waited for:
# cutting it would leave the machine half configured.
step_cancel() {
	[ -n "$STEP_PID" ] || return 0
	if [ -n "$STEP_GENTLE" ]; then
		say "waiting for the package installation to end ..."
	else
		kill -TERM -- "-$STEP_PID" 2>/dev/null || true
	fi
	wait "$STEP_PID" 2>/dev/null || true
	STEP_PID=
}

# wait_for SECONDS COMMAND...: until it succeeds; 1 when it did not.
wait_for() {
	local end=$((SECONDS + $1))
	shift

	until "$@"; do
		[ "$SECONDS" -lt "$end" ] || return 1
		sleep 0.1
	done
}
