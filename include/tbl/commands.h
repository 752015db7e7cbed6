/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * Every command of `docket`, from which parsing, --help, docket(1) and the
 * completion of bash come (cli/table.h):
 *
 *   OPTION(name, long, letter, takes)      an option's shape, for all commands
 *   NOUN(noun, summary)                    its commands follow
 *   COMMAND(verb, arguments, least, most, needs, effect, handler, summary,
 *       more)                              the options that it takes follow
 *   TAKES(option, how, kind, value, help)
 *
 * letter   the short form, or 0
 * takes    ARGUMENT or NONE
 * verb     "": the noun alone
 * arguments  as usage shows them; FILE and DIR are completed as such
 * least    words behind the verb, at least and at most (ANY: no limit)
 * needs    what the handler finds in struct cli: NOTHING, SETTINGS, or beside
 *          them a database as API, OWNER or COURIER
 * effect   READS; CHANGES, all of it through cli->db, so that a dry run is a
 *          transaction that is taken back; MINDS: the handler minds
 *          --dry-run itself
 * more     what else --help and the manual say, or NULL
 * how      MAY; MUST; MANY: as often as wanted; ALONE: instead of a command
 * kind     FLAG; WORD; FILENAME; DIRNAME; CHOICE: one of value's words, a|b
 */
#ifndef OPTION
#define OPTION(name, word, letter, takes)
#endif
#ifndef NOUN
#define NOUN(noun, summary)
#endif
#ifndef COMMAND
#define COMMAND(verb, arguments, least, most, needs, effect, handler, \
    summary, more)
#endif
#ifndef TAKES
#define TAKES(option, how, kind, value, help)
#endif

#define DRY_RUN TAKES(dry_run, MAY, FLAG, NULL, "Say what would be done, and change nothing")
#define AUDIT_FILTER \
	TAKES(user, MAY, WORD, "NAME|ID", "What this account did, or what was done to it") \
	TAKES(event, MAY, WORD, "EVENT", "Events of this name alone") \
	TAKES(since, MAY, WORD, "TIME", "From then on")

OPTION(config,		"config",	'c',	ARGUMENT)
OPTION(set,		"set",		0,	ARGUMENT)
OPTION(help,		"help",		'h',	NONE)
OPTION(version,		"version",	0,	NONE)
OPTION(commands,	"commands",	0,	NONE)

OPTION(admin,		"admin",	0,	NONE)
OPTION(admin_name,	"admin-name",	0,	ARGUMENT)
OPTION(alg,		"alg",		0,	ARGUMENT)
OPTION(all,		"all",		0,	NONE)
OPTION(allow,		"allow",	0,	ARGUMENT)
OPTION(application,	"application",	0,	ARGUMENT)
OPTION(certificate,	"certificate",	0,	ARGUMENT)
OPTION(changed,		"changed",	0,	NONE)
OPTION(channel,		"channel",	0,	ARGUMENT)
OPTION(dir,		"dir",		0,	ARGUMENT)
OPTION(domain,		"domain",	0,	ARGUMENT)
OPTION(dry_run,		"dry-run",	0,	NONE)
OPTION(email,		"email",	0,	ARGUMENT)
OPTION(event,		"event",	0,	ARGUMENT)
OPTION(expires,		"expires",	0,	ARGUMENT)
OPTION(follow,		"follow",	'f',	NONE)
OPTION(format,		"format",	0,	ARGUMENT)
OPTION(grace,		"grace",	0,	ARGUMENT)
OPTION(if_absent,	"if-absent",	0,	NONE)
OPTION(insecure_value,	"insecure-value", 0,	ARGUMENT)
OPTION(json,		"json",		0,	NONE)
OPTION(key,		"key",		0,	ARGUMENT)
OPTION(keys,		"keys",	0,	NONE)
OPTION(lines,		"lines",	'n',	ARGUMENT)
OPTION(lock_timeout,	"lock-timeout",	0,	ARGUMENT)
OPTION(name,		"name",		0,	ARGUMENT)
OPTION(nginx,		"nginx",	0,	ARGUMENT)
OPTION(no_keys,		"no-keys",	0,	NONE)
OPTION(now,		"now",		0,	NONE)
OPTION(once,		"once",		0,	NONE)
OPTION(origin,		"origin",	0,	NONE)
OPTION(output,		"output",	'o',	ARGUMENT)
OPTION(password_file,	"password-file", 0,	ARGUMENT)
OPTION(phone,		"phone",	0,	ARGUMENT)
OPTION(port,		"port",		0,	ARGUMENT)
OPTION(postgres,	"postgres",	0,	ARGUMENT)
OPTION(register_require, "register-require", 0, ARGUMENT)
OPTION(replace,		"replace",	0,	NONE)
OPTION(root,		"root",		0,	ARGUMENT)
OPTION(scopes,		"scopes",	0,	ARGUMENT)
OPTION(self_signed,	"self-signed",	0,	NONE)
OPTION(share,		"share",	0,	ARGUMENT)
OPTION(since,		"since",	0,	ARGUMENT)
OPTION(state,		"state",	0,	ARGUMENT)
OPTION(timezone,	"timezone",	0,	ARGUMENT)
OPTION(until,		"until",	0,	ARGUMENT)
OPTION(update,		"update",	0,	NONE)
OPTION(user,		"user",		0,	ARGUMENT)

/* of every command */
TAKES(config, MAY, FILENAME, "FILE", "Read the settings of this file instead of the usual one")
TAKES(set, MANY, WORD, "SECTION.KEY=VALUE", "A setting for this run, above every other source")
TAKES(help, MAY, FLAG, NULL, "Say what there is, or what the command does")
TAKES(version, ALONE, FLAG, NULL, "Say which version this is")
TAKES(commands, ALONE, FLAG, NULL, "List this table of commands and options, a row a line, for programs")

NOUN("setup", "This host, made ready")
COMMAND("", "", 0, 0, NOTHING, MINDS, cli_setup, "Make this host ready: account, keys, database, nginx, units", "Each step says whether it is done already; what fails says what comes next, and the next run goes on there. docs/operations.md has the story.")
	TAKES(domain, MUST, WORD, "NAME", "What clients call it: tasks.example.org")
	TAKES(admin_name, MAY, WORD, "NAME", "The first admin (admin); its password is told once")
	TAKES(password_file, MAY, FILENAME, "FILE|-", "Or is the first line of this file")
	TAKES(certificate, MAY, FILENAME, "FILE", "The certificate that nginx shows, with its chain")
	TAKES(key, MAY, FILENAME, "FILE", "Its private key")
	TAKES(self_signed, MAY, FLAG, NULL, "Sign one here, even where certbot has one")
	TAKES(register_require, MAY, CHOICE, "none|email|phone_otp", "What a registration must bring (auth.register_require)")
	TAKES(port, MAY, WORD, "N", "Where nginx listens (443)")
	TAKES(user, MAY, WORD, "NAME", "The service's account (docket)")
	TAKES(postgres, MAY, DIRNAME, "DIR", "Folder of PostgreSQL's socket (/run/postgresql)")
	TAKES(share, MAY, DIRNAME, "DIR", "Where migrations, roles and samples are installed")
	TAKES(root, MAY, DIRNAME, "DIR", "Set up what is below this folder, without systemd")
	DRY_RUN

NOUN("check", "Whether settings, keys and templates are good")
COMMAND("", "", 0, 0, NOTHING, READS, cli_check, "Look at settings, keys, templates and nginx's listing; exit 78 on faults", "All faults at once, a line each; as root, each program looks as the account that it will run as. Nothing is connected to: docket doctor does that.")

NOUN("doctor", "How this host is")
COMMAND("", "", 0, 0, NOTHING, READS, cli_doctor, "Look after clock, keys, database, nginx, disk, certificate, messages", "Exit 0 when all is well, 1 with warnings, 2 with failures, as monitoring plugins do. It works while the database is away.")
	TAKES(json, MAY, FLAG, NULL, "As a JSON array, an object a check")
	TAKES(nginx, MAY, FILENAME, "FILE", "nginx's configuration, where it is not the usual one")
	TAKES(dir, MAY, DIRNAME, "DIR", "Where the migrations are")

NOUN("backup", "Database, settings and keys, in a folder")
COMMAND("", "DIR", 1, 1, SETTINGS, READS, cli_backup, "Write a new folder: a dump, the settings, the keys, and their sums", "It is there whole or not at all, and its owner alone may enter. The service goes on meanwhile. Keep it where the host is not.")
	TAKES(no_keys, MAY, FLAG, NULL, "Leave the keys out; keep them elsewhere")

NOUN("restore", "A backup, brought back")
COMMAND("", "DIR", 1, 1, SETTINGS, MINDS, cli_restore, "Put a backup into an empty database, all of it or nothing", "Every sum, and every key that is to be put here, is looked at first. The service must be stopped. Settings are never overwritten: look at DIR/settings.")
	TAKES(replace, MAY, FLAG, NULL, "Put it in the place of what is there")
	TAKES(keys, MAY, FLAG, NULL, "Put its keys in the place of those that are here")
	TAKES(dir, MAY, DIRNAME, "DIR", "Where the migrations are")
	DRY_RUN

NOUN("migrate", "The schema of the database")
COMMAND("", "", 0, 0, SETTINGS, MINDS, cli_migrate, "Bring the schema up to date, as the owner of the database", NULL)
	TAKES(dir, MAY, DIRNAME, "DIR", "Where the migrations are")
	TAKES(lock_timeout, MAY, WORD, "MS", "How long to wait for a lock (5000)")
	DRY_RUN
COMMAND("status", "", 0, 0, SETTINGS, READS, cli_migrate_status, "Which migrations are applied; exit 1 when one is missing", NULL)
	TAKES(dir, MAY, DIRNAME, "DIR", "Where the migrations are")
	TAKES(lock_timeout, MAY, WORD, "MS", "How long to wait for a lock (5000)")

NOUN("config", "The settings in force")
COMMAND("show", "[NAME]...", 0, ANY, SETTINGS, READS, cli_config_show, "Every setting, or those named, with its value", "NAME is a setting, such as otp.ttl, or a section. Passwords in connection strings are shown as ***.")
	TAKES(changed, MAY, FLAG, NULL, "Those alone that are not as they come, and how they come")
	TAKES(origin, MAY, FLAG, NULL, "And who set it: file:line, the environment, --set, or default")
	TAKES(json, MAY, FLAG, NULL, "As one JSON object, with default and origin")
COMMAND("sample", "", 0, 0, NOTHING, READS, cli_config_sample, "A commented settings file, every setting with its default", NULL)

COMMAND("list", "", 0, 0, NOTHING, READS, cli_config_list, "Every setting that there is: name, type, default, least, most, meaning", "The columns stand between tabs.")

NOUN("user", "Accounts")
COMMAND("add", "NAME", 1, 1, API, MINDS, cli_user_add, "Add an account; its password is asked for or read from standard input", NULL)
	TAKES(admin, MAY, FLAG, NULL, "Give it the role admin")
	TAKES(update, MAY, FLAG, NULL, "If it is there, give it this password, and the role with --admin")
	TAKES(email, MAY, WORD, "ADDRESS", "Its e-mail address")
	TAKES(phone, MAY, WORD, "NUMBER", "Its phone number: +, country and number")
	TAKES(password_file, MAY, FILENAME, "FILE|-", "Read the password from the first line of this file")
	DRY_RUN
COMMAND("import", "FILE|-", 1, 1, API, MINDS, cli_user_import, "Import accounts with their password hashes: NDJSON, or CSV with a header", "What is wrong is told with its line; then the status is 65.")
	TAKES(update, MAY, FLAG, NULL, "Change the accounts that are there already")
	DRY_RUN
COMMAND("list", "[BEGINNING]", 0, 1, API, READS, cli_user_list, "All accounts, or those whose name or address begins so", NULL)
COMMAND("show", "NAME", 1, 1, API, READS, cli_user_show, "One account, a line a member", NULL)
COMMAND("unlock", "NAME", 1, 1, API, CHANGES, cli_user_unlock, "Forget the wrong passwords and codes that locked an account", NULL)
	DRY_RUN
COMMAND("disable", "NAME", 1, 1, API, CHANGES, cli_user_disable, "Deactivate an account; all of its sessions end", NULL)
	DRY_RUN
COMMAND("enable", "NAME", 1, 1, API, CHANGES, cli_user_enable, "Activate an account again; what has ended stays ended", NULL)
	DRY_RUN
COMMAND("delete", "NAME", 1, 1, API, CHANGES, cli_user_delete, "Remove an account with all of its data", NULL)
	DRY_RUN

NOUN("session", "Where somebody is logged in")
COMMAND("list", "NAME", 1, 1, API, READS, cli_session_list, "An account's live sessions, newest first", NULL)
COMMAND("revoke", "[ID]", 0, 1, API, CHANGES, cli_session_revoke, "End a session, or all of an account's, at once", NULL)
	TAKES(user, MAY, WORD, "NAME", "Whose sessions end, instead of ID")
	DRY_RUN

NOUN("key", "The ring of signing keys")
COMMAND("list", "", 0, 0, SETTINGS, READS, cli_key_list, "The keys, their roles and their ages; never a secret", NULL)
COMMAND("generate", "", 0, 0, SETTINGS, MINDS, cli_key_generate, "Make the ring, or its next key", NULL)
	TAKES(alg, MAY, CHOICE, "HS256|ES256", "Algorithm of the new key (auth.algorithm)")
	DRY_RUN
COMMAND("rotate", "", 0, 0, SETTINGS, MINDS, cli_key_rotate, "Let the next key sign; docketd reads the ring anew at SIGHUP", NULL)
	TAKES(alg, MAY, CHOICE, "HS256|ES256", "Algorithm of the key after it (auth.algorithm)")
	TAKES(now, MAY, FLAG, NULL, "The old key is void at once: it leaked")
	DRY_RUN

NOUN("apikey", "API keys")
COMMAND("add", "", 0, 0, API, CHANGES, cli_apikey_add, "Make a key for a user or an application; prints its id and, once, the key", NULL)
	TAKES(user, MAY, WORD, "NAME", "Whose key it is; or --application")
	TAKES(application, MAY, WORD, "NAME", "Which application's key it is")
	TAKES(scopes, MUST, WORD, "LIST", "What it may, such as tasks:read,tasks:write")
	TAKES(name, MAY, WORD, "NAME", "What lists call it")
	TAKES(expires, MAY, WORD, "INSTANT", "Until when it is good: 2031-01-31T00:00:00Z")
	TAKES(allow, MANY, WORD, "NETWORK", "Where it may be used from: 192.0.2.0/24")
	TAKES(insecure_value, MAY, WORD, "VALUE", "This very key; with profile = dev alone")
	TAKES(if_absent, MAY, FLAG, NULL, "If there is such a key, leave it as it is")
	DRY_RUN
COMMAND("list", "", 0, 0, API, READS, cli_apikey_list, "The keys, without their secrets", NULL)
	TAKES(user, MAY, WORD, "NAME", "This account's alone")
COMMAND("rotate", "ID", 1, 1, API, CHANGES, cli_apikey_rotate, "A new secret; prints the id and, once, the key", NULL)
	TAKES(grace, MAY, WORD, "SECONDS", "How long the old one stays good (86400)")
	DRY_RUN
COMMAND("revoke", "ID", 1, 1, API, CHANGES, cli_apikey_revoke, "Revoke a key, at once", NULL)
	DRY_RUN

NOUN("queue", "Messages that wait for the courier")
#define QUEUE_PICK \
	TAKES(channel, MAY, CHOICE, "sms|email", "Those of a channel") \
	TAKES(state, MAY, CHOICE, "due|leased|waiting|held|dead", "Those in a state")
COMMAND("list", "", 0, 0, COURIER, READS, cli_queue_list, "The channels, and what waits in them", NULL)
	QUEUE_PICK
	TAKES(json, MAY, FLAG, NULL, "As one JSON object")
COMMAND("show", "ID...", 1, ANY, COURIER, READS, cli_queue_show, "Messages, a line a member", NULL)
COMMAND("retry", "[ID]...", 0, ANY, COURIER, MINDS, cli_queue_retry, "Make messages due now, and release a channel that is held", NULL)
	QUEUE_PICK
	TAKES(all, MAY, FLAG, NULL, "Those of every channel")
	DRY_RUN
COMMAND("hold", "[ID]...", 0, ANY, COURIER, MINDS, cli_queue_hold, "Keep messages back, or stop a channel", "Without ID and --state the channel itself is stopped, until docket queue retry releases it.")
	QUEUE_PICK
	TAKES(all, MAY, FLAG, NULL, "Those of every channel")
	DRY_RUN
COMMAND("drop", "[ID]...", 0, ANY, COURIER, MINDS, cli_queue_drop, "Throw messages away", NULL)
	QUEUE_PICK
	TAKES(all, MAY, FLAG, NULL, "Those of every channel")
	DRY_RUN
#undef QUEUE_PICK

NOUN("import", "Tasks of a file into an account")
COMMAND("", "FILE|-", 1, 1, API, MINDS, cli_import, "Import tasks; what is wrong is told with its line, and the status is 65", "The form is --format, or the end of the file's name.")
	TAKES(user, MUST, WORD, "NAME", "Whose tasks they become")
	TAKES(format, MAY, CHOICE, "json|ndjson|csv|ics", "The file's form")
	TAKES(timezone, MAY, WORD, "ZONE", "Zone of local times that name none")
	DRY_RUN

NOUN("export", "Tasks of an account as one file")
COMMAND("", "", 0, 0, API, READS, cli_export, "Write all tasks of an account to standard output, or to a file", NULL)
	TAKES(user, MUST, WORD, "NAME", "Whose tasks")
	TAKES(format, MAY, CHOICE, "json|ndjson|csv|ics", "The form; else the end of the file's name says it")
	TAKES(output, MAY, FILENAME, "FILE", "Write this file, as a whole or not at all")

NOUN("audit", "What happened to accounts, credentials and codes")
COMMAND("tail", "", 0, 0, OWNER, READS, cli_audit_tail, "The newest events, as the owner of the database", "TIME is 2026-01-31, 2026-01-31T09:30:00Z, or 90m, 12h, 7d ago.")
	TAKES(lines, MAY, WORD, "N", "How many (20)")
	TAKES(follow, MAY, FLAG, NULL, "And those that come, until it is stopped")
	TAKES(json, MAY, FLAG, NULL, "An object a line")
	AUDIT_FILTER
COMMAND("export", "", 0, 0, OWNER, READS, cli_audit_export, "All events, as the owner of the database", "TIME is 2026-01-31, 2026-01-31T09:30:00Z, or 90m, 12h, 7d ago.")
	TAKES(until, MAY, WORD, "TIME", "Those before then")
	TAKES(format, MAY, CHOICE, "ndjson|csv", "The form (ndjson)")
	AUDIT_FILTER

NOUN("status", "How the service is")
COMMAND("", "", 0, 0, SETTINGS, READS, cli_status, "How the service is, told by itself over its own sockets", "The exit status is for monitors: 0 fine, 1 somebody should look, 2 it does not serve.")
	TAKES(json, MAY, FLAG, NULL, "As one JSON object")

NOUN("top", "What the workers do")
COMMAND("", "", 0, 0, SETTINGS, READS, cli_top, "What each worker does, each second; q ends it", "Into a pipe it is one list. Memory (PSS) is shown to root alone.")
	TAKES(once, MAY, FLAG, NULL, "One list, and the end")

NOUN("gc", "Sweeping up")
COMMAND("", "", 0, 0, API, CHANGES, cli_gc, "Take away what has expired, as its timer does", "Codes, budgets, replies, sessions, and what the trash (tasks.trash_days), the changes (tasks.changes_days) and the audit trail (audit.keep) have kept long enough.")
	DRY_RUN

#undef AUDIT_FILTER
#undef DRY_RUN
#undef OPTION
#undef NOUN
#undef COMMAND
#undef TAKES
