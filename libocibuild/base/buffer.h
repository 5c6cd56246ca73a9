/* base/buffer.h — a growing byte string with a maximum and a sticky error.
 *
 * Appending never returns an error: a failure (no memory, over the maximum) sticks, later appends do
 * nothing, and ob_buffer_check() or ob_buffer_finish() reports it once. The content is always followed
 * by a NUL that is not counted, so data may be used as a C string.
 */
#ifndef OB_BASE_BUFFER_H
#define OB_BASE_BUFFER_H

#include <stdarg.h>
#include <stddef.h>
#include "base/error.h"

typedef struct ob_buffer {
	char *data; /**< NULL while empty */
	size_t len; /**< bytes, without the NUL */
	size_t cap;
	size_t max;       /**< refuse to grow past this */
	const char *what; /**< names the limit in the error, e.g. "manifest" */
	ocib_errc failed; /**< sticky */
} ob_buffer;

#define OB_BUFFER_INIT(max_, what_)            \
	{                                      \
		.max = (max_), .what = (what_) \
	}

void ob_buffer_done(ob_buffer *buffer);
void ob_buffer_clear(ob_buffer *buffer); /**< keeps the allocation and forgets a failure */
void ob_buffer_append(ob_buffer *buffer, const void *data, size_t len);
void ob_buffer_append_str(ob_buffer *buffer, const char *text);
void ob_buffer_append_char(ob_buffer *buffer, char c);
void ob_buffer_printf(ob_buffer *buffer, const char *format, ...) ob_printf(2, 3);
void ob_buffer_vprintf(ob_buffer *buffer, const char *format, va_list args) ob_printf(2, 0);
/** Make room for @p len more bytes; NULL when failed. The caller then adds to len. */
char *ob_buffer_reserve(ob_buffer *buffer, size_t len);
/** OCIB_OK, or the sticky NOMEM/LIMIT as an error. */
ocib_errc ob_buffer_check(const ob_buffer *buffer, ocib_error **err);
/** Move the content out as a malloc'ed C string (never NULL on success). */
ocib_errc ob_buffer_finish(ob_buffer *buffer, char **out, ocib_error **err);

#endif
