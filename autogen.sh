#!/bin/sh
# SPDX-License-Identifier: AGPL-3.0-or-later
# List the sources in sources.am, so that a new file needs no edit of
# Makefile.am, and make ./configure. --list stops after the list.
# Names in this tree hold no blanks, which find and ls would not survive:
# shellcheck disable=SC2045,SC2046
set -eu
cd "$(dirname "$0")"
LC_ALL=C
export LC_ALL

# Each room is one convenience library; a program's main stays out of it.
room() {
	printf '\nlib%s_a_SOURCES =' "$1"
	for f in src/"$1"/*.c; do
		case $f in
		*'*.c' | src/courier/main.c | src/cli/main.c) continue ;;
		esac
		printf ' \\\n\t%s' "$f"
	done
	printf '\n'
}

# A test links the rooms that the prefix of its name may know, no more.
rooms_of() {
	case $1 in
	base_*) echo BASE ;;
	core_*) echo CORE ;;
	store_*) echo STORE ;;
	web_*) echo WEB ;;
	api_*) echo API ;;
	server_*) echo SERVER ;;
	courier_*) echo COURIER ;;
	cli_*) echo CLI ;;
	*)
		echo "autogen.sh: $1: the name of a test begins with its" \
		    "room: base_, core_, store_, web_, api_, ..." >&2
		exit 1
		;;
	esac
}

# programs VARIABLE LIBS FILE...: each .c is a program of its own.
programs() {
	variable=$1
	libs=$2
	shift 2
	printf '\n%s =' "$variable"
	for f in $(ls "$@" 2>/dev/null); do
		printf ' \\\n\t%s' "${f%.c}"
	done
	printf '\n'
	for f in $(ls "$@" 2>/dev/null); do
		name=$(echo "${f%.c}" | tr -c 'a-zA-Z0-9\n' _)
		rooms=$(rooms_of "$(basename "$f")")
		printf '%s_SOURCES = %s\n' "$name" "$f"
		printf '%s_CPPFLAGS = $(AM_CPPFLAGS) -I$(srcdir)/tests\n' \
		    "$name"
		printf "%s_LDADD = libtest.a \$(%s_LIBS) %s\n" "$name" \
		    "$rooms" "$libs"
	done
}

# files VARIABLE DIR...: whatever lies there, into VARIABLE.
files() {
	printf '\n%s =' "$1"
	shift
	for f in $(find "$@" -type f ! -name '*.pyc' ! -path '*/.*' | sort)
	do
		printf ' \\\n\t%s' "$f"
	done
	printf '\n'
}

list() {
	echo '# Made by autogen.sh: not edited, not committed.'
	for r in base core store web api server courier cli; do
		room "$r"
	done
	files LIBTEST_SOURCES $(ls tests/lib/*.c 2>/dev/null || echo /dev/null)
	programs UNIT_TESTS '$(CMOCKA_LIBS)' tests/unit/*.c tests/store/*.c
	programs FUZZ_TESTS '$(FUZZ_CFLAGS)' tests/fuzz/*.c
	files HEADERS_ALL include
	files MIGRATIONS sql/migrations
	files NGINX_STATIC nginx/*.conf
	files NGINX_EXAMPLES nginx/examples
	files NGINX_TEMPLATES nginx/*.in
	files TEMPLATES share/templates
	files PAGE $(find share/docs -type f ! -name '*.sh')
	files PAGE_TOOLS share/docs/vendor/*.sh
	files UNITS systemd/*.service systemd/*.socket systemd/*.target \
	    systemd/*.timer
	files SYSUSERS systemd/sysusers.d
	files TMPFILES systemd/tmpfiles.d
	files DROP_INS systemd/docket.service.d
	files DEBIAN debian
	files MANUALS man
	files TESTS_EXTRA tests
	files DOCS_EXTRA docs dev.d bench
}

list >sources.am.new
if cmp -s sources.am.new sources.am; then
	rm sources.am.new
else
	mv sources.am.new sources.am
fi
[ "${1-}" = --list ] && exit 0
mkdir -p build-aux
exec autoreconf --install --warnings=all,no-portability
