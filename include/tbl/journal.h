/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * Events that bear a MESSAGE_ID in the journal, one a row:
 *
 *   NOTABLE(event, id)
 *
 * id  128 bits, made once by systemd-id128(1) and never changed: monitors and
 *     share/docket.catalog, which explains each of them, go by it
 */
NOTABLE("ready",	"a436ede7a28245f9b86d45e8e0d7f1c3")
NOTABLE("stopped",	"be3a10651e064adbbcb37caa88cfb14c")
NOTABLE("reload_refused",	"f477f32f70d1423bb02c175d42d96d34")
NOTABLE("giving_up",	"25ce3badeb4b4a8281edd7f980560834")
NOTABLE("worker_died",	"7a4ec9219b2c4f9ea7bbc33e2318ebd4")
NOTABLE("worker_hung",	"5a2f3ce3bc414746b87f2e45d571a822")
NOTABLE("sender_hung",	"34db0881606a4572a55d18476a906bf7")
NOTABLE("out_of_memory",	"27882b65472e44aeb7660c3afcbd1cf2")
NOTABLE("db_lost",	"ee8fcb99caf147728b8ef799e7846ff7")
NOTABLE("db_ready",	"f0dc1eb40ee84a46b96a63d433e3108b")
NOTABLE("db_drift",	"d9cde3635d2e402f8d023a96cab7b635")
NOTABLE("db_refused",	"f7bbeb7d5a9049a7a8888345886e6c29")
NOTABLE("courier_breaker",	"ce1c2f19b79c4e699d84985ec83fcc66")
NOTABLE("otp_alarm",	"23f115619e4e46c7ae91c93f47ef71f9")
NOTABLE("refresh_reuse",	"52053061e87f41c2a6a31976e7c11d98")
NOTABLE("socket_refused",	"f7f625b583d647ca8b547c2081a140db")
