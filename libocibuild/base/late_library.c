/* base/late_library.c — see late_library.h. */
#include "base/late_library.h"
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

bool ob_late_library_load(const char *file, const ob_late_symbol *symbols, size_t count,
			  void *table, char failure[OB_LATE_FAILURE_SIZE])
{
	void *library = dlopen(file, RTLD_NOW | RTLD_LOCAL);

	for (size_t i = 0; library && i < count; i++) {
		/* A symbol's address is a function's, which C does not know and POSIX does. */
		void *symbol = dlsym(library, symbols[i].name);

		memcpy((char *)table + symbols[i].offset, &symbol, sizeof(symbol));
		if (!symbol)
			library = NULL;
	}
	failure[0] = '\0';
	if (!library)
		(void)snprintf(failure, OB_LATE_FAILURE_SIZE, "%s", dlerror());
	return library != NULL;
}
