/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* docket user add: one account; the password never passes through argv. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <termios.h>
#include <unistd.h>

#include "base/crypto.h"
#include "cli/cli.h"
#include "core/common.h"
#include "core/names.h"
#include "core/password.h"
#include "store/users.h"

struct add {
	const char *name, *email, *phone, *password_file;
	bool admin, update;
};

/* One line without its end. */
static int
read_line(FILE *f, struct arena *mem, struct text *ret)
{
	char *line = arena_alloc(mem, PASSWORD_MAX + 3);
	size_t n;

	if (!fgets(line, PASSWORD_MAX + 3, f))
		return -EIO;
	n = strcspn(line, "\r\n");
	*ret = (struct text){ line, n };
	return 0;
}

static int
read_typed(struct arena *mem, struct text *ret)
{
	struct termios old, quiet;
	int error;

	fputs("Password: ", stderr);
	tcgetattr(STDIN_FILENO, &old);
	quiet = old;
	quiet.c_lflag &= ~(tcflag_t)ECHO;
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
	error = read_line(stdin, mem, ret);
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &old);
	fputc('\n', stderr);
	return error;
}

static int
read_password(const char *file, struct arena *mem, struct text *ret)
{
	FILE *f;
	int error;

	if (!file || strcmp(file, "-") == 0)
		return isatty(STDIN_FILENO) ? read_typed(mem, ret) :
		    read_line(stdin, mem, ret);
	f = fopen(file, "re");
	if (!f)
		return -errno;
	error = read_line(f, mem, ret);
	fclose(f);
	return error;
}

static int
bad(const char *what, const char *why)
{
	fprintf(stderr, "docket: %s %s\n", what, why);
	return EX_DATAERR;
}

/* The same rules as at registration. */
static int
check_names(const struct add *add, struct arena *mem, struct new_user *user)
{
	const char *why;

	user->username = text_of(add->name);
	user->email = text_of(add->email);
	user->phone = text_of(add->phone);
	if (name_check_username(mem, &user->username, &why))
		return bad("the name", why);
	if (user->email.s && name_check_email(mem, &user->email, &why))
		return bad("--email", why);
	if (user->phone.s && name_check_phone(mem, &user->phone, &why))
		return bad("--phone", why);
	if (name_key(mem, user->username, &user->username_key) ||
	    (user->email.s && name_key(mem, user->email, &user->email_key)))
		return bad("the name", "has no canonical form");
	user->role = add->admin ? TEXT("admin") : TEXT("user");
	return 0;
}

/* As at registration too. */
static int
check_password(const struct settings *settings, struct arena *mem,
    const struct new_user *user, struct text password)
{
	const struct password_owner owner = {
		user->username, user->email, user->phone
	};
	const char *code;

	if (!password_fits(mem, password))
		return bad("the password", "must have 8 to 256 bytes");
	code = settings->auth_password_blocklist ?
	    password_common(mem, password, &owner) : NULL;
	return code ? bad("the password", password_common_why(code)) : 0;
}

static int
hash_password(const struct settings *settings, const struct add *add,
    struct arena *mem, struct new_user *user)
{
	struct text password = TEXT_NONE;
	int error = read_password(add->password_file, mem, &password), status;

	if (error)
		return cli_fail("password", error);
	status = check_password(settings, mem, user, password);
	if (status == 0) {
		error = password_init();
		if (error == 0)
			error = password_hash(mem, password, &user->hash);
	}
	if (password.s)
		explicit_bzero((char *)(uintptr_t)password.s, password.n);
	return error ? cli_fail("password", error) : status;
}

static int
put(const struct cli *cli, const struct settings *settings,
    const struct add *add, const struct new_user *user)
{
	int status = 0;
	struct db *db = cli_database(settings, &status);

	if (db) {
		status = store_user_put(db, cli->mem, user, add->update);
		if (status)
			status = cli_fail(add->name, status);
		else
			printf("%s %s\n", add->name,
			    add->update ? "added or updated" : "added");
	}
	db_free(db);
	return status;
}

static int
user_add(const struct cli *cli, const struct add *add)
{
	struct new_user user = { 0 };
	struct settings settings;
	int status = check_names(add, cli->mem, &user);

	if (status == 0)
		status = cli_settings(cli, &settings);
	if (status)
		return status;
	status = hash_password(&settings, add, cli->mem, &user);
	if (status == 0 && crypto_uuid(&user.id, &user.created_at))
		status = cli_fail("random", -EIO);
	if (status == 0)
		status = put(cli, &settings, add, &user);
	settings_done(&settings);
	return status;
}

int
cli_user_add(struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = {
		CLI_OPTIONS,
		{ "admin", no_argument, NULL, 'a' },
		{ "update", no_argument, NULL, 'u' },
		{ "email", required_argument, NULL, 'e' },
		{ "phone", required_argument, NULL, 'p' },
		{ "password-file", required_argument, NULL, 'f' },
		{ NULL, 0, NULL, 0 },
	};
	struct add add = { 0 };
	int c;

	optind = 0;	/* getopt starts over */
	while ((c = getopt_long(argc, argv, "c:h", options, NULL)) != -1) {
		if (c == 'a')
			add.admin = true;
		else if (c == 'u')
			add.update = true;
		else if (c == 'e')
			add.email = optarg;
		else if (c == 'p')
			add.phone = optarg;
		else if (c == 'f')
			add.password_file = optarg;
		else if (!cli_option(cli, c))
			return cli_usage();
	}
	if (argc - optind != 1)
		return cli_usage();
	add.name = argv[optind];
	return user_add(cli, &add);
}
