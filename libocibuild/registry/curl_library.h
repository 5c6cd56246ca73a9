/* registry/curl_library.h — libcurl's functions, by way of a table.
 *
 * libcurl and what it stands on (LDAP, Kerberos, SSH …) take longer to load than most builds take, and
 * most builds ask no registry. So it is loaded when it is first needed, and called through the table:
 * curl_easy_init() is ob_curl.curl_easy_init(). A function that is missing here is a line in the list below.
 */
#ifndef OB_REGISTRY_CURL_LIBRARY_H
#define OB_REGISTRY_CURL_LIBRARY_H

#define CURL_DISABLE_TYPECHECK
#include <curl/curl.h>
#include "base/error.h"

#define OB_CURL_FUNCTIONS(X)        \
	X(curl_easy_cleanup)        \
	X(curl_easy_escape)         \
	X(curl_easy_getinfo)        \
	X(curl_easy_init)           \
	X(curl_easy_reset)          \
	X(curl_easy_setopt)         \
	X(curl_easy_strerror)       \
	X(curl_free)                \
	X(curl_getdate)             \
	X(curl_global_init)         \
	X(curl_multi_add_handle)    \
	X(curl_multi_cleanup)       \
	X(curl_multi_info_read)     \
	X(curl_multi_init)          \
	X(curl_multi_perform)       \
	X(curl_multi_poll)          \
	X(curl_multi_remove_handle) \
	X(curl_share_cleanup)       \
	X(curl_share_init)          \
	X(curl_share_setopt)        \
	X(curl_slist_append)        \
	X(curl_slist_free_all)      \
	X(curl_url)                 \
	X(curl_url_cleanup)         \
	X(curl_url_get)             \
	X(curl_url_set)             \
	X(curl_version_info)

typedef struct ob_curl_functions {
#define OB_CURL_FIELD(name) __typeof__(name) *name;
	OB_CURL_FUNCTIONS(OB_CURL_FIELD)
#undef OB_CURL_FIELD
} ob_curl_functions;

/** All NULL until ob_curl_library_load() has succeeded once; constant from then on. */
extern ob_curl_functions ob_curl;

/**
 * Load libcurl and set it up, once per process. It is never undone, as nobody can know who else in the
 * process uses libcurl. Any thread. Kinds: SYSTEM (there is none, or one that is too old).
 */
ocib_errc ob_curl_library_load(ocib_error **err);

#endif
