# SPDX-License-Identifier: AGPL-3.0-or-later
# A private PostgreSQL cluster: Unix socket only, no password, names by peer.
# shellcheck shell=bash

PG_BIN=/usr/lib/postgresql/15/bin

# as USER COMMAND...: without becoming a child of a tool that waits.
as() {
	local user=$1
	shift

	if [ "$user" = "$ME" ]; then
		"$@"
	else
		setpriv --reuid="$user" --regid="$(id -g "$user")" \
		    --init-groups -- "$@"
	fi
}

# Durable, as production is; room for every worker that auto may start.
# DEV_FSYNC=off is for suites that crash no machine: a process that is killed
# loses nothing by it, and no commit waits for a disk.
postgres_settings() {
	write "$STATE/pg/postgresql.auto.dev.conf" 600 "$USER_PG" <<CONF
listen_addresses = ''
unix_socket_directories = '$SOCKETS/pg'
unix_socket_permissions = 0777
max_connections = $((8 * $(nproc) + 100))
fsync = ${DEV_FSYNC:-on}
synchronous_commit = on
full_page_writes = on
timezone = 'UTC'
log_timezone = 'UTC'
log_line_prefix = '%m [%p] %q%u '
CONF
	write "$STATE/pg/pg_hba.conf" 600 "$USER_PG" <<CONF
local all all peer map=dev
CONF
	{
		local user role
		for user in $(printf '%s\n' "$ME" "$USER_APP" | sort -u); do
			for role in docket_api docket_courier; do
				echo "dev $user $role"
			done
		done
		for user in $(printf '%s\n' "$ME" "$USER_PG" | sort -u); do
			echo "dev $user docket_owner"
			echo "dev $user postgres"
		done
	} | write "$STATE/pg/pg_ident.conf" 600 "$USER_PG"
}

# An empty cluster, as initdb of this very version makes it: kept, so that the
# many instances of the tests are copies.
postgres_empty() {
	local made=$DEV_HOME/initdb new=$DEV_HOME/initdb.new.$$

	[ ! -d "$made" ] || [ ! "$PG_BIN/initdb" -nt "$made" ] || rm -rf "$made"
	[ ! -d "$made" ] || return 0
	rm -rf "$new"
	mkdir -m 700 "$new"
	own "$USER_PG" "$new"
	(
		cd "$new"
		as "$USER_PG" "$PG_BIN/initdb" --pgdata="$new" \
		    --username=postgres --auth=peer --encoding=UTF8 \
		    --locale=C.UTF-8 --data-checksums --no-sync \
		    --no-instructions
	)
	# Whoever was faster has made the same.
	mv -T "$new" "$made" 2>/dev/null || rm -rf "$new"
}

# Into pg.new first: what was interrupted is begun again, never used.
postgres_make() {
	set -e
	postgres_empty
	rm -rf "$STATE/pg.new"
	cp -a "$DEV_HOME/initdb" "$STATE/pg.new"
	echo "include 'postgresql.auto.dev.conf'" \
	    >>"$STATE/pg.new/postgresql.conf"
	[ "${DEV_FSYNC-}" = off ] || sync -f "$STATE/pg.new"
	mv "$STATE/pg.new" "$STATE/pg"
}

psql_as() {
	local role=$1 database=$2
	shift 2

	"$PG_BIN/psql" -X -q -A -t -v ON_ERROR_STOP=1 \
	    -d "host=$SOCKETS/pg user=$role dbname=$database" "$@"
}

postgres_ready() {
	"$PG_BIN/pg_isready" -q -h "$SOCKETS/pg" -d postgres -U postgres
}

postgres_start() {
	[ -s "$STATE/pg/PG_VERSION" ] ||
		step "Creating the database cluster" "$STATE/log/initdb.log" \
		    "rm -rf $STATE/pg $STATE/pg.new, then again" postgres_make
	[ "$(cat "$STATE/pg/PG_VERSION")" = 15 ] ||
		die "$STATE/pg is not of PostgreSQL 15" "rm -rf $STATE/pg"
	postgres_settings
	spawn postgres "$USER_PG" "$PG_BIN/postgres" -D "$STATE/pg"
	PID_PG=$SPAWNED
	wait_for 120 postgres_ready_or_gone
	alive "$PID_PG" || {
		show_log "$STATE/log/postgres.log"
		die "PostgreSQL did not start" \
		    "the lines above say why; rm -rf $STATE/pg forgets all data"
	}
}

postgres_ready_or_gone() {
	postgres_ready || ! alive "$PID_PG"
}

docket() {
	"$BUILD/docket" -c "$STATE/docket.conf" "$@"
}

# The first admin; again when its password here was made anew.
admin_make() {
	local known

	known=$(psql_as docket_owner docket -c "SELECT 1 FROM docket.users
	    WHERE username_key = 'admin'")
	if [ "$known" = 1 ] && [ -e "$STATE/keys/admin.done" ]; then
		return 0
	fi
	sed 's/.*"password":"\([^"]*\)".*/\1/' "$STATE/admin.json" |
		docket user add admin --admin ${known:+--update} \
		    --password-file -
	: >"$STATE/keys/admin.done"
}

# The fixed key of the seed clients; production takes none of its kind.
apikey_make() {
	docket apikey add --application seed-client --if-absent \
	    --scopes tasks:read,tasks:write,account --insecure-value 123456
}

# Roles, database, schema, admin: all of it may be there already.
schema_make() {
	set -e
	psql_as postgres postgres -f "$DEV_ROOT/sql/roles.sql"
	pooler_roles
	[ "$(psql_as postgres postgres -c \
	    "SELECT 1 FROM pg_database WHERE datname = 'docket'")" = 1 ] ||
		psql_as postgres postgres -c "CREATE DATABASE docket
		    OWNER docket_owner ENCODING 'UTF8' TEMPLATE template0"
	docket migrate --dir "$DEV_ROOT/sql/migrations"
	admin_make
	apikey_make >/dev/null
}
