# SPDX-License-Identifier: AGPL-3.0-or-later
# PgBouncer between Docket and its database: DEV_POOLER=session|transaction.
# shellcheck shell=bash

PID_POOLER=''

pooler_check() {
	case ${DEV_POOLER-} in
	'' | session | transaction) ;;
	*) die "DEV_POOLER=$DEV_POOLER" "session or transaction" ;;
	esac
}

# PgBouncer 1.18 keeps no statements from one transaction to the next.
pooler_prepared() {
	case ${DEV_POOLER-} in
	session) echo on ;;
	transaction) echo off ;;
	*) echo auto ;;
	esac
}

# pooler_dsn ROLE: through it, where there is one.
pooler_dsn() {
	if [ -n "${DEV_POOLER-}" ]; then
		printf 'host=%s port=6432 dbname=docket user=%s' \
		    "$SOCKETS/pool" "$1"
	else
		dsn "$1"
	fi
}

# In a folder that only the service may enter, and so without passwords. What
# it is told beyond its defaults is what docs/scale-out.md says, but for the
# few connections: most of a suite's requests then change theirs.
pooler_settings() {
	local most=100

	[ "$DEV_POOLER" = session ] || most=6
	printf '"%s" ""\n' docket_api docket_courier |
		write "$STATE/pooler.users" 600 "$USER_APP"
	write "$STATE/pooler.ini" 600 "$USER_APP" <<INI
[databases]
docket = host=$SOCKETS/pg dbname=docket

[pgbouncer]
listen_addr =
unix_socket_dir = $SOCKETS/pool
pidfile = $SOCKETS/pool/pid
unix_socket_mode = 0700
listen_port = 6432
auth_type = trust
auth_file = $STATE/pooler.users
pool_mode = $DEV_POOLER
default_pool_size = $most
max_client_conn = 500
query_wait_timeout = 2
server_login_retry = 1
INI
}

# What cannot be said at the start of a connection; before the pooler makes its
# first one, which would go without for as long as it is kept.
pooler_roles() {
	[ -n "${DEV_POOLER-}" ] || return 0
	psql_as postgres postgres \
	    -c "ALTER ROLE docket_api SET statement_timeout = '1500ms'" \
	    -c "ALTER ROLE docket_api SET lock_timeout = '500ms'" \
	    -c "ALTER ROLE docket_api
		SET idle_in_transaction_session_timeout = '10s'"
}

pooler_ready() {
	[ -S "$SOCKETS/pool/.s.PGSQL.6432" ]
}

pooler_start() {
	[ -n "${DEV_POOLER-}" ] || return 0
	packages_install pgbouncer
	pooler_settings
	spawn pgbouncer "$USER_APP" pgbouncer "$STATE/pooler.ini"
	PID_POOLER=$SPAWNED
	wait_for 60 pooler_ready || {
		show_log "$STATE/log/pgbouncer.log"
		die "PgBouncer did not start" "the lines above say why"
	}
}

# What talks most to the database; --long: all that serves through nginx, but
# what takes the database for its own or measures it.
POOLED="20_otp 32_login 42_sessions 50_tasks 51_conditional 53_order
53_order_races"

# pooled MODE: through PgBouncer.
pooled() {
	local DEV_POOLER=$1 PYTEST_ARGS=() name

	export DEV_POOLER
	if [ -z "$LONG" ]; then
		for name in $POOLED; do
			PYTEST_ARGS+=("$DEV_ROOT/tests/api/$name.py")
		done
	else
		PYTEST_ARGS=("$DEV_ROOT/tests/api")
		# It counts the courier's backends.
		[ "$1" = session ] || PYTEST_ARGS+=(
		    "--ignore=$DEV_ROOT/tests/api/54_courier.py")
	fi
	LONG='' MARK="not alone" api "API by PgBouncer ($1)" "test-pool-$1"
}
