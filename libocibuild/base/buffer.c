/* base/buffer.c — see buffer.h. Grows by doubling, never past max, always NUL-terminated.
 *
 * The first failure sticks: later appends do nothing, so a builder needs one check at its end and no
 * half-appended piece is ever followed by another.
 */
#include "base/buffer.h"
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define SMALLEST 64

void ob_buffer_done(ob_buffer *buffer)
{
	free(buffer->data);
	buffer->data = NULL;
	buffer->len = buffer->cap = 0;
}

void ob_buffer_clear(ob_buffer *buffer)
{
	buffer->len = 0;
	buffer->failed = OCIB_OK;
	if (buffer->data)
		buffer->data[0] = '\0';
}

char *ob_buffer_reserve(ob_buffer *buffer, size_t len)
{
	size_t need, cap;
	char *grown;

	if (buffer->failed)
		return NULL;
	if (len > buffer->max || buffer->len > buffer->max - len) {
		buffer->failed = OCIB_ERR_LIMIT;
		return NULL;
	}
	if (__builtin_add_overflow(buffer->len, len, &need) ||
	    __builtin_add_overflow(need, 1, &need)) {
		buffer->failed = OCIB_ERR_LIMIT;
		return NULL;
	}
	if (need <= buffer->cap)
		return buffer->data + buffer->len;
	cap = buffer->cap < SMALLEST ? SMALLEST : buffer->cap;
	while (cap < need)
		cap = cap > SIZE_MAX / 2 ? need : cap * 2;
	grown = realloc(buffer->data, cap);
	if (!grown) {
		buffer->failed = OCIB_ERR_NOMEM;
		return NULL;
	}
	buffer->data = grown;
	buffer->cap = cap;
	buffer->data[buffer->len] = '\0';
	return buffer->data + buffer->len;
}

void ob_buffer_append(ob_buffer *buffer, const void *data, size_t len)
{
	char *room = ob_buffer_reserve(buffer, len);

	if (!room)
		return;
	if (len)
		memcpy(room, data, len);
	room[len] = '\0';
	buffer->len += len;
}

void ob_buffer_append_str(ob_buffer *buffer, const char *text)
{
	ob_buffer_append(buffer, text, strlen(text));
}

void ob_buffer_append_char(ob_buffer *buffer, char c)
{
	ob_buffer_append(buffer, &c, 1);
}

void ob_buffer_vprintf(ob_buffer *buffer, const char *format, va_list args)
{
	va_list again;
	char *room;

	va_copy(again, args);
	int len = vsnprintf(NULL, 0, format, again);
	va_end(again);
	if (len < 0) {
		buffer->failed = OCIB_ERR_NOMEM;
		return;
	}
	room = ob_buffer_reserve(buffer, (size_t)len);
	if (!room)
		return;
	(void)vsnprintf(room, (size_t)len + 1, format, args);
	buffer->len += (size_t)len;
}

void ob_buffer_printf(ob_buffer *buffer, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	ob_buffer_vprintf(buffer, format, args);
	va_end(args);
}

ocib_errc ob_buffer_check(const ob_buffer *buffer, ocib_error **err)
{
	switch (buffer->failed) {
	case OCIB_OK: return OCIB_OK;
	case OCIB_ERR_LIMIT:
		return ob_fail(err, OCIB_ERR_LIMIT, "%s is larger than %zu bytes",
			       buffer->what ? buffer->what : "text", buffer->max);
	default: return ob_fail_nomem(err);
	}
}

ocib_errc ob_buffer_finish(ob_buffer *buffer, char **out, ocib_error **err)
{
	/* An empty buffer has no allocation yet, and a C string needs one. */
	if (!buffer->failed && !buffer->data)
		ob_buffer_append(buffer, "", 0);
	ocib_errc r = ob_buffer_check(buffer, err);
	if (r)
		return r;
	*out = ob_take_ptr(buffer->data);
	buffer->len = buffer->cap = 0;
	return OCIB_OK;
}
