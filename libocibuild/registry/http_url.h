/* registry/http_url.h — questions about http and https URLs, and URLs made of other URLs.
 *
 * URLs here are absolute, without fragment and without user information.
 */
#ifndef OB_REGISTRY_HTTP_URL_H
#define OB_REGISTRY_HTTP_URL_H

#include <stdbool.h>
#include "base/error.h"

/**
 * @p location, relative to @p base where it is relative (base may be NULL), as a normal absolute
 * URL.
 * @param authorization receives "Basic …" (malloc'ed) when the URL has user information; with NULL
 *        such a URL is refused.
 * Kinds: INVALID.
 */
ocib_errc ob_url_resolve(const char *base, const char *location, char **out, char **authorization,
			 ocib_error **err);
/** The same scheme, host and port? */
bool ob_url_same_origin(const char *a, const char *b);
bool ob_url_is_https(const char *url);
bool ob_url_is_loopback(const char *url);
/** Is this host (no port, no brackets needed) localhost, in 127/8 or ::1? */
bool ob_host_is_loopback(const char *host);
/** Host, and ":port" where the URL has one and @p with_port; no brackets without. malloc'ed, NULL: no memory or URL. */
char *ob_url_host(const char *url, bool with_port);
/** Adds key=value to the query, encoded; malloc'ed, NULL: no memory or no URL. */
char *ob_url_add_query(const char *url, const char *key, const char *value);
/** The path, percent signs decoded. malloc'ed. Kinds: INVALID (no http URL, a path with control characters). */
ocib_errc ob_url_path(const char *url, char **out, ocib_error **err);
/** For people: without user and query, which may hold a password or a signature. malloc'ed, NULL: no memory. */
char *ob_url_show(const char *url);

#endif
