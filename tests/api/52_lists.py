# SPDX-License-Identifier: AGPL-3.0-or-later
"""Lists: filters, sorts, cursors that miss nothing, Link, fields, count."""

import re

import pytest

import docket

SORTS = ["position", "number", "created_at", "updated_at", "due_date",
         "priority", "title", "status"]

# Ties in every column, and half of them without a due date.
ROWS = [
    ("delta", "pending", 0, None, ["home"]),
    ("alpha", "completed", 5, "2030-01-02", []),
    ("charlie", "in_progress", 5, None, ["home", "work"]),
    ("bravo", "pending", 1, "2030-01-01", ["work"]),
    ("alpha", "cancelled", 9, "2030-01-01", []),
    ("echo", "pending", 1, None, ["home"]),
    ("bravo", "completed", 0, "2029-12-31T10:00:00Z", ["work"]),
    ("foxtrot", "in_progress", 1, "2030-01-02", []),
    ("alpha", "pending", 5, None, ["home"]),
    ("golf", "pending", 0, "2020-01-01", []),
    ("delta", "completed", 9, "2020-01-01", ["late"]),
    ("echo", "pending", 3, None, []),
]


@pytest.fixture(scope="module")
def lister(dev):
    one = docket.person(dev)
    for title, status, priority, due, tags in ROWS:
        one.task(title, status=status, priority=priority, due_date=due,
                 tags=tags, description=f"about {title}s")
    yield one
    one.close()


def pages(one, query, limit):
    """Every page's tasks, by following next_cursor."""
    found, cursor = [], None
    while True:
        more = f"&cursor={cursor}" if cursor else ""
        page = one.get(f"/tasks?limit={limit}&{query}{more}").json
        assert len(page["tasks"]) <= limit
        found.append(page["tasks"])
        cursor = page["next_cursor"]
        if not cursor:
            return found
        assert len(page["tasks"]) == limit
        assert re.fullmatch(r"[A-Za-z0-9_.~-]+", cursor), cursor


def test_an_empty_list(fresh):
    assert fresh().get("/tasks").json == {"tasks": [], "next_cursor": None}


def test_the_default_is_by_position(lister):
    tasks = lister.tasks()
    assert [t["number"] for t in tasks] == list(range(1, 13))
    positions = [t["position"] for t in tasks]
    assert positions == sorted(positions)


def test_fifty_a_page_by_default(fresh):
    one = fresh()
    for _ in range(51):
        one.task()
    page = one.get("/tasks").json
    assert len(page["tasks"]) == 50 and page["next_cursor"]
    assert len(one.get("/tasks?limit=200").json["tasks"]) == 51


def key_of(sort, task):
    value = task[sort]
    if sort == "due_date" and value and len(value) == 10:
        value += "T23:59:59.999Z"
    return value


@pytest.mark.parametrize("turn", ["", "-"])
@pytest.mark.parametrize("sort", SORTS)
def test_sorts(lister, sort, turn):
    tasks = lister.tasks(f"?sort={turn}{sort}")
    assert len(tasks) == len(ROWS)
    keys = [key_of(sort, t) for t in tasks]
    there = [k for k in keys if k is not None]
    assert keys[:len(there)] == there, "nulls come last either way"
    if sort == "status":
        # Which order of the words is the server's choice; groups are whole.
        groups = [k for i, k in enumerate(keys) if i == 0
                  or keys[i - 1] != k]
        assert len(groups) == len(set(groups))
    else:
        assert there == sorted(there, reverse=bool(turn))


@pytest.mark.parametrize("limit", [1, 3, 5, 12])
@pytest.mark.parametrize("turn", ["", "-"])
@pytest.mark.parametrize("sort", SORTS)
def test_pages_are_the_list(lister, sort, turn, limit):
    whole = [t["id"] for t in lister.tasks(f"?sort={turn}{sort}")]
    paged = [t["id"] for page in pages(lister, f"sort={turn}{sort}", limit)
             for t in page]
    assert paged == whole


def test_the_two_directions_of_the_status_mirror(lister):
    up = [t["status"] for t in lister.tasks("?sort=status")]
    down = [t["status"] for t in lister.tasks("?sort=-status")]
    assert up == down[::-1]


def picked(lister, query):
    return sorted(t["number"] for t in lister.tasks("?" + query))


def numbers(want):
    return [i for i, row in enumerate(ROWS, 1) if want(*row)]


@pytest.mark.parametrize("query, want", [
    ("status=pending", lambda t, s, p, d, g: s == "pending"),
    ("status=To%20Do", lambda t, s, p, d, g: s == "pending"),
    ("status=DONE", lambda t, s, p, d, g: s == "completed"),
    ("status=pending,cancelled",
     lambda t, s, p, d, g: s in ("pending", "cancelled")),
    ("priority=0", lambda t, s, p, d, g: p == 0),
    ("priority=5", lambda t, s, p, d, g: p == 5),
    ("tag=home", lambda t, s, p, d, g: "home" in g),
    ("tag=nothing", lambda t, s, p, d, g: False),
    ("tag=home&status=pending",
     lambda t, s, p, d, g: "home" in g and s == "pending"),
    ("overdue=true", lambda t, s, p, d, g: d == "2020-01-01"
     and s == "pending"),
    ("due_before=2030-01-01", lambda t, s, p, d, g: d and d < "2030-01-01"),
    ("due_after=2029-12-31", lambda t, s, p, d, g: d and d > "2029-12-31T2"),
    ("due_after=2029-12-31T09:59:59Z",
     lambda t, s, p, d, g: d and d >= "2029-12-31"),
    ("due_before=2029-12-31T10:00:00%2B00:00",
     lambda t, s, p, d, g: d == "2020-01-01"),
    ("due_after=2020-01-01&due_before=2030-01-01",
     lambda t, s, p, d, g: d == "2029-12-31T10:00:00Z"),
    ("q=golf", lambda t, s, p, d, g: t == "golf"),
    ("q=ALPHA", lambda t, s, p, d, g: t == "alpha"),
    ("q=about", lambda t, s, p, d, g: True),
    ("q=nothing", lambda t, s, p, d, g: False),
    ("q=%27%3B--", lambda t, s, p, d, g: False),
    ("created_after=2020-01-01", lambda t, s, p, d, g: True),
    ("created_before=2020-01-01", lambda t, s, p, d, g: False),
    ("updated_after=2020-01-01T00:00:00Z", lambda t, s, p, d, g: True),
    ("updated_before=2020-01-01", lambda t, s, p, d, g: False)])
def test_filters(lister, query, want):
    assert picked(lister, query) == numbers(want)
    paged = [t["number"] for page in pages(lister, query, 2) for t in page]
    assert sorted(paged) == numbers(want)


def test_overdue_false_asks_for_nothing(lister):
    """Only overdue=true is a filter (api.md section 4)."""
    assert len(picked(lister, "overdue=false")) in (
        len(ROWS), len(ROWS) - 1)


def test_updated_and_created_bounds_are_instants(fresh):
    one = fresh()
    first, second = one.task(), one.task()
    later = one.put("/tasks/" + first["id"], json={"title": "x"}
                    ).json["task"]
    if later["updated_at"] > second["updated_at"]:
        found = one.tasks("?updated_after=" + second["updated_at"])
        assert [t["id"] for t in found] == [first["id"]]
    if first["created_at"] < second["created_at"]:
        found = one.tasks("?created_before=" + second["created_at"])
        assert [t["id"] for t in found] == [first["id"]]


@pytest.mark.parametrize("query, pointer", [
    ("limit=0", "?limit"), ("limit=201", "?limit"), ("limit=-1", "?limit"),
    ("limit=abc", "?limit"), ("limit=", "?limit"), ("limit=1.5", "?limit"),
    ("limit=%2B5", "?limit"), ("limit=0x10", "?limit"),
    ("limit=99999999999999999999", "?limit"), ("limit=%205", "?limit"),
    ("sort=colour", "?sort"), ("sort=--title", "?sort"),
    ("sort=title,number", "?sort"), ("sort=TITLE", "?sort"),
    ("status=doing", "?status"), ("status=pending,,done", "?status"),
    ("priority=10", "?priority"), ("priority=x", "?priority"),
    ("overdue=perhaps", "?overdue"), ("due_before=soon", "?due_before"),
    ("due_after=2030-02-30", "?due_after"), ("count=many", "?count"),
    ("created_after=1", "?created_after"), ("fields=colour", "?fields"),
    ("fields=id,colour", "?fields"), ("fields=", "?fields"),
    ("q=", "?q"), ("tag=" + "x" * 51, "?tag"), ("offset=5", "?offset"),
    ("page=2", "?page"), ("LIMIT=5", "?LIMIT"), ("user_id=1", "?user_id")])
def test_query_faults(lister, query, pointer):
    reply = lister.get("/tasks?" + query, 400)
    assert reply.code == "invalid_request"
    told = reply.pointers()
    assert told and all(p.startswith(pointer) for p in told), str(reply)


def test_query_faults_are_told_at_once(lister):
    reply = lister.get("/tasks?limit=0&sort=x&count=y&z=1&due_before=q", 400)
    assert set(reply.pointers()) >= {"?limit", "?sort", "?count", "?z"}


@pytest.mark.parametrize("query", ["%zz=1", "limit=%", "q=%ff", "q=a%00b"])
def test_a_query_that_does_not_decode_is_400(lister, query):
    assert lister.get("/tasks?" + query, 400).code == "invalid_request"


# --- cursors --------------------------------------------------------------

def first_cursor(one, query=""):
    cursor = one.get("/tasks?limit=2" + query).json["next_cursor"]
    assert cursor
    return cursor


def test_a_cursor_does_not_mind_the_limit_nor_the_fields(lister):
    cursor = first_cursor(lister)
    page = lister.tasks(f"?limit=4&fields=number&cursor={cursor}")
    assert [t["number"] for t in page] == [3, 4, 5, 6]


@pytest.mark.parametrize("made, used", [
    ("", "&sort=-position"), ("", "&sort=title"), ("&sort=title", ""),
    ("", "&status=pending"), ("&status=pending", ""),
    ("&status=pending", "&status=completed"), ("", "&priority=1"),
    ("", "&q=about"), ("", "&tag=home"), ("", "&overdue=true"),
    ("", "&due_before=2030-01-01"), ("", "&created_after=2020-01-01"),
    ("&q=about", "&q=alpha")])
def test_a_cursor_is_bound_to_sort_and_filter(lister, made, used):
    cursor = first_cursor(lister, made)
    reply = lister.get(f"/tasks?cursor={cursor}{used}", 400)
    assert reply.code == "cursor_invalid"


def test_a_cursor_is_bound_to_its_user(lister, fresh):
    one = fresh()
    for _ in range(3):
        one.task()
    assert one.get("/tasks?cursor=" + first_cursor(lister), 400).code == \
        "cursor_invalid"


def test_a_cursor_of_the_users_list_is_no_cursor_here(admin):
    cursor = admin.get("/auth/users?limit=1").json["next_cursor"]
    assert admin.get("/tasks?cursor=" + cursor, 400).code == "cursor_invalid"


def test_a_cursor_cannot_be_forged(lister):
    cursor = first_cursor(lister)
    spoilt = [cursor[:-1], cursor + "A", "x", "AAAA" * 10, cursor[1:],
              cursor.swapcase(), "%20", cursor + "%3D"]
    for i in range(0, len(cursor), 7):
        other = "A" if cursor[i] != "A" else "B"
        spoilt.append(cursor[:i] + other + cursor[i + 1:])
    for bad in spoilt:
        assert lister.get("/tasks?cursor=" + bad, 400).code == \
            "cursor_invalid", bad


@pytest.mark.parametrize("sort", ["position", "-created_at", "title",
                                  "due_date", "-updated_at"])
def test_paging_misses_nothing_while_rows_come_and_go(fresh, sort):
    """Whoever is there from beginning to end is seen exactly once."""
    one = fresh()
    stay = [one.task(f"stay {i:02d}", due_date=f"2030-01-{i + 1:02d}"
                     if i % 2 else None)["id"] for i in range(20)]
    go = [one.task(f"go {i:02d}")["id"] for i in range(5)]
    seen, cursor, turn = [], None, 0
    while True:
        more = f"&cursor={cursor}" if cursor else ""
        page = one.get(f"/tasks?limit=4&sort={sort}{more}").json
        seen += [t["id"] for t in page["tasks"]]
        cursor = page["next_cursor"]
        if not cursor:
            break
        turn += 1
        if turn <= 10:
            one.task(f"come {turn:02d}", due_date="2030-01-05")
            one.task(f"a come {turn:02d}")
        if go:
            one.delete("/tasks/" + go.pop())
    for task in stay:
        assert seen.count(task) == 1, f"{task} seen {seen.count(task)} times"
    assert len(seen) == len(set(seen))


def test_the_row_of_a_cursor_may_go(lister, fresh):
    one = fresh()
    tasks = [one.task() for _ in range(5)]
    cursor = one.get("/tasks?limit=2").json["next_cursor"]
    one.delete("/tasks/" + tasks[1]["id"] + "?purge=true")
    assert [t["id"] for t in one.tasks("?cursor=" + cursor)] == \
        [t["id"] for t in tasks[2:]]


# --- Link, fields, count --------------------------------------------------

def test_link_leads_to_the_next_page(lister):
    path, numbers_seen = "/tasks?limit=5&sort=-number&fields=number", []
    for _ in range(3):
        reply = lister.get(path)
        numbers_seen += [t["number"] for t in reply.json["tasks"]]
        link = reply.header("Link")
        if reply.json["next_cursor"] is None:
            assert link is None or 'rel="next"' not in link
            break
        target = re.fullmatch(r'<([^>]+)>; *rel="?next"?', link)[1]
        path = re.sub(r"^https://[^/]+", "", target)
        assert path.startswith("/tasks?")
    assert numbers_seen == list(range(12, 0, -1))


def test_fields_pick_members(lister):
    page = lister.get("/tasks?fields=id,title&limit=3").json
    assert set(page) == {"tasks", "next_cursor"}
    for task in page["tasks"]:
        assert set(task) == {"id", "title"}


def test_fields_take_every_member_there_is(lister):
    whole = lister.tasks("?limit=1")[0]
    for name, value in whole.items():
        assert lister.tasks(f"?limit=1&fields={name}") == [{name: value}]


def test_count_exact(lister):
    assert "total" not in lister.get("/tasks").json
    assert lister.get("/tasks?count=exact&limit=1").json["total"] == 12
    page = lister.get("/tasks?count=exact&limit=1&status=pending").json
    assert page["total"] == len(numbers(lambda t, s, *_: s == "pending"))
    assert lister.get("/tasks?count=exact&tag=none").json["total"] == 0


def test_count_is_of_the_whole_list_on_every_page(lister):
    cursor = first_cursor(lister, "&count=exact")
    page = lister.get(f"/tasks?limit=2&count=exact&cursor={cursor}").json
    assert page["total"] == 12
