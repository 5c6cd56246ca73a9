/* engine/build/output_lines.c — a byte stream into OUTPUT events, one a line.
 *
 * A line longer than OB_LIMIT_OUTPUT_LINE is handed on in pieces, all but the last marked as partial, so
 * that memory stays bounded whatever a command writes. NUL bytes are dropped: event texts are C strings.
 * Losing a line for want of memory loses only that; output is not worth failing a step for.
 */
#include "engine/build/output_lines.h"
#include <string.h>

void ob_output_lines_init(ob_output_lines *lines, ocib_context *ctx, uint32_t step)
{
	*lines = (ob_output_lines){.ctx = ctx, .step = step};
	for (size_t i = 0; i < 2; i++)
		lines->open[i] = (ob_buffer)OB_BUFFER_INIT(2 * OB_LIMIT_OUTPUT_LINE, "output line");
}

static void remember(ob_output_lines *lines, const char *text, size_t len)
{
	if (lines->tail.len == OB_LIMIT_OUTPUT_TAIL)
		ob_strlist_remove(&lines->tail, 0);
	(void)ob_strlist_add_len(&lines->tail, text, len);
}

static void flush(ob_output_lines *lines, int stream, bool partial)
{
	ob_buffer *line = &lines->open[stream == 2];
	ocib_event event = {.type = OCIB_EVENT_OUTPUT};

	event.u.output = (ocib_event_output){
		.step = lines->step,
		.stream = stream,
		.text = line->data ? line->data : "",
		.len = line->len,
		.partial = partial,
	};
	ob_emit(lines->ctx, &event);
	remember(lines, event.u.output.text, line->len);
	ob_buffer_clear(line);
}

/* A run of bytes without a newline. */
static void append(ob_output_lines *lines, int stream, const char *data, size_t len)
{
	ob_buffer *line = &lines->open[stream == 2];

	while (len) {
		size_t room = OB_LIMIT_OUTPUT_LINE - line->len;
		const char *nul = memchr(data, '\0', len);
		size_t part = nul ? (size_t)(nul - data) : len;

		if (part > room)
			part = room;
		ob_buffer_append(line, data, part);
		data += part;
		len -= part;
		if (len && *data == '\0') {
			data++;
			len--;
		} else if (len) {
			flush(lines, stream, true);
		}
	}
}

void ob_output_lines_add(int stream, const char *data, size_t len, void *arg)
{
	ob_output_lines *lines = arg;

	while (len) {
		const char *newline = memchr(data, '\n', len);
		size_t part = newline ? (size_t)(newline - data) : len;

		append(lines, stream, data, part);
		if (!newline)
			return;
		flush(lines, stream, false);
		data += part + 1;
		len -= part + 1;
	}
}

void ob_output_lines_finish(ob_output_lines *lines)
{
	for (int stream = 1; stream <= 2; stream++) {
		if (lines->open[stream == 2].len)
			flush(lines, stream, false);
	}
}

void ob_output_lines_done(ob_output_lines *lines)
{
	for (size_t i = 0; i < 2; i++)
		ob_buffer_done(&lines->open[i]);
	ob_strlist_done(&lines->tail);
}
