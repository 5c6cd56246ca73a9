/* fuzz_ignore.c — an ignore file and paths: a walk has the same answer as asking for one path, nothing that
 * may be skipped is ever re-included, and reading what was read changes nothing.
 *
 * Input: an ignore file, a line "--", paths.
 */
#undef NDEBUG
#include <assert.h>
#include <stdint.h>
#include <string.h>
#include "base/cleanup.h"
#include "dockerfile/ignore.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MOST_PATTERNS = 64, LONGEST_PATH = 200 };

/* Down to the path, component by component. */
static void check_path(const ob_ignore *ignore, const char *path)
{
	size_t size = ob_ignore_state_size(ignore), at = 0;
	ob_autofree char *states = malloc(2 * size);
	bool pruned = false;
	char part[LONGEST_PATH + 1];

	assert(states);
	ob_ignore_root(ignore, states);
	do {
		at += strcspn(path + at, "/");
		memcpy(part, path, at);
		part[at] = '\0';
		bool excluded = ob_ignore_step(ignore, states, part, states + size);
		assert(excluded == ob_ignore_step(ignore, states, part, NULL));
		assert(excluded == ob_ignore_match(ignore, part));
		assert(!excluded || ob_ignore_explain(ignore, part) >= 0);
		assert(!pruned || excluded);
		memmove(states, states + size, size);
		pruned = pruned || (excluded && !ob_ignore_may_reinclude(ignore, part, states));
	} while (path[at++]);
}

/* Relative, no empty component, not ".": what a walk gives. */
static bool is_clean(const char *path)
{
	size_t len = strlen(path);

	return len > 0 && len <= LONGEST_PATH && path[0] != '/' && path[len - 1] != '/' &&
	       !strstr(path, "//") && strncmp(path, "./", 2) != 0 && strcmp(path, ".") != 0;
}

static void check_read_again(const ob_strlist *patterns)
{
	for (size_t i = 0; i < patterns->len; i++) {
		const char *text = patterns->items[i];
		ob_autodone(ob_strlist) again = {0};

		/* Cleaning may bring a '#' or a blank to the front, which then mean something. */
		if (!*text || *text == '#' || strchr(" \t\r\v\f\xc2\xe1\xe2\xe3\xef", *text) ||
		    strstr(text, "! ") == text)
			continue;
		assert(ob_ignore_read(text, strlen(text), &again, NULL, NULL) == OCIB_OK);
		assert(again.len == 1);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data, *divider = memmem(text, size, "\n--\n", 4);
	size_t len = divider ? (size_t)(divider - text) + 1 : size;
	ob_autodone(ob_strlist) patterns = {0};
	ob_auto(ob_ignore) ignore = NULL;
	ob_autofree char *paths = NULL;

	if (ob_ignore_read(text, len, &patterns, NULL, NULL) != OCIB_OK ||
	    patterns.len > MOST_PATTERNS)
		return 0;
	check_read_again(&patterns);
	if (ob_ignore_new(&patterns, &ignore, NULL) != OCIB_OK)
		return 0;
	paths = divider ? strndup(divider + 4, size - len - 3) : strdup("a/b");
	assert(paths);
	for (char *path = paths, *end; path; path = end) {
		end = strchr(path, '\n');
		if (end)
			*end++ = '\0';
		if (is_clean(path))
			check_path(ignore, path);
		for (size_t i = 0; i < patterns.len && i < 4; i++) {
			bool bad;

			assert(!ob_glob_match(patterns.items[i], path, &bad) || !bad);
			(void)ob_glob_has_magic(patterns.items[i]);
		}
	}
	return 0;
}
