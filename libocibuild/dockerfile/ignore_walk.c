/* dockerfile/ignore_walk.c — patterns during a walk: a directory's state, made from its parent's.
 *
 * A state has for each pattern a bit, "matched here or above", and its positions behind the directory's
 * '/': for most of them none, and then the pattern is done with for the whole subtree. From that a list is
 * made of what has to be asked about each name in the directory, with the first and last character that
 * a name must have, so that a file costs a few comparisons for each pattern that may match it at all.
 */
#include <string.h>
#include "dockerfile/ignore_patterns.h"

typedef enum how { ALWAYS, BY_GLOB, BY_POSITIONS } how;

/* One pattern that names in a directory are to be held against. */
typedef struct ask {
	uint32_t pattern;
	uint16_t from; /* BY_GLOB: the position */
	uint8_t how;
	bool negated;
	char first, last; /* what a name has to begin and end with, '\0': anything */
} ask;

/* Their count, and then they. */
typedef struct ask_list {
	size_t count;
	ask items[];
} ask_list;

void ob_ignore_lay_out(ob_ignore *ignore)
{
	size_t list = sizeof(ask_list) + ignore->len * sizeof(ask);

	ignore->matched = 0;
	ignore->asks = (ignore->len + 63) / 64;
	ignore->words = ignore->asks + (list + 7) / 8;
	for (size_t i = 0; i < ignore->len; i++) {
		ignore->patterns[i].positions = ignore->words;
		ignore->words += ignore->patterns[i].regexp.words;
	}
}

size_t ob_ignore_state_size(const ob_ignore *ignore)
{
	return ignore->words * sizeof(uint64_t);
}

static bool is_dead(const ob_regexp *regexp, const uint64_t *positions)
{
	for (size_t i = 0; i < regexp->words; i++)
		if (positions[i])
			return false;
	return true;
}

/*
 * How to ask a pattern with these positions about names; false: no name can match. Runs of directories
 * need another '/', so they are left out, and if what remains is one position, a glob may do.
 */
static bool choose(const ob_regexp *regexp, uint64_t positions, ask *out)
{
	uint64_t useful = 0;

	for (uint64_t dirs; (dirs = positions & regexp->dirs);)
		positions = (positions & ~dirs) | dirs << 3;
	out->how = BY_GLOB;
	for (positions &= ~regexp->loops; positions; positions &= positions - 1) {
		unsigned at = (unsigned)__builtin_ctzll(positions);
		ob_regexp_tail tail = ob_regexp_tail_at(regexp, at);

		if (tail == OB_TAIL_NEVER)
			continue;
		if (tail == OB_TAIL_OTHER || useful)
			out->how = BY_POSITIONS;
		useful |= 1ULL << at;
		out->from = (uint16_t)at;
	}
	const ob_regexp_item *item = &regexp->items[out->from];
	if (out->how == BY_GLOB && item->kind == OB_REGEXP_CHAR && item->value < 128)
		out->first = (char)item->value;
	return useful != 0;
}

/* Make the list of a state whose bits and positions are complete. */
static void list_asks(const ob_ignore *ignore, uint64_t *state)
{
	ask_list *list = (ask_list *)(state + ignore->asks);

	list->count = 0;
	for (size_t i = 0; i < ignore->len; i++) {
		const ob_ignore_pattern *one = &ignore->patterns[i];
		const uint64_t *positions = state + one->positions;
		ask next = {.pattern = (uint32_t)i, .how = ALWAYS, .negated = one->negated};

		if (!ob_bit(state, i)) {
			next.how = BY_POSITIONS;
			next.last = one->regexp.last;
			if (one->regexp.words == 1 ? !choose(&one->regexp, *positions, &next)
						   : is_dead(&one->regexp, positions))
				continue;
		}
		list->items[list->count++] = next;
	}
}

void ob_ignore_root(const ob_ignore *ignore, void *state)
{
	uint64_t *words = state;

	memset(words, 0, ob_ignore_state_size(ignore));
	for (size_t i = 0; i < ignore->len; i++)
		ob_regexp_start(&ignore->patterns[i].regexp, words + ignore->patterns[i].positions);
	list_asks(ignore, words);
}

static bool answer(const ob_ignore *ignore, const uint64_t *parent, const ask *one,
		   const char *path, size_t name, size_t len)
{
	const ob_ignore_pattern *pattern = &ignore->patterns[one->pattern];

	if (one->how == ALWAYS)
		return true;
	if (name == len || (one->first && path[name] != one->first) ||
	    (one->last && path[len - 1] != one->last))
		return false;
	if (one->how == BY_GLOB)
		return ob_regexp_glob(&pattern->regexp, one->from, path + name, len - name);
	return ob_regexp_matches(&pattern->regexp, parent + pattern->positions, path, name, len);
}

/* Is the path excluded? Its bits go to matched, which may be NULL and else is zeroed. */
static bool ask_all(const ob_ignore *ignore, const uint64_t *parent, const char *path, size_t name,
		    size_t len, uint64_t *matched)
{
	const ask_list *list = (const ask_list *)(parent + ignore->asks);
	bool excluded = false;

	for (size_t i = 0; i < list->count; i++) {
		const ask *one = &list->items[i];

		if (one->how != ALWAYS && one->negated != excluded)
			continue;
		if (!answer(ignore, parent, one, path, name, len))
			continue;
		excluded = !one->negated;
		if (matched)
			ob_put_bit(matched, one->pattern, true);
	}
	return excluded;
}

static void enter(const ob_ignore *ignore, const uint64_t *parent, const char *path, size_t name,
		  size_t len, uint64_t *state)
{
	for (size_t i = 0; i < ignore->len; i++) {
		const ob_ignore_pattern *one = &ignore->patterns[i];

		if (ob_bit(state, i) || is_dead(&one->regexp, parent + one->positions))
			memset(state + one->positions, 0, one->regexp.words * sizeof(*state));
		else
			ob_regexp_enter(&one->regexp, parent + one->positions, path, name, len,
					state + one->positions);
	}
	list_asks(ignore, state);
}

bool ob_ignore_step(const ob_ignore *ignore, const void *parent, const char *path, void *state)
{
	const char *slash = strrchr(path, '/');
	size_t name = slash ? (size_t)(slash - path) + 1 : 0, len = name + strlen(path + name);
	bool excluded;

	if (state)
		memset(state, 0, ignore->asks * sizeof(uint64_t));
	excluded = ask_all(ignore, parent, path, name, len, state);
	if (state)
		enter(ignore, parent, path, name, len, state);
	return excluded;
}

bool ob_ignore_may_reinclude(const ob_ignore *ignore, const char *dir, const void *state)
{
	const uint64_t *words = state;

	(void)dir;
	/* What excludes the directory excludes what is in it; only later patterns can say otherwise. */
	for (size_t i = ignore->len; i-- > 0;) {
		const ob_ignore_pattern *one = &ignore->patterns[i];

		if (!one->negated && ob_bit(words, i))
			return false;
		if (one->negated && !is_dead(&one->regexp, words + one->positions))
			return true;
	}
	return false;
}
