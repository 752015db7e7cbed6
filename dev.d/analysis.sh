# SPDX-License-Identifier: AGPL-3.0-or-later
# Static analysis for ./dev test --long: no finding without a reason.
# shellcheck shell=bash

# The flags that a build tree's Makefile compiles with, as words of a shell.
analysis_flags() {
	local flags='$(DEFS) $(DEFAULT_INCLUDES) $(AM_CPPFLAGS) $(AM_CFLAGS)'

	printf 'include Makefile\nanalysis:\n\t@:$(file >%s,%s)\n' \
	    analysis-flags "$flags -I\$(srcdir)/tests" |
		make -s -C "$BUILD" -f - analysis
}

analysis_sources() {
	# oom.c stands in libc's place, under libc's names.
	find "$DEV_ROOT/src" "$DEV_ROOT/tests" -name '*.c' ! -name oom.c | sort
}

# clang_tidy: a file a line, and below it what was found; .clang-tidy says
# what is looked for.
clang_tidy() {
	set -eo pipefail
	analysis_flags
	analysis_sources | BUILD=$BUILD xargs -P "$JOBS" -I{} bash -c '
		eval "set -- $(cat "$BUILD/analysis-flags")"
		cd "$BUILD"
		found=$(clang-tidy-14 --quiet {} -- "$@" -Wno-error 2>&1) &&
			{ echo "{}"; exit 0; }
		printf "%s\n" "{}" "$found"
		exit 1'
}

# What is not said here stands as "cppcheck-suppress" at its place.
# getpwnam, getgrnam and readdir are not for threads, which Docket has none of.
cpp_check() {
	cd "$DEV_ROOT" && cppcheck -q -j"$JOBS" --std=c11 --inline-suppr \
	    --enable=warning,performance,portability --error-exitcode=1 \
	    --library=posix,gnu --library=tests/lint/cppcheck.cfg \
	    --suppress=getpwnamCalled --suppress=getgrnamCalled \
	    --suppress=readdirCalled -D_GNU_SOURCE -I include -I tests \
	    src tests
}

shell_check() {
	cd "$DEV_ROOT" && shellcheck -x dev autogen.sh dev.d/*.sh \
	    tests/lib/*.sh tests/lint/*.sh \
	    tests/box/*.sh
}

analysis() {
	# shellcheck disable=SC2086
	packages_install $PACKAGES_ANALYSIS
	build_programs "all check-programs"
	check clang-tidy clang_tidy
	check cppcheck cpp_check
	check shellcheck shell_check
}
