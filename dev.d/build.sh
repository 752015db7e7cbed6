# SPDX-License-Identifier: AGPL-3.0-or-later
# Out-of-tree builds in .dev; nothing is made again that is up to date.
# shellcheck shell=bash

JOBS=${DEV_JOBS:-$(nproc)}

# configure is made again only when its inputs or the list of files changed.
autogen_needed() {
	local made=$DEV_ROOT/configure input

	[ -e "$made" ] && [ -e "$DEV_ROOT/Makefile.in" ] || return 0
	for input in configure.ac Makefile.am sources.am autogen.sh; do
		[ ! "$DEV_ROOT/$input" -nt "$DEV_ROOT/Makefile.in" ] || return 0
	done
	return 1
}

# build_tree DIR TARGETS CONFIGURE-ARGUMENTS...
build_tree() {
	local dir=$1 targets=$2 wanted
	shift 2
	wanted="$* CC=${CC-} CFLAGS=${CFLAGS-}"

	set -e
	"$DEV_ROOT/autogen.sh" --list
	if autogen_needed; then
		"$DEV_ROOT/autogen.sh"
		# autoreconf leaves what would not change as it was.
		touch "$DEV_ROOT/aclocal.m4" "$DEV_ROOT/configure" \
		    "$DEV_ROOT/Makefile.in"
	fi
	mkdir -p "$dir"
	cd "$dir"
	if [ ! -e Makefile ] || [ "$DEV_ROOT/configure" -nt config.status ] ||
	    [ "$(cat configured 2>/dev/null)" != "$wanted" ]; then
		"$DEV_ROOT/configure" --enable-werror "$@"
		printf '%s\n' "$wanted" >configured
	fi
	# shellcheck disable=SC2086
	make -j"$JOBS" $targets
}

# The trees share the sources' configure: one at a time.
build_locked() {
	exec 8>"$DEV_HOME/build.lock"
	flock 8
	build_tree "$@" 8>&-
}

# build NAME TARGETS CONFIGURE-ARGUMENTS...
build() {
	local name=$1 log
	shift

	BUILD=$DEV_HOME/$name
	# The suite that runs has built it: no test waits for another tree.
	[ "${DEV_BUILT-}" != "$BUILD" ] || return 0
	log=$DEV_HOME/$name${LANE:+-$LANE}.log
	step "Compiling ($name)" "$log" \
	    "mend what the compiler says above, then again; all of it: $log" \
	    build_locked "$BUILD" "$@"
}

# What runs. DEV_SANITIZE=1: the same under ASan and UBSan. DEV_COVERAGE=1:
# the same with gcov's counters.
build_programs() {
	local targets=${1:-docketd docket-courier docket page/made}

	if [ -n "${DEV_SANITIZE-}" ]; then
		CFLAGS='-g -O1' build build-asan "$targets" --enable-asan \
		    --enable-ubsan
	elif [ -n "${DEV_COVERAGE-}" ]; then
		CFLAGS='-g -O0' build build-coverage "$targets" --enable-coverage
	else
		build build "$targets"
	fi
}

dev_build() {
	[ $# -eq 0 ] || die "build takes no arguments" "./dev help"
	state_open
	# shellcheck disable=SC2086
	packages_install $PACKAGES_RUN
	build_programs
	say "Programs: $BUILD/docketd docket-courier docket"
}
