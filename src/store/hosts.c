/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Lists of hosts, turned, so that a silent one is not always the first. */
#include "store/hosts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static unsigned
count(const char *list)
{
	unsigned n = 1;

	for (const char *s = list; s && *s; s++)
		n += *s == ',';
	return n;
}

unsigned
hosts_count(const struct hosts *h)
{
	unsigned hosts = count(h->host), addresses = count(h->hostaddr);

	return hosts > addresses ? hosts : addresses;
}

/* Behind the comma that ends item from - 1. */
static const char *
item(const char *list, unsigned from)
{
	for (; from > 0; from--)
		list = strchr(list, ',') + 1;
	return list;
}

/* Into *at, which moves on behind the NUL. */
static const char *
turn(const char *list, unsigned from, char **at)
{
	char *out = *at;
	const char *first;
	size_t head;

	if (!list)
		return NULL;
	first = item(list, from % count(list));
	head = (size_t)(first - list);
	/* The comma before `first` goes to the other end. */
	*at += sprintf(out, "%s%s%.*s", first, head ? "," : "",
	    head ? (int)head - 1 : 0, list) + 1;
	return out;
}

static size_t
size(const char *list)
{
	return list ? strlen(list) + 1 : 0;
}

bool
hosts_from(const struct hosts *h, unsigned from, struct hosts *ret,
    char **ret_text)
{
	char *at = malloc(size(h->host) + size(h->hostaddr) + size(h->port) +
	    1);

	if (!at)
		return false;
	*ret_text = at;
	ret->host = turn(h->host, from, &at);
	ret->hostaddr = turn(h->hostaddr, from, &at);
	ret->port = turn(h->port, from, &at);
	return true;
}
