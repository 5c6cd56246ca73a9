/* cli/release/release_paths.c — see release_paths.h.
 *
 * Matching keeps, for each length of the path, whether the pattern so far matches it: time is the
 * product of the two lengths, whatever the pattern.
 */
#include <stdlib.h>
#include <string.h>
#include "release_paths.h"

#define LONGEST_PATTERN 1024
#define LONGEST_PATH    4096

const char *release_pattern_check(const char *pattern)
{
	if (*pattern == '!')
		pattern++;
	if (!*pattern)
		return "it is empty";
	if (strlen(pattern) > LONGEST_PATTERN)
		return "it is too long";
	if (*pattern == '/' || strncmp(pattern, "./", 2) == 0)
		return "paths begin at the top of the repository, without '/' or './'";
	if (strpbrk(pattern, "[]{}\\"))
		return "only '*', '**' and '?' stand for something else; '[', '{' and '\\' do not";
	return NULL;
}

/* '*' (within one component) or '**' (across them): carry every match on to longer prefixes. */
static void spread(bool *ends, const char *path, size_t len, bool across)
{
	for (size_t i = 0; i < len; i++)
		if (ends[i] && (across || path[i] != '/'))
			ends[i + 1] = true;
}

/* "**" and a slash: nothing, or any directories with their slash. */
static void spread_directories(bool *ends, const char *path, size_t len)
{
	bool begun = false;

	for (size_t i = 0; i <= len; i++) {
		bool here = ends[i];

		if (!here && begun && i > 0 && path[i - 1] == '/')
			ends[i] = true;
		begun = begun || here;
	}
}

/* One character of the pattern: matches move on by one character of the path. */
static void advance(bool *ends, const char *path, size_t len, char wanted)
{
	for (size_t i = len; i > 0; i--)
		ends[i] =
			ends[i - 1] && (wanted == '?' ? path[i - 1] != '/' : path[i - 1] == wanted);
	ends[0] = false;
}

bool release_pattern_match(const char *pattern, const char *path)
{
	bool ends[LONGEST_PATH + 1] = {true};
	size_t len = strlen(path);

	if (len > LONGEST_PATH)
		return false;
	for (const char *p = pattern; *p; p++) {
		bool at_start = p == pattern || p[-1] == '/';

		if (*p != '*') {
			advance(ends, path, len, *p);
		} else if (p[1] != '*') {
			spread(ends, path, len, false);
		} else if (p[2] == '/' && at_start) {
			spread_directories(ends, path, len);
			p += 2;
		} else {
			spread(ends, path, len, true);
			p++;
		}
	}
	return ends[len];
}

bool release_path_is_ignored(const text_list *patterns, const char *path)
{
	bool ignored = false;

	for (size_t i = 0; i < patterns->len; i++) {
		const char *pattern = patterns->items[i];
		bool negated = *pattern == '!';

		if (release_pattern_match(pattern + negated, path))
			ignored = !negated;
	}
	return ignored;
}
