/* base/strings.c — see strings.h: predicates, conversions, hexadecimal, UTF-8, the nearest name. */
#include "base/strings.h"
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool ob_str_starts(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

bool ob_str_ends(const char *text, const char *suffix)
{
	size_t len = strlen(text), tail = strlen(suffix);

	return len >= tail && memcmp(text + len - tail, suffix, tail) == 0;
}

/* The C library's tolower() follows the locale of the process; names in our files do not. */
static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool ob_str_eq_nocase(const char *a, const char *b)
{
	for (; *a && lower(*a) == lower(*b); a++, b++)
		;
	return lower(*a) == lower(*b);
}

char *ob_str_printf(const char *format, ...)
{
	char *text = NULL;
	va_list args;

	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		text = NULL;
	va_end(args);
	return text;
}

void ob_str_lower(char *text)
{
	for (; *text; text++)
		*text = lower(*text);
}

static int digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = lower(c);
	return c >= 'a' && c <= 'z' ? c - 'a' + 10 : 99;
}

bool ob_parse_u64(const char *text, unsigned base, uint64_t max, uint64_t *out)
{
	uint64_t value = 0;

	if (!*text)
		return false;
	for (; *text; text++) {
		unsigned digit = (unsigned)digit_value(*text);

		if (digit >= base || __builtin_mul_overflow(value, base, &value) ||
		    __builtin_add_overflow(value, digit, &value) || value > max)
			return false;
	}
	*out = value;
	return true;
}

bool ob_parse_i64(const char *text, int64_t *out)
{
	bool negative = *text == '-';
	uint64_t limit = (uint64_t)INT64_MAX + negative, value;

	if (*text == '-' || *text == '+')
		text++;
	if (!ob_parse_u64(text, 10, limit, &value))
		return false;
	*out = negative ? (int64_t)(0 - value) : (int64_t)value;
	return true;
}

bool ob_parse_bool(const char *text, bool *out)
{
	static const char *const words[] = {"0", "f", "F", "FALSE", "false", "False",
					    "1", "t", "T", "TRUE",  "true",  "True"};

	for (size_t i = 0; i < OB_ARRAY_LEN(words); i++)
		if (ob_str_eq(text, words[i])) {
			*out = i >= OB_ARRAY_LEN(words) / 2;
			return true;
		}
	return false;
}

#define NEAREST_MAX 64 /* longer words are no typing mistakes */

/* Optimal string alignment: insertions, deletions, replacements and swaps of neighbours. */
static unsigned edit_distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
	unsigned rows[3][NEAREST_MAX + 1];
	unsigned *before = rows[0], *last = rows[1], *now = rows[2];

	for (size_t j = 0; j <= b_len; j++)
		last[j] = (unsigned)j;
	for (size_t i = 1; i <= a_len; i++) {
		now[0] = (unsigned)i;
		for (size_t j = 1; j <= b_len; j++) {
			char ca = lower(a[i - 1]), cb = lower(b[j - 1]);
			unsigned best = last[j - 1] + (ca != cb);

			if (last[j] + 1 < best)
				best = last[j] + 1;
			if (now[j - 1] + 1 < best)
				best = now[j - 1] + 1;
			if (i > 1 && j > 1 && ca == lower(b[j - 2]) && lower(a[i - 2]) == cb &&
			    before[j - 2] + 1 < best)
				best = before[j - 2] + 1;
			now[j] = best;
		}
		unsigned *spare = before;
		before = last;
		last = now;
		now = spare;
	}
	return last[b_len];
}

const char *ob_nearest(const char *text, const char *const *names, size_t count)
{
	size_t len = strlen(text);
	unsigned best = (unsigned)(len < 3 ? 1 : len / 3 + 1) + 1;
	const char *found = NULL;

	if (len == 0 || len > NEAREST_MAX)
		return NULL;
	if (best > 4)
		best = 4;
	for (size_t i = 0; i < count; i++) {
		size_t name_len = strlen(names[i]);

		if (name_len > NEAREST_MAX)
			continue;
		unsigned distance = edit_distance(text, len, names[i], name_len);
		/* All letters changed is another word, however short it is. */
		if (distance < best && distance < (len > name_len ? len : name_len)) {
			best = distance;
			found = names[i];
		}
	}
	return found;
}

void ob_hex_encode(const uint8_t *bytes, size_t len, char *out)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < len; i++) {
		*out++ = digits[bytes[i] >> 4];
		*out++ = digits[bytes[i] & 15];
	}
	*out = '\0';
}

bool ob_hex_decode(const char *text, uint8_t *out, size_t len)
{
	if (strlen(text) != 2 * len)
		return false;
	for (size_t i = 0; i < len; i++) {
		int high = digit_value(text[2 * i]), low = digit_value(text[2 * i + 1]);

		if (high > 15 || low > 15)
			return false;
		out[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

/* No overlong forms, no surrogates, nothing beyond U+10FFFF. */
size_t ob_utf8_step(const char *text, size_t left)
{
	const unsigned char *p = (const unsigned char *)text;
	size_t len;
	unsigned char low = 0x80, high = 0xbf;

	if (p[0] < 0x80)
		return 1;
	if (p[0] < 0xc2 || p[0] > 0xf4)
		return 0;
	len = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
	if (p[0] == 0xe0)
		low = 0xa0;
	if (p[0] == 0xed)
		high = 0x9f;
	if (p[0] == 0xf0)
		low = 0x90;
	if (p[0] == 0xf4)
		high = 0x8f;
	if (left < len || p[1] < low || p[1] > high)
		return 0;
	for (size_t i = 2; i < len; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	return len;
}

bool ob_utf8_valid(const char *text, size_t len)
{
	for (size_t i = 0; i < len;) {
		size_t step = ob_utf8_step(text + i, len - i);

		if (!step)
			return false;
		i += step;
	}
	return true;
}
