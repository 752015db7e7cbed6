/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* All the templates there are: shipped ones, and the sysadmin's over them. */
#ifndef DOCKET_COURIER_TEMPLATES_H
#define DOCKET_COURIER_TEMPLATES_H

#include <stdio.h>

#include "base/settings.h"
#include "courier/letter.h"

/* A shipped file, built in: made from share/templates. */
struct template_file {
	const char *name;	/* otp.<channel>.<language>.txt */
	struct text text;
};

extern const struct template_file templates_shipped[];
extern const size_t templates_shipped_n;

struct templates;

/*
 * The shipped ones and those of courier.template_dir, where a file of the same
 * name wins and another language joins. All are checked, and every text
 * message is measured with the longest code and the host: more than
 * courier.sms_segments is a fault, as is a courier.language that a channel
 * does not have. Faults go to `errors`, all of them; then, or without memory,
 * NULL. The settings must outlive the result.
 */
struct templates *templates_load(const struct settings *settings,
    FILE *errors);
void templates_free(struct templates *templates);	/* NULL-safe */

/*
 * Word a letter whose channel, purpose and code are set, in the first language
 * of the list (core/language.h) that there is: sets subject, text, language
 * and size.
 */
void templates_word(const struct templates *templates, struct arena *mem,
    struct text languages, struct letter *letter);

#endif
