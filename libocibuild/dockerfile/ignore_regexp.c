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

static void set_bit(uint64_t *bits, size_t at)
{
	bits[at / 64] |= 1ULL << at % 64;
}

/*
 * From the positions now, between the characters before and after, to those behind the latter. now is
 * completed on the way. False when no position is left.
 */
static bool step(const ob_regexp *regexp, uint64_t *now, uint32_t before, uint32_t after,
		 uint64_t *next)
{
	uint64_t any = 0;

	memset(next, 0, regexp->words * sizeof(*next));
	for (size_t word = 0; word < regexp->words; word++) {
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
	for (size_t word = 0; word < regexp->words; word++)
		any |= next[word];
	return any != 0;
}

/* Read path[from..to); positions behind it in now. False when none is left. */
static bool run(const ob_regexp *regexp, const uint64_t *positions, const char *path, size_t from,
		size_t to, uint64_t *now, uint32_t *before)
{
	uint64_t next[OB_REGEXP_WORDS_MAX];

	memcpy(now, positions, regexp->words * sizeof(*now));
	*before = from > 0 ? '/' : NO_RUNE;
	while (from < to) {
		uint32_t rune;

		from += ob_rune_decode(path + from, to - from, &rune);
		if (!step(regexp, now, *before, rune, next))
			return false;
		memcpy(now, next, regexp->words * sizeof(*now));
		*before = rune;
	}
	return true;
}

bool ob_regexp_matches(const ob_regexp *regexp, const uint64_t *positions, const char *path,
		       size_t from, size_t to)
{
	uint64_t now[OB_REGEXP_WORDS_MAX], unused[OB_REGEXP_WORDS_MAX];
	uint32_t before;

	if (regexp->last >= 0 && (to == 0 || path[to - 1] != (char)regexp->last))
		return false;
	if (!run(regexp, positions, path, from, to, now, &before))
		return false;
	step(regexp, now, before, NO_RUNE, unused);
	return now[regexp->len / 64] >> regexp->len % 64 & 1;
}

void ob_regexp_enter(const ob_regexp *regexp, const uint64_t *positions, const char *path,
		     size_t from, size_t to, uint64_t *out)
{
	uint64_t now[OB_REGEXP_WORDS_MAX];
	uint32_t before;

	memset(out, 0, regexp->words * sizeof(*out));
	if (run(regexp, positions, path, from, to, now, &before))
		step(regexp, now, before, '/', out);
}
