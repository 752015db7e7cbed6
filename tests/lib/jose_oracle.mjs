// SPDX-License-Identifier: AGPL-3.0-or-later
// What npm's jose says of the tokens on standard input, one JSON a line.
//
// node jose_oracle.mjs DIR: DIR/node_modules has jose. The first line is
// {"key","kid","issuer","audience","tolerance"} and, for ES256 beside it, the
// key set that an instance publishes as "jwks"; each other one is a token as a
// JSON string; for each comes a line {"valid":bool,"why":string|null}.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";

const require = createRequire(join(resolve(process.argv[2]), "package.json"));
const { createLocalJWKSet, jwtVerify, errors } = require("jose");

const lines = readFileSync(0, "utf8").split("\n").filter(Boolean);
const { key, kid, issuer, audience, tolerance, jwks } = JSON.parse(lines[0]);
const secret = new Uint8Array(Buffer.from(key, "base64url"));
const published = jwks && createLocalJWKSet(jwks);

// The ring: a key by its name and by nothing else in the token.
const ring = (header, token) => {
	// The shared key is for HS256 alone.
	if (header.kid === kid && header.alg === "HS256")
		return secret;
	if (!published)
		throw new errors.JWKSNoMatchingKey();
	return published(header, token);
};
const options = {
	algorithms: jwks ? ["HS256", "ES256"] : ["HS256"],
	issuer,
	audience,
	typ: "at+jwt",
	clockTolerance: tolerance,
	requiredClaims: ["iss", "aud", "exp", "sub"],
};

for (const line of lines.slice(1)) {
	let why = null;

	try {
		await jwtVerify(JSON.parse(line), ring, options);
	} catch (error) {
		// A refusal is one of jose's own; anything else is our mistake.
		if (!(error instanceof errors.JOSEError) &&
		    !(error instanceof TypeError))
			throw error;
		why = error.code ?? String(error);
	}
	console.log(JSON.stringify({ valid: why === null, why }));
}
