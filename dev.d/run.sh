# SPDX-License-Identifier: AGPL-3.0-or-later
# ./dev run and ./dev stop.
# shellcheck shell=bash

RUNNING=		# something is started that an exit must end
FOLLOW=

# Two runs of one state directory wait for each other here.
lock() {
	exec 9>"$STATE/lock"
	flock -w 120 9 || die "another ./dev holds $STATE/lock" \
	    "let it end, or end it"
}

unlock() {
	exec 9>&-
}

on_exit() {
	local status=$?

	trap '' INT TERM HUP
	step_cancel
	aside_cancel
	[ -z "$FOLLOW" ] || kill "$FOLLOW" 2>/dev/null || true
	if [ -n "$RUNNING" ]; then
		RUNNING=
		# The terminal may be gone: nothing here may fail for that.
		say "Stopping ..." 2>/dev/null || true
		lock
		stop_all || true
		unlock
	fi
	exit "$status"
}

traps() {
	trap on_exit EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM
	trap 'exit 129' HUP
}

# Everything up and answering. Arguments go to docketd and the courier.
service_start() {
	pooler_check
	lock
	if [ -n "$(ours)" ]; then
		say "Ending what runs in $STATE ..."
		: >"$STATE/run/stopped"
		stop_all
	fi
	port_check
	rm -f "$STATE/run/stopped" "$STATE/pids"
	sockets_make
	keys_make
	tls_make
	settings_make
	RUNNING=1
	postgres_start
	pooler_start
	step "Preparing the database" "$STATE/log/schema.log" \
	    "the lines above say what the database refused" schema_make
	app_start "$@"
	front_start "$@"
	pids_write
	serving_wait
	unlock
}

told() {
	cat <<TEXT

Docket serves $URL
  authority    $STATE/ca.pem
  admin        $STATE/admin.json
  messages     $STATE/spool
  logs         $STATE/log

Try:  curl --cacert $DEV_DIR/ca.pem $URL/healthz
TEXT
}

# Until a signal, ./dev stop, or the death of a part.
follow() {
	local name

	tail -q -n 0 -F "$STATE/log/docketd.log" "$STATE/log/docket-courier.log" \
	    "$STATE/log/nginx-access.log" "$STATE/log/nginx-error.log" \
	    2>/dev/null 9>&- &
	FOLLOW=$!
	while ! name=$(dead); do
		sleep 0.5
	done
	if [ -e "$STATE/run/stopped" ]; then
		RUNNING=
		say "stopped from elsewhere"
		exit 0
	fi
	show_log "$STATE/log/$name.log"
	die "$name ended unexpectedly" "the lines above say why; ./dev run again"
}

dev_run() {
	local detach='' sets=()

	while [ $# -gt 0 ]; do
		case $1 in
		--detach) detach=1 ;;
		--set)
			[ $# -ge 2 ] || die "--set needs section.key=value" \
			    "./dev help"
			sets+=(--set "$2")
			shift
			;;
		--set=*) sets+=(--set "${1#--set=}") ;;
		*) die "run does not know $1" "./dev help" ;;
		esac
		shift
	done
	traps
	state_open
	# shellcheck disable=SC2086
	packages_install $PACKAGES_RUN
	build_programs
	service_start "${sets[@]}"
	told
	if [ -n "$detach" ]; then
		RUNNING=
		say "Stop: ./dev stop"
	else
		say "Stop: Ctrl-C"
		say ""
		follow
	fi
}

dev_stop() {
	[ $# -eq 0 ] || die "stop takes no arguments" "./dev help"
	if [ ! -e "$DEV_DIR" ]; then
		say "nothing runs"
		return 0
	fi
	state_open
	lock
	if [ -z "$(ours)" ]; then
		sockets_remove
		rm -f "$STATE/pids"
		say "nothing runs"
		return 0
	fi
	: >"$STATE/run/stopped"
	stop_all
	say "stopped; the data stays in $STATE"
}

dev_docket() {
	state_open
	BUILD=$DEV_HOME/build${DEV_SANITIZE:+-asan}
	if [ ! -e "$STATE/docket.conf" ] || [ ! -x "$BUILD/docket" ]; then
		die "there is no instance in $STATE" "./dev run"
	fi
	[ "${1-}" != migrate ] ||
		set -- "$@" --dir "$DEV_ROOT/sql/migrations"
	docket "$@"
}
