/* dockerfile/duration.c — see duration.h. */
#include "dockerfile/duration.h"
#include <stddef.h>
#include <string.h>

static const struct {
	const char *name;
	uint64_t nanoseconds;
} units[] = {
	{"ns", 1},           {"us", 1000},      {"\xc2\xb5s", 1000}, /* the micro sign */
	{"\xce\xbcs", 1000},                                         /* the Greek letter */
	{"ms", 1000000},     {"s", 1000000000}, {"m", 60000000000},  {"h", 3600000000000},
};

/* The unit that *text begins with, up to the next number; 0 when there is none. */
static uint64_t take_unit(const char **text)
{
	size_t len = strcspn(*text, ".0123456789");

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (strlen(units[i].name) != len || memcmp(*text, units[i].name, len) != 0)
			continue;
		*text += len;
		return units[i].nanoseconds;
	}
	return 0;
}

static bool take_number(const char **text, uint64_t *whole)
{
	for (*whole = 0; **text >= '0' && **text <= '9'; ++*text)
		if (__builtin_mul_overflow(*whole, 10U, whole) ||
		    __builtin_add_overflow(*whole, (uint64_t)(**text - '0'), whole))
			return false;
	return true;
}

/* Digits behind the point as a number and a power of ten; what is too fine is dropped. */
static void take_fraction(const char **text, uint64_t *digits, double *scale)
{
	*digits = 0;
	*scale = 1;
	for (; **text >= '0' && **text <= '9'; ++*text) {
		if (*digits > (INT64_MAX - 9) / 10)
			continue;
		*digits = *digits * 10 + (uint64_t)(**text - '0');
		*scale *= 10;
	}
}

/* One "1.5h" of a duration. */
static bool take_part(const char **text, uint64_t *nanoseconds)
{
	const char *start = *text;
	uint64_t whole, digits = 0, unit;
	double scale = 1;
	size_t numbers;

	if (!take_number(text, &whole))
		return false;
	numbers = (size_t)(*text - start);
	if (**text == '.') {
		const char *point = ++*text;

		take_fraction(text, &digits, &scale);
		numbers += (size_t)(*text - point);
	}
	unit = take_unit(text);
	return numbers > 0 && unit > 0 && !__builtin_mul_overflow(whole, unit, nanoseconds) &&
	       !__builtin_add_overflow(*nanoseconds,
				       (uint64_t)((double)digits * ((double)unit / scale)),
				       nanoseconds);
}

bool ob_duration_parse(const char *text, int64_t *nanoseconds)
{
	bool negative = *text == '-';
	uint64_t total = 0, part;

	if (*text == '-' || *text == '+')
		text++;
	if (!strcmp(text, "0")) {
		*nanoseconds = 0;
		return true;
	}
	if (!*text)
		return false;
	while (*text)
		if (!take_part(&text, &part) || __builtin_add_overflow(total, part, &total) ||
		    total > INT64_MAX)
			return false;
	*nanoseconds = negative ? -(int64_t)total : (int64_t)total;
	return true;
}
