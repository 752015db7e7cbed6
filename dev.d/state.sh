# SPDX-License-Identifier: AGPL-3.0-or-later
# Where the state lives, who owns what in it, its keys and its settings.
# shellcheck shell=bash

DEV_DIR=${DEV_DIR:-$DEV_ROOT/.dev}
DEV_PORT=${DEV_PORT:-8443}
ME=$(id -un)
AS_ROOT=
[ "$(id -u)" -ne 0 ] || AS_ROOT=1

# Three accounts when root: nginx's workers, the service, the database. One
# when not.
if [ -n "$AS_ROOT" ]; then
	USER_FRONT=www-data USER_APP=nobody USER_PG=postgres
	GROUP_FRONT=www-data GROUP_APP=nogroup
else
	USER_FRONT=$ME USER_APP=$ME USER_PG=$ME
	GROUP_FRONT=$(id -gn) GROUP_APP=$(id -gn)
fi

hash_of() {
	printf '%s' "$1" | sha256sum | cut -c1-12
}

# A directory of ours under a folder that everybody may write.
private_dir() {
	mkdir -m 0755 "$1" 2>/dev/null || true
	if [ -L "$1" ] || [ ! -d "$1" ] || [ ! -O "$1" ]; then
		die "$1 exists and is not ours" "remove it, or set DEV_DIR"
	fi
}

# May the accounts that root hands over to walk to this directory?
reachable() {
	setpriv --reuid=65534 --regid=65534 --clear-groups \
	    test -x "$1" 2>/dev/null
}

# home_of DIR: DIR made, as a real path. Root's own folders (/root is 0700)
# are closed to the database and to nginx: then DIR is a link to a directory
# under /var/tmp.
home_of() {
	local dir=$1 real

	if [ -L "$dir" ] && [ ! -e "$dir" ]; then
		rm -f "$dir"
	fi
	mkdir -p "$(dirname "$dir")"
	if [ -n "$AS_ROOT" ] && [ ! -e "$dir" ] &&
	    ! reachable "$(cd "$(dirname "$dir")" && pwd -P)"; then
		real=/var/tmp/docket-$(hash_of "$dir")
		private_dir "$real"
		ln -s "$real" "$dir"
	fi
	mkdir -p "$dir" 2>/dev/null ||
		die "cannot write $dir" "set DEV_DIR to a folder of yours"
	(cd "$dir" && pwd -P)
}

# The directories, and the variables that name them.
state_open() {
	DEV_HOME=$(home_of "$DEV_ROOT/.dev")
	STATE=$(home_of "$DEV_DIR")
	if [ -e "$STATE/owner" ] && [ "$(cat "$STATE/owner")" != "$ME" ]; then
		die "$STATE belongs to $(cat "$STATE/owner"), you are $ME" \
		    "run as that user, or: rm -rf $STATE"
	fi
	mkdir -p "$STATE/log" "$STATE/run"
	printf '%s\n' "$ME" >"$STATE/owner"
	if [ -n "$AS_ROOT" ]; then
		chmod 755 "$STATE" "$STATE/log" "$STATE/run"
		reachable "$STATE" || die \
		    "$STATE cannot be reached by the accounts of the database and nginx" \
		    "set DEV_DIR to a folder that others may enter, such as /var/tmp/docket"
	else
		chmod 700 "$STATE"
	fi
	# A Unix socket's path has at most 107 bytes.
	SOCKETS=$STATE/sock
	if [ "${#SOCKETS}" -gt 80 ]; then
		SOCKETS=/tmp/docket-$(hash_of "$STATE")
	fi
	URL=https://localhost:$DEV_PORT
}

own() {
	[ -z "$AS_ROOT" ] || chown "$@"
}

sockets_make() {
	case $SOCKETS in
	/tmp/*) private_dir "$SOCKETS" ;;
	esac
	mkdir -p "$SOCKETS/pg" "$SOCKETS/app" "$SOCKETS/pool"
	own "$USER_PG" "$SOCKETS/pg"
	own "$USER_APP:$GROUP_FRONT" "$SOCKETS/app"
	own "$USER_APP" "$SOCKETS/pool"
	chmod 755 "$SOCKETS" "$SOCKETS/pg"
	chmod 750 "$SOCKETS/app"
	chmod 700 "$SOCKETS/pool"
}

sockets_remove() {
	rm -rf "${SOCKETS:?}/app" "$SOCKETS/pg" "$SOCKETS/pool"
	rmdir "$SOCKETS" 2>/dev/null || true
}

# write FILE MODE OWNER: standard input into FILE, never half, never open to
# others for a moment.
write() {
	local new=$1.new

	rm -f "$new"
	(umask 077 && cat >"$new")
	own "$3" "$new"
	chmod "$2" "$new"
	mv -f "$new" "$1"
}

random_key() {
	openssl rand -base64 32 | tr '+/' '-_' | tr -d '=\n'
}

# The secrets are made once and stay.
keys_make() {
	local dir=$STATE/keys key

	mkdir -p "$dir" "$STATE/spool"
	chmod 711 "$dir"
	own "$USER_APP:$GROUP_APP" "$STATE/spool"
	chmod 750 "$STATE/spool"
	[ -s "$dir/secret.key" ] ||
		random_key | write "$dir/secret.key" 600 "$USER_APP"
	if [ ! -s "$dir/jwt.keys" ] || [ ! -s "$STATE/jwt.json" ]; then
		key=$(random_key)
		printf '{"kid":"dev-%s","alg":"HS256","key":"%s"}\n' \
		    "$(hash_of "$key")" "$key" |
			write "$STATE/jwt.json" 600 "$ME"
		printf 'current dev-%s HS256 %s\n' "$(hash_of "$key")" "$key" |
			write "$dir/jwt.keys" 600 "$USER_APP"
	fi
	if [ ! -s "$STATE/admin.json" ]; then
		rm -f "$dir/admin.done"
		printf '{"username":"admin","password":"%s"}\n' \
		    "$(random_key | cut -c1-24)" |
			write "$STATE/admin.json" 600 "$ME"
	fi
}

# dsn ROLE
dsn() {
	printf 'host=%s dbname=docket user=%s' "$SOCKETS/pg" "$1"
}

# docket.conf of the dev profile: what api.md says that dev relaxes.
settings_make() {
	write "$STATE/docket.conf" 640 "$ME:$GROUP_APP" <<CONF
# Made by ./dev run, anew at each start: use --set or conf.d instead.
profile = "dev"
sample_routes = on

server {
	socket = "$SOCKETS/app/docket.sock"
	auth_socket = "$SOCKETS/app/auth.sock"
	socket_group = "$GROUP_FRONT"
	user = "$([ -z "$AS_ROOT" ] || echo "$USER_APP")"
	public_url = "$URL"
	secret_file = "$STATE/keys/secret.key"
}

database {
	dsn = "$(pooler_dsn docket_api)"
	courier_dsn = "$(pooler_dsn docket_courier)"
	owner_dsn = "$(dsn docket_owner)"
	prepared = "$(pooler_prepared)"
}

auth {
	issuer = "$URL"
	audience = "docket"
	password_blocklist = off
	key_file = "$STATE/keys/jwt.keys"
}

otp {
	echo = on
}

limits {
	requests_user = 0
	requests_anonymous = 0
	checks_user = 0
	refreshes_session = 0
	login_client = 0
	otp_sends_client = 0
	otp_verify_client = 0
	otp_prefix_hour = 0
	otp_sms_hour = 0
	otp_email_hour = 0
	otp_anomaly = "record"
	requests_client = 0
	auth_client = 0
}

courier {
	spool_dir = "$STATE/spool"
	poll_ms = 200
}
CONF
	printf '%s\n' "$(dsn docket_api)" | write "$STATE/dsn" 600 "$ME"
	printf '%s\n' "$URL" | write "$STATE/url" 644 "$ME"
}
