/* cli/release/release_tags.c — placeholders and what they become.
 *
 * Each placeholder has a fixed number of characters of one kind, so that a tag can be told to come from
 * a template, and tags with times sort by time.
 */
#include <stdio.h>
#include <string.h>
#include "../cli.h"
#include "release_tags.h"

#define LONGEST_TAG  128
#define DIRTY_SUFFIX "-dirty"

static const char tag_letters[] =
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";
static const char digits[] = "0123456789", hex[] = "0123456789abcdef";

typedef struct placeholder {
	const char *name, *letters;
	size_t len;
} placeholder;
static const placeholder placeholders[] = {
	{"date", digits, 8}, /* YYYYMMDD, UTC */
	{"time", digits, 6}, /* HHMMSS, UTC */
	{"commit", hex, 7},  /* the first 7 characters */
	{"sha", hex, 40},    /* all of it */
};
#define PLACEHOLDERS (sizeof(placeholders) / sizeof(placeholders[0]))

/* *at is behind a '{'; moves it behind the '}'. NULL: no placeholder. */
static const placeholder *take_placeholder(const char **at)
{
	size_t len = strcspn(*at, "}");

	for (size_t i = 0; i < PLACEHOLDERS; i++)
		if (strlen(placeholders[i].name) == len && (*at)[len] == '}' &&
		    strncmp(placeholders[i].name, *at, len) == 0) {
			*at += len + 1;
			return &placeholders[i];
		}
	return NULL;
}

static bool fail_placeholder(const char *at, char *why, size_t size)
{
	size_t len = strcspn(at, "}");
	cli_nearest_state near = {0};

	for (size_t i = 0; i < PLACEHOLDERS; i++)
		cli_nearest(at, len, placeholders[i].name, &near);
	(void)snprintf(why, size,
		       "there is no placeholder '{%.*s}'%s%s%s; there are {date}, {time}, "
		       "{commit} and {sha}",
		       len > 40 ? 40 : (int)len, at, near.name ? " (did you mean '{" : "",
		       near.name ? near.name : "", near.name ? "}'?)" : "");
	return false;
}

bool release_tag_check(const char *template, char *why, size_t size)
{
	size_t total = strlen(DIRTY_SUFFIX);

	for (const char *at = template; *at;) {
		if (*at == '{') {
			const char *begin = ++at;
			const placeholder *one = take_placeholder(&at);

			if (!one)
				return fail_placeholder(begin, why, size);
			total += one->len;
			continue;
		}
		if (!strchr(tag_letters, *at) || (at == template && (*at == '.' || *at == '-'))) {
			(void)snprintf(
				why, size,
				"a tag has letters, digits, '_', '.' and '-', and begins with "
				"none of the last two");
			return false;
		}
		total++;
		at++;
	}
	if (total > LONGEST_TAG || total == strlen(DIRTY_SUFFIX)) {
		(void)snprintf(why, size, "a tag has 1 to %zu characters",
			       LONGEST_TAG - strlen(DIRTY_SUFFIX));
		return false;
	}
	return true;
}

const char *release_name_check(const char *name)
{
	if (!*name)
		return "is empty";
	if (strlen(name) > 200)
		return "is too long";
	if (strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789._-/") != strlen(name))
		return "is no repository name: lower-case letters, digits, '.', '_', '-' and '/'";
	if (!strchr(hex, *name) && !strchr("ghijklmnopqrstuvwxyz", *name))
		return "must begin with a letter or a digit";
	if (strstr(name, "//") || strstr(name, "/.") || name[strlen(name) - 1] == '/' ||
	    strstr(name, ".."))
		return "has an empty part";
	return NULL;
}

static bool mentions(const char *template, const char *first, const char *second)
{
	return strstr(template, first) || strstr(template, second);
}

bool release_tag_needs_commit(const char *template)
{
	return mentions(template, "{commit}", "{sha}");
}

bool release_tag_needs_time(const char *template)
{
	return mentions(template, "{date}", "{time}");
}

static void expand(const placeholder *one, const char *commit, const struct tm *tm, FILE *to)
{
	char text[32] = "";

	if (strcmp(one->name, "date") == 0)
		(void)strftime(text, sizeof(text), "%Y%m%d", tm);
	else if (strcmp(one->name, "time") == 0)
		(void)strftime(text, sizeof(text), "%H%M%S", tm);
	else
		(void)fprintf(to, "%.*s", (int)one->len, commit);
	(void)fputs(text, to);
}

const char *release_tag_format(text_pool *pool, const char *template, const char *commit,
			       time_t now, bool dirty)
{
	char tag[LONGEST_TAG + 1] = "";
	FILE *to = fmemopen(tag, sizeof(tag), "w");
	struct tm tm = {0};

	if (!to) {
		pool->failed = true;
		return "";
	}
	(void)gmtime_r(&now, &tm);
	for (const char *at = template; *at;) {
		if (*at != '{') {
			(void)fputc(*at++, to);
			continue;
		}
		at++;
		const placeholder *one = take_placeholder(&at);
		if (one)
			expand(one, commit, &tm, to);
	}
	(void)fclose(to);
	return text_printf(pool, "%s%s", tag, dirty ? DIRTY_SUFFIX : "");
}

bool release_tag_has_shape(const char *template, const char *tag)
{
	for (const char *at = template; *at;) {
		if (*at != '{') {
			if (*at++ != *tag++)
				return false;
			continue;
		}
		at++;
		const placeholder *one = take_placeholder(&at);
		if (!one || strspn(tag, one->letters) < one->len)
			return false;
		tag += one->len;
	}
	return *tag == '\0';
}
