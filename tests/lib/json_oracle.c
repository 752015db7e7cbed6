/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* json-c's tree and the text it was made from, walked side by side. */
#include "lib/json_oracle.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdlib.h>

#include "web/json_scan.h"

static bool same_value(struct scan *at, struct json_object *json);

static bool
take(struct scan *at, char c)
{
	scan_space(at);
	if (scan_peek(at) != c)
		return false;
	at->at++;
	return true;
}

static bool
same_string(struct scan *at, const char *s, size_t n)
{
	struct text ours;

	scan_space(at);
	return scan_peek(at) == '"' && scan_string(at, &ours) &&
	    text_equal(ours, (struct text){ s, n });
}

/* The token's own digits: no clamping, no rounding of a whole number. */
static bool
same_number(struct scan *at, struct json_object *json)
{
	const size_t from = at->at;
	struct text token;
	char *end;

	if (!scan_scalar(at))
		return false;
	token = arena_text(at->mem, (struct text){ at->s + from,
	    at->at - from });
	if (!json_object_is_type(json, json_type_int))
		return strpbrk(token.s, ".eE") && json_object_get_double(json)
		    == strtod(token.s, NULL);
	errno = 0;
	return json_object_get_int64(json) == strtoll(token.s, &end, 10) &&
	    !*end && errno == 0;
}

static bool
same_word(struct scan *at, const char *word)
{
	const size_t n = strlen(word);

	if (at->n - at->at < n || memcmp(at->s + at->at, word, n) != 0)
		return false;
	at->at += n;
	return true;
}

static bool
same_array(struct scan *at, struct json_object *json)
{
	const size_t n = json_object_array_length(json);

	if (!take(at, '['))
		return false;
	for (size_t i = 0; i < n; i++)
		if ((i && !take(at, ',')) ||
		    !same_value(at, json_object_array_get_idx(json, i)))
			return false;
	return take(at, ']');
}

/* In the order of the text, and none lost: names are there once. */
static bool
same_object(struct scan *at, struct json_object *json)
{
	bool first = true;

	if (!take(at, '{'))
		return false;
	json_object_object_foreach(json, name, value) {
		if ((!first && !take(at, ',')) ||
		    !same_string(at, name, strlen(name)) || !take(at, ':') ||
		    !same_value(at, value))
			return false;
		first = false;
	}
	return take(at, '}');
}

static bool
same_value(struct scan *at, struct json_object *json)
{
	scan_space(at);
	switch (json_object_get_type(json)) {
	case json_type_null:
		return same_word(at, "null");
	case json_type_boolean:
		return same_word(at, json_object_get_boolean(json) ? "true" :
		    "false");
	case json_type_int:
	case json_type_double:
		return same_number(at, json);
	case json_type_string:
		return same_string(at, json_object_get_string(json),
		    (size_t)json_object_get_string_len(json));
	case json_type_array:
		return same_array(at, json);
	case json_type_object:
		return same_object(at, json);
	}
	return false;
}

/* NULL on failure; JSON null is told by *ret_ok. */
static struct json_object *
parse(struct text in, int flags, bool *ret_ok)
{
	struct json_tokener *tokener =
	    json_tokener_new_ex(2 * JSON_DEPTH_MAX);
	struct json_object *json;

	if (!tokener)
		abort();
	json_tokener_set_flags(tokener, flags);
	/* With the NUL behind it, which ends a number at the top. */
	json = json_tokener_parse_ex(tokener, in.s, (int)in.n + 1);
	*ret_ok = json_tokener_get_error(tokener) == json_tokener_success &&
	    json_tokener_get_parse_end(tokener) >= in.n;
	json_tokener_free(tokener);
	return json;
}

static const char *
compare(struct text in, struct arena *mem, struct json_object *json)
{
	struct faults faults = { .n = 0 };
	struct scan at = {
		.s = in.s, .n = in.n, .mem = mem, .faults = &faults,
	};
	struct json_object *again;
	const char *printed;
	bool ok;

	if (!same_value(&at, json))
		return "a value differs from the text";
	printed = json_object_to_json_string_ext(json, JSON_C_TO_STRING_PLAIN);
	if (!json_scan(text_of(printed), mem, &faults))
		return "what json-c prints is refused";
	again = parse(text_of(printed), JSON_TOKENER_STRICT, &ok);
	ok = ok && json_object_equal(json, again);
	json_object_put(again);
	return ok ? NULL : "what json-c prints is another value";
}

const char *
json_oracle(struct text in, struct arena *mem)
{
	struct json_object *json, *strict;
	const char *wrong = NULL;
	struct text plain;
	bool ok;

	/* As the service hands it on; without that, pairs are misread. */
	plain = arena_text(mem, scan_unpaired(in, mem));
	json = parse(plain, 0, &ok);
	if (!ok)
		return "json-c refuses it";
	strict = parse(plain, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8,
	    &ok);
	if (!ok)
		wrong = "json-c refuses it when strict";
	else if (!json_object_equal(json, strict))
		wrong = "strict json-c has another value";
	else
		wrong = compare(in, mem, json);
	json_object_put(strict);
	json_object_put(json);
	return wrong;
}
