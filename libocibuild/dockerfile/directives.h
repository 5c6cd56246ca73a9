/* dockerfile/directives.h — "# syntax=", "# escape=" and "# check=" at the top of a Dockerfile. */
#ifndef OB_DOCKERFILE_DIRECTIVES_H
#define OB_DOCKERFILE_DIRECTIVES_H

#include "base/error.h"
#include "dockerfile/logical_line.h"

typedef enum ob_directive {
	OB_DIRECTIVE_NONE,
	OB_DIRECTIVE_SYNTAX,
	OB_DIRECTIVE_ESCAPE,
	OB_DIRECTIVE_CHECK
} ob_directive;

/** Goes from line to line; the first line that is no directive ends them all. Zeroed at the start. */
typedef struct ob_directive_scan {
	bool done;
	unsigned seen; /**< a bit per ob_directive */
} ob_directive_scan;

/**
 * Look at one line (without its ending, and without leading white space where that is allowed).
 * @p mark is what comments begin with. Kinds: SYNTAX (no location): the same directive again.
 */
ocib_errc ob_directive_scan_line(ob_directive_scan *scan, const char *mark, ob_span line,
				 ob_directive *found, ob_span *value, ocib_error **err);

/**
 * The whole value of a directive, as tools that look at a file without parsing it find it: a "#!" line
 * may come first, and "syntax" may also stand in "//" comments or in a JSON object.
 * @param value malloc'ed, NULL when not set; @param line its number, 0 in JSON.
 */
ocib_errc ob_directive_find(const char *data, size_t len, const char *name, char **value,
			    unsigned *line, ocib_error **err);

#endif
