/* dockerfile/ignore_regexp.c — see ignore_regexp.h: running a compiled pattern.
 *
 * All steps without a character go forward in the sequence, so one ascending pass over the positions
 * finds everything that holds before a character, and what holds behind it.
 */
#include "dockerfile/ignore_regexp.h"
#include <string.h>

/* What comes before the first character and after the last. */
#define NO_RUNE UINT32_MAX

void ob_regexp_done(ob_regexp *regexp)
{
	for (size_t i = 0; i < regexp->set_count; i++)
		free(regexp->sets[i].ranges);
	free(regexp->sets);
	free(regexp->items);
	*regexp = (ob_regexp){0};
}

void ob_regexp_start(const ob_regexp *regexp, uint64_t *positions)
{
	memset(positions, 0, regexp->words * sizeof(*positions));
	positions[0] = 1;
}

static bool set_has(const ob_regexp_set *set, uint32_t rune)
{
	if (rune < 128)
		return set->ascii[rune / 64] >> rune % 64 & 1;
	for (size_t i = 0; i < set->len; i++)
		if (rune >= set->ranges[i].first && rune <= set->ranges[i].last)
			return !set->negated;
	return set->negated;
}

static bool takes(const ob_regexp *regexp, const ob_regexp_item *item, uint32_t rune)
{
	switch ((ob_regexp_kind)item->kind) {
	case OB_REGEXP_CHAR: return rune == item->value;
	case OB_REGEXP_NOT_SLASH: return rune != '/';
	case OB_REGEXP_LINE: return rune != '\n';
	case OB_REGEXP_ALL: return true;
	case OB_REGEXP_SET: return set_has(&regexp->sets[item->value], rune);
	default: return false;
	}
}

static bool is_word(uint32_t rune)
{
	return rune == '_' || (rune >= '0' && rune <= '9') ||
	       ((rune | 0x20) >= 'a' && (rune | 0x20) <= 'z');
}

/* Does the item let one through between these two characters? */
static bool passes(const ob_regexp_item *item, uint32_t before, uint32_t after)
{
	switch ((ob_regexp_kind)item->kind) {
	case OB_REGEXP_DIRS: return true;
	case OB_REGEXP_BEGIN: return before == NO_RUNE;
	case OB_REGEXP_END: return after == NO_RUNE;
	case OB_REGEXP_WORD_EDGE: return is_word(before) != is_word(after);
	case OB_REGEXP_NO_WORD_EDGE: return is_word(before) == is_word(after);
	default: return item->star;
	}
}

static inline void set_bit(uint64_t *bits, size_t at)
{
	bits[at / 64] |= 1ULL << at % 64;
}

/*
 * From the positions now, between the characters before and after, to those behind the latter. now is
 * completed on the way. False when no position is left.
 */
static inline bool step(const ob_regexp *regexp, size_t words, uint64_t *now, uint32_t before,
			uint32_t after, uint64_t *next)
{
	uint64_t any = 0;

	for (size_t word = 0; word < words; word++)
		next[word] = 0;
	for (size_t word = 0; word < words; word++) {
		for (uint64_t done = 0; now[word] & ~done;) {
			unsigned bit = (unsigned)__builtin_ctzll(now[word] & ~done);
			size_t at = word * 64 + bit;
			const ob_regexp_item *item = &regexp->items[at];

			done |= 1ULL << bit;
			if (at == regexp->len)
				break;
			if (passes(item, before, after))
				set_bit(now, at + 1);
			if (item->kind == OB_REGEXP_DIRS)
				set_bit(now, at + 3);
			if (takes(regexp, item, after))
				set_bit(next, item->star ? at : at + 1);
		}
	}
	for (size_t word = 0; word < words; word++)
		any |= next[word];
	return any != 0;
}

/*
 * Read path[from..to) and then `after`. now: the positions before that last one, complete; next:
 * those behind it. words is regexp->words; a constant 1 makes the usual case fast.
 */
static inline void run(const ob_regexp *regexp, size_t words, const char *path, size_t from,
		       size_t to, uint32_t after, uint64_t *now, uint64_t *next)
{
	uint32_t before = from > 0 ? '/' : NO_RUNE;

	while (from < to) {
		uint32_t rune;

		from += ob_rune_decode(path + from, to - from, &rune);
		bool alive = step(regexp, words, now, before, rune, next);
		for (size_t word = 0; word < words; word++)
			now[word] = next[word];
		if (!alive)
			return;
		before = rune;
	}
	step(regexp, words, now, before, after, next);
}

bool ob_regexp_matches(const ob_regexp *regexp, const uint64_t *positions, const char *path,
		       size_t from, size_t to)
{
	uint64_t now[OB_REGEXP_WORDS_MAX], next[OB_REGEXP_WORDS_MAX];

	if (regexp->last && (to == 0 || path[to - 1] != regexp->last))
		return false;
	if (regexp->words == 1) {
		now[0] = positions[0];
		run(regexp, 1, path, from, to, NO_RUNE, now, next);
	} else {
		memcpy(now, positions, regexp->words * sizeof(*now));
		run(regexp, regexp->words, path, from, to, NO_RUNE, now, next);
	}
	return now[regexp->len / 64] >> regexp->len % 64 & 1;
}

/* In the usual case, what waits in a run of directories goes on waiting, and may go on behind the '/'. */
static uint64_t enter_one_word(const ob_regexp *regexp, uint64_t positions, const char *path,
			       size_t from, size_t to)
{
	uint64_t now[1] = {positions}, next[1] = {0}, waiting = 0;

	if (!memchr(path + from, '\n', to - from)) {
		for (uint64_t dirs; (dirs = now[0] & regexp->dirs);)
			now[0] = (now[0] & ~dirs) | dirs << 1 | dirs << 3;
		waiting = now[0] & regexp->loops;
		now[0] &= ~waiting;
	}
	if (now[0])
		run(regexp, 1, path, from, to, '/', now, next);
	return next[0] | waiting | waiting << 2;
}

void ob_regexp_enter(const ob_regexp *regexp, const uint64_t *positions, const char *path,
		     size_t from, size_t to, uint64_t *out)
{
	uint64_t now[OB_REGEXP_WORDS_MAX];

	if (regexp->words == 1) {
		*out = enter_one_word(regexp, *positions, path, from, to);
		return;
	}
	memcpy(now, positions, regexp->words * sizeof(*now));
	run(regexp, regexp->words, path, from, to, '/', now, out);
}

ob_regexp_tail ob_regexp_tail_at(const ob_regexp *regexp, size_t position)
{
	for (; position < regexp->len; position++) {
		const ob_regexp_item *item = &regexp->items[position];

		switch ((ob_regexp_kind)item->kind) {
		case OB_REGEXP_CHAR:
			if (item->value == '/')
				return OB_TAIL_NEVER;
			break;
		case OB_REGEXP_NOT_SLASH: break;
		case OB_REGEXP_SET:
			if (item->star)
				return OB_TAIL_OTHER;
			break;
		default: return OB_TAIL_OTHER;
		}
	}
	return OB_TAIL_GLOB;
}

/* Where in name[at..len) the item behind a star may fit next; SIZE_MAX when nowhere. */
static size_t skip_to(const ob_regexp_item *item, const char *name, size_t at, size_t len)
{
	const char *found;

	if (item->kind != OB_REGEXP_CHAR || item->value >= 128)
		return at;
	found = memchr(name + at, (int)item->value, len - at);
	return found ? (size_t)(found - name) : SIZE_MAX;
}

bool ob_regexp_glob(const ob_regexp *regexp, size_t position, const char *name, size_t len)
{
	const ob_regexp_item *item = &regexp->items[position];
	const ob_regexp_item *end = &regexp->items[regexp->len], *behind_star = NULL;
	size_t at = 0, retry = 0;

	while (at < len || (item < end && item->star)) {
		uint32_t rune;
		size_t width;

		if (item < end && item->star) {
			behind_star = ++item;
			retry = at = skip_to(item, name, at, len);
			if (at == SIZE_MAX)
				return false;
			if (item == end)
				return true;
			continue;
		}
		width = ob_rune_decode(name + at, len - at, &rune);
		if (item < end && takes(regexp, item, rune)) {
			item++;
			at += width;
			continue;
		}
		if (!behind_star)
			return false;
		/* The star takes one more, and then up to where the next item may fit. */
		retry = skip_to(behind_star, name,
				retry + ob_rune_decode(name + retry, len - retry, &rune), len);
		if (retry == SIZE_MAX)
			return false;
		item = behind_star;
		at = retry;
	}
	return item == end;
}
