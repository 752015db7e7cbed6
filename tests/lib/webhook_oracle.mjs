// SPDX-License-Identifier: AGPL-3.0-or-later
// What npm's standardwebhooks says of a request that the hook posted.
//
// node webhook_oracle.mjs DIR: DIR/node_modules has standardwebhooks. Standard
// input is one JSON object: secret, headers, body. Standard output is the
// payload, or the exit status is 1 and standard error says why not.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";

const require = createRequire(join(resolve(process.argv[2]), "x.js"));
const { Webhook } = require("standardwebhooks");
const { secret, headers, body } = JSON.parse(readFileSync(0, "utf8"));

try {
	// As GoTrue's own examples have it.
	const webhook = new Webhook(secret.replace("v1,whsec_", ""));
	console.log(JSON.stringify(webhook.verify(body, headers)));
} catch (error) {
	console.error(error.message);
	process.exit(1);
}
