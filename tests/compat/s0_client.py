# SPDX-License-Identifier: AGPL-3.0-or-later
"""A client of the first seed system: eight addresses under /tasks."""

import sys

from story import Story, has, new_name, new_phone, run, want

COLUMNS = ("task_id", "title", "description", "status", "due_date",
           "created_at", "updated_at", "user_id")


def sign_up(story):
    """GENERATE_OTP, VALIDATE_OTP, REGISTER_USER: (token, user)"""
    mobile = new_phone()
    reply = story.ask("POST", "/tasks/generate_otp", 200,
                      json={"mobile": mobile})
    story.did("generate_otp:", reply["message"])
    otp = story.code(reply, mobile)
    reply = story.ask("POST", "/tasks/verify_otp", 200,
                      json={"mobile": mobile, "otp": otp})
    story.did("verify_otp:", reply["message"])
    story.refused("the same code again", "POST", "/tasks/verify_otp", 400,
                  json={"mobile": mobile, "otp": otp})
    name = new_name()
    reply = story.ask("POST", "/tasks/register_user", 200, json={
        "username": name, "password": "correct horse", "mobile_no": mobile,
        "email": name + "@example.org"})
    user = reply["user"]
    has(user, "user_id", "username", "created_at", "updated_at", "mobile_no",
        "email")
    want(user["username"] == name and user["mobile_no"] == mobile,
         f"register_user: somebody else: {user}")
    story.did("register_user:", reply["message"])
    return reply["access_token"], user


def create(story, token, user, title, status):
    task = story.ask("POST", "/tasks/create_task", 201, token=token, json={
        "title": title, "description": "of " + title, "status": status,
        "due_date": "2031-01-31"})["task"]
    has(task, *COLUMNS)
    want((task["title"], task["description"], task["status"],
          task["due_date"], task["user_id"]) ==
         (title, "of " + title, status, "2031-01-31", user["user_id"]),
         f"create_task: another one: {task}")
    story.did("create_task:", title + ",", task["status"])
    return task["task_id"]


def listed(story, token):
    tasks = story.ask("GET", "/tasks/task_list", 200, token=token)["tasks"]
    for task in tasks:
        has(task, *COLUMNS)
    return tasks


def tell(story: Story):
    """Sign up by a code, then keep a list of tasks in an order."""
    token, user = sign_up(story)
    story.refused("the list without a token", "GET", "/tasks/task_list", 401)
    want(listed(story, token) == [], "a new user has tasks")
    ids = [create(story, token, user, *one) for one in (
        ("one", "To Do"), ("two", "In Progress"), ("three", "Done"))]
    story.ask("PUT", "/tasks/update_task", 200, token=token,
              json={"task_id": ids[0], "status": "Done"})
    task = listed(story, token)[0]
    want((task["title"], task["status"]) == ("one", "Done"),
         f"update_task: {task}")
    story.did("update_task:", task["title"] + ",", task["status"])
    wanted = [ids[2], ids[0], ids[1]]
    story.ask("POST", "/tasks/order_task", 200, token=token,
              json={"task_ids": wanted})
    found = listed(story, token)
    want([task["task_id"] for task in found] == wanted,
         f"order_task: {[task['title'] for task in found]}")
    story.did("order_task:", *(task["title"] for task in found))
    reply = story.ask("DELETE", "/tasks/delete_task", 200, token=token,
                      json={"task_id": ids[0]})
    found = listed(story, token)
    want([task["task_id"] for task in found] == [ids[2], ids[1]],
         f"delete_task: {[task['title'] for task in found]}")
    story.did("delete_task:", reply["message"])
    story.did("task_list:", *(task["title"] for task in found))
    other, _ = sign_up(story)
    want(listed(story, other) == [], "another user sees them")
    story.refused("another user's delete_task", "DELETE",
                  "/tasks/delete_task", 404, token=other,
                  json={"task_id": ids[1]})


if __name__ == "__main__":
    sys.exit(run(tell))
