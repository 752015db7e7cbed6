/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * The SMS gateways that are known by name, one a row; several rows of a name
 * are tried in order:
 *
 *   GATEWAY(name, template, sender, base, path, basic, body,
 *       success, reference, code)
 *
 * template  true: only when courier.gateway_template is given
 * sender    what courier.gateway_sender must begin with, or NULL: none needed
 * base      courier.gateway_url's default; path and body are templates
 *           (courier/fill.h), the body is a form and is POSTed
 * basic     log in with courier.gateway_account and the secret
 * success   statuses, then pointer=value of the JSON reply
 * reference, code   pointers: the message's id there; what went wrong
 *
 * GATEWAY_CODE(name, code, kind, down, word): what a code means; others are
 * judged by the HTTP status. kind is LATER or NEVER; down: it will be the same
 * for every message.
 */
#ifdef GATEWAY
GATEWAY(twilio, false, "MG", "https://api.twilio.com",
    "/2010-04-01/Accounts/{{account}}/Messages.json", true,
    "To={{to}}&MessagingServiceSid={{sender}}&Body={{text}}",
    "2xx", "/sid", "/code")
GATEWAY(twilio, false, "", "https://api.twilio.com",
    "/2010-04-01/Accounts/{{account}}/Messages.json", true,
    "To={{to}}&From={{sender}}&Body={{text}}",
    "2xx", "/sid", "/code")
GATEWAY(vonage, false, "", "https://rest.nexmo.com", "/sms/json", false,
    "api_key={{account}}&api_secret={{secret}}&to={{number}}"
    "&from={{sender}}&type={{type}}&client-ref={{id}}&text={{text}}",
    "2xx /messages/0/status=0", "/messages/0/message-id",
    "/messages/0/status")
GATEWAY(kavenegar, true, NULL, "https://api.kavenegar.com",
    "/v1/{{secret}}/verify/lookup.json", false,
    "receptor=00{{number}}&token={{code}}&template={{template}}",
    "2xx /return/status=200", "/entries/0/messageid", "/return/status")
GATEWAY(kavenegar, false, "", "https://api.kavenegar.com",
    "/v1/{{secret}}/sms/send.json", false,
    "receptor=00{{number}}&sender={{sender}}&message={{text}}",
    "2xx /return/status=200", "/entries/0/messageid", "/return/status")
#endif

#ifdef GATEWAY_CODE
GATEWAY_CODE(twilio, "10001", LATER, true, "account not active")
GATEWAY_CODE(twilio, "14107", LATER, false, "rate exceeded")
GATEWAY_CODE(twilio, "20003", LATER, true, "login refused")
GATEWAY_CODE(twilio, "20404", LATER, true, "no such account")
GATEWAY_CODE(twilio, "20429", LATER, false, "too many requests")
GATEWAY_CODE(twilio, "21211", NEVER, false, "no valid number")
GATEWAY_CODE(twilio, "21212", LATER, true, "no valid sender")
GATEWAY_CODE(twilio, "21214", NEVER, false, "number cannot be reached")
GATEWAY_CODE(twilio, "21217", NEVER, false, "no valid number")
GATEWAY_CODE(twilio, "21265", NEVER, false, "a short code")
GATEWAY_CODE(twilio, "21408", NEVER, false, "region not enabled")
GATEWAY_CODE(twilio, "21603", LATER, true, "no sender")
GATEWAY_CODE(twilio, "21606", LATER, true, "sender cannot text there")
GATEWAY_CODE(twilio, "21608", NEVER, false, "number not verified for a trial")
GATEWAY_CODE(twilio, "21610", NEVER, false, "recipient has opted out")
GATEWAY_CODE(twilio, "21611", LATER, true, "the sender's queue is full")
GATEWAY_CODE(twilio, "21612", NEVER, false, "no route to the number")
GATEWAY_CODE(twilio, "21614", NEVER, false, "not a mobile number")
GATEWAY_CODE(twilio, "21617", NEVER, false, "text too long")
GATEWAY_CODE(twilio, "21635", NEVER, false, "a landline")
GATEWAY_CODE(twilio, "21659", LATER, true, "sender is not Twilio's")
GATEWAY_CODE(twilio, "21660", LATER, true, "sender is not of this account")

GATEWAY_CODE(vonage, "1", LATER, false, "throttled")
GATEWAY_CODE(vonage, "2", LATER, true, "missing parameter")
GATEWAY_CODE(vonage, "3", NEVER, false, "invalid parameter")
GATEWAY_CODE(vonage, "4", LATER, true, "invalid credentials")
GATEWAY_CODE(vonage, "5", LATER, true, "internal error")
GATEWAY_CODE(vonage, "6", NEVER, false, "cannot be routed")
GATEWAY_CODE(vonage, "7", NEVER, false, "number barred")
GATEWAY_CODE(vonage, "8", LATER, true, "account barred")
GATEWAY_CODE(vonage, "9", LATER, true, "no credit")
GATEWAY_CODE(vonage, "10", LATER, false, "too many connections")
GATEWAY_CODE(vonage, "11", LATER, true, "account not enabled for HTTP")
GATEWAY_CODE(vonage, "12", NEVER, false, "text too long")
GATEWAY_CODE(vonage, "14", LATER, true, "invalid signature")
GATEWAY_CODE(vonage, "15", LATER, true, "invalid sender")
GATEWAY_CODE(vonage, "22", NEVER, false, "invalid network code")
GATEWAY_CODE(vonage, "29", NEVER, false, "number not on the test list")
GATEWAY_CODE(vonage, "32", LATER, true, "signature and secret given")
GATEWAY_CODE(vonage, "33", NEVER, false, "number deactivated")

GATEWAY_CODE(kavenegar, "400", LATER, true, "missing parameter")
GATEWAY_CODE(kavenegar, "401", LATER, true, "account disabled")
GATEWAY_CODE(kavenegar, "402", LATER, true, "operation failed")
GATEWAY_CODE(kavenegar, "403", LATER, true, "API key refused")
GATEWAY_CODE(kavenegar, "404", LATER, true, "unknown method")
GATEWAY_CODE(kavenegar, "405", LATER, true, "GET or POST refused")
GATEWAY_CODE(kavenegar, "406", LATER, true, "missing parameter")
GATEWAY_CODE(kavenegar, "407", LATER, true, "access denied")
GATEWAY_CODE(kavenegar, "409", LATER, true, "server cannot answer now")
GATEWAY_CODE(kavenegar, "411", NEVER, false, "no valid number")
GATEWAY_CODE(kavenegar, "412", LATER, true, "no valid sender")
GATEWAY_CODE(kavenegar, "413", NEVER, false, "text empty or too long")
GATEWAY_CODE(kavenegar, "418", LATER, true, "no credit")
GATEWAY_CODE(kavenegar, "420", NEVER, false, "links are not allowed")
GATEWAY_CODE(kavenegar, "422", NEVER, false, "text has unfit characters")
GATEWAY_CODE(kavenegar, "424", LATER, true, "no such template")
GATEWAY_CODE(kavenegar, "426", LATER, true, "service not enabled")
GATEWAY_CODE(kavenegar, "427", LATER, true, "sender needs another level")
GATEWAY_CODE(kavenegar, "429", LATER, false, "too many requests")
GATEWAY_CODE(kavenegar, "431", NEVER, false, "code refused")
GATEWAY_CODE(kavenegar, "432", LATER, true, "template takes no code")
GATEWAY_CODE(kavenegar, "451", LATER, false, "too many for this number")
GATEWAY_CODE(kavenegar, "501", NEVER, false, "number not on the test list")
#endif
