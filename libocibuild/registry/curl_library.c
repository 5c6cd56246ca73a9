/* registry/curl_library.c — see curl_library.h.
 *
 * A program that has libcurl already gets the one it has: the file is named by its ABI, which has not
 * changed since 2006.
 */
#include "registry/curl_library.h"
#include <pthread.h>
#include <stdio.h>
#include "base/late_library.h"
#include "base/strings.h"

ob_curl_functions ob_curl;

static char failure[OB_LATE_FAILURE_SIZE];

static void load(void)
{
#define SYMBOL(function) {#function, offsetof(ob_curl_functions, function)},
	static const ob_late_symbol symbols[] = {OB_CURL_FUNCTIONS(SYMBOL)};
#undef SYMBOL

	if (!ob_late_library_load("libcurl.so.4", symbols, OB_ARRAY_LEN(symbols), &ob_curl,
				  failure))
		return;
	CURLcode code = ob_curl.curl_global_init(CURL_GLOBAL_DEFAULT);
	if (code)
		(void)snprintf(failure, sizeof(failure), "%s", ob_curl.curl_easy_strerror(code));
}

ocib_errc ob_curl_library_load(ocib_error **err)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, load);
	if (failure[0])
		return ob_fail(err, OCIB_ERR_SYSTEM,
			       "registries need libcurl 7.77 or newer, which cannot be used: %s",
			       failure);
	return OCIB_OK;
}
