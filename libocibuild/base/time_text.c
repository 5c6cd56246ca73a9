/* base/time_text.c — RFC 3339 times, as image configurations and annotations write them.
 *
 * The calendar is computed here: gmtime and timegm are bound to the C library's range and locale
 * settings, and years up to 9999 are all the format can say.
 */
#include "base/strings.h"
#include <stdio.h>
#include <string.h>

#define DAY 86400

/* Days since 1970-01-01 of a date in the proleptic Gregorian calendar (years from March on). */
static int64_t days_of_date(int64_t year, unsigned month, unsigned day)
{
	if (month <= 2)
		year--;
	int64_t era = (year >= 0 ? year : year - 399) / 400;
	unsigned of_era = (unsigned)(year - era * 400);
	unsigned of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
	unsigned day_of_era = of_era * 365 + of_era / 4 - of_era / 100 + of_year;

	return era * 146097 + (int64_t)day_of_era - 719468;
}

static void date_of_days(int64_t days, int64_t *year, unsigned *month, unsigned *day)
{
	days += 719468;
	int64_t era = (days >= 0 ? days : days - 146096) / 146097;
	unsigned of_era = (unsigned)(days - era * 146097);
	unsigned year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	unsigned of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	unsigned shifted = (5 * of_year + 2) / 153;

	*day = of_year - (153 * shifted + 2) / 5 + 1;
	*month = shifted < 10 ? shifted + 3 : shifted - 9;
	*year = (int64_t)year_of_era + era * 400 + (*month <= 2);
}

#define FIRST_SECOND (-62167219200LL) /* 0000-01-01T00:00:00Z */
#define LAST_SECOND  253402300799LL   /* 9999-12-31T23:59:59Z */

void ob_time_format(int64_t sec, uint32_t nsec, char *out)
{
	int64_t year;
	unsigned month, day;

	if (sec < FIRST_SECOND)
		sec = FIRST_SECOND;
	if (sec > LAST_SECOND)
		sec = LAST_SECOND;
	int64_t days = (sec >= 0 ? sec : sec - (DAY - 1)) / DAY;
	unsigned rest = (unsigned)(sec - days * DAY);

	date_of_days(days, &year, &month, &day);
	int len = snprintf(out, 36, "%04u-%02u-%02uT%02u:%02u:%02u", (unsigned)year % 10000,
			   month % 100, day % 100, rest / 3600 % 24, rest / 60 % 60, rest % 60);
	if (nsec) {
		len += snprintf(out + len, 36 - (size_t)len, ".%09u",
				(unsigned)(nsec % 1000000000));
		while (out[len - 1] == '0')
			len--;
	}
	memcpy(out + len, "Z", 2);
}

/* Exactly @p count digits at *p, which moves on. */
static bool take_number(const char **p, unsigned count, unsigned *out)
{
	*out = 0;
	for (; count; count--, (*p)++) {
		if (**p < '0' || **p > '9')
			return false;
		*out = *out * 10 + (unsigned)(**p - '0');
	}
	return true;
}

static bool take_char(const char **p, const char *one_of)
{
	if (!**p || !strchr(one_of, **p))
		return false;
	(*p)++;
	return true;
}

static bool take_fraction(const char **p, uint32_t *nsec)
{
	uint32_t unit = 100000000;

	*nsec = 0;
	if (**p != '.')
		return true;
	(*p)++;
	if (**p < '0' || **p > '9')
		return false;
	for (; **p >= '0' && **p <= '9'; (*p)++, unit /= 10)
		*nsec += (uint32_t)(**p - '0') * unit;
	return true;
}

/* "Z" or "+hh:mm": seconds east of UTC. */
static bool take_zone(const char **p, int64_t *east)
{
	unsigned hours, minutes;
	bool west = **p == '-';

	*east = 0;
	if (take_char(p, "Zz"))
		return true;
	if (!take_char(p, "+-") || !take_number(p, 2, &hours) || !take_char(p, ":") ||
	    !take_number(p, 2, &minutes) || hours > 23 || minutes > 59)
		return false;
	*east = (int64_t)(hours * 3600 + minutes * 60) * (west ? -1 : 1);
	return true;
}

static unsigned days_in_month(unsigned year, unsigned month)
{
	static const unsigned char days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return days[month - 1] + (month == 2 && leap ? 1U : 0U);
}

bool ob_time_parse(const char *text, int64_t *sec, uint32_t *nsec)
{
	unsigned year, month, day, hour, minute, second;
	uint32_t fraction;
	int64_t east;

	if (!take_number(&text, 4, &year) || !take_char(&text, "-") ||
	    !take_number(&text, 2, &month) || !take_char(&text, "-") ||
	    !take_number(&text, 2, &day) || !take_char(&text, "Tt ") ||
	    !take_number(&text, 2, &hour) || !take_char(&text, ":") ||
	    !take_number(&text, 2, &minute) || !take_char(&text, ":") ||
	    !take_number(&text, 2, &second) || !take_fraction(&text, &fraction) ||
	    !take_zone(&text, &east) || *text)
		return false;
	if (month < 1 || month > 12 || day < 1 || day > days_in_month(year, month) || hour > 23 ||
	    minute > 59 || second > 60)
		return false;
	*sec = days_of_date(year, month, day) * DAY + (int64_t)hour * 3600 + minute * 60 + second -
	       east;
	*nsec = fraction;
	return true;
}
