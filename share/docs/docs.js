// SPDX-License-Identifier: AGPL-3.0-or-later
// The page's own part: theme, sign-in, and the token that "try" sends along.
"use strict";

(() => {
	const $ = (id) => document.getElementById(id);
	const dark = matchMedia("(prefers-color-scheme: dark)");
	const wide = matchMedia("(min-width: 48rem)");

	// ---- what RapiDoc is told ----

	// Those of docs.css. What is written into its one <style> is a hash of
	// the page's Content-Security-Policy (docket-docs.conf): a change here
	// is a change there, and the browser's test says which.
	const colours = {
		light: {
			"bg-color": "#ffffff", "text-color": "#16181d",
			"primary-color": "#1d4fd7", "nav-bg-color": "#f3f4f6",
			"nav-text-color": "#16181d",
			"nav-hover-bg-color": "#dfe3ea",
			"nav-hover-text-color": "#16181d",
			"nav-accent-color": "#1d4fd7",
			"nav-accent-text-color": "#ffffff",
		},
		dark: {
			"bg-color": "#16181d", "text-color": "#eceef2",
			"primary-color": "#8fb4ff", "nav-bg-color": "#1f2229",
			"nav-text-color": "#eceef2",
			"nav-hover-bg-color": "#323743",
			"nav-hover-text-color": "#eceef2",
			"nav-accent-color": "#8fb4ff",
			"nav-accent-text-color": "#0c1a38",
		},
	};
	const always = {
		"show-header": "false",
		"load-fonts": "false",
		"regular-font": "system-ui, sans-serif",
		"mono-font": "ui-monospace, monospace",
		"font-size": "large",
		"allow-server-selection": "false",
		"allow-spec-url-load": "false",
		"allow-spec-file-load": "false",
		"allow-spec-file-download": "false",
		"fetch-credentials": "same-origin",
		"show-method-in-nav-bar": "as-colored-text",
		"use-path-in-nav-bar": "true",
		"schema-style": "table",
		"schema-description-expanded": "true",
		"default-schema-tab": "example",
		"response-area-height": "24rem",
	};

	// What is amiss inside RapiDoc, where docs.css does not reach.
	const inside = new CSSStyleSheet();
	inside.replaceSync(`
		#api-info {
			margin-left: 0;
		}
		.endpoint-body > .summary > div[style*="absolute"] {
			position: static !important;
		}
		.endpoint-body > .summary > div[style*="absolute"] > div {
			justify-content: flex-start !important;
			min-width: 0 !important;
		}
		.main-content-inner--view-mode {
			padding: 0 0.75rem;
		}`);

	let spec = null;
	let shown = null;

	// A theme is a new element: one that changes would go through styles
	// that the policy does not know.
	function show() {
		const theme = themeNow();
		const next = document.createElement("rapi-doc");
		const attributes = {
			...always, ...colours[theme], theme,
			"render-style": wide.matches ? "focused" : "view",
		};

		document.documentElement.dataset.theme = theme;
		$("theme").textContent = theme === "dark" ? "Light" : "Dark";
		for (const [name, value] of Object.entries(attributes))
			next.setAttribute(name, value);
		next.addEventListener("spec-loaded", carry);
		$("page").replaceChildren(next);
		next.shadowRoot.adoptedStyleSheets.push(inside);
		shown = next;
		if (spec)
			next.loadSpec(structuredClone(spec));
	}

	// An example in each optional parameter would make a request that
	// nobody means: a cursor, all filters at once.
	function unfilled(document) {
		for (const path of Object.values(document.paths))
			for (const operation of Object.values(path))
				for (const one of operation.parameters ?? [])
					if (!one.required)
						one["x-fill-example"] = "no";
		for (const one of Object.values(
		    document.components?.parameters ?? {}))
			if (!one.required)
				one["x-fill-example"] = "no";
		return document;
	}

	async function load() {
		try {
			const reply = await fetch("/openapi.json");

			if (!reply.ok)
				throw new Error(reply.status);
			spec = unfilled(await reply.json());
			await shown.loadSpec(structuredClone(spec));
		} catch (error) {
			say(`/openapi.json did not come (${error.message}). ` +
			    "Load this page again in a moment.");
		}
	}

	// ---- theme ----

	let turned = null;

	function themeKept() {
		try {
			return turned ?? localStorage.getItem("docket-theme");
		} catch {
			return turned;	// a browser that keeps nothing
		}
	}

	function themeNow() {
		return themeKept() ?? (dark.matches ? "dark" : "light");
	}

	function themeTurn() {
		turned = themeNow() === "dark" ? "light" : "dark";
		try {
			localStorage.setItem("docket-theme", turned);
		} catch {
			// Then it is turned for this visit.
		}
		show();
	}

	// ---- sign-in ----

	// In memory alone: whoever leaves the page leaves the session.
	let session = null;
	let renewal = null;

	function say(words) {
		$("said").textContent = words;
	}

	function carry() {
		if (session)
			shown.setApiKey("bearer", session.access_token);
		else
			shown.removeAllSecurityKeys?.();
	}

	function wait(reply) {
		const seconds = reply.headers.get("Retry-After");

		return seconds ? ` Again in ${seconds} s.` : "";
	}

	async function token(members) {
		const reply = await fetch("/auth/token", {
			method: "POST",
			body: new URLSearchParams(members),
		});
		const body = await reply.json().catch(() => ({}));

		if (!reply.ok)
			throw Object.assign(new Error((body.error_description ??
			    `The server said ${reply.status}.`) + wait(reply)),
			    { later: reply.headers.has("Retry-After") });
		return body;
	}

	function keep(body) {
		session = body;
		clearTimeout(renewal);
		renewal = setTimeout(renew,
		    Math.max(body.expires_in - 30, 5) * 1000);
		carry();
	}

	function forget() {
		session = null;
		clearTimeout(renewal);
		carry();
		$("inside").hidden = true;
		$("enter").hidden = false;
	}

	async function renew() {
		const before = session;

		try {
			const next = await token({
				grant_type: "refresh_token",
				refresh_token: before.refresh_token,
			});

			// Whoever has signed out meanwhile stays so.
			if (session === before)
				keep(next);
		} catch (error) {
			if (session !== before)
				return;
			if (error instanceof TypeError || error.later) {
				renewal = setTimeout(renew, 5000);
				return;
			}
			forget();
			say("The session has ended: sign in again.");
		}
	}

	async function enter(event) {
		const button = $("enter").querySelector("button");
		const name = $("name").value.trim();

		event.preventDefault();
		say("");
		button.disabled = true;
		try {
			keep(await token({
				grant_type: "password",
				username: name,
				password: $("password").value,
			}));
			$("who").textContent = name;
			$("enter").hidden = true;
			$("inside").hidden = false;
			$("leave").focus();
		} catch (error) {
			say(error instanceof TypeError ?
			    "The server cannot be reached." : error.message);
			$("password").focus();
		} finally {
			$("password").value = "";
			button.disabled = false;
		}
	}

	async function leave() {
		const bearer = session.access_token;

		forget();
		say("");
		$("name").focus();
		await fetch("/auth/logout", {
			method: "POST",
			headers: { Authorization: `Bearer ${bearer}` },
		}).catch(() => say("The server did not hear of it: the token is " +
		    "good until it ends by itself."));
	}

	// ---- begin ----

	$("enter").hidden = false;
	$("theme").hidden = false;
	$("enter").addEventListener("submit", enter);
	$("leave").addEventListener("click", leave);
	$("theme").addEventListener("click", themeTurn);
	dark.addEventListener("change", () => themeKept() || show());
	wide.addEventListener("change", show);
	show();
	load();
})();
