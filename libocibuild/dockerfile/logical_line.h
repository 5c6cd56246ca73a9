/* dockerfile/logical_line.h — physical lines of a source, and the logical line they are joined to.
 *
 * A logical line remembers where each of its bytes came from, so that a word of an instruction that
 * goes over many lines still knows its line and column.
 */
#ifndef OB_DOCKERFILE_LOGICAL_LINE_H
#define OB_DOCKERFILE_LOGICAL_LINE_H

#include <stdbool.h>
#include "base/buffer.h"
#include "dockerfile/source_text.h"

/** A piece of text that is not NUL-terminated. */
typedef struct ob_span {
	const char *text;
	size_t len;
} ob_span;

typedef struct ob_line_reader {
	const ob_source_text *source;
	size_t next;     /**< offset of the next line */
	unsigned number; /**< of the line read last; 0 before the first */
} ob_line_reader;

/** The next line with its line ending; *found false at the end. Kinds: LIMIT (located). */
ocib_errc ob_line_reader_next(ob_line_reader *reader, ob_span *line, bool *found, ocib_error **err);

typedef struct ob_line_piece {
	size_t offset;         /**< in the logical line */
	unsigned line, column; /**< of its first byte in the source */
} ob_line_piece;

typedef struct ob_logical_line {
	ob_buffer text;
	ob_line_piece *pieces; /**< by offset; room for a power of two */
	size_t piece_count;
} ob_logical_line;

void ob_logical_line_clear(ob_logical_line *line); /**< also makes a zeroed one usable */
void ob_logical_line_done(ob_logical_line *line);
/** Append @p span, which is at @p column of the physical line @p number. -1: no memory. */
int ob_logical_line_add(ob_logical_line *line, ob_span span, unsigned number, unsigned column);
/** Where the byte at @p text, inside line->text, is in the source. */
ob_location ob_logical_line_locate(const ob_logical_line *line, const char *text);

/** Without white space at both ends. */
ob_span ob_span_trim(ob_span span);
char *ob_span_copy(ob_span span); /**< malloc'ed C string; NULL: no memory */

#endif
