# SPDX-License-Identifier: AGPL-3.0-or-later
"""A client of the fourth seed system: what its OpenAPI document describes."""

import datetime
import sys
import uuid

from story import Story, has, new_name, run, want

PASSWORD = "securepassword"


def envelope(story, path, body, name, email):
    reply = story.ask("POST", path, 200, json=body)
    want(reply["message"] == "Authentication successful",
         f"{path}: {reply['message']}")
    user = reply["user"]
    uuid.UUID(user["id"])
    want((user["username"], user["email"]) == (name, email),
         f"{path}: somebody else: {user}")
    want(reply["token"].count(".") == 2, f"{path}: no JWT")
    story.did("POST", path + ":", reply["message"])
    return reply["token"], user


def same(reply, words):
    want(reply.get("message") == words,
         f"{reply.get('message')!r} instead of {words!r}")


def tell(story: Story):
    """Register, authenticate by e-mail, create, list and delete tasks."""
    name = new_name()
    email = name + "@example.com"
    same(story.refused("registerUser without a password", "POST",
                       "/auth/register", 400, json={"username": name,
                                                    "email": email}),
         "Missing required fields or invalid data.")
    envelope(story, "/auth/register", {"username": name, "email": email,
                                       "password": PASSWORD}, name, email)
    token, user = envelope(story, "/auth", {"email": email,
                                            "password": PASSWORD},
                           name, email)
    same(story.refused("authenticateUser without a password", "POST",
                       "/auth", 400, json={"email": email}),
         "Email or password is missing.")
    same(story.refused("authenticateUser with a wrong one", "POST", "/auth",
                       401, json={"email": email, "password": "wrong"}),
         "Invalid credentials.")
    reply = story.ask("POST", "/tasks", 201, token=token, json={
        "title": "Sample Task",
        "description": "This is a sample task description."})
    same(reply, "Task created")
    task = reply["task"]
    has(task, "uuid", "title", "description", "user_id", "created_at")
    uuid.UUID(task["uuid"])
    created = datetime.datetime.fromisoformat(task["created_at"])
    want(created.utcoffset() == datetime.timedelta(), "createTask: no UTC")
    want((task["title"], task["description"], task["user_id"]) ==
         ("Sample Task", "This is a sample task description.", user["id"]),
         f"createTask: {task}")
    story.did("POST /tasks:", reply["message"])
    same(story.refused("createTask without a title", "POST", "/tasks", 400,
                       token=token, json={"description": "words"}),
         "Missing required fields or invalid data.")
    found = story.ask("GET", "/tasks", 200, token=token)["tasks"]
    want(found == [task], f"getAllTasks: {found}")
    story.did("GET /tasks:", found[0]["title"])
    same(story.refused("deleteTask of no id", "DELETE", "/tasks/nonsense",
                       400, token=token), "Invalid task ID.")
    reply = story.ask("DELETE", f"/tasks/{task['uuid']}", 200, token=token)
    want(reply == {"message": "Task deleted"}, f"deleteTask: {reply}")
    story.did("DELETE /tasks/{task_id}:", reply["message"])
    same(story.refused("deleteTask again", "DELETE",
                       f"/tasks/{task['uuid']}", 404, token=token),
         "Task not found.")
    want(story.ask("GET", "/tasks", 200, token=token)["tasks"] == [],
         "getAllTasks: it is there still")


if __name__ == "__main__":
    sys.exit(run(tell))
