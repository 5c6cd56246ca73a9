/* dockerfile/ignore_regexp.h — one ignore pattern, compiled.
 *
 * BuildKit defines what a pattern matches by the regular expression that it turns it into. The same is
 * done here, for just those expressions: a sequence of characters, sets and runs, without alternatives.
 * It is run over a path character by character as a set of positions in the sequence, so a path is read
 * once however the pattern is made, and what is known after "dir/" is kept for all that is in dir.
 */
#ifndef OB_DOCKERFILE_IGNORE_REGEXP_H
#define OB_DOCKERFILE_IGNORE_REGEXP_H

#include <stdbool.h>
#include <stdint.h>
#include "base/buffer.h"
#include "dockerfile/runes.h"

typedef struct ob_regexp_set {
	uint64_t ascii[2]; /**< a bit per character, negation applied */
	bool negated;
	ob_rune_range *ranges; /**< without it */
	size_t len;
} ob_regexp_set;

typedef enum ob_regexp_kind {
	OB_REGEXP_CHAR = 1,
	OB_REGEXP_NOT_SLASH, /**< [^/] */
	OB_REGEXP_LINE,      /**< any character but a newline */
	OB_REGEXP_ALL,       /**< any character */
	OB_REGEXP_SET,
	/* These take no character. */
	OB_REGEXP_DIRS, /**< the next two items, a run and a '/', may be left out */
	OB_REGEXP_BEGIN,
	OB_REGEXP_END,
	OB_REGEXP_WORD_EDGE,
	OB_REGEXP_NO_WORD_EDGE
} ob_regexp_kind;

typedef struct ob_regexp_item {
	uint8_t kind;
	bool star;      /**< any number of times */
	uint32_t value; /**< the character, or the index of the set */
} ob_regexp_item;

typedef struct ob_regexp {
	ob_regexp_item *items; /**< one more than counted, of kind 0 */
	size_t len;
	ob_regexp_set *sets;
	size_t set_count;
	size_t words;   /**< 64 positions in each; position len means matched */
	uint64_t dirs;  /**< which of the first 64 items are of kind DIRS */
	uint64_t loops; /**< which are the runs of such: from there only a '/' leads on */
	char last;      /**< the ASCII character that all matches end in, or '\0' */
} ob_regexp;

/** Words that any pattern within its limit needs. */
#define OB_REGEXP_WORDS_MAX 128

/** @p pattern is clean and without '!'. Kinds: SYNTAX (no location), LIMIT. */
ocib_errc ob_regexp_compile(const char *pattern, ob_regexp *out, ocib_error **err);
void ob_regexp_done(ob_regexp *regexp);

/** The positions before anything is read. */
void ob_regexp_start(const ob_regexp *regexp, uint64_t *positions);
/**
 * Read on: @p path[from..to) after what led to @p positions, which is the beginning or a '/'. Does a
 * match end at @p to?
 */
bool ob_regexp_matches(const ob_regexp *regexp, const uint64_t *positions, const char *path,
		       size_t from, size_t to);
/** The positions after path[from..to) and a '/'. */
void ob_regexp_enter(const ob_regexp *regexp, const uint64_t *positions, const char *path,
		     size_t from, size_t to, uint64_t *out);

/** How the items from one position on can match a name, that is text without a '/'. */
typedef enum ob_regexp_tail {
	OB_TAIL_NEVER, /**< there is a '/' to come */
	OB_TAIL_GLOB,  /**< as a glob: ob_regexp_glob() says whether */
	OB_TAIL_OTHER
} ob_regexp_tail;
ob_regexp_tail ob_regexp_tail_at(const ob_regexp *regexp, size_t position);
bool ob_regexp_glob(const ob_regexp *regexp, size_t position, const char *name, size_t len);

#endif
