/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Loads the templates, checks them with the settings, words letters. */
#include "courier/templates.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/language.h"
#include "courier/template.h"
#include "courier/ttl.h"

#define CODE_LONGEST "0000000000"
#define NAME_CHARS 64

enum { SMS, EMAIL, CHANNELS };

static const char *const channels[CHANNELS] = { "sms", "email" };

struct entry {
	char name[NAME_CHARS];	/* of the file, for faults */
	struct text tag;	/* in name, in lower case */
	char *own;		/* its bytes, when it is not built in */
	struct text file;
	struct template template;
};

struct channel {
	struct entry *v;
	struct text *tags;	/* beside v, for the lookup */
	size_t n, otherwise;
};

struct templates {
	const struct settings *settings;
	struct channel channels[CHANNELS];
};

struct load {
	struct templates *to;
	FILE *errors;
	unsigned faults;
	bool no_memory;
};

/* "otp.<channel>.<language>.txt"; false for anything else. */
static bool
name_read(const char *name, size_t *ret_channel, struct text *ret_tag)
{
	const char *dot, *s = name + 4;
	size_t n = strlen(name);

	if (n < 4 + 4 || n >= NAME_CHARS || strncmp(name, "otp.", 4) != 0 ||
	    strcmp(name + n - 4, ".txt") != 0)
		return false;
	dot = strchr(s, '.');
	for (size_t c = 0; c < CHANNELS; c++) {
		if (!text_is((struct text){ s, (size_t)(dot - s) },
		    channels[c]) || dot + 1 > name + n - 4)
			continue;
		*ret_channel = c;
		*ret_tag = (struct text){ dot + 1,
		    (size_t)(name + n - 4 - dot - 1) };
		for (size_t i = 0; i < ret_tag->n; i++)
			if (ret_tag->s[i] >= 'A' && ret_tag->s[i] <= 'Z')
				return false;
		return language_is_tag(*ret_tag);
	}
	return false;
}

/* The entry of that name, made when there is none; NULL: no memory. */
static struct entry *
entry_of(struct channel *channel, const char *name)
{
	struct entry *more;
	size_t i = 0;

	while (i < channel->n && strcmp(channel->v[i].name, name) != 0)
		i++;
	if (i < channel->n)
		return &channel->v[i];
	more = reallocarray(channel->v, i + 1, sizeof(*more));
	if (!more)
		return NULL;
	channel->v = more;
	channel->n++;
	more[i] = (struct entry){ .own = NULL };
	snprintf(more[i].name, sizeof(more[i].name), "%s", name);
	return &more[i];
}

/* own: malloc'ed, or NULL for what is built in. */
static void
add(struct load *load, const char *name, struct text file, char *own)
{
	struct text tag;
	struct entry *entry = NULL;
	size_t channel;

	if (name_read(name, &channel, &tag))
		entry = entry_of(&load->to->channels[channel], name);
	if (!entry) {
		load->no_memory = true;
		free(own);
		return;
	}
	free(entry->own);
	entry->own = own;
	entry->file = file;
}

/* The whole file, or what the fault is. */
static char *
file_read(const char *dir, const char *name, size_t *ret_n, const char **why)
{
	char path[4096 + 256], *bytes = malloc(TEMPLATE_FILE_MAX + 1);
	ssize_t got = 0;
	struct stat st;
	size_t n = 0;
	int fd;

	*why = NULL;
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 || !bytes || fstat(fd, &st) < 0)
		*why = strerror(errno);
	else if (!S_ISREG(st.st_mode))
		*why = "is not a file";
	while (!*why && n <= TEMPLATE_FILE_MAX && (got = read(fd, bytes + n,
	    TEMPLATE_FILE_MAX + 1 - n)) > 0)
		n += (size_t)got;
	if (got < 0)
		*why = strerror(errno);
	if (fd >= 0)
		close(fd);
	*ret_n = n;
	if (!*why)
		return bytes;
	free(bytes);
	return NULL;
}

/* Not everything in the folder is ours: what looks like ours must be. */
static int
looks_ours(const struct dirent *entry)
{
	size_t n = strlen(entry->d_name);

	return n > 8 && strncmp(entry->d_name, "otp.", 4) == 0 &&
	    strcmp(entry->d_name + n - 4, ".txt") == 0;
}

static void
add_own(struct load *load, const char *dir, const char *name)
{
	const char *why = NULL;
	struct text tag;
	char *bytes = NULL;
	size_t channel, n = 0;

	if (!name_read(name, &channel, &tag))
		why = "is not otp.<sms or email>.<language>.txt, in lower "
		    "case";
	else
		bytes = file_read(dir, name, &n, &why);
	if (why) {
		fprintf(load->errors, "%s/%s: %s\n", dir, name, why);
		load->faults++;
		return;
	}
	add(load, name, (struct text){ bytes, n }, bytes);
}

static void
add_folder(struct load *load, const char *dir)
{
	struct dirent **entries;
	int n = scandir(dir, &entries, looks_ours, alphasort);

	if (n < 0) {
		fprintf(load->errors, "courier.template_dir: \"%s\": %s\n", dir,
		    strerror(errno));
		load->faults++;
		return;
	}
	for (int i = 0; i < n; i++) {
		add_own(load, dir, entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
}

static void
values_fill(const struct settings *s, struct arena *mem, struct text tag,
    struct text code, struct text ret[TEMPLATE_VARS])
{
	ret[TEMPLATE_CODE] = code;
	ret[TEMPLATE_TTL] = ttl_word(mem, tag, s->otp_ttl);
	ret[TEMPLATE_MINUTES] = text_of(arena_printf(mem, "%ld",
	    s->otp_ttl / 60));
	ret[TEMPLATE_SECONDS] = text_of(arena_printf(mem, "%ld", s->otp_ttl));
	ret[TEMPLATE_SERVICE] = text_of(s->courier_service_name);
	ret[TEMPLATE_HOST] = letter_host(s->server_public_url);
}

/* One wording as it will be sent. */
static void
word(const struct settings *s, struct arena *mem, const struct entry *entry,
    size_t purpose, struct letter *letter)
{
	const struct template_part *part = &entry->template.parts[purpose];
	struct text values[TEMPLATE_VARS];

	values_fill(s, mem, entry->tag, letter->code, values);
	letter->language = entry->tag;
	letter->subject = TEXT_NONE;
	letter->size = (struct sms_size){ .segments = 0 };
	letter->text = template_fill(mem, part->text, values);
	if (part->subject.s) {
		letter->subject = template_fill(mem, part->subject, values);
		return;
	}
	letter->text = letter_bound(mem, letter->text, values[TEMPLATE_HOST],
	    letter->code);
	letter->size = sms_measure(letter->text);
}

static void
measure(struct load *load, struct arena *mem, const struct entry *entry)
{
	const struct settings *s = load->to->settings;
	struct letter letter = { .code = TEXT(CODE_LONGEST) };

	letter.code.n = (size_t)s->otp_length < letter.code.n ?
	    (size_t)s->otp_length : letter.code.n;
	for (size_t i = 0; i < TEMPLATE_PURPOSES; i++) {
		word(s, mem, entry, i, &letter);
		if ((long)letter.size.segments <= s->courier_sms_segments)
			continue;
		load->faults++;
		fprintf(load->errors, "%s: [%s] takes %zu messages (%zu %s), "
		    "more than courier.sms_segments = %ld\n", entry->name,
		    template_purpose_name(i), letter.size.segments,
		    letter.size.units, letter.size.unicode ?
		    "units, as it is not all GSM-7" : "septets",
		    s->courier_sms_segments);
	}
}

static void
entry_check(struct load *load, struct arena *mem, size_t channel,
    struct entry *entry)
{
	const struct settings *s = load->to->settings;
	struct template_rules rules = { .mail = channel == EMAIL };
	const char *name = entry->name;
	unsigned faults;
	size_t at;

	name_read(entry->name, &at, &entry->tag);
	if (!ttl_word(mem, entry->tag, s->otp_ttl).s)
		rules.missing |= 1u << TEMPLATE_TTL;
	if (s->otp_ttl % 60 != 0)
		rules.missing |= 1u << TEMPLATE_MINUTES;
	if (letter_host(s->server_public_url).n == 0)
		rules.missing |= 1u << TEMPLATE_HOST;
	if (entry->own)
		name = arena_printf(mem, "%s/%s", s->courier_template_dir,
		    name);
	faults = template_parse(entry->file, name, &rules, load->errors,
	    &entry->template);
	load->faults += faults;
	if (faults == 0 && channel == SMS)
		measure(load, mem, entry);
}

/* What a channel has, and which of it is for those who want none of it. */
static void
channel_check(struct load *load, struct arena *mem, size_t c)
{
	struct channel *channel = &load->to->channels[c];
	struct text language = text_of(load->to->settings->courier_language);

	channel->tags = calloc(channel->n + 1, sizeof(*channel->tags));
	if (!channel->tags) {
		load->no_memory = true;
		return;
	}
	channel->otherwise = channel->n;
	for (size_t i = 0; i < channel->n; i++) {
		entry_check(load, mem, c, &channel->v[i]);
		channel->tags[i] = channel->v[i].tag;
		if (text_equal(channel->tags[i], language))
			channel->otherwise = i;
		arena_reset(mem);
	}
	if (channel->otherwise < channel->n)
		return;
	load->faults++;
	fprintf(load->errors, "courier.language: there is no otp.%s.%.*s.txt\n",
	    channels[c], TEXT_FMT(language));
}

static void
settings_texts(struct load *load)
{
	const struct settings *s = load->to->settings;

	if (template_is_line(text_of(s->courier_service_name)))
		return;
	load->faults++;
	fputs("courier.service_name is no UTF-8, or has a control "
	    "character\n", load->errors);
}

struct templates *
templates_load(const struct settings *settings, FILE *errors)
{
	struct templates *to = calloc(1, sizeof(*to));
	struct load load = { .to = to, .errors = errors };
	struct arena *mem = arena_new(4096);

	if (!to || !mem) {
		free(to);
		arena_free(mem);
		return NULL;
	}
	to->settings = settings;
	settings_texts(&load);
	for (size_t i = 0; i < templates_shipped_n; i++)
		add(&load, templates_shipped[i].name,
		    templates_shipped[i].text, NULL);
	if (settings->courier_template_dir[0])
		add_folder(&load, settings->courier_template_dir);
	for (size_t c = 0; c < CHANNELS && !load.no_memory; c++)
		channel_check(&load, mem, c);
	arena_free(mem);
	if (load.faults == 0 && !load.no_memory)
		return to;
	templates_free(to);
	return NULL;
}

void
templates_free(struct templates *templates)
{
	for (size_t c = 0; templates && c < CHANNELS; c++) {
		struct channel *channel = &templates->channels[c];

		for (size_t i = 0; i < channel->n; i++)
			free(channel->v[i].own);
		free(channel->v);
		free(channel->tags);
	}
	free(templates);
}

void
templates_word(const struct templates *templates, struct arena *mem,
    struct text languages, struct letter *letter)
{
	size_t c = text_is(letter->channel, channels[SMS]) ? SMS : EMAIL;
	const struct channel *channel = &templates->channels[c];
	size_t i = language_lookup(languages, channel->tags, channel->n,
	    channel->otherwise);

	word(templates->settings, mem, &channel->v[i],
	    template_purpose(letter->purpose), letter);
}
