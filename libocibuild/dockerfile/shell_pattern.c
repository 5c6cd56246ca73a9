/* dockerfile/shell_pattern.c — see shell_pattern.h.
 *
 * BuildKit turns these patterns into regular expressions; the same matches are found here without one. A
 * pattern is runs of fixed characters with stars between them. From the last run to the first, one array
 * is kept that says for each position of the value where a match of the rest of the pattern that begins
 * there would end. A star then only picks, for each position, the nearest (shortest match) or the
 * farthest (longest match) position of its line from where the rest goes on. The cost is the product of
 * both lengths, whatever they contain, and that has a limit.
 */
#include "dockerfile/shell_pattern.h"
#include <stdint.h>
#include <string.h>
#include "base/limits.h"
#include "dockerfile/runes.h"

/* Elements of a pattern beside code points. */
#define ANY  0x200000U
#define STAR 0x200001U

#define NO_MATCH SIZE_MAX

typedef struct rune_text {
	uint32_t *runes;
	size_t len;
} rune_text;

static void rune_text_done(rune_text *text)
{
	free(text->runes);
}

static ocib_errc rune_text_init(rune_text *out, const char *text, ocib_error **err)
{
	size_t len = strlen(text);

	out->runes = malloc((len + 1) * sizeof(*out->runes));
	if (!out->runes)
		return ob_fail_nomem(err);
	for (size_t at = 0; at < len;)
		at += ob_rune_decode(text + at, len - at, &out->runes[out->len++]);
	return OCIB_OK;
}

static void reverse(rune_text *text)
{
	for (size_t i = 0, j = text->len; i + 1 < j; i++) {
		uint32_t moved = text->runes[i];

		text->runes[i] = text->runes[--j];
		text->runes[j] = moved;
	}
}

static void append_runes(ob_buffer *out, const rune_text *text, size_t from, size_t to)
{
	char bytes[4];

	for (; from < to; from++)
		ob_buffer_append(out, bytes, ob_rune_encode(text->runes[from], bytes));
}

/* Code points to elements, in place: the result is never longer. */
static ocib_errc compile(rune_text *text, const char *pattern, ocib_error **err)
{
	size_t used = 0;

	for (size_t i = 0; i < text->len; i++) {
		uint32_t rune = text->runes[i];

		if (rune == '*') {
			rune = STAR;
		} else if (rune == '?') {
			rune = ANY;
		} else if (rune == '\\') {
			uint32_t next = i + 1 < text->len ? text->runes[i + 1] : 0;

			if (next != '*' && next != '?' && next != '\\' && next != '}' &&
			    next != '/')
				return ob_fail(
					err, OCIB_ERR_SYNTAX,
					"invalid pattern '%s' in substitution: '\\' may only "
					"stand before '*', '?', '\\', '}' and '/'",
					pattern);
			rune = next;
			i++;
		}
		text->runes[used++] = rune;
	}
	text->len = used;
	return OCIB_OK;
}

static bool run_matches(const uint32_t *run, size_t len, const rune_text *value, size_t at)
{
	if (len > value->len - at)
		return false;
	for (size_t i = 0; i < len; i++)
		if (run[i] == ANY ? value->runes[at + i] == '\n' : run[i] != value->runes[at + i])
			return false;
	return true;
}

/* A star before what ends[] knows: ends[x] becomes the end when the star begins at x. */
static void apply_star(const rune_text *value, bool longest, size_t *ends)
{
	for (size_t x = value->len; x-- > 0;) {
		size_t beyond = value->runes[x] == '\n' ? NO_MATCH : ends[x + 1];

		if (ends[x] == NO_MATCH || (longest && beyond != NO_MATCH))
			ends[x] = beyond;
	}
}

/* A run of fixed elements before what ends[] knows. */
static void apply_run(const uint32_t *run, size_t len, const rune_text *value, size_t *ends)
{
	for (size_t x = 0; x <= value->len; x++)
		ends[x] = run_matches(run, len, value, x) ? ends[x + len] : NO_MATCH;
}

ocib_errc ob_shell_spend(uint64_t *steps, uint64_t more, ocib_error **err)
{
	if (more > OB_LIMIT_SHELL_STEPS - *steps)
		return ob_fail(err, OCIB_ERR_LIMIT,
			       "the substitutions in one word are too much work "
			       "(OB_LIMIT_SHELL_STEPS)");
	*steps += more;
	return OCIB_OK;
}

/* For each position of value the end of the match that begins there, or NO_MATCH. */
static ocib_errc find_ends(const rune_text *pattern, const rune_text *value, bool longest,
			   uint64_t *steps, size_t **out, ocib_error **err)
{
	ob_autofree size_t *ends = NULL;
	size_t to = pattern->len;
	uint64_t cost;
	ocib_errc r;

	if (__builtin_mul_overflow(pattern->len + 1, value->len + 1, &cost))
		cost = UINT64_MAX;
	r = ob_shell_spend(steps, cost, err);
	if (r != OCIB_OK)
		return r;
	ends = malloc((value->len + 1) * sizeof(*ends));
	if (!ends)
		return ob_fail_nomem(err);
	for (size_t x = 0; x <= value->len; x++)
		ends[x] = x;
	while (to > 0) {
		size_t from = to;

		while (from > 0 && pattern->runes[from - 1] != STAR)
			from--;
		if (from < to)
			apply_run(pattern->runes + from, to - from, value, ends);
		if (from > 0)
			apply_star(value, longest, ends);
		to = from > 0 ? from - 1 : 0;
	}
	*out = ob_take_ptr(ends);
	return OCIB_OK;
}

static ocib_errc prepare(const char *pattern_text, const char *value_text, rune_text *pattern,
			 rune_text *value, ocib_error **err)
{
	ocib_errc r = rune_text_init(pattern, pattern_text, err);

	if (r == OCIB_OK)
		r = compile(pattern, pattern_text, err);
	if (r == OCIB_OK)
		r = rune_text_init(value, value_text, err);
	return r;
}

static ocib_errc trim(const char *pattern_text, const char *value_text, bool longest, bool at_end,
		      uint64_t *steps, ob_buffer *out, ocib_error **err)
{
	ob_autodone(rune_text) pattern = {0};
	ob_autodone(rune_text) value = {0};
	ob_autofree size_t *ends = NULL;
	ocib_errc r = prepare(pattern_text, value_text, &pattern, &value, err);

	if (r == OCIB_OK && at_end) {
		reverse(&pattern);
		reverse(&value);
	}
	if (r == OCIB_OK)
		r = find_ends(&pattern, &value, longest, steps, &ends, err);
	if (r != OCIB_OK)
		return r;

	size_t gone = ends[0] == NO_MATCH ? 0 : ends[0];
	if (at_end)
		reverse(&value);
	append_runes(out, &value, at_end ? 0 : gone, at_end ? value.len - gone : value.len);
	return ob_buffer_check(out, err);
}

ocib_errc ob_shell_trim_prefix(const char *pattern, const char *value, bool longest,
			       uint64_t *steps, ob_buffer *out, ocib_error **err)
{
	return trim(pattern, value, longest, false, steps, out, err);
}

ocib_errc ob_shell_trim_suffix(const char *pattern, const char *value, bool longest,
			       uint64_t *steps, ob_buffer *out, ocib_error **err)
{
	return trim(pattern, value, longest, true, steps, out, err);
}

/* Length of the letters, digits and '_' that text begins with. */
static size_t reference_len(const char *text, size_t len)
{
	size_t at = 0;

	while (at < len) {
		uint32_t rune;
		size_t width = ob_rune_decode(text + at, len - at, &rune);

		if (rune != '_' && !ob_rune_is_letter(rune) && !ob_rune_is_digit(rune))
			break;
		at += width;
	}
	return at;
}

/* Append the replacement of the match [from, to) of value, with its '$' references. */
static void append_template(ob_buffer *out, const char *template, const rune_text *value,
			    size_t from, size_t to)
{
	const char *end = template + strlen(template), *dollar;

	for (; (dollar = strchr(template, '$')); template = dollar) {
		ob_buffer_append(out, template, (size_t)(dollar - template));
		dollar++;
		if (*dollar == '$') {
			ob_buffer_append_char(out, *dollar++);
			continue;
		}
		bool brace = *dollar == '{';
		const char *name = dollar + brace;
		size_t len = reference_len(name, (size_t)(end - name));

		if (len == 0 || (brace && name[len] != '}')) {
			ob_buffer_append_char(out, '$');
			continue;
		}
		if (len == 1 && *name == '0' && !out->failed)
			append_runes(out, value, from, to);
		dollar = name + len + brace;
	}
	ob_buffer_append_str(out, template);
}

static ocib_errc append_replaced(ob_buffer *out, const char *replacement, const rune_text *value,
				 const size_t *ends, uint64_t *steps, ocib_error **err)
{
	size_t copied = 0, template_len = strlen(replacement);
	ocib_errc r = OCIB_OK;

	for (size_t at = 0; at <= value->len && r == OCIB_OK;) {
		size_t end = ends[at];

		if (end == NO_MATCH) {
			at++;
			continue;
		}
		append_runes(out, value, copied, at);
		/* An empty match right behind another one does not count. */
		if (end > copied || at == 0)
			append_template(out, replacement, value, at, end);
		copied = end;
		at = end > at ? end : at + 1;
		r = ob_shell_spend(steps, template_len, err);
		if (r == OCIB_OK)
			r = ob_buffer_check(out, err);
	}
	append_runes(out, value, copied, value->len);
	return r == OCIB_OK ? ob_buffer_check(out, err) : r;
}

ocib_errc ob_shell_replace(const char *pattern_text, const char *value_text,
			   const char *replacement, bool all, uint64_t *steps, ob_buffer *out,
			   ocib_error **err)
{
	ob_autodone(rune_text) pattern = {0};
	ob_autodone(rune_text) value = {0};
	ob_autofree size_t *ends = NULL;
	ocib_errc r = prepare(pattern_text, value_text, &pattern, &value, err);

	if (r == OCIB_OK)
		r = find_ends(&pattern, &value, true, steps, &ends, err);
	if (r != OCIB_OK)
		return r;
	if (all)
		return append_replaced(out, replacement, &value, ends, steps, err);

	size_t at = 0;
	while (at <= value.len && ends[at] == NO_MATCH)
		at++;
	if (at > value.len) {
		ob_buffer_append_str(out, value_text);
		return ob_buffer_check(out, err);
	}
	append_runes(out, &value, 0, at);
	ob_buffer_append_str(out, replacement);
	append_runes(out, &value, ends[at], value.len);
	return ob_buffer_check(out, err);
}
