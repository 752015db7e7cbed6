/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The libcurl door: one bounded exchange with a host that may be hostile. */
#include "courier/net.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <curl/curl.h>

#include "base/buf.h"
#include "base/clock.h"
#include "courier/guard.h"
#include "courier/said.h"

/* A gateway and a mail server each keep what one sender needs. */
#define CONNECTIONS 2

struct net {
	CURL *curl;
	const char *ca_file;
	long timeout_ms;
	struct networks allowed;
	/* Of the exchange in hand. */
	struct buf body;
	size_t headers;		/* bytes of them that came */
	struct text upload;	/* what SMTP has not taken yet */
	bool tls;		/* before anything is said */
	bool smtp;
	bool too_long;
	char refused[GUARD_WHY];	/* why no connection was made; or empty */
	char error[CURL_ERROR_SIZE];
};

/* After DNS and for every connection: the address is the one it goes to. */
static curl_socket_t
open_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *to)
{
	struct net *net = arg;

	(void)purpose;
	if (!guard_address(&net->allowed, net->tls, &to->addr, net->refused))
		return CURL_SOCKET_BAD;
	return socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
}

static size_t
take_body(char *bytes, size_t one, size_t n, void *arg)
{
	struct net *net = arg;

	if (net->body.n + n > NET_ANSWER_MAX) {
		net->too_long = true;
		return 0;
	}
	buf_put(&net->body, bytes, n);
	return net->body.failed ? 0 : n * one;
}

/* HTTP's are counted; SMTP's replies come here too, and stay. */
static size_t
take_header(char *bytes, size_t one, size_t n, void *arg)
{
	struct net *net = arg;

	net->headers += n;
	if (net->headers > NET_HEADERS_MAX) {
		net->too_long = true;
		return 0;
	}
	return net->smtp ? take_body(bytes, one, n, arg) : n * one;
}

static size_t
give_upload(char *to, size_t one, size_t room, void *arg)
{
	struct net *net = arg;
	size_t n = room * one;

	if (n > net->upload.n)
		n = net->upload.n;
	memcpy(to, net->upload.s, n);
	net->upload.s += n;
	net->upload.n -= n;
	return n;
}

static long
timeout_ms(const struct net *net, const struct net_request *request)
{
	int64_t left = request->until_ms - clock_mono_ms();

	if (request->until_ms == 0 || left > net->timeout_ms)
		return net->timeout_ms;
	/* 0 would be for ever. */
	return left > 0 ? (long)left : 1;
}

/* What holds whoever is spoken to. */
static CURLcode
set_always(struct net *net, long timeout_ms)
{
	const struct {
		CURLoption option;
		long value;
	} numbers[] = {
		{ CURLOPT_NOSIGNAL, 1 },
		/* Or the end would wait for a resolver that is stuck. */
		{ CURLOPT_QUICK_EXIT, 1 },
		{ CURLOPT_TIMEOUT_MS, timeout_ms },
		{ CURLOPT_CONNECTTIMEOUT_MS, timeout_ms },
		{ CURLOPT_FOLLOWLOCATION, 0 },
		{ CURLOPT_SSL_VERIFYPEER, 1 },
		{ CURLOPT_SSL_VERIFYHOST, 2 },
		{ CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2 },
		{ CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1 },
		{ CURLOPT_MAXCONNECTS, CONNECTIONS },
		{ CURLOPT_DISALLOW_USERNAME_IN_URL, 1 },
	};
	CURL *curl = net->curl;
	CURLcode r = CURLE_OK;

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]) && !r; i++)
		r = curl_easy_setopt(curl, numbers[i].option,
		    numbers[i].value);
	r = r ? r : curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR,
	    "http,https,smtp,smtps");
	r = r ? r : curl_easy_setopt(curl, CURLOPT_PROXY, "");
	r = r ? r : curl_easy_setopt(curl, CURLOPT_USERAGENT, "docket");
	r = r ? r : curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, net->error);
	if (net->ca_file[0] && !r) {
		/* That file and nothing of the system's. */
		r = curl_easy_setopt(curl, CURLOPT_CAINFO, net->ca_file);
		r = r ? r : curl_easy_setopt(curl, CURLOPT_CAPATH, NULL);
	}
	return r;
}

static CURLcode
set_callbacks(struct net *net)
{
	CURL *curl = net->curl;
	CURLcode r = curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION,
	    open_socket);

	r = r ? r : curl_easy_setopt(curl, CURLOPT_OPENSOCKETDATA, net);
	r = r ? r : curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
	r = r ? r : curl_easy_setopt(curl, CURLOPT_WRITEDATA, net);
	r = r ? r : curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION,
	    take_header);
	r = r ? r : curl_easy_setopt(curl, CURLOPT_HEADERDATA, net);
	r = r ? r : curl_easy_setopt(curl, CURLOPT_READFUNCTION, give_upload);
	return r ? r : curl_easy_setopt(curl, CURLOPT_READDATA, net);
}

static CURLcode
set_login(struct net *net, const struct net_request *request)
{
	char word[NET_PASSWORD_MAX + 1] = "";
	char *user;
	CURLcode r;

	if (request->user.n == 0)
		return CURLE_OK;
	user = strndup(request->user.s, request->user.n);
	if (!user)
		return CURLE_OUT_OF_MEMORY;
	r = curl_easy_setopt(net->curl, CURLOPT_USERNAME, user);
	free(user);
	if (request->password.n > 0 && request->password.n < sizeof(word))
		memcpy(word, request->password.s, request->password.n);
	r = r ? r : curl_easy_setopt(net->curl, CURLOPT_PASSWORD, word);
	explicit_bzero(word, sizeof(word));
	return r ? r : curl_easy_setopt(net->curl, CURLOPT_HTTPAUTH,
	    CURLAUTH_BASIC);
}

static CURLcode
set_http(struct net *net, const struct net_request *request,
    struct curl_slist *headers)
{
	CURL *curl = net->curl;
	CURLcode r = curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);

	if (strcmp(request->method, "GET") == 0)
		return r ? r : curl_easy_setopt(curl, CURLOPT_HTTPGET, 1L);
	r = r ? r : curl_easy_setopt(curl, CURLOPT_POST, 1L);
	r = r ? r : curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE,
	    (curl_off_t)request->body.n);
	/* Not copied; NULL would mean: ask the read function. */
	return r ? r : curl_easy_setopt(curl, CURLOPT_POSTFIELDS,
	    request->body.s ? request->body.s : "");
}

static CURLcode
set_smtp(struct net *net, const struct net_request *request,
    struct curl_slist *to)
{
	CURL *curl = net->curl;
	CURLcode r = curl_easy_setopt(curl, CURLOPT_MAIL_FROM,
	    request->mail_from);

	net->upload = request->body;
	r = r ? r : curl_easy_setopt(curl, CURLOPT_MAIL_RCPT, to);
	r = r ? r : curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
	return r ? r : curl_easy_setopt(curl, CURLOPT_USE_SSL,
	    (long)(request->starttls ? CURLUSESSL_ALL : CURLUSESSL_NONE));
}

/* The headers, or the one recipient. False: no memory. */
static bool
make_list(const struct net *net, const struct net_request *request,
    struct curl_slist **ret)
{
	const size_t n = net->smtp ? 1 : request->n_headers;
	struct curl_slist *list;

	for (size_t i = 0; i < n; i++) {
		list = curl_slist_append(*ret, net->smtp ? request->mail_to :
		    request->headers[i]);
		if (!list)
			return false;
		*ret = list;
	}
	return true;
}

static CURLcode
perform(struct net *net, const struct net_request *request)
{
	struct curl_slist *list = NULL;
	CURLcode r = CURLE_OUT_OF_MEMORY;

	/* Keeps the connections. */
	curl_easy_reset(net->curl);
	if (make_list(net, request, &list)) {
		r = set_always(net, timeout_ms(net, request));
		r = r ? r : set_callbacks(net);
		r = r ? r : set_login(net, request);
		r = r ? r : curl_easy_setopt(net->curl, CURLOPT_URL,
		    request->url);
		r = r ? r : net->smtp ? set_smtp(net, request, list) :
		    set_http(net, request, list);
		r = r ? r : curl_easy_perform(net->curl);
	}
	curl_slist_free_all(list);
	return r;
}

/* What libcurl says in detail of these is of hosts and certificates; of the
 * others it may be of the request, so only their kind is told. */
static const char *
explain(const struct net *net, CURLcode code)
{
	if (net->refused[0] && code == CURLE_COULDNT_CONNECT)
		return net->refused;
	if (net->too_long)
		return "the answer is too long";
	switch (code) {
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_CONNECT:
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_OPERATION_TIMEDOUT:
		if (net->error[0])
			return net->error;
		break;
	default:
		break;
	}
	return curl_easy_strerror(code);
}

static void
why_set(struct net_answer *ret, const char *why)
{
	snprintf(ret->why, sizeof(ret->why), "%.*s", NET_WHY - 1, why);
}

/* A refusal is a reply too: libcurl calls SMTP's ones failures. */
static bool
is_reply(const struct net *net, CURLcode code, long status)
{
	return code == CURLE_OK || (net->smtp && status >= 400 &&
	    (code == CURLE_SEND_ERROR || code == CURLE_LOGIN_DENIED ||
	    code == CURLE_WEIRD_SERVER_REPLY ||
	    code == CURLE_REMOTE_ACCESS_DENIED));
}

static void
read_answer(struct net *net, struct arena *mem, CURLcode code,
    struct net_answer *ret)
{
	curl_off_t retry = 0;
	char *type = NULL;

	curl_easy_getinfo(net->curl, CURLINFO_RESPONSE_CODE, &ret->status);
	curl_easy_getinfo(net->curl, CURLINFO_RETRY_AFTER, &retry);
	curl_easy_getinfo(net->curl, CURLINFO_CONTENT_TYPE, &type);
	ret->reached = is_reply(net, code, ret->status);
	ret->never = code == CURLE_URL_MALFORMAT;
	ret->refused_to = net->smtp && code == CURLE_SEND_ERROR &&
	    guard_scheme(net->error, "RCPT ");
	ret->retry_after = retry < 0 ? 0 : retry > NET_RETRY_MAX ?
	    NET_RETRY_MAX : (long)retry;
	ret->type = arena_text(mem, text_of(type ? type : ""));
	ret->body = arena_text(mem, net->smtp ?
	    said_last(buf_view(&net->body), ret->status) :
	    buf_view(&net->body));
	if (!ret->reached) {
		ret->status = 0;
		why_set(ret, explain(net, code));
	}
}

int
net_exchange(struct net *net, struct arena *mem,
    const struct net_request *request, struct net_answer *ret)
{
	const char *fault = guard_request(request);
	CURLcode code;

	*ret = (struct net_answer){ .never = fault };
	if (fault) {
		why_set(ret, fault);
		return 0;
	}
	net->smtp = guard_scheme(request->url, "smtp");
	net->tls = guard_scheme(request->url, "https:") ||
	    guard_scheme(request->url, "smtps:") ||
	    (net->smtp && request->starttls);
	net->headers = 0;
	net->too_long = false;
	net->refused[0] = net->error[0] = '\0';
	net->body.failed = false;
	buf_reset(&net->body, NET_ANSWER_MAX);
	code = perform(net, request);
	if (code == CURLE_OUT_OF_MEMORY || net->body.failed)
		return -ENOMEM;
	read_answer(net, mem, code, ret);
	return 0;
}

/* Both are said when both are wrong. */
static int
check(const struct settings *settings, FILE *errors, struct net *net)
{
	const char *file = settings->courier_ca_file;
	struct text bad;
	int r = networks_parse(settings->courier_allow_addresses,
	    &net->allowed, &bad);

	if (r == -EINVAL)
		fprintf(errors, "courier.allow_addresses: \"%.*s\" is no "
		    "network\n", TEXT_FMT(bad));
	if (file[0] && access(file, R_OK) < 0) {
		fprintf(errors, "courier.ca_file: \"%s\": %s\n", file,
		    strerror(errno));
		r = -EINVAL;
	}
	return r;
}

struct net *
net_new(const struct settings *settings, FILE *errors)
{
	struct net *net;

	if (curl_global_init(CURL_GLOBAL_DEFAULT))
		return NULL;
	net = calloc(1, sizeof(*net));
	if (!net) {
		curl_global_cleanup();
		return NULL;
	}
	net->ca_file = settings->courier_ca_file;
	net->timeout_ms = settings->courier_send_seconds * 1000;
	net->curl = curl_easy_init();
	if (!net->curl || check(settings, errors, net) < 0) {
		net_free(net);
		return NULL;
	}
	return net;
}

void
net_free(struct net *net)
{
	if (!net)
		return;
	curl_easy_cleanup(net->curl);
	networks_done(&net->allowed);
	buf_done(&net->body);
	free(net);
	curl_global_cleanup();
}
