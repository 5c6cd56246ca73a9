/* dockerfile/check_options.c — see check_options.h: the value of "# check=" and of BUILDKIT_DOCKERFILE_CHECK.
 *
 * Up to three parts between semicolons, each key=value. "skip" and "experimental" are lists of names, or
 * all; a name that is no rule's is taken, since another version may know it. What is no part is an
 * error, and so is the end of a value behind a semicolon.
 */
#include "dockerfile/check_options.h"
#include <stdlib.h>
#include <string.h>
#include "base/strings.h"
#include "dockerfile/logical_line.h"

#define PARTS 3 /* the last one has the rest of the text, semicolons and all */

void ob_check_options_done(ob_check_options *options)
{
	ob_strlist_done(&options->skip);
	ob_strlist_done(&options->experimental);
}

static ob_span span(const char *text, size_t len)
{
	return ob_span_trim((ob_span){text, len});
}

static bool is(ob_span text, const char *word)
{
	return text.len == strlen(word) && memcmp(text.text, word, text.len) == 0;
}

/* "A, B" or "all". */
static ocib_errc read_names(ob_span value, bool *all, ob_strlist *names, ocib_error **err)
{
	const char *p = value.text, *end = p + value.len;

	if (is(value, "all")) {
		*all = true;
		return OCIB_OK;
	}
	ob_strlist_done(names);
	while (p <= end) {
		const char *comma = memchr(p, ',', (size_t)(end - p));
		ob_span name = span(p, (size_t)((comma ? comma : end) - p));

		if (ob_strlist_add_len(names, name.text, name.len) < 0)
			return ob_fail_nomem(err);
		p = comma ? comma + 1 : end + 1;
	}
	return OCIB_OK;
}

static ocib_errc read_error(ob_span value, bool *out, ocib_error **err)
{
	ob_autofree char *text = ob_span_copy(value);

	if (!text)
		return ob_fail_nomem(err);
	if (ob_parse_bool(text, out))
		return OCIB_OK;
	return ob_fail(err, OCIB_ERR_SYNTAX, "check option 'error' is true or false, not '%.64s'",
		       text);
}

static ocib_errc read_part(ob_span part, ob_check_options *out, ocib_error **err)
{
	const char *equals = memchr(part.text, '=', part.len);
	size_t key_len = equals ? (size_t)(equals - part.text) : part.len;
	ob_span key = span(part.text, key_len);

	if (equals) {
		ob_span value = span(equals + 1, part.len - key_len - 1);

		if (is(key, "skip"))
			return read_names(value, &out->skip_all, &out->skip, err);
		if (is(key, "experimental"))
			return read_names(value, &out->experimental_all, &out->experimental, err);
		if (is(key, "error"))
			return read_error(value, &out->error, err);
	}
	return ob_fail(err, OCIB_ERR_SYNTAX,
		       "invalid check option '%.*s': expected skip=NAMES, error=true or "
		       "experimental=NAMES, with semicolons and no blanks between them",
		       (int)(part.len > 64 ? 64 : part.len), part.text);
}

ocib_errc ob_check_options_parse(const char *text, ob_check_options *out, ocib_error **err)
{
	ob_span rest = span(text, strlen(text));
	ocib_errc r = OCIB_OK;

	for (unsigned part = 1; r == OCIB_OK && rest.text && (part > 1 || rest.len); part++) {
		const char *end = part < PARTS ? memchr(rest.text, ';', rest.len) : NULL;
		size_t len = end ? (size_t)(end - rest.text) : rest.len;

		r = read_part((ob_span){rest.text, len}, out, err);
		rest = end ? (ob_span){end + 1, rest.len - len - 1} : (ob_span){NULL, 0};
	}
	return r;
}

bool ob_check_options_allow(const ob_check_options *options, const ob_check_options *more,
			    ob_rule rule)
{
	static const ob_check_options none = {0};
	const ocib_check_rule *info = ob_rule_get(rule);

	more = more ? more : &none;
	if (info->experimental)
		return options->experimental_all || more->experimental_all ||
		       ob_strlist_contains(&options->experimental, info->name) ||
		       ob_strlist_contains(&more->experimental, info->name);
	return !options->skip_all && !more->skip_all &&
	       !ob_strlist_contains(&options->skip, info->name) &&
	       !ob_strlist_contains(&more->skip, info->name);
}
