/* registry/http_transfer.h — one HTTP request and its reply: no redirects, no retries, no
 * credentials of its own. http_client.h adds redirects, registry_session.h credentials.
 */
#ifndef OB_REGISTRY_HTTP_TRANSFER_H
#define OB_REGISTRY_HTTP_TRANSFER_H

#include <stdint.h>
#include "base/context.h"
#include "base/limits.h"
#include "base/buffer.h"
#include "base/strlist.h"
#include "registry/curl_pool.h"

typedef enum ob_http_method {
	OB_HTTP_GET = 1,
	OB_HTTP_HEAD,
	OB_HTTP_POST,
	OB_HTTP_PUT,
	OB_HTTP_DELETE
} ob_http_method;

/** What came back. Empty, with OB_HTTP_REPLY_INIT, before the first call; emptied by each call. */
typedef struct ob_http_reply {
	long status;        /**< 0: no reply came */
	ob_strlist headers; /**< "Name: value", trimmed, of the final reply */
	size_t header_bytes;
	ob_buffer body; /**< of a reply that is not 2xx, cut at OB_LIMIT_HTTP_ERROR_BODY */
	char *url;      /**< that answered */
	bool transient; /**< no full reply, for a reason that may pass */
	bool not_http;  /**< what came is no HTTP, or a server that wants TLS */
} ob_http_reply;
#define OB_HTTP_REPLY_INIT                                                \
	{                                                                 \
		.body = OB_BUFFER_INIT(OB_LIMIT_HTTP_ERROR_BODY, "reply") \
	}

void ob_http_reply_done(ob_http_reply *reply);
void ob_http_reply_clear(ob_http_reply *reply);
/**
 * Value of the first header of that name after the @p skip first ones; borrowed, NULL if
 * absent.
 */
const char *ob_http_header(const ob_http_reply *reply, const char *name, size_t skip);

/** What is asked. Zero members mean "none"; everything is borrowed. */
typedef struct ob_http_call {
	ob_http_method method;
	const char *url;
	const char *authorization; /**< header value; goes to the origin of @ref url only */
	const ob_strlist *headers; /**< "Name: value" */
	const char *range;         /**< "0-99" */
	/* body to send: memory, or (is_file) size bytes of fd from its start */
	const void *data;
	bool is_file;
	int fd;
	uint64_t size;
	int (*sent)(uint64_t current, uint64_t total, void *arg); /**< progress; non-zero cancels */
	void *sent_arg;
	/*
	 * body of a 2xx reply: on_reply once when its headers are complete, on_data for each piece;
	 * with an error they end the transfer, which then fails with that error
	 */
	ocib_errc (*on_reply)(const ob_http_reply *reply, void *arg, ocib_error **err);
	ocib_errc (*on_data)(const void *data, size_t len, void *arg, ocib_error **err);
	void *arg;
} ob_http_call;

const char *ob_http_method_name(ob_http_method method);

/** OCIB_OK for any status. Kinds: NETWORK (reply->transient says whether to try again), PROTOCOL,
 *  LIMIT, CANCELED, and whatever on_reply and on_data return. */
ocib_errc ob_http_transfer(ocib_context *ctx, ob_curl_pool *pool, const ob_http_call *call,
			   ob_http_reply *reply, ocib_error **err);

#endif
