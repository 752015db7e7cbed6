/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* docket user add: one account; the password never passes through argv. */
#include <errno.h>
#include <signal.h>
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

/* One line without its end. */
static int
read_line(FILE *f, struct arena *mem, struct text *ret)
{
	char *line = arena_alloc(mem, PASSWORD_MAX + 3);
	size_t n;

	if (!fgets(line, PASSWORD_MAX + 3, f))
		return ferror(f) ? -EIO : -ENODATA;
	n = strcspn(line, "\r\n");
	*ret = (struct text){ line, n };
	return 0;
}

static volatile sig_atomic_t caught;

static void
note(int signo)
{
	caught = signo;
}

/* Whoever breaks off gets the echo back first. */
static int
read_typed(struct arena *mem, struct text *ret)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
	const struct sigaction action = { .sa_handler = note };
	struct sigaction before[4];
	struct termios old, quiet;
	int error;

	fputs("Password: ", stderr);
	for (int i = 0; i < 4; i++)
		sigaction(signals[i], &action, &before[i]);
	tcgetattr(STDIN_FILENO, &old);
	quiet = old;
	quiet.c_lflag &= ~(tcflag_t)ECHO;
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
	error = read_line(stdin, mem, ret);
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &old);
	fputc('\n', stderr);
	for (int i = 0; i < 4; i++)
		sigaction(signals[i], &before[i], NULL);
	if (caught)
		raise(caught);
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

/* The same rules as at registration. */
static int
check_names(const struct cli *cli, struct new_user *user)
{
	struct arena *mem = cli->mem;
	const char *why;

	user->username = text_of(cli->words[0]);
	user->email = text_of(cli_value(cli, OPT_email));
	user->phone = text_of(cli_value(cli, OPT_phone));
	if (name_check_username(mem, &user->username, &why))
		return cli_bad("the name", why);
	if (user->email.s && name_check_email(mem, &user->email, &why))
		return cli_bad("--email", why);
	if (user->phone.s && name_check_phone(mem, &user->phone, &why))
		return cli_bad("--phone", why);
	if (name_key(mem, user->username, &user->username_key) ||
	    (user->email.s && name_key(mem, user->email, &user->email_key)))
		return cli_bad("the name", "has no canonical form");
	user->role = cli_has(cli, OPT_admin) ? TEXT("admin") : TEXT("user");
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
		return cli_bad("the password", "must have 8 to 256 bytes");
	code = settings->auth_password_blocklist ?
	    password_common(mem, password, &owner) : NULL;
	return code ? cli_bad("the password", password_common_why(code)) : 0;
}

static int
not_read(const char *file, int error)
{
	if (error == -ENODATA)
		return cli_bad("the password", "is missing: it is the first "
		    "line of standard input, or of --password-file");
	fprintf(stderr, "docket: %s: %s\n", file ? file : "standard input",
	    strerror(-error));
	return EX_NOINPUT;
}

static int
hash_password(const struct cli *cli, struct new_user *user)
{
	const char *file = cli_value(cli, OPT_password_file);
	struct text password = TEXT_NONE;
	int error = read_password(file, cli->mem, &password), status;

	if (error)
		return not_read(file, error);
	status = check_password(&cli->settings, cli->mem, user, password);
	if (status == 0) {
		error = password_init();
		if (error == 0)
			error = password_hash(cli->mem, password, &user->hash);
	}
	if (password.s)
		explicit_bzero((char *)(uintptr_t)password.s, password.n);
	return error ? cli_fail("password", error) : status;
}

static int
put(const struct cli *cli, const struct new_user *user)
{
	const bool update = cli_has(cli, OPT_update);
	const int error = store_user_put(cli->db, cli->mem, user, update);

	if (error)
		return cli_fail(cli->words[0], error);
	printf("%s %s\n", cli->words[0],
	    update ? "added or updated" : "added");
	return 0;
}

/* The password is typed and hashed before a dry run's transaction begins. */
int
cli_user_add(struct cli *cli)
{
	struct new_user user = { 0 };
	int status = check_names(cli, &user);

	if (status == 0)
		status = hash_password(cli, &user);
	if (status)
		return status;
	if (crypto_uuid(&user.id, &user.created_at))
		return cli_fail("random", -EIO);
	status = cli_begin(cli);
	if (status)
		return status;
	status = put(cli, &user);
	cli_end(cli, status);
	return status;
}
