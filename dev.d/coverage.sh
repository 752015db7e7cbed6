# SPDX-License-Identifier: AGPL-3.0-or-later
# What the tests reach: lines and branches by room, in a tree of its own.
# shellcheck shell=bash

# Every program writes its counts at its end, under whatever account it has by
# then: the files are there before, empty and open to all.
coverage_clear() {
	local note

	find "$BUILD" -name '*.gcno' | while read -r note; do
		: >"${note%.gcno}.gcda"
		chmod 666 "${note%.gcno}.gcda"
	done
}

# The suites that count, then the sums; tests/coverage.py has the limits.
coverage() {
	export DEV_COVERAGE=1
	build_programs "all check-programs"
	coverage_clear
	programs "unit for coverage" tests/unit
	programs "store for coverage" tests/store
	LONG='' api "API for coverage" test-coverage
	part coverage
	coverage_judge
	unset DEV_COVERAGE
	build_programs "all check-programs"
}

coverage_judge() {
	local log=$DEV_HOME/test-logs/coverage.log

	/usr/bin/python3 -B "$DEV_ROOT/tests/lib/coverage.py" "$BUILD" \
	    >"$log" 2>&1 || true
	cat "$log"
	count coverage "$(grep -c '^ok ' "$log" || true)" \
	    "$(grep -c '^not ok ' "$log" || true)" 0
}
