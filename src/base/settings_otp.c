/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* What the settings on one-time codes must be together, and in production. */
#include <string.h>

#include "base/settings_row.h"

#define PREFIX_MAX 8		/* with the plus */

/* "+98, +4930": prefixes of phone numbers between commas. */
static bool
is_list(const char *s)
{
	for (s += strspn(s, " "); *s; s += strspn(s, " ")) {
		size_t n = strspn(s + 1, "0123456789") + 1;

		if (s[0] != '+' || n < 2 || n > PREFIX_MAX || s[1] == '0')
			return false;
		s += n;
		s += strspn(s, " ");
		if (*s != ',' && *s != '\0')
			return false;
		s += *s == ',';
	}
	return true;
}

static size_t
fault(struct setting_fault v[], size_t n, size_t row, const char *what)
{
	v[n] = (struct setting_fault){ row, what };
	return n + 1;
}

size_t
settings_otp_faults(const struct settings *s,
    struct setting_fault ret[SETTINGS_OTP_FAULTS])
{
	const struct {
		long value;
		size_t row;
	} limits[] = {
		{ s->limits_otp_verify_client,
		  SETTING_ROW_limits_otp_verify_client },
		{ s->limits_otp_prefix_hour,
		  SETTING_ROW_limits_otp_prefix_hour },
		{ s->limits_otp_sms_hour, SETTING_ROW_limits_otp_sms_hour },
		{ s->limits_otp_email_hour,
		  SETTING_ROW_limits_otp_email_hour },
	};
	const bool dev = settings_dev(s);
	size_t n = 0;

	if (!is_list(s->otp_countries))
		n = fault(ret, n, SETTING_ROW_otp_countries,
		    "must be prefixes such as +98,+49");
	for (size_t i = 0; !dev && i < sizeof(limits) / sizeof(limits[0]); i++)
		if (limits[i].value == 0)
			n = fault(ret, n, limits[i].row,
			    "= 0 is only for profile = dev");
	if (!dev && strcmp(s->limits_otp_anomaly, "deny") != 0)
		n = fault(ret, n, SETTING_ROW_limits_otp_anomaly,
		    "other than deny is only for profile = dev");
	return n;
}
