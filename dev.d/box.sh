# SPDX-License-Identifier: AGPL-3.0-or-later
# ./dev test --long: the packages on a machine of their own, booted.
# shellcheck shell=bash

PACKAGES_BOX="mmdebstrap systemd-container iproute2 util-linux
piuparts"

# What the tests have printed, of those too that passed.
box_figures() {
	awk '/^=+ PASSES =+$/ { inside = 1; next }
	    /^=+ short test summary/ { inside = 0 }
	    inside && !/^-+ Captured/ { print "    " $0 }' "$1"
}

boxed() {
	if [ -z "$AS_ROOT" ]; then
		REASONS+=("tests/box: a booted container is for root alone")
		SKIPPED=$((SKIPPED + 1))
		return 0
	fi
	# shellcheck disable=SC2086
	packages_install $PACKAGES_DEB $PACKAGES_BOX
	part "packages in a booted box"
	STATE=$DEV_HOME/box MARK='' pytest_run box --long -rP "$DEV_ROOT/tests/box"
	box_figures "$DEV_HOME/test-logs/box.log"
	count "packages in a booted box" "$PROGRAM_P" "$PROGRAM_F" "$PROGRAM_S"
}
