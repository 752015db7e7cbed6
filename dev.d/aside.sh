# SPDX-License-Identifier: AGPL-3.0-or-later
# Suites beside suites: what ./dev test does not wait for until its end.
# shellcheck shell=bash

declare -A ASIDES=()	# their processes, by name
LANE=			# which of them this is

# gentle N: this one takes what the others leave of the machine.
gentle() {
	renice -n "$1" -p "$BASHPID" >/dev/null
}

# aside NAME COMMAND...: beside what runs here, until it is joined; what it
# says and what it counts are kept so long.
aside() {
	local name=$1 log=$DEV_HOME/test-logs/aside-$1
	shift

	rm -f "$log.sum"
	LANE=$((${#ASIDES[@]} + 1)) ASIDE_LOG=$log
	launch "$log.log" aside_run "$@"
	ASIDES[$name]=$STEP_PID
	STEP_PID='' LANE=''
}

# In a process of its own, which ends by itself what it has started. No
# machine crashes here: nobody waits for its disk.
aside_run() {
	set +m -e
	ASIDES=() RUNNING='' PASSED=0 FAILED=0 SKIPPED=0 REASONS=()
	export DEV_FSYNC=off
	traps
	"$@"
	printf '%s\n' "$PASSED $FAILED $SKIPPED" "${REASONS[@]}" \
	    >"$ASIDE_LOG.sum"
}

aside_join() {
	local start=$SECONDS p=0 f=1 s=0 log=$DEV_HOME/test-logs/aside-$1

	TICK_NEXT=15
	while aside_alive "$1"; do
		tick "$1" $((SECONDS - start))
		sleep 0.5
	done
	unset "ASIDES[$1]"
	[ ! -t 1 ] || printf '\r'
	cat "$log.log"
	if [ -s "$log.sum" ]; then
		{
			read -r p f s
			mapfile -t -O "${#REASONS[@]}" REASONS
		} <"$log.sum"
	else
		say "$1: ended early"
	fi
	PASSED=$((PASSED + p)) FAILED=$((FAILED + f)) SKIPPED=$((SKIPPED + s))
}

# aside_alive NAME: it may have ended minutes ago, and its number is somebody
# else's by now: the shell knows which are its own, and forgets the status of
# one whose number came again.
aside_alive() {
	jobs -rp | grep -qx "${ASIDES[$1]}"
}

# They end what they have started before they go.
aside_cancel() {
	local name

	for name in "${!ASIDES[@]}"; do
		! aside_alive "$name" ||
			kill -TERM "${ASIDES[$name]}" 2>/dev/null || true
	done
	for name in "${!ASIDES[@]}"; do
		wait "${ASIDES[$name]}" 2>/dev/null || true
	done
	ASIDES=()
}
