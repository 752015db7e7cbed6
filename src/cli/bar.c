/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Draws how far long work is. */
#include "cli/bar.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#define BAR 30

void
bar_show(off_t done, off_t size, const char *fmt, ...)
{
	int filled;
	va_list ap;

	if (!isatty(STDERR_FILENO))
		return;
	fputc('\r', stderr);
	if (size > 0) {
		done = done < size ? done : size;
		filled = (int)(done * BAR / size);
		fprintf(stderr, "[%.*s%*s] %3d %%  ", filled,
		    "##############################", BAR - filled, "",
		    (int)(done * 100 / size));
	}
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
}

void
bar_clear(void)
{
	if (isatty(STDERR_FILENO))
		fputs("\r\033[K", stderr);
}

void
bar_end(void)
{
	if (isatty(STDERR_FILENO))
		fputc('\n', stderr);
}
