# SPDX-License-Identifier: AGPL-3.0-or-later
# The table of settings (docket config list) for docket.conf(5).
BEGIN {
	FS = "\t"
	what["text"] = "text"
	what["path"] = "absolute path"
	what["int"] = "whole number"
	what["count"] = "whole number, or auto"
	what["bool"] = "on or off"
	what["seconds"] = "seconds, or with a unit s, m, h, d"
	what["choice"] = "one of"
}

{
	section = $1 ~ /\./ ? substr($1, 1, index($1, ".") - 1) : ""
	key = section == "" ? $1 : substr($1, length(section) + 2)
	if (section != last) {
		printf ".SS %s\n", section
		last = section
	}
	doc = $6
	kind = what[$2]
	if ($2 == "choice") {
		end = index(doc, "]")
		words = substr(doc, 2, end - 2)
		gsub(/\|/, ", ", words)
		kind = kind " " words
		doc = toupper(substr(doc, end + 2, 1)) substr(doc, end + 3)
	}
	if ($2 == "int" || $2 == "count" || $2 == "seconds")
		kind = kind ", " $4 " to " $5
	else if ($2 == "text" || $2 == "path")
		kind = kind " of at most " $5 " bytes"
	restart = sub(/ *\(restart\)$/, "", doc)
	printf ".TP\n%s (%s; default %s; %s)\n%s\n", bold(key), \
	    plain(kind), $3 == "" ? "empty" : bold($3), \
	    restart || section == "courier" ? \
	    "restart" : "reload", sentence(doc)
}
