/* dockerfile/ignore_patterns.h — the inside of an ob_ignore: ignore.c makes it, ignore_walk.c walks. */
#ifndef OB_DOCKERFILE_IGNORE_PATTERNS_H
#define OB_DOCKERFILE_IGNORE_PATTERNS_H

#include "dockerfile/ignore.h"
#include "dockerfile/ignore_regexp.h"

typedef struct ob_ignore_pattern {
	ob_regexp regexp;
	bool negated;
	int index;        /**< in the list that was given */
	size_t positions; /**< where its positions are in a state, in words */
} ob_ignore_pattern;

struct ob_ignore {
	ob_ignore_pattern *patterns;
	size_t len;
	/* The parts of a state, in words from its beginning. */
	size_t matched; /**< a bit per pattern */
	size_t asks;    /**< what to ask about names in the directory */
	size_t words;   /**< all of it */
};

/** Where things are in a state; patterns are complete. */
void ob_ignore_lay_out(ob_ignore *ignore);

static inline bool ob_bit(const uint64_t *bits, size_t at)
{
	return bits[at / 64] >> at % 64 & 1;
}

static inline void ob_put_bit(uint64_t *bits, size_t at, bool value)
{
	bits[at / 64] = (bits[at / 64] & ~(1ULL << at % 64)) | (uint64_t)value << at % 64;
}

#endif
