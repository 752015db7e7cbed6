# SPDX-License-Identifier: AGPL-3.0-or-later
# The table of errors (docketd --errors) for docket-api(7).

{
	title = $0
	sub(/^ *[^ ]+ +[^ ]+ +/, "", title)
	printf ".TP\n%s (%s)\n%s\n", bold($2), $1, sentence(title)
}
