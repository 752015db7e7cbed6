# SPDX-License-Identifier: AGPL-3.0-or-later
"""Lists against a model of them: every filter, sort, direction and cursor over
random tasks, and pages that miss and repeat nothing while others write."""

import datetime
import random
import urllib.parse
import zoneinfo

import pytest

SORTS = ["position", "number", "created_at", "updated_at", "due_date",
         "priority", "title", "status"]
WORDS = ["milk", "Milk", "bread", "éclair", "Éclair", "Zahnarzt", "Äpfel",
         "äpfel", "жук", "Жук", "日本", "نان", "straße", "o'clock", "a",
         "🚲", "100", "x_y"]
TAGS = ["home", "work", "später", "a b", "خانه"]
STATUSES = ["pending", "in_progress", "completed", "cancelled"]
ZONES = ["Europe/Berlin", "America/New_York", "Asia/Tehran"]
UTC = datetime.timezone.utc


def instant(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


def due_at(task):
    """When it falls due: a date at its end, a local time in its zone."""
    text, zone = task["due_date"], task["due_timezone"]
    if text is None:
        return None
    if len(text) == 10:
        return instant(text + "T23:59:59.999Z")
    if zone:
        return instant(text).replace(tzinfo=zoneinfo.ZoneInfo(zone))
    return instant(text)


KEYS = {
    "position": lambda t: t["position"].encode(),
    "number": lambda t: t["number"],
    "created_at": lambda t: 0,
    "updated_at": lambda t: t["updated_at"],
    "due_date": due_at,
    "priority": lambda t: t["priority"],
    "title": lambda t: t["title"].lower().encode(),
    "status": lambda t: t["status"],
}


def in_order(tasks, sort, down):
    """By the key, then the id, both the same way; nothing due comes last."""
    key = KEYS[sort]
    there = [t for t in tasks if key(t) is not None]
    rest = [t for t in tasks if key(t) is None]
    there.sort(key=lambda t: (key(t), t["id"]), reverse=down)
    rest.sort(key=lambda t: t["id"], reverse=down)
    return there + rest


def words_of(task):
    """What a search sees: whole words, whatever their case. What has no
    letter and no digit is no word, and its neighbours stand together."""
    text = f"{task['title']} {task['description'] or ''}".lower()
    for apart in "'_":
        text = text.replace(apart, " ")
    return [w for w in text.split() if any(c.isalnum() for c in w)]


# --- the filters: query, and what it means

def by_status(dice):
    chosen = dice.sample(STATUSES, dice.randint(1, 3))
    return "status=" + ",".join(chosen), lambda t: t["status"] in chosen


def by_priority(dice):
    n = dice.randint(0, 9)
    return f"priority={n}", lambda t: t["priority"] == n


def by_tag(dice):
    tag = dice.choice(TAGS)
    return "tag=" + urllib.parse.quote(tag), lambda t: tag in t["tags"]


def by_overdue(dice):
    now = datetime.datetime.now(UTC)
    return "overdue=true", lambda t: t["overdue"] and due_at(t) < now \
        and t["status"] in ("pending", "in_progress")


def bound(name, value_of, at):
    """before or after an instant; nothing that has none."""
    def make(dice):
        text, side = at(dice), dice.choice(["before", "after"])
        limit = instant(text)

        def holds(task):
            value = value_of(task)
            return value is not None and (
                value < limit if side == "before" else value > limit)
        return f"{name}_{side}={text}", holds
    return make


def word(dice):
    return dice.choice(["milk", "bread", "éclair", "zahnarzt", "äpfel", "жук",
                        "نان", "straße", "100", "absent"])


def by_words(dice):
    one, other = word(dice), word(dice)
    query, holds = dice.choice([
        (one, lambda w: one in w),
        (one.upper() if one != "straße" else one, lambda w: one in w),
        (f"{one} {other}", lambda w: one in w and other in w),
        (f"{one} or {other}", lambda w: one in w or other in w),
        (f"-{one}", lambda w: one not in w),
        (f"{one} -{other}", lambda w: one in w and other not in w),
        (f'"{one} {other}"', lambda w: (one, other) in zip(w, w[1:]))])
    return "q=" + urllib.parse.quote(query), lambda t: holds(words_of(t))


def some_day(dice):
    return f"2030-01-{dice.randint(1, 28):02d}T12:00:00Z"


def made_day(dice):
    return f"2025-01-01T00:00:{dice.randint(0, 9):02d}.000Z"


FILTERS = [
    by_status, by_priority, by_tag, by_overdue, by_words,
    bound("due", due_at, some_day),
    bound("created", lambda t: instant(t["created_at"]),
          lambda dice: "2024-01-01T00:00:00Z"),
    bound("updated", lambda t: instant(t["updated_at"]), made_day)]


# --- random tasks

def phrase(dice, most):
    return " ".join(dice.choice(WORDS)
                    for _ in range(dice.randint(1, most)))


def random_due(dice):
    day = f"20{dice.choice([20, 30])}-01-{dice.randint(1, 28):02d}"
    return dice.choice([
        {}, {}, {"due_date": day}, {"due_date": day + "T10:00:00Z"},
        {"due_date": day + "T10:00:00", "due_timezone": dice.choice(ZONES)}])


def random_task(dice):
    return {"title": phrase(dice, 3), "status": dice.choice(STATUSES),
            "description": dice.choice([None, phrase(dice, 6)]),
            "priority": dice.choice([0, 0, 1, 5, 9]),
            "tags": dice.sample(TAGS, dice.randint(0, 3)),
            **random_due(dice)}


def filled(dev, one, dice, n):
    """n tasks in some order, some of them in the trash, and many changed at
    the same instant; those that a list may show."""
    ids = [one.task(**random_task(dice))["id"] for _ in range(n)]
    for _ in range(n // 4):
        a, b = dice.sample(ids, 2)
        one.post("/tasks/order", json={"task_id": a, "after": b})
    for id in dice.sample(ids, n // 8):
        one.delete(f"/tasks/{id}")
        ids.remove(id)
    dev.sql("UPDATE docket.tasks SET updated_at = timestamptz '2025-01-01Z'"
            " + number % 10 * interval '1 s' WHERE user_id = :'user'",
            user=one.id)
    return [one.get(f"/tasks/{id}").json["task"] for id in ids]


def every_page(one, query, limit):
    """All of a list by its cursors, and the totals that were told."""
    found, totals, cursor = [], set(), None
    while True:
        more = f"&cursor={cursor}" if cursor else ""
        page = one.get(f"/tasks?limit={limit}&{query}{more}").json
        found += page["tasks"]
        totals.add(page.get("total"))
        cursor = page["next_cursor"]
        if not cursor:
            return found, totals
        assert len(page["tasks"]) == limit, query
        assert len(found) < 5000, f"no end of {query}"


def check(one, tasks, dice, sort, turn):
    chosen = [make(dice) for make in dice.sample(FILTERS, dice.choice(
        [0, 1, 1, 1, 2, 3]))]
    counted = dice.random() < 0.3
    query = "&".join([f"sort={turn}{sort}"] + [text for text, _ in chosen]
                     + ["count=exact"] * counted)
    want = in_order([t for t in tasks if all(holds(t) for _, holds in chosen)],
                    sort, bool(turn))
    got, totals = every_page(one, query, dice.choice([1, 3, 7, 50, 200]))
    assert [t["number"] for t in got] == [t["number"] for t in want], query
    assert got == want, query
    assert totals == ({len(want)} if counted else {None}), query
    return len(want)


def check_all(dev, one, seed, n, turns):
    dice = random.Random(seed)
    tasks = filled(dev, one, dice, n)
    shown = [check(one, tasks, dice, sort, turn)
             for _ in range(turns) for sort in SORTS for turn in ("", "-")]
    assert sum(shown) > len(shown) * 3, "hardly anything was found"


@pytest.mark.parametrize("seed", range(3))
def test_lists_are_what_the_model_says(dev, fresh, seed):
    check_all(dev, fresh(), seed, 60, 4)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(10, 22))
def test_lists_are_what_the_model_says_at_length(dev, fresh, seed):
    check_all(dev, fresh(), seed, 150, 20)


# --- stability: those that stand are seen once, whatever the others do

WAYS = {
    "plain": "",
    "filtered": "&tag=home",
    "found": "&q=here",
}


class Crowd:
    """Tasks that stand, and others that come, change and go around them."""

    def __init__(self, one, dice):
        self.one, self.dice = one, dice
        made = [self.make() for _ in range(24)]
        dice.shuffle(made)
        self.standing, self.others = made[:14], made[14:]

    def make(self):
        return self.one.task(**self.members())["id"]

    def members(self):
        return {**random_task(self.dice), "tags": ["home"],
                "description": "always here"}

    def come(self):
        self.others.append(self.make())

    def change(self):
        """Any key of any sort, and back to "nothing due" too."""
        self.one.patch(f"/tasks/{self.dice.choice(self.others)}", json={
            "due_date": None, "due_timezone": None, **self.members()})

    def move(self):
        """An other one, next to anybody."""
        mover = self.dice.choice(self.others)
        anchor = self.dice.choice(self.standing + self.others)
        if mover != anchor:
            self.one.post("/tasks/order", json={
                "task_id": mover, self.dice.choice(["before", "after"]):
                anchor})

    def go(self):
        if len(self.others) > 3:
            gone = self.others.pop(self.dice.randrange(len(self.others)))
            self.one.delete(f"/tasks/{gone}"
                            + self.dice.choice(["", "?purge=true"]))

    def stir(self):
        for _ in range(3):
            self.dice.choice([self.come, self.change, self.change, self.move,
                              self.move, self.go])()


def paged_in_a_crowd(one, dice, query, limit):
    crowd = Crowd(one, dice)
    seen, cursor, pages = [], None, 0
    while True:
        more = f"&cursor={cursor}" if cursor else ""
        page = one.get(f"/tasks?limit={limit}&{query}{more}").json
        seen += [t["id"] for t in page["tasks"]]
        cursor = page["next_cursor"]
        if not cursor:
            break
        pages += 1
        assert pages < 400, f"no end of {query}"
        # Whoever is changed may be put in front of the page for ever.
        if pages < 40:
            crowd.stir()
    for id in crowd.standing:
        assert seen.count(id) == 1, \
            f"{id} seen {seen.count(id)} times: {query} limit={limit}"


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("turn", ["", "-"])
@pytest.mark.parametrize("sort", SORTS)
def test_whoever_stands_is_seen_once(fresh, sort, turn, way):
    dice = random.Random(f"{sort} {turn} {way}")
    paged_in_a_crowd(fresh(), dice, f"sort={turn}{sort}{WAYS[way]}",
                     dice.choice([1, 2, 3, 5]))


@pytest.mark.long
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("limit", [1, 2, 3, 5, 7])
@pytest.mark.parametrize("turn", ["", "-"])
@pytest.mark.parametrize("sort", SORTS)
def test_whoever_stands_is_seen_once_by_every_limit(fresh, sort, turn, limit,
                                                    way):
    for seed in range(3):
        paged_in_a_crowd(fresh(), random.Random(seed),
                         f"sort={turn}{sort}{WAYS[way]}", limit)
