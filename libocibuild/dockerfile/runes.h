/* dockerfile/runes.h — code points of UTF-8 text, classified as BuildKit's Go code classifies them.
 *
 * A byte that begins no valid sequence is a code point of its own, OB_RUNE_INVALID + the byte: it is
 * never a letter, digit or space, and it is kept as it is.
 */
#ifndef OB_DOCKERFILE_RUNES_H
#define OB_DOCKERFILE_RUNES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define OB_RUNE_INVALID 0x110000U

/** The code point at @p text (of @p len > 0 bytes); returns how many bytes it takes, 1 to 4. */
size_t ob_rune_decode(const char *text, size_t len, uint32_t *rune);
/** The bytes of a code point into @p out; returns how many, 1 to 4. Undoes ob_rune_decode(). */
size_t ob_rune_encode(uint32_t rune, char out[4]);
bool ob_rune_is_space(uint32_t rune);  /**< Unicode White_Space */
bool ob_rune_is_letter(uint32_t rune); /**< categories L* */
bool ob_rune_is_digit(uint32_t rune);  /**< category Nd */

/** Bytes of white space that @p text begins or ends with. */
size_t ob_space_prefix(const char *text, size_t len);
size_t ob_space_suffix(const char *text, size_t len);

/** [\t\v\f\r ]: what separates the words of an instruction. */
static inline bool ob_is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f';
}

/** Ranges of letters and of decimal digits, sorted; in rune_tables.c. */
typedef struct ob_rune_range {
	uint32_t first, last;
} ob_rune_range;
extern const ob_rune_range ob_rune_letters[];
extern const size_t ob_rune_letter_count;
extern const ob_rune_range ob_rune_digits[];
extern const size_t ob_rune_digit_count;

#endif
