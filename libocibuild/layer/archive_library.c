/* layer/archive_library.c — see archive_library.h. */
#include "layer/archive_library.h"
#include <pthread.h>
#include "base/late_library.h"
#include "base/strings.h"

ob_archive_functions ob_archive;

static char failure[OB_LATE_FAILURE_SIZE];

static void load(void)
{
#define SYMBOL(function) {#function, offsetof(ob_archive_functions, function)},
	static const ob_late_symbol symbols[] = {OB_ARCHIVE_FUNCTIONS(SYMBOL)};
#undef SYMBOL

	(void)ob_late_library_load("libarchive.so.13", symbols, OB_ARRAY_LEN(symbols), &ob_archive,
				   failure);
}

ocib_errc ob_archive_library_load(ocib_error **err)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, load);
	if (failure[0])
		return ob_fail(err, OCIB_ERR_SYSTEM,
			       "archives need libarchive 3.5 or newer, which cannot be used: %s",
			       failure);
	return OCIB_OK;
}
