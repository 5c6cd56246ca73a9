/* base/late_library.h — a shared library that is loaded when it is first needed, as a table of functions.
 *
 * For third parties that take longer to load than most of what we do, and that most of it does not need.
 * The table is a struct of function pointers; whoever calls it makes sure that it is filled, once.
 */
#ifndef OB_BASE_LATE_LIBRARY_H
#define OB_BASE_LATE_LIBRARY_H

#include <stdbool.h>
#include <stddef.h>

/** A function and where in the table its pointer goes. */
typedef struct ob_late_symbol {
	const char *name;
	size_t offset;
} ob_late_symbol;

#define OB_LATE_FAILURE_SIZE 256

/**
 * Load @p file (an ABI name, looked for as the dynamic linker does) and fill @p table. It is never
 * unloaded. Not thread-safe for one table: call it behind pthread_once.
 * @param failure  receives why it failed; "" on success.
 */
bool ob_late_library_load(const char *file, const ob_late_symbol *symbols, size_t count,
			  void *table, char failure[OB_LATE_FAILURE_SIZE]);

#endif
