/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* What a text costs as short messages (3GPP TS 23.038, TS 23.040). */
#ifndef DOCKET_CORE_GSM7_H
#define DOCKET_CORE_GSM7_H

#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"

struct sms_size {
	bool unicode;		/* UCS-2, because a character is not in the
				 * default alphabet or its extension */
	size_t units;		/* septets, or UTF-16 units of 16 bits */
	size_t segments;	/* messages that are sent and paid */
};

/*
 * 160 septets or 70 units fit one message, 153 or 67 each of several (the
 * rest is the header that joins them). A character of the extension table is
 * two septets, one above U+FFFF two units; neither is cut in two. The text
 * must be UTF-8. An empty one is one message.
 */
struct sms_size sms_measure(struct text t);

#endif
