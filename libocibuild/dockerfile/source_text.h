/* dockerfile/source_text.h — a Dockerfile's text and places in it, for errors that show the line. */
#ifndef OB_DOCKERFILE_SOURCE_TEXT_H
#define OB_DOCKERFILE_SOURCE_TEXT_H

#include <stddef.h>
#include "base/error.h"

typedef struct ob_source_text {
	char *name; /**< as shown to people */
	char *data; /**< BOM removed; NUL-terminated */
	size_t len;
} ob_source_text;

/** A span of lines with the column (byte, 1-based; 0 unknown) where it begins. */
typedef struct ob_location {
	unsigned line, end_line, column;
} ob_location;

/**
 * Copy @p data, which is checked to be what a Dockerfile may be. Kinds: SYNTAX (empty, binary), LIMIT.
 * @p out must be zeroed or fresh; release with ob_source_text_done().
 */
ocib_errc ob_source_text_init(ob_source_text *out, const char *name, const char *data, size_t len,
			      ocib_error **err);
void ob_source_text_done(ob_source_text *source);

/** The lines of @p at and those around them with numbers, and a caret; *out NULL where it has no line. */
ocib_errc ob_source_excerpt(const ob_source_text *source, const ob_location *at, char **out,
			    ocib_error **err);

/**
 * Attach file, line and an excerpt (source lines with numbers, a caret) to *err, and put "file:line: "
 * in front of its message. An error that already has a location keeps it. Returns @p code.
 */
ocib_errc ob_source_locate(const ob_source_text *source, const ob_location *at, ocib_errc code,
			   ocib_error **err);

#endif
