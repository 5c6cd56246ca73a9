/* dockerfile/ignore.c — a list of patterns against paths: the last that matches decides.
 *
 * What BuildKit does with a context is kept to the letter: going down from the root, each pattern
 * that matched a directory matches all that is in it, and a pattern is only asked when its answer would
 * change the result. (So a later pattern that was not asked about a directory, because the directory was
 * excluded already, does not count for what is in there.) ob_ignore_match() goes the same way down as
 * a walk (ignore_walk.c), and so has the same answer.
 */
#include "dockerfile/ignore.h"
#include <string.h>
#include "base/limits.h"
#include "base/paths.h"
#include "dockerfile/ignore_patterns.h"
#include "dockerfile/logical_line.h"

ob_ignore *ob_ignore_free(ob_ignore *ignore)
{
	if (!ignore)
		return NULL;
	for (size_t i = 0; i < ignore->len; i++)
		ob_regexp_done(&ignore->patterns[i].regexp);
	free(ignore->patterns);
	free(ignore);
	return NULL;
}

/* Compile one, if there is anything left of it. */
static ocib_errc add_pattern(ob_ignore *ignore, const char *text, int index, ocib_error **err)
{
	ob_span trimmed = ob_span_trim((ob_span){text, strlen(text)});
	ob_autofree char *copy = ob_span_copy(trimmed), *clean = NULL;
	ob_ignore_pattern *made = &ignore->patterns[ignore->len];
	ocib_errc r;

	if (!copy)
		return ob_fail_nomem(err);
	if (!*copy)
		return OCIB_OK;
	clean = ob_path_clean(copy);
	if (!clean)
		return ob_fail_nomem(err);
	made->negated = *clean == '!';
	if (made->negated && !clean[1])
		return ob_fail(err, OCIB_ERR_SYNTAX, "illegal exclusion pattern: '!'");
	r = ob_regexp_compile(clean + made->negated, &made->regexp, err);
	if (r != OCIB_OK)
		return r;
	made->index = index;
	ignore->len++;
	return OCIB_OK;
}

ocib_errc ob_ignore_new(const ob_strlist *patterns, ob_ignore **out, ocib_error **err)
{
	ob_auto(ob_ignore) ignore = calloc(1, sizeof(*ignore));
	ocib_errc r = OCIB_OK;

	if (patterns->len > OB_LIMIT_IGNORE_PATTERNS)
		return ob_fail(err, OCIB_ERR_LIMIT,
			       "%zu patterns are more than OB_LIMIT_IGNORE_PATTERNS (%d)",
			       patterns->len, OB_LIMIT_IGNORE_PATTERNS);
	if (ignore)
		ignore->patterns = calloc(patterns->len + 1, sizeof(*ignore->patterns));
	if (!ignore || !ignore->patterns)
		return ob_fail_nomem(err);
	for (size_t i = 0; i < patterns->len && r == OCIB_OK; i++)
		r = add_pattern(ignore, patterns->items[i], (int)i, err);
	if (r != OCIB_OK)
		return r;
	ob_ignore_lay_out(ignore);
	*out = ob_take_ptr(ignore);
	return OCIB_OK;
}

/*
 * One component down: path[0..len) is asked about, and bits go from "matched above" to "matched here or
 * above". Each path is read from its beginning, so that nothing needs to be allocated.
 */
static const ob_ignore_pattern *descend(const ob_ignore *ignore, const char *path, size_t len,
					uint64_t *bits)
{
	uint64_t start[OB_REGEXP_WORDS_MAX];
	const ob_ignore_pattern *decided = NULL;

	for (size_t i = 0; i < ignore->len; i++) {
		const ob_ignore_pattern *one = &ignore->patterns[i];
		bool excluded = decided && !decided->negated, matched = ob_bit(bits, i);

		if (!matched && one->negated == excluded) {
			ob_regexp_start(&one->regexp, start);
			matched = ob_regexp_matches(&one->regexp, start, path, 0, len);
		}
		ob_put_bit(bits, i, matched);
		if (matched)
			decided = one;
	}
	return decided;
}

/* The last pattern that matches, NULL if none does. */
static const ob_ignore_pattern *decide(const ob_ignore *ignore, const char *path)
{
	uint64_t bits[OB_LIMIT_IGNORE_PATTERNS / 64] = {0};

	/* Not even "**" excludes the root. */
	if (!strcmp(path, "."))
		return NULL;
	for (size_t at = 0;; at++) {
		const ob_ignore_pattern *decided;

		at += strcspn(path + at, "/");
		decided = descend(ignore, path, at, bits);
		if (!path[at])
			return decided;
	}
}

bool ob_ignore_match(const ob_ignore *ignore, const char *path)
{
	const ob_ignore_pattern *decided = decide(ignore, path);

	return decided && !decided->negated;
}

int ob_ignore_explain(const ob_ignore *ignore, const char *path)
{
	const ob_ignore_pattern *decided = decide(ignore, path);

	return decided ? decided->index : -1;
}
