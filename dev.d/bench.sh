# SPDX-License-Identifier: AGPL-3.0-or-later
# ./dev bench: an instance of its own with data, and the measurements on it.
# shellcheck shell=bash

PACKAGES_BENCH="wrk python3"

# As production would be, with the limits in force but too high to refuse.
BENCH_SETS=(--set profile=production --set otp.echo=off
	--set sample_routes=off --set limits.otp_sends_client=10
	--set limits.requests_client=100000 --set limits.auth_client=100000
	--set limits.requests_user=10000000
	--set limits.requests_anonymous=10000000
	--set limits.refreshes_session=10000000
	--set limits.checks_user=10000000
	--set limits.login_failures=1000 --set limits.login_client=100000
	--set limits.otp_verify_client=30 --set limits.otp_prefix_hour=50
	--set limits.otp_sms_hour=300 --set limits.otp_email_hour=1000
	--set limits.otp_anomaly=deny
	--set courier.poll_ms=1000)

# What a server with this much to do would be given; durable as ever.
bench_postgres() {
	write "$STATE/pg/postgresql.auto.conf" 600 "$USER_PG" <<-'CONF'
	shared_buffers = '512MB'
	max_wal_size = '8GB'
	checkpoint_timeout = '30min'
	jit = off
	CONF
}

# The hash of a password that is known, from the program that makes them.
bench_seed() {
	set -e
	printf 'correct horse battery staple' |
		docket user add bench --password-file -
	psql_as docket_owner docket -v users="$BENCH_USERS" \
	    -v tasks="$BENCH_TASKS" -v password_of=bench \
	    -f "$DEV_ROOT/bench/sql/seed.sql"
	psql_as postgres docket -c CHECKPOINT
}

# The two programs that the measuring needs, when they are not up to date.
bench_programs() {
	set -e
	local flags="-std=gnu11 -O2 -g -Wall -Wextra -Wconversion -Werror"

	mkdir -p "$PROGRAMS"
	# shellcheck disable=SC2046,SC2086
	"${CC:-gcc}" $flags -I"$DEV_ROOT/include" \
	    -o "$PROGRAMS/statements" "$DEV_ROOT/bench/statements.c" \
	    "$BUILD/libstore.a" "$BUILD/libcore.a" "$BUILD/libbase.a" \
	    $(pkg-config --cflags --libs libpq libsodium libargon2 libcrypto \
	    libconfuse) -lcrypt -lunistring
	# shellcheck disable=SC2086
	"${CC:-gcc}" $flags -o "$PROGRAMS/constant" \
	    "$DEV_ROOT/bench/constant.c"
}

# seed_into DATABASE ARGUMENTS...: with a schema, if it is not there yet.
seed_into() {
	local database=$1 dsn
	shift

	set -e
	dsn="host=$SOCKETS/pg user=docket_owner dbname=$database"
	if [ "$database" != docket ]; then
		psql_as postgres postgres -c "CREATE DATABASE $database
		    OWNER docket_owner ENCODING 'UTF8' TEMPLATE template0"
		docket --set database.owner_dsn="$dsn" migrate \
		    --dir "$DEV_ROOT/sql/migrations"
	fi
	printf 'correct horse battery staple' |
		docket --set database.dsn="${dsn/owner/api}" \
		    user add bench --password-file -
	/usr/bin/python3 -B "$DEV_ROOT/bench/seed_data.py" --dsn "$dsn" \
	    --password-of bench --bulk "$@"
	psql_as postgres "$database" -c CHECKPOINT
}

# Users with 100 tasks each: 100,000 in one database, in the other as many as
# --rows says, of which somebody has a tenth.
bench_seed_scale() {
	seed_into docket --users 1000 --tasks 100
	seed_into docket_large --users $((BENCH_ROWS * 9 / 1000)) \
	    --tasks 100 --big $((BENCH_ROWS / 10))
}

# An instance of its own, its data made anew.
bench_instance() {
	DEV_DIR=$DEV_DIR/bench
	free_port
	state_open
	lock
	[ -z "$(ours)" ] || stop_all
	unlock
	rm -rf "$STATE/pg" "$STATE/conf.d"
	PROGRAMS=$STATE/programs
	step "Compiling (bench)" "$STATE/log/programs.log" \
	    "mend what the compiler says above, then again" bench_programs
	step "Creating the database cluster" "$STATE/log/initdb.log" \
	    "rm -rf $STATE, then again" postgres_make
	bench_postgres
	service_start "${BENCH_SETS[@]}"
	if [ -n "$BENCH_SCALE" ]; then
		step "Writing 100000 and $BENCH_ROWS tasks" \
		    "$STATE/log/seed.log" \
		    "the lines above say what was refused" bench_seed_scale
		return
	fi
	step "Writing $BENCH_USERS users with $BENCH_TASKS tasks each" \
	    "$STATE/log/seed.log" "the lines above say what was refused" \
	    bench_seed
}

# The measuring program in a process group of its own: a signal ends all of it.
bench_python() {
	local status=0

	set -m
	env DEV_DIR="$STATE" DEV_SOCKETS="$SOCKETS" \
	    DEV_PROGRAMS="$PROGRAMS" DEV_SETS="${BENCH_SETS[*]}" PYTHONDONTWRITEBYTECODE=1 /usr/bin/python3 \
	    "$DEV_ROOT/bench/$BENCH_PROGRAM.py" "$@" 9>&- &
	# shellcheck disable=SC2034
	STEP_PID=$!
	set +m
	landed || status=$?
	return "$status"
}

# Millions of rows are gigabytes: they go when they have served.
bench_scale() {
	local status=0

	bench_python "${BENCH_ARGS[@]}" || status=$?
	lock
	stop_all
	unlock
	RUNNING=
	rm -rf "$STATE/pg"
	return "$status"
}

bench_keep() {
	say ""
	say "Docket serves $URL for the bench${BENCH_SPEC:+; $BENCH_SPEC says how to reach it}."
	say "Stop: Enter or Ctrl-C"
	if [ -t 0 ]; then
		read -r _ || true
	else
		sleep infinity &
		FOLLOW=$!
		wait "$FOLLOW" || true
	fi
}

# A report from figures that are there already: nothing needs to run.
bench_again() {
	packages_install python3
	/usr/bin/python3 -B "$DEV_ROOT/bench/bench.py" "$@"
}

bench_options() {
	while [ $# -gt 0 ]; do
		case $1 in
		--report) BENCH_ARGS+=("$1") ;;
		--scale) BENCH_SCALE=1 BENCH_PROGRAM=scale ;;
		--keep) BENCH_KEEP=1 ;;
		--spec | --figures | --peers | --output | --users | --tasks | \
		    --seconds | --rounds | --connections | --workloads | \
		    --rows)
			[ $# -ge 2 ] || die "$1 needs a value" "./dev help"
			bench_option "${1#--}" "$2"
			shift
			;;
		*) die "bench does not know $1" "./dev help" ;;
		esac
		shift
	done
}

bench_option() {
	local value=$2

	case $1 in
	rows)
		[[ $value =~ ^[1-9][0-9]{5,8}$ ]] ||
			die "--rows needs 100000 or more, not $value" \
			    "./dev help"
		;;
	users | tasks | seconds | rounds | connections)
		[[ $value =~ ^[1-9][0-9]{0,6}$ ]] ||
			die "--$1 needs a number, not $value" "./dev help"
		;;
	spec | figures | peers | output) value=$(realpath -m -- "$2") ;;
	esac
	case $1 in
	users) BENCH_USERS=$value ;;
	tasks) BENCH_TASKS=$value ;;
	rows) BENCH_ROWS=$value ;;
	spec) BENCH_SPEC=$value ;;
	figures) BENCH_FIGURES=$value ;;
	esac
	BENCH_ARGS+=("--$1" "$value")
}

dev_bench() {
	BENCH_USERS=1000 BENCH_TASKS=100 BENCH_ARGS=()
	BENCH_SPEC='' BENCH_FIGURES='' BENCH_KEEP=''
	BENCH_SCALE='' BENCH_ROWS=10000000 BENCH_PROGRAM=bench
	bench_options "$@"
	# What ships is measured, whatever else is being tested.
	unset DEV_SANITIZE
	traps
	state_open
	if [ -n "$BENCH_FIGURES" ]; then
		bench_again "${BENCH_ARGS[@]}"
		return
	fi
	# shellcheck disable=SC2086
	packages_install $PACKAGES_RUN $PACKAGES_BENCH
	build_programs
	bench_instance
	if [ -n "$BENCH_SCALE" ]; then
		bench_scale
		return
	fi
	bench_python "${BENCH_ARGS[@]}"
	[ -z "$BENCH_KEEP" ] || bench_keep
}
