// SPDX-License-Identifier: AGPL-3.0-or-later
// Signs a browser in: password -> token -> cookie. The token lives as long as
// the two calls take; the cookie, which opens this site, no script can read.
"use strict";

const at = (id) => document.getElementById(id);

function call(method, path, more) {
	return fetch("/_docket/" + path, {
		method, cache: "no-store", credentials: "same-origin",
		redirect: "error", ...more,
	});
}

// Where the visitor wanted to go: a page of this very site, or its front.
function wanted() {
	const front = location.origin + "/";

	if (!location.search.startsWith("?next=/"))
		return front;
	try {
		const to = new URL(location.search.slice(6), location.origin);

		to.hash = location.hash;
		return to.origin === location.origin ? to.href : front;
	} catch {
		return front;
	}
}

function tell(words) {
	at("problem").textContent = words;
	at("problem").hidden = !words;
}

function told(reply) {
	const wait = Number(reply.headers.get("Retry-After"));

	if (reply.status === 429)
		return "Too many tries. Try again in " + (wait > 90 ?
			Math.ceil(wait / 60) + " minutes." :
			(wait || 60) + " seconds.");
	if (reply.status >= 500)
		return "The service is busy. Try again shortly.";
	return "Wrong name or password.";
}

// The words of what went wrong, none if nothing did.
async function enter(username, password) {
	let reply = await call("POST", "auth", {
		headers: { "Content-Type": "application/json" },
		body: JSON.stringify({ username, password }),
	});

	if (!reply.ok)
		return told(reply);
	reply = await call("POST", "cookie", { headers: {
		Authorization: "Bearer " + (await reply.json()).access_token,
	} });
	return reply.ok ? "" : "This site takes no cookies from Docket.";
}

async function submit(event) {
	event.preventDefault();
	tell("");
	at("enter").disabled = true;
	try {
		const words = await enter(at("name").value,
			at("password").value);

		if (!words)
			return location.replace(wanted());
		at("password").value = "";
		at("password").focus();
		tell(words);
	} catch {
		tell("The service cannot be reached.");
	}
	at("enter").disabled = false;
}

async function leave() {
	try {
		if ((await call("DELETE", "cookie")).ok)
			location.replace("/_docket/signin.html");
	} catch {
		// Still signed in: the page goes on saying so.
	}
}

// A link from another site comes without the cookie (SameSite=Strict), so it
// leads here; asked from here, the cookie is seen.
async function begin() {
	const reply = await call("GET", "me").catch(() => null);

	if (!reply || reply.status !== 204) {
		at("form").hidden = false;
		at("name").focus();
		return;
	}
	if (location.search)
		return location.replace(wanted());
	at("who").textContent = decodeURIComponent(
		reply.headers.get("X-User-Name"));
	at("inside").hidden = false;
}

at("form").addEventListener("submit", submit);
at("leave").addEventListener("click", leave);
begin();
