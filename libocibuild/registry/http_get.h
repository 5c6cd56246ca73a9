/* registry/http_get.h — GET of a plain URL, for ADD and remote contexts. */
#ifndef OB_REGISTRY_HTTP_GET_H
#define OB_REGISTRY_HTTP_GET_H

#include "base/context.h"
#include "io/stream.h"

typedef struct ob_http_result {
	long status;         /**< 200, or 304 when the validators matched */
	char *etag;          /**< or NULL */
	char *last_modified; /**< as a validator; NULL too when the file was young: see http_get.c */
	uint64_t size;       /**< of the body */
	int64_t mtime;       /**< of Last-Modified, -1 when absent */
	char *final_url;
} ob_http_result;
void ob_http_result_done(ob_http_result *result);

typedef struct ob_http_request {
	const char *url;
	const char *etag;          /**< If-None-Match, or NULL */
	const char *last_modified; /**< If-Modified-Since, or NULL */
	const char *authorization; /**< header value or NULL; not sent to another host */
	const char *ca_file;       /**< or NULL */
	uint64_t max_size;
	/** Bytes that came, of how many (0: the server does not say); non-zero cancels. May be NULL. */
	int (*progress)(uint64_t current, uint64_t total, void *arg);
	void *progress_arg;
} ob_http_request;

/** Kinds: NOTFOUND (404), PROTOCOL, NETWORK, LIMIT, INVALID (URL), DENIED (offline). */
ocib_errc ob_http_get(ocib_context *ctx, const ob_http_request *request, ob_writer *to,
		      ob_http_result *out, ocib_error **err);

#endif
