# SPDX-License-Identifier: AGPL-3.0-or-later
# ./dev seed-data: many accounts with tasks in the instance that runs.
# shellcheck shell=bash

dev_seed_data() {
	local database=()

	case " $* " in
	*" --dsn "* | *" --help "*) ;;
	*)
		state_open
		postgres_ready || die "nothing runs in $STATE" \
		    "./dev run --detach, or --dsn DSN"
		database=(--dsn "$(dsn docket_owner)")
		;;
	esac
	exec /usr/bin/python3 -B "$DEV_ROOT/bench/seed_data.py" \
	    "${database[@]}" "$@"
}
