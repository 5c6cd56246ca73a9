/* dockerfile/logical_line.c — see logical_line.h. */
#include "dockerfile/logical_line.h"
#include <string.h>
#include "base/limits.h"
#include "dockerfile/runes.h"

ocib_errc ob_line_reader_next(ob_line_reader *reader, ob_span *line, bool *found, ocib_error **err)
{
	const ob_source_text *source = reader->source;
	const char *start = source->data + reader->next;
	size_t left = source->len - reader->next;
	const char *newline = memchr(start, '\n', left);
	size_t len = newline ? (size_t)(newline - start) + 1 : left;

	*found = len > 0;
	if (!*found)
		return OCIB_OK;
	reader->next += len;
	reader->number++;
	if (len - (newline != NULL) > OB_LIMIT_DOCKERFILE_LINE) {
		ob_location at = {reader->number, reader->number, 1};

		ob_fail(err, OCIB_ERR_LIMIT,
			"the line is longer than %d bytes (OB_LIMIT_DOCKERFILE_LINE)",
			OB_LIMIT_DOCKERFILE_LINE);
		return ob_source_locate(source, &at, OCIB_ERR_LIMIT, err);
	}
	*line = (ob_span){start, len};
	return OCIB_OK;
}

void ob_logical_line_clear(ob_logical_line *line)
{
	line->text.max = OB_LIMIT_DOCKERFILE;
	line->text.what = "line (OB_LIMIT_DOCKERFILE)";
	ob_buffer_clear(&line->text);
	line->piece_count = 0;
}

void ob_logical_line_done(ob_logical_line *line)
{
	ob_buffer_done(&line->text);
	free(line->pieces);
	*line = (ob_logical_line){0};
}

int ob_logical_line_add(ob_logical_line *line, ob_span span, unsigned number, unsigned column)
{
	size_t count = line->piece_count;

	if ((count & (count - 1)) == 0) {
		ob_line_piece *grown =
			realloc(line->pieces, (count ? count * 2 : 1) * sizeof(*grown));

		if (!grown)
			return -1;
		line->pieces = grown;
	}
	line->pieces[line->piece_count++] = (ob_line_piece){line->text.len, number, column};
	ob_buffer_append(&line->text, span.text, span.len);
	return line->text.failed ? -1 : 0;
}

ob_location ob_logical_line_locate(const ob_logical_line *line, const char *text)
{
	size_t offset = (size_t)(text - line->text.data), low = 0, high = line->piece_count;

	/* The last piece that begins at or before the byte. */
	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (line->pieces[middle].offset <= offset)
			low = middle;
		else
			high = middle;
	}
	const ob_line_piece *piece = &line->pieces[low];
	return (ob_location){
		.line = piece->line,
		.end_line = piece->line,
		.column = piece->column + (unsigned)(offset - piece->offset),
	};
}

ob_span ob_span_trim(ob_span span)
{
	size_t gone = ob_space_prefix(span.text, span.len);

	span.text += gone;
	span.len -= gone;
	span.len -= ob_space_suffix(span.text, span.len);
	return span;
}

char *ob_span_copy(ob_span span)
{
	return strndup(span.text, span.len);
}
