/* registry/http_client.c — redirects by hand, because credentials are at stake.
 *
 * libcurl would follow redirects itself, and would carry a header that was set by hand to another
 * host. Registries redirect blobs to storage with signed addresses: the token must not go there,
 * and storage refuses requests that carry both. So each hop is one transfer, and the header is
 * there only while the origin is the one that the caller meant.
 */
#include "registry/http_client.h"
#include <poll.h>
#include <string.h>
#include <time.h>
#include "base/limits.h"
#include "base/strings.h"
#include "registry/curl_library.h"
#include "registry/http_url.h"
#include "registry/server_message.h"

#define FIRST_DELAY_MS 200U
#define MAX_DELAY_MS   8000U

/* ---- Redirects. ---- */

static bool is_redirect(const ob_http_call *call, long status)
{
	bool plain = call->method == OB_HTTP_GET || call->method == OB_HTTP_HEAD;

	return status == 307 || status == 308 ||
	       (plain && (status == 301 || status == 302 || status == 303));
}

static ocib_errc next_url(const ob_http_reply *reply, char **out, ocib_error **err)
{
	ob_autofree char *from = ob_url_show(reply->url);
	const char *location = ob_http_header(reply, "Location", 0);

	if (!from)
		return ob_fail_nomem(err);
	if (!location)
		return ob_fail(err, OCIB_ERR_PROTOCOL, "a redirect from %s without a Location",
			       from);
	ob_autofree char *url = NULL;
	ocib_errc rc = ob_url_resolve(reply->url, location, &url, NULL, err);
	if (rc == OCIB_ERR_INVALID) {
		/* The peer's mistake, not our caller's. */
		if (err)
			*err = ocib_error_free(*err);
		return ob_fail(err, OCIB_ERR_PROTOCOL, "a redirect from %s to what is no http URL",
			       from);
	}
	if (rc)
		return rc;
	ob_autofree char *to = ob_url_show(url);
	if (!to)
		return ob_fail_nomem(err);
	if (ob_url_is_https(reply->url) && !ob_url_is_https(url) && !ob_url_is_loopback(url))
		return ob_fail(err, OCIB_ERR_PROTOCOL,
			       "a redirect from %s to %s gives up encryption", from, to);
	*out = ob_take_ptr(url);
	return OCIB_OK;
}

ocib_errc ob_http_send(ocib_context *ctx, ob_curl_pool *pool, const ob_http_call *call,
		       ob_http_reply *reply, ocib_error **err)
{
	ob_autofree char *url = strdup(call->url);
	ob_http_call hop = *call;

	for (unsigned hops = 0; url; hops++) {
		ob_autofree char *next = NULL;

		hop.url = url;
		hop.authorization = ob_url_same_origin(url, call->url) ? call->authorization : NULL;
		ocib_errc rc = ob_http_transfer(ctx, pool, &hop, reply, err);
		if (rc || !is_redirect(call, reply->status))
			return rc;
		if (hops == OB_LIMIT_HTTP_REDIRECTS)
			return ob_fail(err, OCIB_ERR_PROTOCOL, "more than %d redirects",
				       OB_LIMIT_HTTP_REDIRECTS);
		rc = next_url(reply, &next, err);
		if (rc)
			return rc;
		free(url);
		url = ob_take_ptr(next);
	}
	return ob_fail_nomem(err);
}

/* ---- Repetition. ---- */

static bool is_transient(long status)
{
	return status == 408 || status == 429 || status == 500 || status == 502 || status == 503 ||
	       status == 504;
}

/* Milliseconds the server asks for; UINT64_MAX: longer than we wait. */
static uint64_t asked_delay(const ob_http_reply *reply)
{
	const char *text = ob_http_header(reply, "Retry-After", 0);
	uint64_t seconds;

	if (!text)
		return 0;
	if (!ob_parse_u64(text, 10, UINT64_MAX / 1000 - 1, &seconds)) {
		time_t when = ob_curl.curl_getdate(text, NULL), now = time(NULL);

		seconds = when > now ? (uint64_t)(when - now) : 0;
	}
	return seconds > OB_LIMIT_HTTP_RETRY_AFTER ? UINT64_MAX : seconds * 1000;
}

/*
 * Doubles with each failure; a quarter of it is noise, so that many builds do not return in
 * step.
 */
static uint64_t own_delay(unsigned failures)
{
	struct timespec now;
	uint64_t delay = FIRST_DELAY_MS;

	for (unsigned i = 1; i < failures && delay < MAX_DELAY_MS; i++)
		delay *= 2;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return delay - delay / 8 + (uint64_t)now.tv_nsec / 1000 % (delay / 4);
}

static ocib_errc wait_ms(const ocib_context *ctx, uint64_t ms, ocib_error **err)
{
	struct pollfd cancel = {.fd = ob_cancel_fd(ctx), .events = POLLIN};

	/* Interrupted by a signal: the wait is shorter, which harms nobody. */
	(void)poll(&cancel, 1, (int)ms);
	return ob_check_canceled(ctx, err);
}

ocib_errc ob_http_retry_wait(ob_http_retry *retry, ocib_context *ctx, ocib_errc rc,
			     const ob_http_reply *reply, bool *again, ocib_error **err)
{
	bool broken = rc == OCIB_ERR_NETWORK && reply->transient;
	/* Nobody at home is rarely a matter of seconds: half the patience. */
	unsigned most =
		broken && !reply->status ? OB_LIMIT_HTTP_FAILURES / 2 : OB_LIMIT_HTTP_FAILURES;

	*again = false;
	if (!broken && (rc || (!is_transient(reply->status) && reply->status != retry->also)))
		return rc;
	uint64_t asked = broken ? 0 : asked_delay(reply), own = own_delay(retry->failures + 1);
	if (++retry->failures >= most || asked == UINT64_MAX)
		return rc;
	uint64_t delay = asked > own ? asked : own;
	if (broken)
		ob_emit_debug(ctx, "connection broken, trying again in %ju ms", (uintmax_t)delay);
	else
		ob_emit_debug(ctx, "status %ld, trying again in %ju ms", reply->status,
			      (uintmax_t)delay);
	if (err)
		*err = ocib_error_free(*err);
	*again = true;
	return wait_ms(ctx, delay, err);
}

/* ---- Errors. ---- */

ocib_errc ob_http_fail_status(const ob_http_reply *reply, ocib_errc code_of_404, ocib_error **err)
{
	ob_autodone(ob_buffer) text = OB_BUFFER_INIT(4 * OB_KIB, "message of a server");
	ocib_errc code = reply->status == 404 ? code_of_404 : OCIB_ERR_PROTOCOL;

	ob_server_message(reply->body.data ? reply->body.data : "", reply->body.len, &text);
	(void)ob_fail(err, code, "%ld%s%s", reply->status, text.len ? " " : "",
		      text.data ? text.data : "");
	ob_error_set_http_status(err, (int)reply->status);
	if (reply->status == 429)
		ob_error_set_hint(err, "the server limits the rate of requests; wait, or log in");
	return code;
}
