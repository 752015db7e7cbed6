# SPDX-License-Identifier: AGPL-3.0-or-later
# The table of commands (docket --commands) for docket(1).
BEGIN {
	FS = "\t"
	role["owner"] = "Works as the owner of the database (database.owner_dsn)."
	role["courier"] = "Works as the role docket_courier of the database."
	role["api"] = "Works as the role docket_api of the database."
}

# Placeholders are slanted, what is typed as it stands is not.
function value(s, choice) {
	return choice ? plain(s) : "\\fI" plain(s) "\\fR"
}
function arguments(s,   out, word) {
	while (match(s, /[A-Z]+/)) {
		out = out plain(substr(s, 1, RSTART - 1)) \
		    value(substr(s, RSTART, RLENGTH))
		s = substr(s, RSTART + RLENGTH)
	}
	return out plain(s)
}

function flush() {
	if (usage == "")
		return
	printf ".PP\n%s\n.RS 4\n.PP\n%s%s.RE\n", usage, text, options
	usage = text = options = ""
}

$1 == "noun" {
	flush()
	noun = $2
	printf ".SS docket %s\n%s\n", noun, sentence($3)
}

$1 == "command" {
	flush()
	usage = bold("docket " noun ($2 == "" ? "" : " " $2)) \
	    ($3 == "" ? "" : " " arguments($3))
	text = sentence($6) "\n" ($7 == "" ? "" : sentence($7) "\n") \
	    ($4 in role ? sentence(role[$4]) "\n" : "")
}

$1 == "option" {
	spelt = bold($2) ($5 == "flag" ? "" : " " value($6, $5 == "choice"))
	if (usage != "")
		usage = usage "\n" ($4 == "must" ? spelt : "[" spelt "]") \
		    ($4 == "many" ? "..." : "")
	help = sprintf(".TP\n%s%s\n%s\n", $3 == "" ? "" : bold($3) ", ", \
	    spelt, sentence($7))
	if (noun == "")
		common = common help
	else
		options = options help
}

END {
	flush()
	printf ".SH OPTIONS OF EVERY COMMAND\n%s", common
}
