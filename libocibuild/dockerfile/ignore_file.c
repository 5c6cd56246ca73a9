/* dockerfile/ignore_file.c — the lines of a .dockerignore to patterns.
 *
 * A '#' in the first column is a comment, white space at both ends goes, '!' may have space behind it;
 * then the path is cleaned and its leading '/' dropped.
 */
#include <string.h>
#include "base/limits.h"
#include "base/paths.h"
#include "base/strings.h"
#include "dockerfile/ignore.h"
#include "dockerfile/logical_line.h"

/* A trimmed, non-empty line to its pattern. NULL: no memory. */
static char *clean_pattern(ob_span line)
{
	bool negated = *line.text == '!';
	ob_autofree char *text = NULL, *clean = NULL;

	if (negated)
		line = ob_span_trim((ob_span){line.text + 1, line.len - 1});
	text = ob_span_copy(line);
	clean = text && line.len ? ob_path_clean(text) : ob_take_ptr(text);
	if (!clean)
		return NULL;
	return ob_str_printf("%s%s", negated ? "!" : "", clean + (clean[0] == '/' && clean[1]));
}

static ocib_errc add_line(ob_span line, unsigned number, ob_strlist *patterns, unsigned **numbers,
			  size_t *count, ocib_error **err)
{
	ob_span trimmed = ob_span_trim(line);

	if ((line.len > 0 && *line.text == '#') || trimmed.len == 0)
		return OCIB_OK;
	if (line.len > OB_LIMIT_DOCKERFILE_LINE)
		return ob_fail(err, OCIB_ERR_LIMIT,
			       "line %u is longer than %d bytes (OB_LIMIT_DOCKERFILE_LINE)", number,
			       OB_LIMIT_DOCKERFILE_LINE);
	if (memchr(line.text, '\0', line.len))
		return ob_fail(err, OCIB_ERR_SYNTAX, "line %u has a NUL byte", number);
	if ((*count & (*count - 1)) == 0) {
		unsigned *grown = realloc(*numbers, (*count ? *count * 2 : 1) * sizeof(*grown));

		if (!grown)
			return ob_fail_nomem(err);
		*numbers = grown;
	}
	if (ob_strlist_take(patterns, clean_pattern(trimmed)) < 0)
		return ob_fail_nomem(err);
	(*numbers)[(*count)++] = number;
	return OCIB_OK;
}

ocib_errc ob_ignore_read(const char *text, size_t len, ob_strlist *patterns,
			 unsigned **line_numbers, ocib_error **err)
{
	ob_autofree unsigned *numbers = NULL;
	const char *end = text + len;
	size_t count = 0;
	ocib_errc r = OCIB_OK;

	if (len > OB_LIMIT_IGNORE_FILE)
		return ob_fail(err, OCIB_ERR_LIMIT,
			       "an ignore file has at most %llu bytes (OB_LIMIT_IGNORE_FILE)",
			       OB_LIMIT_IGNORE_FILE);
	if (len >= 3 && !memcmp(text, "\xef\xbb\xbf", 3))
		text += 3;
	for (unsigned number = 1; text < end && r == OCIB_OK; number++) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		ob_span line = {text, (size_t)((newline ? newline : end) - text)};

		r = add_line(line, number, patterns, &numbers, &count, err);
		text += line.len + (newline != NULL);
	}
	if (r == OCIB_OK && line_numbers)
		*line_numbers = ob_take_ptr(numbers);
	return r;
}
