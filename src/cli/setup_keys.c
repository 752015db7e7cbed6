/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Setup: the secret and the key ring. */
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/crypto.h"
#include "cli/setup.h"

static bool
is_there(const char *path)
{
	return access(path, F_OK) == 0;
}

static enum setup_state
keys_look(struct setup *s)
{
	const char *secret, *ring;

	if (!setup_settings(s))
		return setup_say(s, SETUP_TODO, "make the keys");
	secret = s->settings.server_secret_file;
	ring = s->settings.auth_key_file;
	if (is_there(secret) && is_there(ring))
		return setup_say(s, SETUP_DONE, "%s, %s", secret, ring);
	/* It is made first: where it alone is missing, it was lost. */
	if (!is_there(secret) && is_there(ring)) {
		s->next = "docket restore --keys brings it back; if it is lost "
		    "for good, move the key ring away and run this again: "
		    "everybody has to log in anew";
		return setup_say(s, SETUP_FAULT, "%s is gone, %s is there: a "
		    "new one would end every session", secret, ring);
	}
	return setup_say(s, SETUP_TODO, "make%s%s%s%s",
	    is_there(secret) ? "" : " ", is_there(secret) ? "" : secret,
	    is_there(ring) ? "" : " ", is_there(ring) ? "" : ring);
}

static int
secret_make(struct setup *s, const char *path)
{
	uint8_t bytes[32];
	struct text key;
	char *line;
	int error = crypto_random(bytes, sizeof(bytes));

	if (error)
		return setup_fail(s, EX_OSERR, "run this again", "no random "
		    "bytes");
	key = base64url_encode(s->mem, bytes, sizeof(bytes));
	explicit_bzero(bytes, sizeof(bytes));
	line = arena_printf(s->mem, "%.*s\n", TEXT_FMT(key));
	error = file_put(s->mem, path, text_of(line), &s->mode);
	explicit_bzero(line, strlen(line));
	return setup_file_fail(s, path, error);
}

/* The ring gets the secret's owner, by docket key. */
static int
keys_act(struct setup *s)
{
	const char *const words[5] = { "key", "generate" };
	struct tool_end end;
	int status = is_there(s->settings.server_secret_file) ? 0 :
	    secret_make(s, s->settings.server_secret_file);

	if (status || is_there(s->settings.auth_key_file))
		return status;
	if (setup_docket(s, words, TEXT_NONE, &end) == 0)
		return 0;
	return setup_tool_fail(s, "docket key generate", &end,
	    "mend what it says, then run this again");
}

static const struct setup_step steps[] = {
	{ "keys", keys_look, keys_act },
};

const struct setup_part setup_keys = {
	steps, sizeof(steps) / sizeof(steps[0])
};
