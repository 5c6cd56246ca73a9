/* engine/source/remote_file.h — a file behind an HTTP URL, kept in the store as a blob. */
#ifndef OB_ENGINE_REMOTE_FILE_H
#define OB_ENGINE_REMOTE_FILE_H

#include "engine/source/secrets.h"
#include "store/store.h"

typedef struct ob_remote_file {
	ob_digest digest; /**< of the blob in the store */
	uint64_t size;
	int64_t mtime; /**< Last-Modified; 0 where the server does not say */
} ob_remote_file;

typedef struct ob_remote_request {
	const char *url;
	const ob_digest *
		pinned; /**< the digest it must have, or NULL; then what came from that URL before is not
				    asked for again, and nothing else is kept */
	const ob_secrets *secrets; /**< credentials may be among them; or NULL */
	uint32_t step;             /**< for progress events */
} ob_remote_request;

/**
 * Bring the file into the store, or find that what is there of it is still the same.
 * Kinds: NOTFOUND (404), PROTOCOL, NETWORK, LIMIT, INVALID (URL, secret), CORRUPT (pinned: another digest),
 * DENIED (offline).
 */
ocib_errc ob_remote_file_fetch(ocib_context *ctx, ob_store *store, const ob_remote_request *request,
			       ob_remote_file *out, ocib_error **err);

/**
 * The name that a URL's path ends with, percent signs decoded: "a b" of "http://h/d/a%20b?q".
 * "__unnamed__" where it has none. malloc'ed. Kinds: INVALID.
 */
ocib_errc ob_remote_file_name(const char *url, char **out, ocib_error **err);

#endif
