# SPDX-License-Identifier: AGPL-3.0-or-later
# The table of routes (docketd --routes) for docket-api(7).

BEGIN {
	who["public"] = "anybody"
	who["user"] = "a user"
	who["admin"] = "an admin"
	who["admin-or-key"] = "an admin, or an API key of an application"
}

# method, path, access, group, operation, canonical, scope, summary
{
	summary = $0
	for (i = 1; i <= 7; i++)
		sub(/^ *[^ ]+ +/, "", summary)
	for_whom = who[$3] ($7 == "-" ? "" : "; scope " $7)
	printf ".TP\n%s (%s)\n%s\n%s\n", bold($1 " " $2), $5, \
	    sentence(summary), sentence("For " for_whom)
	if ($6 != "-")
		print sentence("An old name of " $6)
}
