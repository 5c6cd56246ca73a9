/* dockerfile/runes.c — see runes.h. Nothing here depends on the locale of the process. */
#include "dockerfile/runes.h"

/* Bytes of the sequence that first begins, and its payload; 0 when it begins none. */
static size_t sequence(unsigned char first, uint32_t *payload)
{
	if (first >= 0xc2 && first <= 0xdf) {
		*payload = first & 0x1fU;
		return 2;
	}
	if (first >= 0xe0 && first <= 0xef) {
		*payload = first & 0x0fU;
		return 3;
	}
	if (first >= 0xf0 && first <= 0xf4) {
		*payload = first & 0x07U;
		return 4;
	}
	return 0;
}

size_t ob_rune_decode(const char *text, size_t len, uint32_t *rune)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	unsigned char first = (unsigned char)text[0];
	uint32_t value = 0;
	size_t need;

	if (first < 0x80) {
		*rune = first;
		return 1;
	}
	*rune = OB_RUNE_INVALID + first;
	need = sequence(first, &value);
	if (need == 0 || need > len)
		return 1;
	for (size_t i = 1; i < need; i++) {
		if (((unsigned char)text[i] & 0xc0) != 0x80)
			return 1;
		value = value << 6 | ((unsigned char)text[i] & 0x3fU);
	}
	if (value < least[need] || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff))
		return 1;
	*rune = value;
	return need;
}

size_t ob_rune_encode(uint32_t rune, char out[4])
{
	if (rune < 0x80 || rune >= OB_RUNE_INVALID) {
		out[0] = (char)(rune < 0x80 ? rune : rune - OB_RUNE_INVALID);
		return 1;
	}
	if (rune < 0x800) {
		out[0] = (char)(0xc0 | rune >> 6);
		out[1] = (char)(0x80 | (rune & 0x3f));
		return 2;
	}
	if (rune < 0x10000) {
		out[0] = (char)(0xe0 | rune >> 12);
		out[1] = (char)(0x80 | (rune >> 6 & 0x3f));
		out[2] = (char)(0x80 | (rune & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | rune >> 18);
	out[1] = (char)(0x80 | (rune >> 12 & 0x3f));
	out[2] = (char)(0x80 | (rune >> 6 & 0x3f));
	out[3] = (char)(0x80 | (rune & 0x3f));
	return 4;
}

bool ob_rune_is_space(uint32_t rune)
{
	if (rune < 0x80)
		return rune == ' ' || (rune >= '\t' && rune <= '\r');
	return rune == 0x85 || rune == 0xa0 || rune == 0x1680 ||
	       (rune >= 0x2000 && rune <= 0x200a) || rune == 0x2028 || rune == 0x2029 ||
	       rune == 0x202f || rune == 0x205f || rune == 0x3000;
}

static bool is_in(uint32_t rune, const ob_rune_range *ranges, size_t count)
{
	size_t low = 0, high = count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (rune > ranges[middle].last)
			low = middle + 1;
		else
			high = middle;
	}
	return low < count && rune >= ranges[low].first;
}

bool ob_rune_is_letter(uint32_t rune)
{
	if (rune < 0x80)
		return (rune | 0x20) >= 'a' && (rune | 0x20) <= 'z';
	return is_in(rune, ob_rune_letters, ob_rune_letter_count);
}

bool ob_rune_is_digit(uint32_t rune)
{
	if (rune < 0x80)
		return rune >= '0' && rune <= '9';
	return is_in(rune, ob_rune_digits, ob_rune_digit_count);
}

size_t ob_space_prefix(const char *text, size_t len)
{
	size_t at = 0;

	while (at < len) {
		uint32_t rune;
		size_t width = ob_rune_decode(text + at, len - at, &rune);

		if (!ob_rune_is_space(rune))
			break;
		at += width;
	}
	return at;
}

size_t ob_space_suffix(const char *text, size_t len)
{
	size_t end = len;

	while (end > 0) {
		size_t start = end - 1;
		uint32_t rune;

		/* White space takes at most 3 bytes. */
		while (start > 0 && end - start < 3 && ((unsigned char)text[start] & 0xc0) == 0x80)
			start--;
		if (ob_rune_decode(text + start, end - start, &rune) != end - start ||
		    !ob_rune_is_space(rune))
			break;
		end = start;
	}
	return len - end;
}
