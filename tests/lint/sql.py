# SPDX-License-Identifier: AGPL-3.0-or-later
"""The rules that keep the SQL literal, a user's own, and free of a session:
what poolers, fail-over and a table split by owner rely on. One argument, the
rule; a fault a line. `bites`: does each rule find what it is there for?"""

import functools
import pathlib
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

ROOT = pathlib.Path(__file__).resolve().parents[2]

# Rows of many users at once, and why. Each must be there still.
ACROSS = {
    "gc": "old replies go, whoever they were kept for",
    "changes_trim": "what was told for long enough goes, whosever it is",
    "trash_sweep": "what lay in the trash for long goes, whosever it is",
    "doctor_schema": "whether anything waits that gc takes away",
    "register_plain": "the counter of the account that it makes",
    "register_code": "the counter of the account that it makes",
    "register_proof": "the counter of the account that it makes",
    "user_insert": "the counter of the account that it makes",
    "user_upsert": "the counter of the account that it makes",
    "user_import": "the counters of the accounts that it makes",
    "user_import_update": "the counters of the accounts that it makes",
}
# SQL that is no prepared statement: a transaction's ends, and the migrations,
# whose connection is the owner's and goes to the server itself.
SCRIPTS = {"src/store/run.c": re.compile("BEGIN|COMMIT|ROLLBACK"),
           "src/store/batch.c": re.compile("BEGIN|COMMIT|ROLLBACK"),
           "src/store/export.c": re.compile("DECLARE \\w+ NO SCROLL CURSOR"),
           "src/store/migrate.c": re.compile(""),
           # psql's, as PostgreSQL's superuser, before there is a schema
           "src/cli/setup_database.c": re.compile(""),
           # psql's, as the owner, in the transaction that brings a schema
           "src/cli/restore_database.c": re.compile("SET lock_timeout")}

COMMAND = re.compile(r"\s*(SELECT|INSERT INTO|UPDATE|DELETE FROM|MERGE|WITH|"
                     r"BEGIN|COMMIT|ROLLBACK|SET|LISTEN|UNLISTEN|NOTIFY|"
                     r"PREPARE|EXECUTE|DEALLOCATE|DECLARE|TRUNCATE|CREATE|"
                     r"ALTER|DROP|DISCARD|RESET|LOCK TABLE|COPY|CALL|DO)"
                     r"(\s|$)")
SESSION = [
    (re.compile(r"^\s*(SET|RESET|DISCARD|LOAD|PREPARE|EXECUTE|DEALLOCATE)\b",
                re.I), "changes the session"),
    (re.compile(r"set_config\s*\([^()]*,\s*(false|'f')", re.I),
     "changes the session"),
    (re.compile(r"\bpg_(try_)?advisory_(unlock|lock)", re.I),
     "an advisory lock of the session: pg_advisory_xact_lock"),
    (re.compile(r"\bCREATE\s+(LOCAL\s+|GLOBAL\s+)?TEMP", re.I),
     "a temporary table"),
    (re.compile(r"\bINTO\s+TEMP", re.I), "a temporary table"),
    (re.compile(r"\bpg_temp\.", re.I), "a temporary object"),
    (re.compile(r"\bWITH\s+HOLD\b", re.I), "a cursor that outlives its "
     "transaction"),
    (re.compile(r"\bcurrval\s*\(|\blastval\s*\(", re.I),
     "asks for what the session did"),
]
ENUM = re.compile(r"\bCREATE\s+TYPE\s+\S+\s+AS\s+ENUM\b", re.I)
LISTEN = re.compile(r"^\s*(UN)?LISTEN\b", re.I)


# --- C --------------------------------------------------------------------

TOKEN = re.compile(r'"(?:[^"\\\n]|\\.)*"|\'(?:[^\'\\\n]|\\.)*\'|\w+|\S')


def preprocessed(path, text):
    """Macros expanded; of headers, only ours are needed for that."""
    done = subprocess.run(
        ["cc", "-E", "-P", "-x", "c", "-I", ROOT / "include", "-"],
        input=re.sub(r"(?m)^#[ \t]*include <.*$", "", text), text=True,
        capture_output=True)
    if done.returncode:
        sys.exit(f"{path}: {done.stderr}")
    return done.stdout


def unquoted(run):
    text = "".join(literal[1:-1] for literal in run)
    return text.replace('\\"', '"').replace("\\n", "\n")


class Literal(str):
    """A run of adjacent string literals."""


def tokens(code):
    found, run = [], []
    for token in TOKEN.findall(code):
        if token.startswith('"'):
            run.append(token)
            continue
        if run:
            found.append(Literal(unquoted(run)))
            run = []
        found.append(token)
    return found


def is_stmt(code):
    """{ name, something, row, bool, bool }, and the something is no SQL."""
    end = code.index("}") if "}" in code else 0
    tail = code[end - 4:end]
    return len(tail) == 4 and tail[0] == tail[2] == "," and \
        {tail[1], tail[3]} <= {"true", "false", "1", "0"}


def statements(path, text):
    """(name, SQL) of each struct stmt, and what else is SQL or is put
    together where a literal belongs."""
    found, loose, taken = [], [], set()
    code = tokens(preprocessed(path, text))
    for i in range(len(code) - 4):
        if code[i] != "{" or not isinstance(code[i + 1], Literal) or \
                code[i + 2] != "," or not re.fullmatch(r"\w+", code[i + 1]):
            continue
        if isinstance(code[i + 3], Literal) and code[i + 4] == "," and \
                COMMAND.match(code[i + 3]):
            found.append((str(code[i + 1]), str(code[i + 3])))
            taken.add(i + 3)
        elif is_stmt(code[i:i + 24]):
            loose.append(f"{code[i + 1]}: not one literal")
    for i, token in enumerate(code):
        if isinstance(token, Literal) and i not in taken and \
                COMMAND.match(token):
            loose.append(str(token))
    return found, loose


# --- SQL ------------------------------------------------------------------

WORD = re.compile(r"'(?:[^']|'')*'|[A-Za-z_][\w.]*|\$\d+|::|<>|[<>!]=|\S")
KEYWORD = set("""AS ON USING WHERE SET FROM JOIN LEFT RIGHT INNER CROSS FULL
    ORDER GROUP LIMIT RETURNING VALUES SELECT UNION FOR WITH AND DEFAULT
    LATERAL NATURAL HAVING OFFSET WINDOW""".split())


def tree(sql):
    """Nested lists for parentheses."""
    stack = [[]]
    for word in WORD.findall(sql):
        if word == "(":
            stack.append([])
        elif word == ")" and len(stack) > 1:
            closed = stack.pop()
            stack[-1].append(closed)
        else:
            stack[-1].append(word)
    return stack[0]


def upper(word):
    return word.upper() if isinstance(word, str) else ""


def queries(level):
    """Every query of a statement, as the words of its own level."""
    part = []
    for word in level:
        if isinstance(word, list):
            yield from queries(word)
        if upper(word) in ("UNION", "INTERSECT", "EXCEPT"):
            yield part
            part = []
        else:
            part.append(word)
    yield part


def without_cases(query):
    """What holds only in a CASE does not hold."""
    kept, deep = [], 0
    for word in query:
        deep += upper(word) == "CASE"
        if deep == 0:
            kept.append(word)
        deep -= upper(word) == "END" and deep > 0
    return kept


def plain(query):
    """(a = b) IS TRUE is a = b, out of the planner's sight."""
    kept, at = [], 0
    while at < len(query):
        word, after = query[at], [upper(w) for w in query[at + 1:at + 3]]
        if isinstance(word, list) and len(word) == 3 and word[1] == "=" \
                and after == ["IS", "TRUE"]:
            kept += word
            at += 3
            continue
        kept.append(word)
        at += 1
    return kept


def owned_tables(migrations):
    """Those whose key begins with the owner, and all of the tasks'."""
    found = set()
    for table, body in re.findall(
            r"CREATE TABLE (?:IF NOT EXISTS )?docket\.(\w+) \((.*?)\n\)",
            migrations, re.S):
        if re.search(r"PRIMARY KEY \(user_id\b", body) or \
                re.search(r"\buser_id uuid[^,]*PRIMARY KEY", body):
            found.add(f"docket.{table}")
    return found | set(re.findall(
        r"CREATE (?:UNLOGGED )?TABLE (?:IF NOT EXISTS )?"
        r"(docket\.tasks?(?:_\w+)?)\b", migrations))


@functools.cache
def live_user():
    """SQL_LIVE_USER as it stands in the header."""
    code = tokens(preprocessed("who.h", '#include "store/who.h"\n'
                               "SQL_LIVE_USER ;\n"))
    literals = [t for t in code if isinstance(t, Literal)]
    return tree(literals[-1])[0]


def is_owner(word):
    return word in ("$1", "who.user_id") or word == live_user()


def mentions(query, owned):
    """(index, table, alias) of the owned tables that a query names."""
    for i, word in enumerate(query):
        if not isinstance(word, str) or word not in owned:
            continue
        at = i + 1
        if at < len(query) and upper(query[at]) == "AS":
            at += 1
        alias = ""
        if at < len(query) and isinstance(query[at], str) and \
                re.fullmatch(r"[A-Za-z_]\w*", query[at]) and \
                upper(query[at]) not in KEYWORD:
            alias = query[at]
            at += 1
        yield i, at, word, alias


def ctes(level):
    """(name, body) of what a statement names by WITH, in its order."""
    for i, word in enumerate(level):
        if isinstance(word, list):
            yield from ctes(word)
        body = i + 2 + (upper(level[i + 2:i + 3] and level[i + 2])
                        == "MATERIALIZED")
        if isinstance(word, str) and upper(level[i + 1:i + 2] and
                                           level[i + 1]) == "AS" and \
                isinstance(level[body:body + 1] and level[body], list) and \
                level[body]:
            yield word, level[body]


def sources(query, named):
    """Which of these a query reads."""
    return {word for i, word in enumerate(query)
            if i and isinstance(word, str) and word in named
            and upper(query[i - 1]) in ("FROM", "JOIN", "USING", ",")}


def inserted_owner(query, at, mine):
    """Is the first value of an INSERT the owner, or what is the owner's?"""
    if at >= len(query) or not isinstance(query[at], list) or \
            query[at][:1] != ["user_id"]:
        return False
    for i in range(at + 1, len(query) - 1):
        if upper(query[i]) == "VALUES":
            return is_owner(query[i + 1][0])
        if upper(query[i]) == "SELECT":
            return is_owner(query[i + 1]) or isinstance(
                query[i + 1], str) and query[i + 1].endswith(".user_id") \
                and query[i + 1].rpartition(".")[0] in sources(query, mine)
    return False


def bound(query, mine):
    """The prefixes whose user_id a query ties to the owner; `mine` has rows
    of the owner alone."""
    query = plain(without_cases(query))
    words = [upper(w) for w in query]
    starts = [words.index(w) for w in ("WHERE", "ON") if w in words]
    if not starts or "OR" in words:
        return set()
    found, ties = sources(query, mine), []
    for i in range(min(starts) + 1, len(query) - 2):
        name = query[i]
        if not isinstance(name, str) or query[i + 1] != "=" or \
                name.rpartition(".")[2] != "user_id" or \
                words[i - 1] == "NOT":
            continue
        if is_owner(query[i + 2]):
            found.add(name.rpartition(".")[0])
        elif isinstance(query[i + 2], str) and \
                query[i + 2].endswith(".user_id"):
            ties.append({name.rpartition(".")[0],
                         query[i + 2].rpartition(".")[0]})
    for _ in ties:
        for tie in ties:
            found |= tie if tie & found else set()
    return found


def for_anybody(level, owned, mine):
    """The owned tables that are read or written for anybody."""
    faults = []
    for query in queries(level):
        tied = bound(query, mine)
        for i, at, table, alias in mentions(query, owned):
            if i and upper(query[i - 1]) == "INTO":
                good = inserted_owner(query, at, mine)
            else:
                good = (alias or "") in tied or \
                    (not alias and table in tied)
            if not good:
                faults.append(table)
    return faults


def touches(level, owned, mine):
    return any(True for query in queries(level)
               for _ in [*mentions(query, owned), *sources(query, mine)])


def without_owner(sql, owned):
    level, mine = tree(sql), set()
    for name, body in ctes(level):
        if touches(body, owned, mine) and not for_anybody(body, owned, mine):
            mine.add(name)
    return for_anybody(level, owned, mine)


# --- the tree -------------------------------------------------------------

class Tree:
    """What the rules look at."""

    def __init__(self, sources, migrations):
        self.migrations = migrations
        self.sources = sources
        self.owned = owned_tables("\n".join(migrations.values()))
        store = {p: t for p, t in sources.items()
                 if re.search(r"\bstruct stmt\b", t)}
        with ThreadPoolExecutor(4) as pool:
            taken = pool.map(lambda one: statements(*one), store.items())
            self.found = dict(zip(store, taken))

    def statements(self):
        for path, (found, _) in self.found.items():
            for name, sql in found:
                yield path, name, sql


def literal(t):
    for path, (_, loose) in t.found.items():
        for text in loose:
            if not (path in SCRIPTS and SCRIPTS[path].match(text)):
                yield f"{path}: {text[:60]}"
    for path, text in t.sources.items():
        if path in t.found or path in SCRIPTS:
            continue
        for number, line in enumerate(text.splitlines(), 1):
            if re.search(r'"(SELECT |INSERT INTO |UPDATE docket\.|'
                         r'DELETE FROM |WITH \w+ AS |SET \w+ ?(=|TO ))', line):
                yield f"{path}:{number}: SQL that is no struct stmt"


def owner(t):
    used = set()
    for path, name, sql in t.statements():
        faults = without_owner(sql, t.owned)
        if faults and name in ACROSS:
            used.add(name)
            continue
        for table in sorted(set(faults)):
            yield (f"{path}: {name}: {table} without user_id = $1 or "
                   "SQL_LIVE_USER")
    if t.found and "docket.tasks" not in t.owned:
        yield "no table of tasks was found"
    for name in ACROSS.keys() - used:
        yield f"{name}: named in ACROSS for nothing"


def session(t):
    texts = [(f"{path}: {name}", sql) for path, name, sql in t.statements()
             if path != "src/store/migrate.c"]
    for path, text in t.migrations.items():
        text = re.sub(r"--[^\n]*", "", text)
        texts += [(path, one) for one in text.split(";")]
    for where, sql in texts:
        for pattern, why in SESSION:
            if pattern.search(sql):
                yield f"{where}: {why}"


def enums(t):
    for path, text in t.migrations.items():
        if ENUM.search(re.sub(r"--[^\n]*", "", text)):
            yield f"{path}: an enum type: a text with a CHECK instead"


def listen(t):
    for path, name, sql in t.statements():
        if LISTEN.match(sql):
            yield f"{path}: {name}"
    for path, text in t.sources.items():
        if not path.startswith("src/courier/") and \
                re.search(r'"(UN)?LISTEN [^"]', text):
            yield path


RULES = {"literal": literal, "owner": owner, "session": session,
         "enums": enums, "listen": listen}


def whole():
    def read(paths):
        return {str(p.relative_to(ROOT)): p.read_text() for p in paths}

    return Tree(read(sorted(ROOT.glob("src/**/*.c"))),
                read(sorted(ROOT.glob("sql/migrations/*.sql"))))


def main():
    rule = sys.argv[1]
    if rule == "bites":
        import sql_cases
        faults = sql_cases.faults(sys.modules[__name__])
    else:
        faults = RULES[rule](whole())
    for fault in faults:
        print(fault)


if __name__ == "__main__":
    main()
