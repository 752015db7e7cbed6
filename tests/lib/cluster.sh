#!/bin/sh
# SPDX-License-Identifier: AGPL-3.0-or-later
# A throw-away PostgreSQL cluster: unix socket only, no fsync, short paths.
#
#   cluster.sh start [DIR]   make one; prints its DIR. It goes with the process
#                            CLUSTER_OF, however that ends
#   cluster.sh stop DIR      stop it and remove DIR
#   cluster.sh run CMD...    start, CMD with PGHOST and CLUSTER set, stop
#
# PGHOST is DIR; the superuser is `postgres`, everybody is trusted. The roles
# of sql/roles.sql and the database `docket` are there already.
# Exit status 77 when PostgreSQL is not installed.

set -eu

here=$(cd "$(dirname "$0")/../.." && pwd)

bin=
for d in /usr/lib/postgresql/15/bin /usr/lib/postgresql/*/bin; do
	[ -x "$d/initdb" ] && bin=$d && break
done
if [ -z "$bin" ]; then
	echo "cluster.sh: no PostgreSQL server is installed" >&2
	exit 77
fi

# PostgreSQL refuses root.
as_owner() {
	if [ "$(id -u)" = 0 ]; then
		runuser -u postgres -- "$@"
	else
		"$@"
	fi
}

# A copy of what ./dev keeps, where that has run; only who may enter differs.
empty() {
	if [ "$(cat "$here/.dev/initdb/PG_VERSION" 2>/dev/null)" = \
	    "$("$bin/postgres" -V | sed 's/.* \([0-9]*\)\..*/\1/')" ]; then
		cp -a "$here/.dev/initdb" "$dir/data"
		echo "local all all trust" >"$dir/data/pg_hba.conf"
	else
		as_owner "$bin/initdb" -D "$dir/data" -U postgres -A trust \
		    -E UTF8 --locale=C.UTF-8 -N >"/dev/null"
	fi
}

start() {
	# A socket's path has 107 bytes: stay out of long TMPDIRs.
	dir=${1:-$(mktemp -d /tmp/dk.XXXXXX)}
	mkdir -p "$dir"
	[ "$(id -u)" = 0 ] && chown postgres "$dir"
	chmod 755 "$dir"
	(
		cd /
		empty
		cat >>"$dir/data/postgresql.conf" <<-CONF
		listen_addresses = ''
		unix_socket_directories = '$dir'
		unix_socket_permissions = 0777
		max_connections = 250
		shared_buffers = 64MB
		fsync = ${CLUSTER_FSYNC:-off}
		full_page_writes = off
		log_min_messages = error
		log_min_error_statement = panic
		CONF
		as_owner "$bin/pg_ctl" -D "$dir/data" -w -t 30 \
		    -l "$dir/log" start >/dev/null
	) || { cat "$dir/log" >&2; exit 1; }
	PGHOST=$dir PGUSER=postgres "$bin/psql" -qX -v ON_ERROR_STOP=1 \
	    -d postgres -f "$here/sql/roles.sql" >&2
	PGHOST=$dir PGUSER=postgres "$bin/psql" -qX -v ON_ERROR_STOP=1 \
	    -d postgres -c "CREATE DATABASE docket OWNER docket_owner" >&2
}

stop() {
	case $1 in
	"" | /) exit 64 ;;
	esac
	(cd / && as_owner "$bin/pg_ctl" -D "$1/data" -m immediate -w stop \
	    >/dev/null 2>&1) || true
	[ -d "$1/data" ] && rm -rf "$1"
}

case ${1:-} in
start)
	# Cut short, it leaves nothing.
	trap '[ -z "${dir-}" ] || stop "$dir"; exit 143' HUP INT TERM
	start "${2:-}"
	[ -z "${CLUSTER_OF-}" ] || setsid sh -c \
	    'tail --pid="$1" -f /dev/null; exec "$0" stop "$2"' \
	    "$0" "$CLUSTER_OF" "$dir" </dev/null >/dev/null 2>&1 &
	echo "$dir"
	;;
stop)
	stop "${2:?DIR}"
	;;
run)
	shift
	start ""
	trap 'stop "$dir"' EXIT
	trap 'exit 130' INT TERM
	PGHOST=$dir CLUSTER=$dir "$@"
	;;
*)
	sed -n '3,9s/^# \{0,1\}//p' "$0" >&2
	exit 64
	;;
esac
