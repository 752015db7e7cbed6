// SPDX-License-Identifier: AGPL-3.0-or-later
// A person's first day: an account, a task made, listed, changed and deleted,
// by types that come from /openapi.json alone.
import createClient from "openapi-fetch";
import type { components, paths } from "./docket.js";

type Task = components["schemas"]["Task"];

const [baseUrl, username, password] = process.argv.slice(2);
if (!baseUrl || !username || !password)
	throw new Error("usage: client.js URL USERNAME PASSWORD");

const api = createClient<paths>({ baseUrl });

// What came, or an end that says what came instead.
function must<T>(what: string, reply: { data?: T; error?: unknown;
    response: Response }): T {
	console.log(`${what}: ${reply.response.status}`);
	if (reply.data === undefined)
		throw new Error(`${what}: ${JSON.stringify(reply.error)}`);
	return reply.data;
}

const account = must("register", await api.POST("/auth/register", {
	body: { username, password },
}));
const id: string = account.user.id;

const login = must("log in", await api.POST("/auth", {
	body: { username, password },
}));
api.use({
	onRequest({ request }) {
		request.headers.set("Authorization",
		    `Bearer ${login.access_token}`);
		return request;
	},
});

const made: Task = must("create", await api.POST("/tasks", {
	body: {
		title: "Buy milk", priority: 1, tags: ["home"],
		due_date: "2031-01-31",
	},
})).task;

const page = must("list", await api.GET("/tasks", {
	params: { query: { limit: 10, sort: "-created_at", tag: "home" } },
}));
const titles: string[] = page.tasks.map((task) => task.title);
if (titles.join() !== "Buy milk" || made.user_id !== id)
	throw new Error(`a list of ${titles}`);

const path = { id: made.id };
const changed = must("patch", await api.PATCH("/tasks/{id}", {
	params: { path },
	body: { due_date: null, status: "completed" },
})).task;
if (changed.due_date !== null || changed.status !== "completed" ||
    changed.version <= made.version)
	throw new Error(JSON.stringify(changed));

must("delete", await api.DELETE("/tasks/{id}", { params: { path } }));
const gone = await api.GET("/tasks/{id}", { params: { path } });
if (gone.error === undefined)
	throw new Error("it is still there");
const code: string = gone.error.code;
console.log(`get: ${gone.response.status} ${code}`);
