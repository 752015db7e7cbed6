/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* That an address is the caller's: codes and verification tokens. */
#include "api/proofs.h"

#include "api/grants.h"
#include "store/otps.h"

void
proof_check(struct call *call, const struct proof_in *in)
{
	const bool proven = in->otp.s || in->verification_token.s;

	if (in->otp.s && in->verification_token.s)
		call_fault(call, "/otp", "duplicate",
		    "give otp or verification_token, not both");
	if (in->phone.s && in->email.s)
		call_fault(call, "/email", "duplicate",
		    "one address at a time: give phone or email");
	if (proven && !in->phone.s && !in->email.s)
		call_fault(call, "/phone", "required",
		    "the code was sent to a phone or an email: name it");
}

int
proof_take(struct call *call, const struct proof_in *in,
    struct text purpose, struct proof *ret)
{
	uint8_t *hash = arena_alloc(call->mem, CRYPTO_HASH);
	int r = 0;

	*ret = (struct proof){ .hash = TEXT_NONE };
	if (!in->phone.s && !in->email.s)
		return 0;
	r = grants_address(call, in->phone, in->email, &ret->address);
	if (r)
		return r;
	if (in->otp.s)
		return grants_code(call, ret->address, purpose, in->otp,
		    &ret->otp_id);
	if (!in->verification_token.s)
		return 0;
	ret->hash = (struct text){ (char *)hash, CRYPTO_HASH };
	return crypto_sha256(in->verification_token.s,
	    in->verification_token.n, hash);
}

int
proof_back(struct call *call, const struct proof *proof, int error)
{
	if (error && !uuid_is_nil(&proof->otp_id))
		(void)store_otp_refund(call->app->db, call->mem,
		    &proof->otp_id);
	return error;
}
