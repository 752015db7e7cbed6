# SPDX-License-Identifier: AGPL-3.0-or-later
# The list of common passwords, a line each and sorted, as C: one run of bytes
# and where each begins (include/core/common.h). Refuses what is out of order.
BEGIN {
	print "/* Made from share/common-passwords.txt.gz; not edited. */"
	print "#include \"core/common.h\""
	print ""
	print "const char common_words[] ="
}
/^#/ { next }
n > 0 && ($0 "") <= (last "") {
	print "out of order: " $0 >"/dev/stderr"
	exit failed = 1
}
/["\\?]/ || length($0) < 8 {
	print "cannot stand here: " $0 >"/dev/stderr"
	exit failed = 1
}
{
	last = $0
	at[n++] = bytes
	bytes += length($0)
	printf "\t\"%s\"\n", $0
}
END {
	if (failed)
		exit 1
	print ";"
	print ""
	print "const uint32_t common_at[] = {"
	for (i = 0; i < n; i++)
		printf "\t%d,\n", at[i]
	printf "\t%d\n};\n\nconst size_t common_n = %d;\n", bytes, n
}
