/* registry/http_client.h — requests with redirects followed, repetition after transient failures,
 * and errors out of replies.
 */
#ifndef OB_REGISTRY_HTTP_CLIENT_H
#define OB_REGISTRY_HTTP_CLIENT_H

#include "registry/http_transfer.h"

/**
 * ob_http_transfer() with redirects followed by hand: at most OB_LIMIT_HTTP_REDIRECTS, from https
 * to http only where the target is loopback, and the Authorization header only to the origin of
 * call->url. What has a body is sent again only for 307 and 308. Kinds: those of
 * ob_http_transfer().
 */
ocib_errc ob_http_send(ocib_context *ctx, ob_curl_pool *pool, const ob_http_call *call,
		       ob_http_reply *reply, ocib_error **err);

/** Failures in a row; a caller that makes progress sets it back to zero. */
typedef struct ob_http_retry {
	unsigned failures;
	long also; /* a status that is a passing failure of this request, too; 0: none */
} ob_http_retry;

/**
 * Look at how a request ended: where trying again makes sense, wait (Retry-After, else a growing
 * delay), drop the error and set *again. Else return @p rc. Kinds: CANCELED, and @p rc.
 */
ocib_errc ob_http_retry_wait(ob_http_retry *retry, ocib_context *ctx, ocib_errc rc,
			     const ob_http_reply *reply, bool *again, ocib_error **err);

/**
 * The error of a reply with a status that was not wanted: "404 NAME_UNKNOWN: …", with the server's
 * own words made safe. @p code_of_404 for 404, PROTOCOL for all else; with the status, and a hint
 * where there is one.
 */
ocib_errc ob_http_fail_status(const ob_http_reply *reply, ocib_errc code_of_404, ocib_error **err);

#endif
