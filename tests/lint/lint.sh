#!/bin/bash
# SPDX-License-Identifier: AGPL-3.0-or-later
# The house's rules, one line a rule: "ok RULE" or "not ok RULE" and why.
# Names in this tree hold no blanks, and sed indents every line:
# shellcheck disable=SC2001,SC2044,SC2046
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1
export LC_ALL=C
status=0

# verdict RULE: standard input is the list of faults.
verdict() {
	local faults

	faults=$(cat)
	if [ -z "$faults" ]; then
		printf 'ok %s\n' "$1"
	else
		printf 'not ok %s\n' "$1"
		sed 's/^/    /' <<<"$faults"
		status=1
	fi
}

sources() {
	find src include -name '*.[ch]' | sort
}

# Which rooms a room's files may include; base is everybody's.
allowed() {
	case $1 in
	base) echo base ;;
	core) echo core base ;;
	store) echo store base ;;
	web) echo web core store base ;;
	api) echo api web core store base ;;
	server) echo server web base ;;
	# of web the JSON reader alone: gateways reply as clients ask
	courier) echo courier web core store base ;;
	# of web the JSON reader alone: an import reads what a request would
	cli) echo cli web core store base ;;
	main) echo server api web core store base ;;
	tbl) echo tbl ;;
	esac
}

room_of() {
	case $1 in
	src/main.c) echo main ;;
	*) cut -d/ -f2 <<<"$1" ;;
	esac
}

include_direction() {
	local file room other

	for file in $(sources); do
		room=$(room_of "$file")
		sed -n 's|^#[ \t]*include "\([a-z]*\)/.*|\1|p' "$file" |
		sort -u | while read -r other; do
			case " $(allowed "$room") tbl " in
			*" $other "*) ;;
			*) echo "$file ($room) includes $other/" ;;
			esac
		done
	done
}

# Own headers carry their room; an include without one is a mistake.
include_names() {
	grep -nE '^#[[:space:]]*include "[^/"]+"' $(sources) |
		grep -v '"config.h"'
}

# One .c each: the door through which a library enters.
doors() {
	local header door users

	while read -r header door; do
		users=$(grep -lE "^#[[:space:]]*include <$header" $(sources) |
		    tr '\n' ' ')
		[ -z "$users" ] || [ "$users" = "$door " ] ||
			echo "<$header> belongs to $door, not: $users"
	done <<'DOORS'
fcgi(app|_config|os) src/web/fcgi.c
(postgresql/)?libpq src/store/db.c
json-c/ src/web/json.c
json\.h src/web/json.c
jwt\.h src/core/token.c
openssl/ src/base/certificate.c src/base/crypto.c src/base/pair.c
sodium src/core/password.c
argon2 src/core/argon2.c
crypt\.h src/core/bcrypt.c
confuse src/base/settings.c
uni(norm|case|str|ctype|types) src/core/names.c
curl/ src/courier/net.c
DOORS
}

spdx() {
	local file

	find src include man tests sql nginx systemd fail2ban dev dev.d bench \
	    configure.ac Makefile.am autogen.sh -type f \
	    ! -path '*/seeds/*' ! -name '*.pyc' ! -name '*.json' | sort |
	while read -r file; do
		head -n 2 "$file" | grep -q \
		    'SPDX-License-Identifier: AGPL-3.0-or-later' ||
			echo "$file: no SPDX line"
	done
}

# A sentence about the file's job follows.
job_line() {
	local file

	for file in $(find src -name '*.c'); do
		sed -n 2p "$file" | grep -qE '^/\*' || echo "$file: line 2"
	done
}

# Tables are excepted: the rows of tbl, and the cases of a test.
file_length() {
	local file n

	for file in $(sources) dev autogen.sh $(find tests/lib tests/lint \
	    dev.d bench sql -name '*.[ch]' -o -name '*.sh' -o -name '*.sql'); do
		case $file in
		include/tbl/*) continue ;;
		esac
		n=$(wc -l <"$file")
		[ "$n" -le 400 ] || echo "$file: $n lines"
	done
}

# "LINES NESTING FILE:LINE" of every function. The style makes it readable by
# lines: the braces of a function stand alone in the first column, and a tab
# is a level.
functions() {
	awk 'FNR == 1 { inside = 0 }
	    /^{$/ { inside = 1; first = FNR; deep = 0; next }
	    inside && /^}/ {
		print FNR - first - 1, deep, FILENAME ":" first - 1
		inside = 0
		next
	    }
	    inside {
		match($0, /^\t*/)
		level = RLENGTH - 1
		if (/^\t*( |\/\*|\*)/) level = 0
		if (level > deep) deep = level
	    }' $(find src -name '*.c' | sort)
}

function_length() {
	functions | awk '$1 > 70 { print $3 ": " $1 " lines" }'
}

# percentile P COLUMN
percentile() {
	functions | sort -n -k "$2,$2" | awk -v p="$1" -v c="$2" '{ v[NR] = $c }
	    END { i = int(NR * p / 100 + 0.999); print v[i < 1 ? 1 : i] + 0 }'
}

figures() {
	local median p90 deep

	median=$(percentile 50 1)
	p90=$(percentile 90 1)
	deep=$(percentile 90 2)
	printf 'functions: %d, median %d lines, p90 %d, longest %d, nesting p90 %d\n' \
	    "$(functions | wc -l)" "$median" "$p90" "$(percentile 100 1)" \
	    "$deep" >&2
	[ "$median" -le 17 ] || echo "median $median lines, at most 17"
	[ "$p90" -le 60 ] || echo "p90 $p90 lines, at most 60"
	[ "$deep" -le 3 ] || echo "nesting p90 $deep, at most 3"
}

# No struct is typedef'd and no type ends in _t of ours.
types() {
	grep -nE '^[[:space:]]*typedef[[:space:]]+(struct|union|enum)' $(sources)
}

# What poolers, fail-over and a table split by owner rely on: tests/lint/sql.py.
sql() {
	PYTHONDONTWRITEBYTECODE=1 /usr/bin/python3 tests/lint/sql.py "$1" 2>&1
}

# Every row of the route table has a handler and an own operation id.
operations() {
	sed -n 's/^ROUTE(.*, "\([A-Za-z0-9]*\)", "[^"]*")$/\1/p' \
	    include/tbl/routes.h | sort | uniq -d
}

shell_syntax() {
	local file

	for file in dev dev.d/*.sh tests/lint/lint.sh autogen.sh \
	    share/completion.bash; do
		bash -n "$file" 2>&1
	done
}

include_direction | verdict "rooms include only what they may"
include_names | verdict "includes carry their room"
doors | verdict "each library has one door"
spdx | verdict "SPDX lines"
job_line | verdict "each source says its job"
file_length | verdict "files have at most 400 lines"
function_length | verdict "functions have at most 70 lines"
figures | verdict "the house's figures"
types | verdict "no typedef'd structs"
sql literal | verdict "SQL is literal"
sql owner | verdict "SQL on tasks names their owner"
sql session | verdict "SQL leaves nothing in the session"
sql enums | verdict "no enum types"
sql listen | verdict "only the courier listens"
sql bites | verdict "the rules for SQL find what they are for"
operations | verdict "operation ids are unique"
shell_syntax | verdict "shell scripts parse"
exit "$status"
