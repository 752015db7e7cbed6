/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * Every setting, one a row:
 *
 *   SETTING(section, key, TYPE, default, min, max, doc)
 *
 * Section `top` is the top of the file: such a name stands alone. TYPE is one of
 *   TEXT     const char *, min..max bytes
 *   PATH     const char *, empty or absolute
 *   INT      long, min..max
 *   COUNT    long, min..max or `auto` (0: worked out at start)
 *   BOOL     bool: on/off, true/false, yes/no, 1/0
 *   SECONDS  long, min..max, with an optional unit s, m, h, d
 *   CHOICE   const char *, one of the words in doc's leading [a|b|c]
 * The member is section_key. Reload says in brackets
 * (restart) where SIGHUP is not enough.
 */
SETTING(top, profile, CHOICE, "production", 0, 0, "[production|dev] dev trades safety for convenience and never belongs on a public host")
SETTING(top, sample_routes, BOOL, "off", 0, 0, "Serve GET /admin-data, the role sample of one seed system")

SETTING(server, socket, PATH, "/run/docket/docket.sock", 0, 107, "Unix socket of the main worker group (restart)")
SETTING(server, auth_socket, PATH, "/run/docket/auth.sock", 0, 107, "Unix socket of the group that hashes passwords (restart)")
SETTING(server, socket_group, TEXT, "", 0, 64, "Group that may connect (nginx's); empty = the process's own (restart)")
SETTING(server, user, TEXT, "", 0, 64, "User to become when started as root; without it root is refused (restart)")
SETTING(server, workers, COUNT, "auto", 1, 256, "Workers of the main group; auto = 4 x cores")
SETTING(server, auth_workers, COUNT, "auto", 1, 256, "Workers of the hashing group; auto = 2 x cores, at least 2")
SETTING(server, connections, INT, "512", 1, 4096, "Connections that one worker keeps; times workers no fewer than nginx opens, 1024 by each of its processes")
SETTING(server, deadline_ms, INT, "2500", 100, 60000, "Time a request may take in all")
SETTING(server, shed_ms, INT, "1000", 10, 60000, "A request that waited longer than this gets 503 at once")
SETTING(server, max_requests, INT, "0", 0, 1000000000, "Requests after which a worker is replaced; 0 = never")
SETTING(server, memory_mb, INT, "512", 0, 65536, "Address space of one worker (RLIMIT_AS); 0 = unlimited, needed under sanitizers")
SETTING(server, drain_seconds, SECONDS, "10", 1, 300, "How long SIGTERM waits for requests in progress")
SETTING(server, public_url, TEXT, "", 0, 200, "https://host of the service, for links and codes; empty = relative")
SETTING(server, secret_file, PATH, "/etc/docket/secret.key", 1, 4096, "Master secret, at least 32 bytes as base64url; keys for codes, cursors and refresh tokens derive from it")
SETTING(server, log_requests, BOOL, "on", 0, 0, "One line per request")

SETTING(database, dsn, TEXT, "host=/run/postgresql dbname=docket user=docket_api", 1, 1024, "libpq connection string of the role docket_api")
SETTING(database, courier_dsn, TEXT, "host=/run/postgresql dbname=docket user=docket_courier", 1, 1024, "libpq connection string of the role docket_courier")
SETTING(database, owner_dsn, TEXT, "host=/run/postgresql dbname=docket user=docket_owner", 1, 1024, "libpq connection string of the owner, used by `docket migrate` and `docket audit` alone")
SETTING(database, prepared, CHOICE, "auto", 0, 0, "[auto|on|off] prepared statements; off behind a PgBouncer that lacks them")

SETTING(auth, issuer, TEXT, "docket", 1, 200, "The iss claim")
SETTING(auth, audience, TEXT, "docket", 1, 200, "The aud claim")
SETTING(auth, algorithm, CHOICE, "HS256", 0, 0, "[HS256|ES256] Algorithm of new keys; a key's own algorithm is in the ring")
SETTING(auth, key_file, PATH, "/etc/docket/jwt.keys", 1, 4096, "The key ring, kept by `docket key`: lines `current|next|previous KID ALG BASE64URL`")
SETTING(auth, access_ttl, SECONDS, "600", 30, 86400, "Lifetime of an access token")
SETTING(auth, refresh_idle, SECONDS, "14d", 60, 31536000, "A session that is not refreshed for this long ends")
SETTING(auth, refresh_absolute, SECONDS, "90d", 60, 315360000, "A session ends after this long in any case")
SETTING(auth, clock_skew, SECONDS, "30", 0, 300, "Tolerance for exp, nbf and iat")
SETTING(auth, register_require, CHOICE, "none", 0, 0, "[none|email|phone_otp] What a registration must bring besides username and password")
SETTING(auth, tasks_auth, CHOICE, "jwt", 0, 0, "[jwt|either|apikey|jwt+apikey] What opens the task routes: a bearer, either, an API key, or both at once (the OpenAPI document follows at a restart)")
SETTING(auth, password_grant, BOOL, "on", 0, 0, "Allow grant_type=password at /auth/token (RFC 9700 §2.4: first party only)")
SETTING(auth, password_blocklist, BOOL, "on", 0, 0, "Refuse new passwords that guessers try first, and the owner's own names")
SETTING(auth, gate_cookie, TEXT, "__Host-docket", 0, 64, "Name of the cookie that opens GET /auth/check, for browsers, and nothing else; empty = none")
SETTING(auth, gate_ttl, SECONDS, "12h", 60, 7776000, "Lifetime of that cookie; its session's end ends it sooner")
SETTING(auth, gate_domain, TEXT, "", 0, 253, "Domain whose hosts share that cookie: example.org; empty = the host that set it alone, which a name with __Host- needs")
SETTING(auth, hash_slots, COUNT, "auto", 1, 64, "Password hashes computed at once over all workers; auto = cores / 2, at least 1")

SETTING(otp, length, INT, "6", 6, 10, "Digits of a code")
SETTING(otp, ttl, SECONDS, "120", 30, 600, "Lifetime of a code")
SETTING(otp, countries, TEXT, "", 0, 2000, "Where codes are texted to, as prefixes of phone numbers: +98,+49; empty = everywhere")
SETTING(otp, echo, BOOL, "off", 0, 0, "Return the code in the reply; refused unless profile = dev")

SETTING(limits, requests_user, INT, "600", 0, 10000000, "Requests per user and minute, over all workers; 0 = no limit (dev only)")
SETTING(limits, requests_anonymous, INT, "120", 0, 10000000, "Requests without a valid token per client IP (IPv6: /64) and minute; 0 = no limit (dev only)")
SETTING(limits, checks_user, INT, "6000", 0, 10000000, "GET /auth/check per user and minute, one for each file of a guarded page; 0 = no limit (dev only)")
SETTING(limits, refreshes_session, INT, "60", 0, 10000000, "Refreshes per session and minute; 0 = no limit (dev only)")
SETTING(limits, login_failures, INT, "10", 1, 1000, "Wrong passwords per account and client network within limits.login_window; then it is locked")
SETTING(limits, login_window, SECONDS, "10m", 1, 86400, "What is older, or followed by a right password, counts no more")
SETTING(limits, login_lock, SECONDS, "60", 1, 86400, "How long it is locked at first; each wrong password after that doubles it")
SETTING(limits, login_lock_most, SECONDS, "15m", 1, 86400, "How long it is locked at most")
SETTING(limits, login_client, INT, "10", 0, 100000, "Wrong passwords per client IP (IPv6: /64) and minute over all accounts; 0 = no limit (dev only)")
SETTING(limits, otp_guesses, INT, "5", 1, 20, "Guesses evaluated per code")
SETTING(limits, otp_recipient_guesses, INT, "15", 1, 1000, "Wrong guesses evaluated per recipient in 24 h, then a block of 24 h")
SETTING(limits, otp_sends_hour, INT, "5", 1, 1000, "Codes per recipient and hour")
SETTING(limits, otp_sends_day, INT, "10", 1, 1000, "Codes per recipient and day")
SETTING(limits, otp_sends_client, INT, "10", 0, 100000, "Codes per client IP and hour; 0 = no limit (dev only)")
SETTING(limits, api_keys, INT, "50", 0, 1000, "API keys of one user, and of all applications together")
SETTING(limits, otp_verify_client, INT, "30", 0, 100000, "Codes tried per client IP in 5 minutes; 0 = no limit (dev only)")
SETTING(limits, otp_prefix_hour, INT, "50", 0, 10000, "Codes per block of 10,000 phone numbers and hour; 0 = no limit (dev only)")
SETTING(limits, otp_sms_hour, INT, "300", 0, 10000000, "Codes texted per hour in all; 0 = no limit (dev only)")
SETTING(limits, otp_email_hour, INT, "1000", 0, 10000000, "Codes mailed per hour in all; 0 = no limit (dev only)")
SETTING(limits, otp_anomaly, CHOICE, "deny", 0, 0, "[deny|record|off] What a client's or a country's day of unverified texted codes leads to: no more codes, or an alarm alone; record and off are for dev only")
SETTING(limits, otp_country_unverified, INT, "20", 1, 1000000, "Texted codes of a country and day that may stay unverified, if the next setting grants no more")
SETTING(limits, otp_country_percent, INT, "20", 0, 10000, "The same as a share of the country's verified ones of the day, in percent")
SETTING(limits, otp_client_countries, INT, "3", 1, 200, "Countries that a client IP may have codes texted to in a day")
SETTING(limits, otp_client_unverified, INT, "10", 1, 100000, "Texted codes of a client IP and day that may stay unverified")
SETTING(limits, requests_client, INT, "20", 0, 100000, "Requests per client IP and second in nginx; 0 = no limit (dev only)")
SETTING(limits, auth_client, INT, "2", 0, 100000, "Requests to /auth and /otp per client IP and second in nginx; 0 = no limit (dev only)")

SETTING(audit, keep, SECONDS, "180d", 2592000, 315360000, "How long the audit trail keeps an event, 30d at least; docket gc takes away what is older")

SETTING(courier, sms, CHOICE, "spool", 0, 0, "[spool|gateway|hook|exec] How text messages leave")
SETTING(courier, email, CHOICE, "spool", 0, 0, "[spool|smtp|sendmail|hook|exec] How mails leave")
SETTING(courier, send_seconds, SECONDS, "10", 1, 60, "How long one delivery may take")
SETTING(courier, ca_file, PATH, "", 0, 4096, "CA certificates that gateways and mail servers are verified by; empty = the system's")
SETTING(courier, allow_addresses, TEXT, "", 0, 2000, "Private networks that gateways and mail servers may be in: 10.0.0.0/8,::1/128; empty = public addresses only")
SETTING(courier, spool_dir, PATH, "/var/lib/docket/spool", 0, 4096, "Folder that messages are written to, a file each")
SETTING(courier, poll_ms, INT, "250", 50, 60000, "How often an idle channel is looked at")
SETTING(courier, senders, INT, "4", 1, 16, "Processes per channel, each with a database connection and one message at a time")
SETTING(courier, breaker_failures, INT, "5", 1, 1000, "Failures of a way in a row that open its channel's breaker: 5 s, doubled up to 60 s")
SETTING(courier, keep_dead, SECONDS, "7d", 60, 31536000, "How long messages that were refused or came too late are listed")
