# SPDX-License-Identifier: AGPL-3.0-or-later
"""A client of the third seed system: OAuth2 password flow and an API key."""

import sys

from story import Story, has, new_name, run, want

KEY = {"X-API-Key": "123456"}
TASK = ("id", "user_id", "title", "description", "status", "created_at")


def bare(reply):
    """The document names the members of a task, not what is around them."""
    return reply.get("task", reply)


def sign_up(story):
    name = new_name()
    user = story.ask("POST", "/signup", (200, 201), json={
        "username": name, "password": "a long password"})
    has(user, "id", "username")
    want(user["username"] == name, f"signup: {user}")
    want("password" not in str(user), f"signup: tells the password: {user}")
    story.did("signup: a user")
    story.refused("the same name again", "POST", "/signup", (400, 409),
                  json={"username": name, "password": "a long password"})
    story.refused("a wrong password", "POST", "/token", (400, 401), form={
        "grant_type": "password", "username": name, "password": "wrong"})
    reply = story.ask("POST", "/token", 200, form={
        "grant_type": "password", "username": name,
        "password": "a long password"})
    want(reply["token_type"].lower() == "bearer", f"token: {reply}")
    story.did("token:", reply["token_type"])
    return reply["access_token"], user


def needs_both(story, token, method, path, **more):
    what = f"{method} {path.split('/')[1]}"
    for words, bearer, key in (
            ("neither", None, None), ("the token alone", token, None),
            ("the key alone", None, KEY),
            ("a wrong key", token, {"X-API-Key": "654321"}),
            ("a wrong token", token[:-4] + "AAAA", KEY)):
        story.refused(f"{what} with {words}", method, path, 401,
                      token=bearer, headers=key, **more)


def tell(story: Story):
    """Sign up, log in by the form, keep tasks with token and key."""
    token, user = sign_up(story)
    both = {"token": token, "headers": KEY}
    new = {"title": "Sample", "description": "words", "status": "pending"}
    needs_both(story, token, "POST", "/tasks", json=new)
    needs_both(story, token, "GET", "/tasks")
    task = bare(story.ask("POST", "/tasks", (200, 201), json=new, **both))
    has(task, *TASK)
    want((task["title"], task["status"], task["user_id"]) ==
         ("Sample", "pending", user["id"]), f"create: {task}")
    story.did("create:", task["title"] + ",", task["status"])
    path = f"/tasks/{task['id']}"
    for method, more in (("GET", {}), ("DELETE", {}),
                         ("PUT", {"json": {"status": "completed"}})):
        needs_both(story, token, method, path, **more)
    found = story.ask("GET", "/tasks", 200, **both)["tasks"]
    want([one["id"] for one in found] == [task["id"]], f"list: {found}")
    story.did("list:", len(found), "task")
    want(bare(story.ask("GET", path, 200, **both)) == task, "get: another")
    story.did("get:", task["title"])
    task = bare(story.ask("PUT", path, 200, json={"status": "completed"},
                          **both))
    want((task["title"], task["status"]) == ("Sample", "completed"),
         f"update: {task}")
    story.did("update:", task["status"])
    story.refused("a task without a title", "POST", "/tasks", (400, 422),
                  json={"description": "words"}, **both)
    story.refused("a status that there is not", "PUT", path, (400, 422),
                  json={"status": "perhaps"}, **both)
    other, _ = sign_up(story)
    story.refused("another user's task", "GET", path, 404, token=other,
                  headers=KEY)
    story.ask("DELETE", path, (200, 204), **both)
    story.did("delete: gone")
    story.refused("a deleted task", "GET", path, 404, **both)


if __name__ == "__main__":
    sys.exit(run(tell))
