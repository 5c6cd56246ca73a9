/* dockerfile/directives.c — see directives.h.
 *
 * A directive is a comment "key = value" before anything else. Unknown keys are comments, and like
 * every other line they end the block without a word; a known key given twice is an error.
 */
#include "dockerfile/directives.h"
#include <string.h>
#include "base/json.h"
#include "base/limits.h"
#include "base/strings.h"
#include "dockerfile/runes.h"

static const char *const names[] = {
	[OB_DIRECTIVE_SYNTAX] = "syntax",
	[OB_DIRECTIVE_ESCAPE] = "escape",
	[OB_DIRECTIVE_CHECK] = "check",
};

/* A key is letters and digits, and of digits the bit for lower case is set anyway. */
static bool is_named(ob_span key, const char *name)
{
	if (key.len != strlen(name))
		return false;
	for (size_t i = 0; i < key.len; i++)
		if ((key.text[i] | 0x20) != name[i])
			return false;
	return true;
}

static ob_directive by_name(ob_span key)
{
	for (unsigned i = 1; i < OB_ARRAY_LEN(names); i++)
		if (is_named(key, names[i]))
			return (ob_directive)i;
	return OB_DIRECTIVE_NONE;
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\n';
}

static bool is_key(char c, bool first)
{
	return ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || (!first && c >= '0' && c <= '9');
}

/* Split "key = value"; the value has at least one character, if need be a blank. */
static bool split(ob_span line, ob_span *key, ob_span *value)
{
	const char *p = line.text, *end = p + line.len;

	while (p < end && is_key(*p, p == line.text))
		p++;
	*key = (ob_span){line.text, (size_t)(p - line.text)};
	while (p < end && is_space(*p))
		p++;
	if (key->len == 0 || p == end || *p != '=')
		return false;
	p++;
	if (p == end)
		return false;
	while (p < end - 1 && is_space(*p))
		p++;
	while (end - 1 > p && is_space(end[-1]))
		end--;
	*value = (ob_span){p, (size_t)(end - p)};
	return true;
}

ocib_errc ob_directive_scan_line(ob_directive_scan *scan, const char *mark, ob_span line,
				 ob_directive *found, ob_span *value, ocib_error **err)
{
	size_t mark_len = strlen(mark), blanks;
	ob_span key;

	*found = OB_DIRECTIVE_NONE;
	if (scan->done)
		return OCIB_OK;
	scan->done = true;
	if (line.len < mark_len || memcmp(line.text, mark, mark_len) != 0)
		return OCIB_OK;
	line.text += mark_len;
	line.len -= mark_len;
	blanks = ob_space_prefix(line.text, line.len);
	line.text += blanks;
	line.len -= blanks;
	if (!split(line, &key, value))
		return OCIB_OK;

	ob_directive one = by_name(key);
	if (one == OB_DIRECTIVE_NONE)
		return OCIB_OK;
	if (scan->seen & 1U << one)
		return ob_fail(err, OCIB_ERR_SYNTAX, "only one '%s' parser directive can be used",
			       names[one]);
	scan->seen |= 1U << one;
	scan->done = false;
	*found = one;
	return OCIB_OK;
}

/* The line at *next without its ending; false at the end. */
static bool take_line(ob_span *rest, ob_span *line)
{
	const char *newline;

	if (rest->len == 0)
		return false;
	newline = memchr(rest->text, '\n', rest->len);
	*line = (ob_span){rest->text, newline ? (size_t)(newline - rest->text) : rest->len};
	rest->text += line->len + (newline != NULL);
	rest->len -= line->len + (newline != NULL);
	if (line->len > 0 && line->text[line->len - 1] == '\r')
		line->len--;
	return true;
}

static ocib_errc find_in_comments(ob_span text, const char *mark, ob_directive wanted, char **value,
				  unsigned *number, ocib_error **err)
{
	ob_directive_scan scan = {0};
	ob_span line, found;
	ob_directive one;

	while (!scan.done && take_line(&text, &line)) {
		++*number;
		/* What is wrong with them is said when the file is parsed. */
		if (ob_directive_scan_line(&scan, mark, line, &one, &found, NULL) != OCIB_OK)
			return OCIB_OK;
		if (one == wanted) {
			*value = ob_span_copy(found);
			return *value ? OCIB_OK : ob_fail_nomem(err);
		}
	}
	return OCIB_OK;
}

static ocib_errc find_in_json(ob_span text, const char *name, char **value, ocib_error **err)
{
	ob_auto(ob_json) object = NULL;
	size_t blanks = ob_space_prefix(text.text, text.len);
	const char *found;

	if (blanks == text.len || text.text[blanks] != '{' ||
	    ob_json_parse(text.text, text.len, &object, NULL) != OCIB_OK)
		return OCIB_OK;
	found = ob_json_get_str(object, name);
	if (!found)
		return OCIB_OK;
	*value = strdup(found);
	return *value ? OCIB_OK : ob_fail_nomem(err);
}

ocib_errc ob_directive_find(const char *data, size_t len, const char *name, char **value,
			    unsigned *line, ocib_error **err)
{
	ob_directive wanted = by_name((ob_span){name, strlen(name)});
	ob_span text = {data, len}, first;
	unsigned before = 0;
	ocib_errc r;

	*value = NULL;
	if (len >= 3 && !memcmp(data, "\xef\xbb\xbf", 3))
		text = (ob_span){data + 3, len - 3};
	if (text.len >= 2 && !memcmp(text.text, "#!", 2)) {
		take_line(&text, &first);
		before = 1;
	}
	*line = before;
	r = find_in_comments(text, "#", wanted, value, line, err);
	if (r != OCIB_OK || *value || wanted != OB_DIRECTIVE_SYNTAX)
		return r;
	*line = before;
	r = find_in_comments(text, "//", wanted, value, line, err);
	if (r != OCIB_OK || *value)
		return r;
	*line = 0;
	return find_in_json(text, name, value, err);
}
