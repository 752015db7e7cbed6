# SPDX-License-Identifier: AGPL-3.0-or-later
"""Did any row of the database change? The rows themselves say."""

import subprocess

from docket import psql, wait_until

END = "-- end --"


class Ledger:
    """Every table and every sequence of the schema by what is in it and by
    where and by whom each row was written: even an update to what was there
    already, or a number drawn and not used, is seen. A lock alone is not.

    The rows are read only when a transaction that could have written ended
    since: two equal snapshots see the same rows."""

    def __init__(self, dev):
        # The API's own role may not read all of them.
        dsn = dev.dsn.replace("user=docket_api", "user=docket_owner")
        assert dsn != dev.dsn
        self.psql = subprocess.Popen(
            [psql(), "-X", "-q", "-A", "-t", "-F", "\t",
             "-v", "ON_ERROR_STOP=1", "-d", dsn], text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        names = self.ask("SELECT relname, relkind FROM pg_catalog.pg_class"
                         " WHERE relnamespace = 'docket'::regnamespace"
                         " AND relkind IN ('r', 'p', 'm', 'S') ORDER BY 1")
        assert {"tasks", "users", "sessions", "audit", "users_number_seq"} \
            <= {name for name, _ in names}
        parts = ["SELECT 'snapshot', pg_current_snapshot()::text, 0::numeric",
                 *(self.sequence(n) for n, kind in names if kind == "S")]
        self.quick = " UNION ALL ".join(parts)
        self.whole = " UNION ALL ".join(
            parts + [self.table(n) for n, kind in names if kind != "S"])
        self.known, self.rows = None, {}

    def close(self):
        self.psql.stdin.close()
        self.psql.wait(120)
        self.psql.stdout.close()

    def ask(self, statement):
        """The statement's rows, over the one connection."""
        self.psql.stdin.write(f"{statement};\n\\echo '{END}'\n")
        self.psql.stdin.flush()
        rows = []
        for line in self.psql.stdout:
            if line == END + "\n":
                return rows
            rows.append(line.rstrip("\n").split("\t"))
        raise AssertionError(f"psql refused: {statement}")

    @staticmethod
    def sequence(name):
        return (f"SELECT '{name}', last_value::text, is_called::int::numeric"
                f" FROM docket.{name}")

    @staticmethod
    def table(name):
        return (f"SELECT '{name}', count(*)::text,"
                " coalesce(sum(hashtextextended(t.ctid::text || ' ' ||"
                " t.xmin::text || ' ' || t::text, 0)), 0)"
                f" FROM docket.{name} t")

    def mark(self):
        """{table: (rows, sum of their hashes)}"""
        known = self.ask(self.quick)
        if known != self.known:
            rows = self.ask(self.whole)
            self.known = rows[:len(known)]
            self.rows = {row[0]: tuple(row[1:]) for row in rows
                         if row[0] != "snapshot"}
        return self.rows

    def settled(self):
        """A mark once the courier has sent what earlier requests left."""
        wait_until(lambda: self.mark()["outbox"][0] == "0",
                   "an empty outbox", 30)
        return self.rows

    def changed(self, before):
        """The tables that are not as they were; the courier's figures of
        what it sent are written a second later."""
        after = self.mark()
        return sorted(t for t in before.keys() | after.keys()
                      if before.get(t) != after.get(t)
                      and t != "courier_lanes")
