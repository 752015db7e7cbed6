# SPDX-License-Identifier: AGPL-3.0-or-later
"""Accounts with a live session and tasks like those of real use, by COPY: what
./dev seed-data and ./dev bench --scale put into a database.

Ids can be worked out without asking, as those of sql/seed.sql: seeded.py."""

import argparse
import contextlib
import datetime
import random
import subprocess
import sys
import time

import seeded

TITLES = [
    "Buy milk", "Call the dentist", "Pay the rent", "Zahnarzttermin absagen",
    "Éclairs für Zoë bestellen", "Позвонить маме", "خرید نان و شیر",
    "牛乳を買う", "Water the plants 🌱", "Review the contract", "Book a flight",
    "Fix the bicycle", "Renew the passport", "Write to Søren", "Naïve résumé",
    "Prepare the quarterly report", "Clean the garage", "Team meeting"]
WORDS = ("ask Bob then write down what he says before Friday because the old"
         " list is lost über später молоко завтра فردا 明日 invoice order"
         " number signed copy draft second floor").split()
TAGS = ["home", "work", "errands", "später", "خانه", "later", "phone", "家"]
STATUSES = ["pending", "pending", "pending", "in_progress", "completed",
            "completed", "cancelled"]
KINDS = 4096	# of tasks; each gets its own number and times
CLOCK = [f" {s // 3600:02d}:{s // 60 % 60:02d}:{s % 60:02d}+00"
         for s in range(86400)]
COLUMNS = {
    "users": "id, username, username_key, password_hash, created_at,"
             " updated_at",
    "counters": "user_id, task_number",
    "sessions": "id, user_id, idle_until, absolute_until",
    "tasks": "user_id, id, number, title, description, status, priority,"
             " due_date, due_at, tags, position, created_at, updated_at,"
             " completed_at",
}


def psql(dsn, statement):
    """Its rows as text; as the owner of the tables."""
    done = subprocess.run(
        ["psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", dsn,
         "-c", statement], text=True, capture_output=True)
    if done.returncode:
        sys.exit(f"seed-data: {done.stderr.strip()}")
    return done.stdout.strip()


class Progress:
    """On one line of a terminal, else a line every tenth."""

    def __init__(self, what, total):
        self.what, self.total, self.told = what, total, -1
        self.start = time.monotonic()

    def at(self, n):
        tty = sys.stderr.isatty()
        share = n * (100 if tty else 10) // max(1, self.total)
        if share == self.told:
            return
        self.told = share
        line = f"{self.what}: {n:,} of {self.total:,}," \
            f" {time.monotonic() - self.start:.0f} s"
        end = "\n" if not tty or n == self.total else ""
        print(f"\r\033[K{line}" if tty else line, end=end, file=sys.stderr,
              flush=True)


def copy(dsn, table, lines, progress):
    """Lines of COPY's text format, some thousands at a time."""
    process = subprocess.Popen(
        ["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", dsn, "-c",
         f"COPY docket.{table} ({COLUMNS[table]}) FROM STDIN"],
        stdin=subprocess.PIPE, text=True)
    n, some = 0, []
    # It ends early where it was refused, and has said why.
    with contextlib.suppress(BrokenPipeError), process.stdin as pipe:
        for line in lines:
            some.append(line)
            if len(some) == 5000:
                pipe.write("".join(some))
                n, some = n + len(some), []
                progress.at(n)
        pipe.write("".join(some))
    if process.wait():
        sys.exit(1)
    progress.at(n + len(some))


def day(days):
    return (datetime.date(2024, 1, 1)
            + datetime.timedelta(days)).isoformat()


def kinds(dice):
    """What tasks have beside their owner, number and times: two texts that
    the title's number stands between, and whether it is done."""
    found = []
    for _ in range(KINDS):
        due = day(dice.randint(0, 2500)) if dice.random() < 0.6 else None
        status = dice.choice(STATUSES)
        tags = ",".join(dice.sample(TAGS, dice.choice([0, 0, 1, 1, 2])))
        text = " ".join(dice.choices(WORDS, k=dice.randint(3, 25))) \
            if dice.random() < 0.7 else ""
        found.append((dice.choice(TITLES), "\t".join([
            text, status, str(dice.choice([0, 0, 0, 1, 2, 5, 9])),
            due or "\\N", f"{due} 23:59:59.999+00" if due else "\\N",
            "{" + tags + "}"]), status == "completed"))
    return found


def instant(ms):
    return day(ms // 86400000) + CLOCK[ms // 1000 % 86400]


def task_line(user, n, k, users, kind):
    title, rest, done = kind
    ms = (k * users + n) * 1000
    at = instant(ms) if ms >= 0 else instant(0)
    return (f"{user}\t{seeded.bench_id(seeded.BASE + ms, n)}\t{k}\t{title}"
            f" {k}\t{rest}\t{k:010d}\t{at}\t{at}\t{at if done else chr(92)}"
            f"{'' if done else 'N'}\n")


def task_lines(first, users, tasks):
    """Oldest first, one of each user in turn: a user's newest lie on as many
    pages, as they would after years of use."""
    made = kinds(random.Random(first))
    owners = [(n, seeded.user_id(n)) for n in range(first, first + users)]
    at = 0
    for k in range(1, tasks + 1):
        for n, user in owners:
            at = (at + 7) % KINDS if n % 64 else (at + 3 * k) % KINDS
            yield task_line(user, n, k, users, made[at])


def accounts(dsn, first, users, tasks, password_of):
    """They may log in with the password of the account of that name."""
    password = psql(dsn, "SELECT password_hash FROM docket.users"
                    f" WHERE username_key = '{password_of}'")
    if not password:
        sys.exit(f"seed-data: there is no account {password_of}")
    now = datetime.datetime.now(datetime.timezone.utc)
    idle, end = (now + datetime.timedelta(days=d) for d in (14, 90))
    numbers = range(first, first + users)
    copy(dsn, "users", (
        f"{seeded.user_id(n)}\t{seeded.username(n)}\t{seeded.username(n)}\t"
        f"{password}\t2023-12-31\t2023-12-31\n" for n in numbers),
        Progress("accounts", users))
    copy(dsn, "counters", (f"{seeded.user_id(n)}\t{tasks}\n"
                           for n in numbers), Progress("counters", users))
    copy(dsn, "sessions", (
        f"{seeded.session_id(n)}\t{seeded.user_id(n)}\t{idle}\t{end}\n"
        for n in numbers), Progress("sessions", users))


def indexes(dsn):
    """(how to drop it, how to make it) of every index of tasks."""
    rows = psql(dsn, """
        SELECT 'ALTER TABLE docket.tasks DROP CONSTRAINT ' || conname,
            'ALTER TABLE docket.tasks ADD CONSTRAINT ' || conname || ' '
            || pg_get_constraintdef(oid)
        FROM pg_constraint WHERE conrelid = 'docket.tasks'::regclass
        AND contype IN ('p', 'u')
        UNION ALL
        SELECT 'DROP INDEX ' || indexrelid::regclass,
            pg_get_indexdef(indexrelid) || coalesce((SELECT
                string_agg(format('; ALTER INDEX %s ALTER COLUMN %s SET'
                    ' STATISTICS %s', indexrelid::regclass, attnum,
                    attstattarget), '')
                FROM pg_attribute WHERE attrelid = indexrelid
                AND attstattarget >= 0), '')
        FROM pg_index i WHERE indrelid = 'docket.tasks'::regclass
        AND NOT EXISTS (SELECT FROM pg_constraint
            WHERE conindid = i.indexrelid)""")
    return [row.split("|", 1) for row in rows.splitlines()]


@contextlib.contextmanager
def without_indexes(dsn, really):
    """Many rows at once are sooner in when the indexes are made after."""
    found = indexes(dsn) if really else []
    for drop, _ in found:
        psql(dsn, drop)
    yield
    for _, make in found:
        print(make.split(" USING")[0], file=sys.stderr, flush=True)
        psql(dsn, "SET maintenance_work_mem = '1GB'; " + make)


def arguments():
    def number(text):
        value = int(text)
        if value < 1:
            raise ValueError
        return value

    parser = argparse.ArgumentParser(prog="seed-data", allow_abbrev=False)
    parser.add_argument("--dsn", required=True)
    parser.add_argument("--users", type=number, default=100)
    parser.add_argument("--tasks", type=number, default=100)
    parser.add_argument("--big", type=number, metavar="TASKS")
    parser.add_argument("--password-of", default="admin")
    parser.add_argument("--bulk", action="store_true")
    return parser.parse_args()


def main():
    args = arguments()
    first = 1 + int(psql(args.dsn, "SELECT count(*) FROM docket.users WHERE"
                         " username_key ~ '^bench[0-9]{7}$'"))
    sets = [(first, args.users, args.tasks)]
    if args.big:
        sets.append((first + args.users, 1, args.big))
    with without_indexes(args.dsn, args.bulk):
        for start, users, tasks in sets:
            accounts(args.dsn, start, users, tasks, args.password_of)
            copy(args.dsn, "tasks", task_lines(start, users, tasks),
                 Progress("tasks", users * tasks))
    psql(args.dsn, "VACUUM (ANALYZE) docket.users")
    psql(args.dsn, "VACUUM (ANALYZE) docket.sessions")
    psql(args.dsn, "VACUUM (ANALYZE) docket.tasks")
    last = first + args.users + bool(args.big) - 1
    print(f"accounts {seeded.username(first)} to {seeded.username(last)},"
          f" password: that of {args.password_of}")


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
