/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * What only nginx answers, in front of the service; the others that it gives
 * are rows of tbl/errors.h:
 *
 *   NGINX_ERROR(status, code, oauth, title, detail)
 */
NGINX_ERROR(403, "forbidden",		"access_denied",	"Forbidden",		"This address is not served to you.")
NGINX_ERROR(408, "request_timeout",	"invalid_request",	"Request timeout",	"The request did not arrive in time.")
NGINX_ERROR(421, "misdirected_request",	"invalid_request",	"Misdirected request",	"This host does not answer for that name.")
NGINX_ERROR(431, "headers_too_large",	"invalid_request",	"Headers too large",	"The request's headers exceed 16 KiB.")
NGINX_ERROR(502, "bad_gateway",		"temporarily_unavailable", "Bad gateway",	"The service did not answer; try again shortly.")
NGINX_ERROR(504, "gateway_timeout",	"temporarily_unavailable", "Gateway timeout",	"The service did not answer in time; try again shortly.")
