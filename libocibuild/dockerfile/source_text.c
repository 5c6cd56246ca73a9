/* dockerfile/source_text.c — the text of a Dockerfile, and errors that show a place in it.
 *
 * The excerpt is made for a terminal of any width: long lines are cut around the column, control
 * characters and broken UTF-8 are replaced, because a Dockerfile may come from anywhere. The caret's line
 * repeats tabs, so that it stands under its character whatever a tab is worth.
 */
#include "dockerfile/source_text.h"
#include <string.h>
#include "base/buffer.h"
#include "base/limits.h"
#include "dockerfile/runes.h"

enum {
	EXCERPT_AROUND = 2,  /* lines shown before and after the place */
	EXCERPT_LINES = 12,  /* of the place itself */
	EXCERPT_WIDTH = 120, /* bytes of a line */
	EXCERPT_BEFORE = 60, /* of them before the column, where a line is cut */
	EXCERPT_MAX = 65536,
};

void ob_source_text_done(ob_source_text *source)
{
	free(source->name);
	free(source->data);
	*source = (ob_source_text){0};
}

static ocib_errc fail_binary(const char *name, const char *data, size_t len, ocib_error **err)
{
	ocib_errc r = ob_fail(err, OCIB_ERR_SYNTAX,
			      "'%s' does not look like a Dockerfile: it is binary data (a NUL byte "
			      "at offset %zu)",
			      name, (size_t)((const char *)memchr(data, '\0', len) - data));

	if (len >= 2 && (!memcmp(data, "\xff\xfe", 2) || !memcmp(data, "\xfe\xff", 2)))
		ob_error_set_hint(err, "it begins like UTF-16 text: save it as UTF-8");
	ob_error_set_location(err, name, 0, 0, 0, NULL);
	return r;
}

ocib_errc ob_source_text_init(ob_source_text *out, const char *name, const char *data, size_t len,
			      ocib_error **err)
{
	static const char bom[] = "\xef\xbb\xbf";
	ocib_errc r;

	if (len > OB_LIMIT_DOCKERFILE) {
		r = ob_fail(err, OCIB_ERR_LIMIT,
			    "'%s' has %zu bytes; a Dockerfile has at most %llu "
			    "(OB_LIMIT_DOCKERFILE)",
			    name, len, OB_LIMIT_DOCKERFILE);
		ob_error_set_location(err, name, 0, 0, 0, NULL);
		return r;
	}
	if (len >= 3 && !memcmp(data, bom, 3)) {
		data += 3;
		len -= 3;
	}
	if (len == 0) {
		r = ob_fail(err, OCIB_ERR_SYNTAX, "'%s' is empty: a Dockerfile needs a FROM", name);
		ob_error_set_location(err, name, 0, 0, 0, NULL);
		return r;
	}
	if (memchr(data, '\0', len))
		return fail_binary(name, data, len, err);

	ob_autofree char *name_copy = strdup(name), *data_copy = malloc(len + 1);
	if (!name_copy || !data_copy)
		return ob_fail_nomem(err);
	memcpy(data_copy, data, len);
	data_copy[len] = '\0';
	*out = (ob_source_text){
		.name = ob_take_ptr(name_copy), .data = ob_take_ptr(data_copy), .len = len};
	return OCIB_OK;
}

/* Walks lines: at the start of line `number`. */
typedef struct line_walk {
	const char *start, *end; /* of the text that is left */
	unsigned number;
} line_walk;

static size_t line_len(const line_walk *walk)
{
	const char *newline = memchr(walk->start, '\n', (size_t)(walk->end - walk->start));
	size_t len = (size_t)((newline ? newline : walk->end) - walk->start);

	while (len > 0 && walk->start[len - 1] == '\r')
		len--;
	return len;
}

static bool next_line(line_walk *walk)
{
	const char *newline = memchr(walk->start, '\n', (size_t)(walk->end - walk->start));

	if (!newline || newline + 1 == walk->end)
		return false;
	walk->start = newline + 1;
	walk->number++;
	return true;
}

/* Where to begin showing a line so that the column is seen, on a code point's border. */
static size_t first_shown(const char *line, size_t len, unsigned column)
{
	size_t from;

	if (len <= EXCERPT_WIDTH || column <= EXCERPT_WIDTH - 20)
		return 0;
	from = (column > len ? len : column) - EXCERPT_BEFORE;
	while (from > 0 && ((unsigned char)line[from] & 0xc0) == 0x80)
		from--;
	return from;
}

static void append_shown(ob_buffer *out, const char *line, size_t len, size_t from)
{
	size_t end = len - from > EXCERPT_WIDTH ? from + EXCERPT_WIDTH : len;

	if (from > 0)
		ob_buffer_append_str(out, "...");
	for (size_t i = from; i < end;) {
		uint32_t rune;
		size_t width = ob_rune_decode(line + i, len - i, &rune);

		if (rune >= OB_RUNE_INVALID || (rune < 0x20 && rune != '\t') ||
		    (rune >= 0x7f && rune < 0xa0))
			ob_buffer_append_char(out, '?');
		else
			ob_buffer_append(out, line + i, width);
		i += width;
	}
	if (end < len)
		ob_buffer_append_str(out, "...");
	ob_buffer_append_char(out, '\n');
}

static void append_caret(ob_buffer *out, const char *line, size_t len, size_t from, unsigned column)
{
	size_t end = column - 1 > len ? len : column - 1;

	ob_buffer_append_str(out, "     |     ");
	if (from > 0)
		ob_buffer_append_str(out, "   ");
	for (size_t i = from; i < end;) {
		uint32_t rune;

		i += ob_rune_decode(line + i, len - i, &rune);
		ob_buffer_append_char(out, rune == '\t' ? '\t' : ' ');
	}
	ob_buffer_append_str(out, "^\n");
}

static void append_excerpt(ob_buffer *out, const ob_source_text *source, const ob_location *at)
{
	unsigned first = at->line > EXCERPT_AROUND ? at->line - EXCERPT_AROUND : 1;
	unsigned last = at->end_line > at->line ? at->end_line : at->line;
	unsigned shown = last - at->line < EXCERPT_LINES ? last : at->line + EXCERPT_LINES - 1;
	line_walk walk = {source->data, source->data + source->len, 1};

	while (walk.number < first)
		if (!next_line(&walk))
			return;
	do {
		bool marked = walk.number >= at->line && walk.number <= last;
		bool has_caret = walk.number == at->line && at->column > 0;
		size_t len = line_len(&walk);
		size_t from = has_caret ? first_shown(walk.start, len, at->column) : 0;

		if (walk.number > shown && walk.number <= last) {
			if (walk.number == shown + 1)
				ob_buffer_append_str(out, "     | ...\n");
			continue;
		}
		ob_buffer_printf(out, "%4u | %s", walk.number, marked ? ">>> " : "    ");
		append_shown(out, walk.start, len, from);
		if (has_caret)
			append_caret(out, walk.start, len, from, at->column);
	} while (walk.number < last + EXCERPT_AROUND && next_line(&walk));
}

ocib_errc ob_source_excerpt(const ob_source_text *source, const ob_location *at, char **out,
			    ocib_error **err)
{
	ob_autodone(ob_buffer) excerpt = OB_BUFFER_INIT(EXCERPT_MAX, "excerpt");

	*out = NULL;
	if (at->line == 0)
		return OCIB_OK;
	append_excerpt(&excerpt, source, at);
	return ob_buffer_finish(&excerpt, out, err);
}

ocib_errc ob_source_locate(const ob_source_text *source, const ob_location *at, ocib_errc code,
			   ocib_error **err)
{
	ob_autodone(ob_buffer) excerpt = OB_BUFFER_INIT(EXCERPT_MAX, "excerpt");

	if (code == OCIB_OK || !err || !*err || ocib_error_file(*err))
		return code;
	if (at->line == 0) {
		ob_error_set_location(err, source->name, 0, 0, 0, NULL);
		return ob_wrap(err, code, "%s", source->name);
	}
	append_excerpt(&excerpt, source, at);
	ob_error_set_location(err, source->name, at->line,
			      at->end_line > at->line ? at->end_line : at->line, at->column,
			      excerpt.data);
	return ob_wrap(err, code, "%s:%u", source->name, at->line);
}
