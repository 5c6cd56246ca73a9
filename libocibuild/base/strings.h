/* base/strings.h — small questions about C strings, and numbers out of them. */
#ifndef OB_BASE_STRINGS_H
#define OB_BASE_STRINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define OB_ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

static inline bool ob_str_eq(const char *a, const char *b)
{
	return __builtin_strcmp(a, b) == 0;
}
bool ob_str_starts(const char *text, const char *prefix);
bool ob_str_ends(const char *text, const char *suffix);
bool ob_str_eq_nocase(const char *a, const char *b); /**< ASCII only */
char *ob_str_printf(const char *format, ...)
	__attribute__((format(printf, 1, 2))); /**< NULL: no memory */
void ob_str_lower(char *text);                 /**< ASCII, in place */

/** Whole-string conversions; false on anything else than a number in range. */
bool ob_parse_u64(const char *text, unsigned base, uint64_t max, uint64_t *out);
bool ob_parse_i64(const char *text, int64_t *out);
bool ob_parse_bool(const char *text, bool *out); /**< Go's strconv.ParseBool words */

/** Damerau-Levenshtein nearest of @p names to @p text within a sensible distance; NULL if none. */
const char *ob_nearest(const char *text, const char *const *names, size_t count);

void ob_hex_encode(const uint8_t *bytes, size_t len, char *out /* 2*len + 1 */);
bool ob_hex_decode(const char *text, uint8_t *out, size_t len); /**< text must have exactly 2*len */
bool ob_utf8_valid(const char *text, size_t len);
/** Bytes of the UTF-8 sequence that @p text begins with, 0 if it begins with none; @p len > 0. */
size_t ob_utf8_step(const char *text, size_t len);

/** RFC 3339 in UTC with nanoseconds only if not zero; out needs 36 bytes. */
void ob_time_format(int64_t sec, uint32_t nsec, char *out);
bool ob_time_parse(const char *text, int64_t *sec, uint32_t *nsec);

#endif
