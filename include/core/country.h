/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Where a phone number is: its country, its block of numbers. */
#ifndef DOCKET_CORE_COUNTRY_H
#define DOCKET_CORE_COUNTRY_H

#include <stdbool.h>

#include "base/text.h"

/* Numbers in E.164 with the plus, as name_check_phone leaves them. */
struct country {
	struct text prefix;	/* of the number, with the plus */
	struct text name;	/* ISO 3166-1 alpha-2 */
};

/* By the longest prefix of tbl/countries.h (ITU-T E.164, E.164.1, NANP); a
 * number of no country has the prefix "+" and the name "ZZ". */
struct country country_of(struct text phone);

/* Is the number under one of the prefixes of the list "+98, +49"? An entry
 * shorter than the number's country prefix is another country's: "+1" is the
 * United States and Canada, not Jamaica. The empty list has everybody. */
bool country_allowed(struct text phone, const char *list);

/* The number without its last four digits: what one carrier, or one fraud,
 * has in a row. */
struct text country_block(struct text phone);

#endif
