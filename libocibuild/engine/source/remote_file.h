/* engine/source/remote_file.h — a file behind an HTTP URL, kept in the store as a blob. */
#ifndef OB_ENGINE_REMOTE_FILE_H
#define OB_ENGINE_REMOTE_FILE_H

#include "store/store.h"

typedef struct ob_remote_file {
	ob_digest digest; /**< of the blob in the store */
	uint64_t size;
	int64_t mtime; /**< Last-Modified; 0 where the server does not say */
} ob_remote_file;

/**
 * Bring the file into the store, or find that what is there of it is still the same.
 * @param pinned the digest it must have, or NULL; then what came from that URL before is not asked for
 *        again, and nothing else is kept.
 * @param step for progress events.
 * Kinds: NOTFOUND (404), PROTOCOL, NETWORK, LIMIT, INVALID (URL), CORRUPT (pinned: another digest),
 * DENIED (offline).
 */
ocib_errc ob_remote_file_fetch(ocib_context *ctx, ob_store *store, const char *url,
			       const ob_digest *pinned, uint32_t step, ob_remote_file *out,
			       ocib_error **err);

/**
 * The name that a URL's path ends with, percent signs decoded: "a b" of "http://h/d/a%20b?q".
 * "__unnamed__" where it has none. malloc'ed. Kinds: INVALID.
 */
ocib_errc ob_remote_file_name(const char *url, char **out, ocib_error **err);

#endif
