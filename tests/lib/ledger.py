# SPDX-License-Identifier: AGPL-3.0-or-later
"""Did any row of the database change? The rows themselves say."""

import copy

from docket import wait_until


class Ledger:
    """Every table and every sequence of the schema by what is in it and by
    where and by whom each row was written: even an update to what was there
    already, or a number drawn and not used, is seen. A lock alone is not."""

    def __init__(self, dev):
        # The API's own role may not read all of them.
        self.owner = copy.copy(dev)
        self.owner.dsn = dev.dsn.replace("user=docket_api",
                                         "user=docket_owner")
        assert self.owner.dsn != dev.dsn
        names = self.owner.sql(
            "SELECT relname, relkind FROM pg_catalog.pg_class"
            " WHERE relnamespace = 'docket'::regnamespace"
            " AND relkind IN ('r', 'p', 'm', 'S') ORDER BY 1")
        assert {"tasks", "users", "sessions", "audit", "users_number_seq"} \
            <= {name for name, _ in names}
        self.statement = " UNION ALL ".join(
            self.part(*name) for name in names)

    @staticmethod
    def part(name, kind):
        if kind == "S":
            return (f"SELECT '{name}', last_value, is_called::int::numeric"
                    f" FROM docket.{name}")
        return (f"SELECT '{name}', count(*), coalesce(sum(hashtextextended("
                "t.ctid::text || ' ' || t.xmin::text || ' ' || t::text, 0)),"
                f" 0) FROM docket.{name} t")

    def mark(self):
        """{table: (rows, sum of their hashes)}"""
        return {row[0]: tuple(row[1:])
                for row in self.owner.sql(self.statement)}

    def settled(self):
        """A mark once the courier has sent what earlier requests left."""
        wait_until(lambda: self.owner.sql(
            "SELECT count(*) FROM docket.outbox") == [["0"]],
            "an empty outbox", 30)
        return self.mark()

    def changed(self, before):
        """The tables that are not as they were."""
        after = self.mark()
        return sorted(t for t in before.keys() | after.keys()
                      if before.get(t) != after.get(t))
