# SPDX-License-Identifier: AGPL-3.0-or-later
"""A client of the second seed system: code, registration, tokens, roles."""

import sys

from story import Story, has, new_name, new_phone, run, want


def send_otp(story, phone):
    reply = story.ask("POST", "/send-otp", 200, json={"phone": phone})
    want((reply["message"], reply["status_code"]) ==
         ("OTP sent successfully", 200), f"send-otp: {reply}")
    story.did("send-otp:", reply["message"])
    otp = story.code(reply, phone)
    want(len(otp) == 6 and otp.isdigit(), f"send-otp: no code: {otp}")
    return otp


def log_in(story, username, password):
    reply = story.ask("POST", "/token", 200, json={"username": username,
                                                   "password": password})
    has(reply, "access_token", "refresh_token")
    want(reply["token_type"] == "bearer", f"token: {reply['token_type']}")
    return reply


def tell(story: Story):
    """Register with a code, log in, refresh, see what the role opens."""
    phone, name = new_phone(), new_name()
    # As people write it, and as programs do.
    otp = send_otp(story, f"{phone[:3]} {phone[3:6]} {phone[6:]}")
    body = {"phone": phone, "username": name, "password": "password123",
            "otp": otp, "role": "user"}
    wrong = "%06d" % ((int(otp) + 1) % 1000000)
    story.refused("a wrong code", "POST", "/register", 400,
                  json={**body, "otp": wrong})
    story.refused("role admin for the asking", "POST", "/register", 403,
                  json={**body, "role": "admin"})
    reply = story.ask("POST", "/register", 200, json=body)
    want(reply == {"message": "User registered successfully",
                   "status_code": 200}, f"register: {reply}")
    story.did("register:", reply["message"])
    story.refused("the same code again", "POST", "/register", 400,
                  json={**body, "username": new_name()})
    story.refused("a wrong password", "POST", "/token", (400, 401),
                  json={"username": name, "password": "password124"})
    tokens = log_in(story, name, "password123")
    story.did("token:", tokens["token_type"])
    story.ask("GET", "/tasks", 200, token=tokens["access_token"])
    story.did("access token: opens /tasks")
    fresh = story.ask("POST", "/token", 200, json={
        "refresh_token": tokens["refresh_token"]})
    story.ask("GET", "/tasks", 200, token=fresh["access_token"])
    story.did("refresh token: a new access token")
    story.refused("admin-data without a token", "GET", "/admin-data", 401)
    story.refused("admin-data as a user", "GET", "/admin-data", 403,
                  token=fresh["access_token"])
    if story.admin:
        admin = log_in(story, story.admin["username"],
                       story.admin["password"])
        reply = story.ask("GET", "/admin-data", 200,
                          token=admin["access_token"])
        want(reply == {"message": "Access granted to admin data"},
             f"admin-data: {reply}")
        story.did("admin-data:", reply["message"])


if __name__ == "__main__":
    sys.exit(run(tell))
