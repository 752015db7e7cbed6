# SPDX-License-Identifier: AGPL-3.0-or-later
# The shipped templates, as C: a row a file (include/courier/templates.h).
BEGIN {
	print "/* Made from share/templates; not edited. */"
	print "#include \"courier/templates.h\""
	print ""
	print "const struct template_file templates_shipped[] = {"
}
FNR == 1 {
	name = FILENAME
	sub(/.*\//, "", name)
	printf "%s\t{ \"%s\", TEXT_INIT(", n++ ? "\n\t) },\n" : "", name
}
{
	gsub(/\\/, "\\\\")
	gsub(/"/, "\\\"")
	printf "\n\t\t\"%s\\n\"", $0
}
END {
	if (!n)
		exit 1
	printf "\n\t) },\n};\n\nconst size_t templates_shipped_n = %d;\n", n
}
