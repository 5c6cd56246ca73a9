/* engine/run/env_file.c — lines of KEY=VALUE, read as docker run --env-file reads them.
 *
 * Nothing is unquoted and nothing is expanded: what follows the first '=' is the value, blanks and quotes
 * included. Blanks before the key, empty lines, comments, a byte order mark and the '\r' of a Windows line
 * end are dropped.
 */
#include "engine/run/env_file.h"
#include <string.h>
#include "base/strings.h"

#define BLANKS    " \t\v\f\r"
#define BYTE_MARK "\xef\xbb\xbf"

static ocib_errc add_line(const char *line, size_t len, const char *name, unsigned number,
			  ob_strlist *out, ocib_error **err)
{
	while (len > 0 && strchr(BLANKS, *line)) {
		line++;
		len--;
	}
	if (!len || *line == '#')
		return OCIB_OK;
	const char *equals = memchr(line, '=', len);
	size_t key_len = equals ? (size_t)(equals - line) : len;
	if (!key_len)
		return ob_fail(err, OCIB_ERR_INVALID, "%s:%u: no variable before the '='", name,
			       number);
	if (memchr(line, ' ', key_len) || memchr(line, '\t', key_len))
		return ob_fail(err, OCIB_ERR_INVALID, "%s:%u: variable '%.*s' has a blank in it",
			       name, number, (int)key_len, line);
	return ob_strlist_add_len(out, line, len) < 0 ? ob_fail_nomem(err) : OCIB_OK;
}

ocib_errc ob_env_file_parse(const char *text, size_t len, const char *name, ob_strlist *out,
			    ocib_error **err)
{
	const char *end = text + len;

	if (len >= sizeof(BYTE_MARK) - 1 && memcmp(text, BYTE_MARK, sizeof(BYTE_MARK) - 1) == 0)
		text += sizeof(BYTE_MARK) - 1;
	for (unsigned number = 1; text < end; number++) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		size_t line_len = (size_t)((newline ? newline : end) - text);
		size_t next = line_len + (newline != NULL);

		if (line_len && text[line_len - 1] == '\r')
			line_len--;
		if (memchr(text, '\0', line_len) || !ob_utf8_valid(text, line_len))
			return ob_fail(err, OCIB_ERR_INVALID, "%s:%u: the line is not UTF-8 text",
				       name, number);
		ocib_errc r = add_line(text, line_len, name, number, out, err);
		if (r < 0)
			return r;
		text += next;
	}
	return OCIB_OK;
}
