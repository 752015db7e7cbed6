# SPDX-License-Identifier: AGPL-3.0-or-later
"""A client of the fifth seed system: signup with a role, status, deadline."""

import base64
import json
import sys

from story import Story, has, new_name, run, want

PASSWORD = "test@123"


def header_of(token):
    part = token.split(".")[0]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def log_in(story, path, body):
    reply = story.ask("POST", path, 200, json=body)
    want(set(reply) == {"token"}, f"{path}: {sorted(reply)}")
    want(header_of(reply["token"])["alg"] == "HS256", f"{path}: the alg")
    return reply["token"]


def sign_up(story):
    """As the document's example has it, role included."""
    body = {"username": new_name(), "password": PASSWORD, "role": "admin"}
    body["email"] = body["username"] + "@example.com"
    story.refused("role admin for the asking", "POST", "/users/signup", 403,
                  json=body)
    body["role"] = "user"
    reply = story.ask("POST", "/users/signup", 200, json=body)
    want(reply == {"message": "User added successfully"},
         f"signup: {reply}")
    story.did("users/signup:", reply["message"])
    return body


def tasks(story, token):
    story.refused("tasks without a token", "GET", "/tasks", 401)
    task = story.ask("POST", "/tasks", (200, 201), token=token,
                     json={"title": "Sample"})["task"]
    has(task, "id", "title", "status")
    story.did("create:", task["title"])
    path = f"/tasks/{task['id']}"
    task = story.ask("PUT", path, 200, token=token, json={
        "title": "Changed", "description": "words"})["task"]
    want((task["title"], task["description"]) == ("Changed", "words"),
         f"update: {task}")
    story.did("update:", task["title"])
    task = story.ask("PATCH", path + "/status", 200, token=token,
                     json={"status": "completed"})["task"]
    want(task["status"] == "completed", f"status: {task}")
    story.did("status:", task["status"])
    task = story.ask("PATCH", path + "/status", 200, token=token,
                     json={"deadline": "2031-01-31"})["task"]
    want("2031-01-31" in (task.get("deadline"), task.get("due_date")),
         f"deadline: {task}")
    want(task["status"] == "completed", "the deadline changed the status")
    story.did("deadline: 2031-01-31")
    story.refused("neither status nor deadline", "PATCH", path + "/status",
                  400, token=token, json={})
    found = story.ask("GET", "/tasks", 200, token=token)["tasks"]
    want([one["id"] for one in found] == [task["id"]], f"list: {found}")
    story.did("list:", *(one["title"] for one in found))
    story.ask("DELETE", path, (200, 204), token=token)
    want(story.ask("GET", "/tasks", 200, token=token)["tasks"] == [],
         "delete: it is there still")
    story.did("delete: gone")


def get_users(story):
    token = log_in(story, "/users/login", {
        "username": story.admin["username"],
        "password": story.admin["password"]})
    found = story.ask("GET", "/users/get_users", 200, token=token)["users"]
    want(found, "get_users: nobody, and who asks?")
    for user in found:
        want(set(user) == {"username", "email", "role", "status"},
             f"get_users: {user}")
        want(user["role"] in ("admin", "user") and user["status"] in "YN",
             f"get_users: {user}")
    story.did("get_users:", "usernames, emails, roles, statuses")


def tell(story: Story):
    """Sign up, log in, keep tasks with deadlines, look at the users."""
    body = sign_up(story)
    who = {"email": body["email"], "password": PASSWORD}
    token = log_in(story, "/users/login", who)
    story.did("users/login: a token")
    story.refused("a wrong password", "POST", "/users/login", 401,
                  json={**who, "password": "test@124"})
    tasks(story, token)
    name = new_name()
    story.ask("POST", "/register", 200, json={
        "username": name, "password": PASSWORD,
        "email": name + "@example.com"})
    log_in(story, "/login", {"email": name + "@example.com",
                             "password": PASSWORD})
    story.did("register, login: a token")
    story.refused("get_users as a user", "GET", "/users/get_users", 403,
                  token=token)
    if story.admin:
        get_users(story)


if __name__ == "__main__":
    sys.exit(run(tell))
