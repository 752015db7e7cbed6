/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* What the settings on the gate for other sites must be. */
#include <string.h>
#include <strings.h>

#include "base/settings_row.h"

#define ALNUM "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

static size_t
fault(struct setting_fault v[], size_t n, size_t row, const char *what)
{
	v[n] = (struct setting_fault){ row, what };
	return n + 1;
}

size_t
settings_gate_faults(const struct settings *s,
    struct setting_fault ret[SETTINGS_GATE_FAULTS])
{
	const char *name = s->auth_gate_cookie, *domain = s->auth_gate_domain;
	size_t n = 0;

	if (name[strspn(name, ALNUM "_-")])
		n = fault(ret, n, SETTING_ROW_auth_gate_cookie,
		    "must be letters, digits, _ and -");
	if (domain[strspn(domain, ALNUM ".-")] || domain[0] == '.')
		n = fault(ret, n, SETTING_ROW_auth_gate_domain,
		    "must be a domain such as example.org");
	/* Browsers drop such a cookie (RFC 6265bis 4.1.3.2). */
	if (*domain && strncasecmp(name, "__Host-", 7) == 0)
		n = fault(ret, n, SETTING_ROW_auth_gate_domain,
		    "needs an auth.gate_cookie without __Host-");
	if (!settings_dev(s) && s->limits_checks_user == 0)
		n = fault(ret, n, SETTING_ROW_limits_checks_user,
		    "= 0 is only for profile = dev");
	return n;
}
