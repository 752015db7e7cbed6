// SPDX-License-Identifier: AGPL-3.0-or-later
// What a compiler must refuse; each line that it does is marked with its words.
import createClient from "openapi-fetch";
import type { paths } from "./docket.js";

const api = createClient<paths>({ baseUrl: "https://localhost" });

await api.POST("/tasks", { body: { titel: "Buy milk" } }); // 'titel'
await api.POST("/tasks", { body: { title: 7 } }); // 'number'
await api.POST("/tasks", { body: {} }); // 'title' is missing
await api.GET("/tasks/{id}", {}); // 'params' is missing
await api.GET("/tasks", { params: { query: { sort: "colour" } } }); // '"colour"'
await api.POST("/task", { body: { title: "Buy milk" } }); // '"/task"'
const reply = await api.GET("/auth/me");
console.log(reply.data?.user_name); // 'user_name'
console.log(reply.data?.phone.length); // 'reply.data.phone' is possibly 'null'
