/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Any bytes as a signature in either notation: one spelling, there and back,
 * and none that a key signed. */
#include <stddef.h>
#include <stdint.h>

#include "base/ecdsa.h"
#include "base/error.h"
#include "lib/input.h"

static struct crypto_pair pair;

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	struct secret d = { .n = CRYPTO_SCALAR };

	(void)argc, (void)argv;
	if (crypto_init())
		return -1;
	do {
		if (crypto_random(d.b, CRYPTO_SCALAR))
			return -1;
	} while (!ecdsa_scalar(d.b));
	return crypto_pair_load(&d, &pair);
}

/* What came out of DER goes back in, and is itself again. */
static void
check_der(const uint8_t *data, size_t size)
{
	uint8_t raw[ECDSA_BYTES], again[ECDSA_BYTES], der[ECDSA_DER];
	size_t n;

	if (!ecdsa_from_der(data, size, raw))
		return;
	must(size <= ECDSA_DER + 2u * CRYPTO_SCALAR, "a long DER");
	n = ecdsa_to_der(raw, der);
	must(n > 0 && n <= ECDSA_DER, "a signature without a DER");
	must(ecdsa_from_der(der, n, again), "our own DER is none");
	must(memcmp(raw, again, sizeof(raw)) == 0, "another signature");
}

static void
check_raw(const uint8_t *data)
{
	uint8_t raw[ECDSA_BYTES], der[ECDSA_DER];
	const size_t n = ecdsa_to_der(data, der);

	must(ecdsa_verify(&pair, TEXT("words"), data) == E_SEAL,
	    "any bytes are a signature");
	if (n == 0)
		return;
	must(n <= ECDSA_DER && der[0] == 0x30 && der[1] == n - 2, "no DER");
	must(ecdsa_scalar(data) && ecdsa_scalar(data + CRYPTO_SCALAR),
	    "no scalars");
	must(ecdsa_from_der(der, n, raw), "our own DER is none");
	must(memcmp(raw, data, sizeof(raw)) == 0, "another signature");
}

/* A good one with some of its bytes turned over. */
static void
check_damage(const uint8_t *data, size_t size)
{
	static uint8_t good[ECDSA_BYTES];
	static bool made;
	uint8_t copy[ECDSA_BYTES];
	bool same;

	if (!made)
		must(ecdsa_sign(&pair, TEXT("words"), good) == 0, "none made");
	made = true;
	memcpy(copy, good, sizeof(copy));
	for (size_t i = 0; i + 1 < size; i += 2)
		copy[data[i] % ECDSA_BYTES] ^= data[i + 1];
	same = crypto_equal(copy, good, sizeof(good));
	must((ecdsa_verify(&pair, TEXT("words"), copy) == 0) == same,
	    same ? "our own is refused" : "a damaged one is taken");
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	if (data[0] % 3 == 0)
		check_der(data + 1, size - 1);
	else if (data[0] % 3 == 1 && size > ECDSA_BYTES)
		check_raw(data + 1);
	else
		check_damage(data + 1, size - 1);
	return 0;
}
