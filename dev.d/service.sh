# SPDX-License-Identifier: AGPL-3.0-or-later
# Start and stop the processes of one state directory.
# shellcheck shell=bash

SPAWNED=
PID_PG='' PID_APP='' PID_COURIER='' PID_FRONT=''
# Of an instance that is tested, as tests/lib/instance.py says.
# shellcheck disable=SC2034 # test.sh
PATIENT=(--set server.shed_ms=5000 --set server.deadline_ms=9000
	--set database.lock_ms=2000)

alive() {
	[ -n "$1" ] && kill -0 "$1" 2>/dev/null
}

# spawn NAME USER COMMAND...: detached, in run/, output to the log; its pid in
# SPAWNED. Every command here is an exec, so that the pid is the program's.
spawn() {
	local user=$2 log=$STATE/log/$1.log how=() gentle=()
	shift 2

	# A session of its own has a share of its own, whatever its processes'
	# niceness (sched(7), autogroup).
	[ "$(nice)" -le 0 ] || [ ! -w /proc/self/autogroup ] || gentle=(sh -c
		'nice >/proc/self/autogroup 2>/dev/null; exec "$@"' sh)

	[ ! -s "$log" ] || mv -f "$log" "$log.1"
	if [ "$user" != "$ME" ]; then
		how=(setpriv --reuid="$user" --regid="$(id -g "$user")")
		case $user in
		"$USER_APP") how+=(--groups="$(getent group "$GROUP_FRONT" |
		    cut -d: -f3)") ;;
		*) how+=(--init-groups) ;;
		esac
		how+=(--)
	fi
	(
		cd "$STATE/run" || exit
		# bash gave a background job an ignored SIGINT.
		exec setsid "${gentle[@]}" env --default-signal=INT,QUIT \
		    "${how[@]}" "$@" </dev/null >>"$log" 2>&1 9>&-
	) &
	SPAWNED=$!
}

# What stands in our folders, even when they were removed meanwhile.
ours_by_folder() {
	find /proc/[0-9]*/cwd -maxdepth 0 \
	    \( -lname "$STATE/run" -o -lname "$STATE/run (deleted)" \
	    -o -lname "$STATE/pg" -o -lname "$STATE/pg (deleted)" \) \
	    2>/dev/null
}

# What was started with our settings: docketd lets nobody but root look where
# it stands.
ours_by_settings() {
	grep -lsF -- "$STATE/docket.conf" /proc/[0-9]*/cmdline
}

# The live processes of this state directory, whoever started them:
# "PID PPID PROGRAM" a line. After a kill -9 or a reboot this is what is true,
# not what a file says.
ours() {
	local path pid program rest

	# Processes come and go meanwhile; what the searches say of that is no
	# matter.
	{ ours_by_folder || true; ours_by_settings || true; } |
	while read -r path; do
		pid=${path#/proc/}
		pid=${pid%/*}
		read -r program <"/proc/$pid/comm" || continue
		case $program in
		nginx | docketd | docket-courier | pgbouncer | postgres) ;;
		*) continue ;;
		esac
		read -r rest <"/proc/$pid/stat" || continue
		# shellcheck disable=SC2086
		set -- ${rest##*) }
		[ "$1" = Z ] || printf '%s %s %s\n' "$pid" "$2" "$program"
	done 2>/dev/null | sort -u
}

# The heads among ours of a program: those whose parent is not one of them.
heads() {
	ours | awk -v p="$1" '$3 == p { parent[$1] = $2 }
	    END { for (i in parent) if (!(parent[i] in parent)) print i }'
}

signal_as_owner() {
	kill "-$1" "$2" 2>/dev/null || true
}

# end PROGRAM SECONDS SIGNAL...: each signal gets its time, the last is KILL.
end() {
	local program=$1 seconds=$2 signal pid pids
	shift 2

	pids=$(heads "$program")
	for signal in "$@" KILL; do
		[ -n "$pids" ] || return 0
		for pid in $pids; do
			signal_as_owner "$signal" "$pid"
		done
		if wait_for "$seconds" gone; then
			return 0
		fi
		pids=$(heads "$program")
	done
	die "$program does not end" "look at: ps -fC $program"
}

# Of end()'s pids, and then of its program, nothing is left: a look at all
# processes is dear, and goes on only once it may find nothing.
gone() {
	local pid rest

	for pid in $pids; do
		read -r rest 2>/dev/null <"/proc/$pid/stat" || continue
		[[ ${rest##*) } == Z* ]] || return 1
	done
	pids=$(heads "$program")
	[ -z "$pids" ]
}

# From the front to the back, so that nothing is asked of what has gone.
stop_all() {
	end nginx 5 QUIT TERM
	end docketd 60 TERM
	end docket-courier 30 TERM
	end pgbouncer 5 TERM
	end postgres 30 INT QUIT
	sockets_remove
	rm -f "$STATE/pids"
}

port_taken() {
	(exec 3<>"/dev/tcp/$1/$DEV_PORT") 2>/dev/null
}

port_check() {
	if port_taken 127.0.0.1 || port_taken ::1; then
		die "port $DEV_PORT is taken by another program" \
		    "DEV_PORT=$((DEV_PORT + 1)) ./dev run, or end what listens there: ss -ltnp sport = :$DEV_PORT"
	fi
}

nginx_files() {
	local six=''

	grep -q '^0\{31\}1 ' /proc/net/if_inet6 2>/dev/null || six='/@LISTEN6@/d'
	"$BUILD/docketd" -c "$STATE/docket.conf" "$@" --nginx |
		write "$STATE/nginx-routes.conf" 644 "$ME"
	sed -e '/^# ---- port 80/,$d' -e "$six" \
	    -e "s|@LISTEN4@|127.0.0.1:$DEV_PORT|" \
	    -e "s|@LISTEN6@|[::1]:$DEV_PORT|" \
	    -e 's|@SERVER_NAME@|localhost|' \
	    -e "s|@NGINX_DIR@|$DEV_ROOT/nginx|" \
	    -e "s|@DOCS_DIR@|$BUILD/page|" \
	    -e "s|@ROUTES@|$STATE/nginx-routes.conf|" \
	    -e "s|@ACCESS_LOG@|$STATE/log/nginx-access.log|" \
	    -e "s|@CERTIFICATE@|$STATE/tls/server.pem|" \
	    -e "s|@CERTIFICATE_KEY@|$STATE/tls/server.key|" \
	    "$DEV_ROOT/nginx/docket-site.conf.in" |
		write "$STATE/docket-site.conf" 644 "$ME"
	sed -e "s|@STATE@|$STATE|" \
	    -e "s|@USER@|${AS_ROOT:+user $USER_FRONT;}|" \
	    "$DEV_ROOT/nginx/nginx.conf.in" |
		write "$STATE/nginx.conf" 644 "$ME"
}

front_start() {
	nginx_files "$@" || die "docketd --nginx failed" \
	    "the lines above name the setting"
	spawn nginx "$ME" nginx -e "$STATE/log/nginx-error.log" -p "$STATE" \
	    -c "$STATE/nginx.conf"
	PID_FRONT=$SPAWNED
}

# As root docketd becomes USER_APP by itself, as in production. Under the
# sanitizers it is started as that user: a process that changed its user may
# not look at itself, which the leak check does.
app_start() {
	local user=$ME

	if [ -n "${DEV_SANITIZE-}" ]; then
		user=$USER_APP
		set -- --set database.lock_ms=3000 "$@" \
		    --set server.memory_mb=0
	fi
	spawn docketd "$user" "$BUILD/docketd" -c "$STATE/docket.conf" "$@"
	PID_APP=$SPAWNED
	spawn docket-courier "$USER_APP" "$BUILD/docket-courier" \
	    -c "$STATE/docket.conf" "$@"
	PID_COURIER=$SPAWNED
}

pids_write() {
	printf '{"front":[%d],"app":[%d,%d],"pg":[%d]}\n' "$PID_FRONT" \
	    "$PID_APP" "$PID_COURIER" "$PID_PG" |
		write "$STATE/pids" 644 "$ME"
}

get() {
	curl --silent --fail --output /dev/null --max-time 2 \
	    --noproxy '*' --cacert "$STATE/ca.pem" "$URL$1"
}

serving() {
	get /healthz && get /readyz
}

# The first of ours that has died, by name; false when all live.
dead() {
	alive "$PID_PG" || { echo postgres; return 0; }
	alive "$PID_APP" || { echo docketd; return 0; }
	alive "$PID_COURIER" || { echo docket-courier; return 0; }
	alive "$PID_FRONT" || { echo nginx; return 0; }
	return 1
}

serving_or_dead() {
	dead >/dev/null || serving
}

serving_wait() {
	local name

	wait_for 120 serving_or_dead || true
	if name=$(dead); then
		show_log "$STATE/log/$name.log"
		[ "$name" != nginx ] || show_log "$STATE/log/nginx-error.log" 5
		die "$name ended at once" "the lines above say why"
	fi
	serving || {
		show_log "$STATE/log/docketd.log"
		show_log "$STATE/log/nginx-error.log" 5
		die "$URL does not answer" "the lines above may say why"
	}
}
