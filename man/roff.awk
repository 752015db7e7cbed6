# SPDX-License-Identifier: AGPL-3.0-or-later
# What the tables of the manual share: text as roff reads it.

# As it stands, whatever it holds.
function plain(s) {
	gsub(/\\/, "\\e", s)
	gsub(/-/, "\\-", s)
	gsub(/'/, "\\(aq", s)
	gsub(/§/, "\\(sc", s)
	return s
}

function bold(s) { return "\\fB" plain(s) "\\fR" }

# Lines of at most 78 columns that begin no request, and a full stop.
function sentence(s,   words, n, i, out, line) {
	if (s !~ /[.?!]$/)
		s = s "."
	n = split(s, words, " ")
	for (i = 1; i <= n; i++) {
		if (line != "" && length(line) + 1 + \
		    length(plain(words[i])) > 78) {
			out = out line "\n"
			line = ""
		}
		line = line (line == "" ? (words[i] ~ /^\./ ? "\\&" : "") \
		    : " ") plain(words[i])
	}
	return out line
}
