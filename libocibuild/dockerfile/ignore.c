/* dockerfile/ignore.c — a list of patterns against paths: the last that matches decides.
 *
 * What BuildKit does with a context is kept to the letter: going down from the root, each pattern
 * that matched a directory matches all that is in it, and a pattern is only asked when its answer would
 * change the result. (So a later pattern that was not asked about a directory, because the directory was
 * excluded already, does not count for what is in there.) ob_ignore_match() goes the same way down, and
 * so has the same answer as a walk.
 *
 * A state is a bit for each pattern, "matched here or above", and then each pattern's positions behind
 * the directory's '/': for most of them none, and then the pattern is done with for the whole subtree.
 */
#include "dockerfile/ignore.h"
#include <stdint.h>
#include <string.h>
#include "base/limits.h"
#include "base/paths.h"
#include "dockerfile/ignore_regexp.h"
#include "dockerfile/logical_line.h"

typedef struct pattern {
	ob_regexp regexp;
	bool negated;
	size_t positions; /* where its positions are in a state */
	int index;        /* in the list that was given */
} pattern;

struct ob_ignore {
	pattern *patterns;
	size_t len;
	size_t words; /* of a state */
};

static size_t bit_words(size_t bits)
{
	return (bits + 63) / 64;
}

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
	pattern *made = &ignore->patterns[ignore->len];
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
	ignore->words = bit_words(ignore->len);
	for (size_t i = 0; i < ignore->len; i++) {
		ignore->patterns[i].positions = ignore->words;
		ignore->words += ignore->patterns[i].regexp.words;
	}
	*out = ob_take_ptr(ignore);
	return OCIB_OK;
}

static bool has_bit(const uint64_t *bits, size_t at)
{
	return bits[at / 64] >> at % 64 & 1;
}

static void put_bit(uint64_t *bits, size_t at, bool value)
{
	bits[at / 64] = (bits[at / 64] & ~(1ULL << at % 64)) | (uint64_t)value << at % 64;
}

size_t ob_ignore_state_size(const ob_ignore *ignore)
{
	return (ignore->words ? ignore->words : 1) * sizeof(uint64_t);
}

void ob_ignore_root(const ob_ignore *ignore, void *state)
{
	uint64_t *words = state;

	memset(words, 0, ob_ignore_state_size(ignore));
	for (size_t i = 0; i < ignore->len; i++)
		ob_regexp_start(&ignore->patterns[i].regexp, words + ignore->patterns[i].positions);
}

static bool is_dead(const ob_regexp *regexp, const uint64_t *positions)
{
	for (size_t i = 0; i < regexp->words; i++)
		if (positions[i])
			return false;
	return true;
}

bool ob_ignore_step(const ob_ignore *ignore, const void *parent, const char *path, void *state)
{
	const uint64_t *from = parent;
	const char *slash = strrchr(path, '/');
	size_t name = slash ? (size_t)(slash - path) + 1 : 0, len = name + strlen(path + name);
	uint64_t *to = state;
	bool excluded = false;

	if (to)
		memset(to, 0, bit_words(ignore->len) * sizeof(*to));
	for (size_t i = 0; i < ignore->len; i++) {
		const pattern *one = &ignore->patterns[i];
		const uint64_t *positions = from + one->positions;
		bool matched = has_bit(from, i), dead = matched || is_dead(&one->regexp, positions);

		if (!dead && one->negated == excluded)
			matched = ob_regexp_matches(&one->regexp, positions, path, name, len);
		if (matched)
			excluded = !one->negated;
		if (!to)
			continue;
		put_bit(to, i, matched);
		if (dead || matched)
			memset(to + one->positions, 0, one->regexp.words * sizeof(*to));
		else
			ob_regexp_enter(&one->regexp, positions, path, name, len,
					to + one->positions);
	}
	return excluded;
}

bool ob_ignore_may_reinclude(const ob_ignore *ignore, const char *dir, const void *state)
{
	const uint64_t *words = state;

	(void)dir;
	/* What excludes the directory excludes what is in it; only later patterns can say otherwise. */
	for (size_t i = ignore->len; i-- > 0;) {
		const pattern *one = &ignore->patterns[i];

		if (!one->negated && has_bit(words, i))
			return false;
		if (one->negated && !is_dead(&one->regexp, words + one->positions))
			return true;
	}
	return false;
}

/*
 * One component down: path[0..len) is asked about, and bits go from "matched above" to "matched here or
 * above". Each path is read from its beginning, so that nothing needs to be allocated.
 */
static const pattern *descend(const ob_ignore *ignore, const char *path, size_t len, uint64_t *bits)
{
	uint64_t start[OB_REGEXP_WORDS_MAX];
	const pattern *decided = NULL;

	for (size_t i = 0; i < ignore->len; i++) {
		const pattern *one = &ignore->patterns[i];
		bool excluded = decided && !decided->negated, matched = has_bit(bits, i);

		if (!matched && one->negated == excluded) {
			ob_regexp_start(&one->regexp, start);
			matched = ob_regexp_matches(&one->regexp, start, path, 0, len);
		}
		put_bit(bits, i, matched);
		if (matched)
			decided = one;
	}
	return decided;
}

/* The last pattern that matches, NULL if none does. */
static const pattern *decide(const ob_ignore *ignore, const char *path)
{
	uint64_t bits[OB_LIMIT_IGNORE_PATTERNS / 64] = {0};

	/* Not even "**" excludes the root. */
	if (!strcmp(path, "."))
		return NULL;
	for (size_t at = 0;; at++) {
		const pattern *decided;

		at += strcspn(path + at, "/");
		decided = descend(ignore, path, at, bits);
		if (!path[at])
			return decided;
	}
}

bool ob_ignore_match(const ob_ignore *ignore, const char *path)
{
	const pattern *decided = decide(ignore, path);

	return decided && !decided->negated;
}

int ob_ignore_explain(const ob_ignore *ignore, const char *path)
{
	const pattern *decided = decide(ignore, path);

	return decided ? decided->index : -1;
}
