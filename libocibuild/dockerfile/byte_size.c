/* dockerfile/byte_size.c — see byte_size.h.
 *
 * A number, maybe with a fraction, maybe one space, then nothing, "b", or one of k m g t p with "b" or
 * "ib" behind it in any case.
 */
#include "dockerfile/byte_size.h"
#include <stddef.h>
#include <string.h>

/* Digits with at most one point; false when there is no digit. */
static bool take_number(const char **text, double *out)
{
	double value = 0, weight = 1;
	bool digits = false, fraction = false;

	for (;; ++*text) {
		char c = **text;

		if (c == '.' && !fraction) {
			fraction = true;
		} else if (c >= '0' && c <= '9') {
			digits = true;
			weight /= fraction ? 10 : 1;
			value = fraction ? value + (c - '0') * weight : value * 10 + (c - '0');
		} else {
			break;
		}
	}
	*out = value;
	return digits;
}

static bool is_letter(char c, char lower)
{
	return (c | 0x20) == lower;
}

/* The factor of the whole suffix; 0 when it is none. */
static double suffix_factor(const char *text)
{
	static const char letters[] = "kmgtp";
	double factor = 1;

	if (!*text || (is_letter(*text, 'b') && !text[1]))
		return 1;
	for (size_t i = 0; letters[i]; i++) {
		factor *= 1024;
		if (!is_letter(*text, letters[i]))
			continue;
		text++;
		if (is_letter(text[0], 'i') && is_letter(text[1], 'b'))
			text++;
		else if (!text[0])
			return factor;
		return is_letter(text[0], 'b') && !text[1] ? factor : 0;
	}
	return 0;
}

bool ob_byte_size_parse(const char *text, int64_t *bytes)
{
	double value, factor;

	if (*text == '+')
		text++;
	if (!take_number(&text, &value))
		return false;
	text += *text == ' ';
	factor = suffix_factor(text);
	if (factor <= 0 || value * factor >= 9.2e18)
		return false;
	*bytes = (int64_t)(value * factor);
	return true;
}
