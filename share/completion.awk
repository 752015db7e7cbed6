# SPDX-License-Identifier: AGPL-3.0-or-later
# The table of commands (docket --commands) as a completion for bash.
BEGIN { FS = "\t"; q = "\"" }

# What the cases match: "noun verb".
function name() { return noun " " verb }

$1 == "noun" {
	noun = listed[++m] = $2
	verb = ""
	nouns = nouns " " noun
}

$1 == "command" {
	verb = $2
	if (verb != "")
		verbs[noun] = verbs[noun] " " verb
	kind = $3 ~ /FILE/ ? "file" : $3 ~ /DIR/ ? "dir" : ""
	if (kind != "")
		words = words sprintf("\t%s) echo %s ;;\n", q name() q, kind)
	order[++n] = name()
}

$1 == "option" {
	spelt = $2 ($3 == "" ? "" : "|" $3)
	if ($5 != "flag" && !seen[$2]++)
		takers = takers (takers == "" ? "" : "|") spelt
	if (noun == "")
		common = common " " $2
	else
		options[name()] = options[name()] " " $2
	if ($5 != "flag") {
		pattern = noun == "" ? "*" q " " $2 q : q name() " " $2 q
		if ($3 != "")
			pattern = pattern "|" (noun == "" ? \
			    "*" q " " $3 q : q name() " " $3 q)
		gsub(/\|/, " ", $6)
		values = values sprintf("\t%s) echo %s ;;\n", pattern, \
		    q ($5 == "choice" ? $6 : "<" $5 ">") q)
	}
}

END {
	print "# SPDX-License-Identifier: AGPL-3.0-or-later"
	print "# Completion of docket for bash, made from its table of commands."
	print "\n_docket_verbs() {\n\tcase $1 in"
	for (i = 1; i <= m; i++)
		if (verbs[listed[i]] != "")
			printf "\t%s) echo %s ;;\n", listed[i], \
			    q substr(verbs[listed[i]], 2) q
	print "\tesac\n}"
	print "\n_docket_options() {\n\tcase $1 in"
	for (i = 1; i <= n; i++)
		if (options[order[i]] != "")
			printf "\t%s) echo %s ;;\n", q order[i] q, \
			    q substr(options[order[i]], 2) q
	printf "\tesac\n\techo %s\n}\n", q substr(common, 2) q
	print "\n# What a command's words are: files, folders or neither."
	printf "_docket_words() {\n\tcase $1 in\n%s\tesac\n}\n", words
	print "\n# The choices of an option's value, or <its kind>."
	printf "_docket_values() {\n\tcase $1 in\n%s\tesac\n}\n", values
	printf "\n_docket_takes() {\n\tcase $1 in\n\t%s) return 0 ;;\n" \
	    "\tesac\n\treturn 1\n}\n\n_docket_nouns=%s\n", takers, \
	    q substr(nouns, 2) q
}
