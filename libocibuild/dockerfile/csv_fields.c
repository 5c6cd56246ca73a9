/* dockerfile/csv_fields.c — see csv_fields.h. A field that begins with '"' goes to the next single '"';
 * '""' in it is one; in other fields there are no quotes. A newline at the end does not count. */
#include "dockerfile/csv_fields.h"
#include <string.h>
#include "base/buffer.h"
#include "base/limits.h"

static ocib_errc quoted_field(const char **at, const char *end, ob_buffer *field, ocib_error **err)
{
	const char *p = *at + 1;

	while (true) {
		const char *quote = memchr(p, '"', (size_t)(end - p));

		if (!quote)
			return ob_fail(err, OCIB_ERR_SYNTAX,
				       "invalid comma-separated value: a '\"' is not closed");
		ob_buffer_append(field, p, (size_t)(quote - p));
		p = quote + 1;
		if (p == end || *p == ',')
			break;
		if (*p != '"')
			return ob_fail(err, OCIB_ERR_SYNTAX,
				       "invalid comma-separated value: extra text behind '\"'");
		ob_buffer_append_char(field, *p++);
	}
	*at = p;
	return OCIB_OK;
}

static ocib_errc plain_field(const char **at, const char *end, ob_buffer *field, ocib_error **err)
{
	const char *comma = memchr(*at, ',', (size_t)(end - *at));
	size_t len = (size_t)((comma ? comma : end) - *at);

	if (memchr(*at, '"', len))
		return ob_fail(err, OCIB_ERR_SYNTAX,
			       "invalid comma-separated value: '\"' inside a field");
	ob_buffer_append(field, *at, len);
	*at += len;
	return OCIB_OK;
}

ocib_errc ob_csv_fields(const char *line, ob_strlist *out, ocib_error **err)
{
	ob_autodone(ob_buffer) field = OB_BUFFER_INIT(OB_LIMIT_DOCKERFILE, "field");
	const char *end = line + strlen(line);

	if (end > line && end[-1] == '\n') {
		end--;
		end -= end > line && end[-1] == '\r';
	}
	if (end == line)
		return ob_fail(err, OCIB_ERR_SYNTAX, "the value is empty");
	for (const char *at = line;; at++) {
		ocib_errc r;

		ob_buffer_clear(&field);
		if (at < end && *at == '"')
			r = quoted_field(&at, end, &field, err);
		else
			r = plain_field(&at, end, &field, err);
		if (r == OCIB_OK)
			r = ob_buffer_check(&field, err);
		if (r != OCIB_OK)
			return r;
		if (ob_strlist_add_len(out, field.data, field.len) < 0)
			return ob_fail_nomem(err);
		if (at == end)
			return OCIB_OK;
	}
}
