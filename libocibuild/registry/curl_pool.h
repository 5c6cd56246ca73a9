/* registry/curl_pool.h — libcurl handles that keep their connections, and what all of them trust.
 *
 * A pool may be used by several threads; a handle belongs to the thread that took it until it is
 * given back. Name lookups and TLS sessions are shared by all handles of a pool.
 */
#ifndef OB_REGISTRY_CURL_POOL_H
#define OB_REGISTRY_CURL_POOL_H

#include "registry/curl_library.h"
#include "base/context.h"

typedef struct ob_curl_pool ob_curl_pool;

typedef struct ob_curl_handle {
	CURL *easy;
	CURLM *multi; /* of its own: holds the connection, and lets a wait be canceled */
	struct ob_curl_handle *next;
} ob_curl_handle;

/** @param ca_file PEM trusted beside the system's bundle, or NULL. Kinds: NOTFOUND, LIMIT. */
ocib_errc ob_curl_pool_new(const char *ca_file, bool skip_tls_verify, ob_curl_pool **out,
			   ocib_error **err);
ob_curl_pool *ob_curl_pool_free(ob_curl_pool *pool);
OB_DEFINE_AUTO(ob_curl_pool);

/** A handle with the defaults of this project set: trust, timeouts, protocols, no signals. */
ocib_errc ob_curl_pool_take(ob_curl_pool *pool, ob_curl_handle **out, ocib_error **err);
void ob_curl_pool_give(ob_curl_pool *pool, ob_curl_handle *handle);

#endif
