/* Ignore patterns beyond the shared vectors: the walk, what may be skipped, odd patterns, limits. */
#include <stdlib.h>
#include "base/limits.h"
#include "base/strings.h"
#include "dockerfile/ignore.h"
#include "harness.h"

/* Patterns separated by spaces. */
static ob_ignore *ignore_of(const char *text)
{
	ob_autodone(ob_strlist) patterns = {0};
	ob_ignore *ignore = NULL;

	while (*text) {
		size_t len = strcspn(text, " ");

		assert_int_equal(ob_strlist_add_len(&patterns, text, len), 0);
		text += len + (text[len] == ' ');
	}
	ASSERT_OK(ob_ignore_new(&patterns, &ignore, &t_err));
	return ignore;
}

static void assert_ignored(const char *patterns, const char *path, bool wanted)
{
	ob_auto(ob_ignore) ignore = ignore_of(patterns);

	if (ob_ignore_match(ignore, path) != wanted)
		fail_msg("'%s' is %signored by '%s'", path, wanted ? "not " : "", patterns);
}

TEST(match__last_pattern_decides)
{
	assert_ignored("* !a", "a", false);
	assert_ignored("* !a a/b", "a/b", true);
	assert_ignored("* !a a/b", "a/c", false);
	assert_ignored("a !a/b", "a/b/c", false);
	assert_ignored("!a/b a", "a/b", true);
	assert_ignored("** !**/keep", "x/keep/y", false);
}

TEST(match__without_patterns_nothing_is_ignored)
{
	ob_auto(ob_ignore) ignore = ignore_of("");
	uint64_t state[4];

	assert_false(ob_ignore_match(ignore, "a/b"));
	assert_true(ob_ignore_state_size(ignore) <= sizeof(state));
	ob_ignore_root(ignore, state);
	assert_false(ob_ignore_step(ignore, state, "a", NULL));
}

/* BuildKit does not ask a pattern that cannot change the answer for a directory, and then it does not
 * count below. */
TEST(match__a_pattern_that_was_not_asked_does_not_count_below)
{
	assert_ignored("a !a/b **/a", "a/b", false);
	assert_ignored("a !a/b a*", "a/b", false);
	assert_ignored("a !a/b a/*", "a/b", true);
}

TEST(match__is_what_the_regular_expression_would_match)
{
	assert_ignored("a[^b]c", "a/c", true);
	assert_ignored("[a*b]", "aab]", true);
	assert_ignored("[a*b]", "a", false);
	assert_ignored("foo\\d", "foo7", true);
	assert_ignored("foo\\d", "food", false);
	assert_ignored("[[:digit:]]x", "7x", true);
	assert_ignored("a\\bb*", "ab", false);
	assert_ignored("a^b", "a^b", true);
	assert_ignored("a^b*", "a^b", false);
	assert_ignored("?", "\xc3\xa9", true);
	assert_ignored("?", "\xe9", true);
	assert_ignored("\xe9*", "\xe8", false);
	assert_ignored("*.{js,ts}", "a.js", false);
	assert_ignored("*.{js,ts}", "a.{js,ts}", true);
	assert_ignored("**", "a\nb/c", true);
	assert_ignored("a/**/c", "a/\n/c", false);
	assert_ignored("a/**/c", "a/c", true);
	assert_ignored("a**c", "ab/xc", false);
	assert_ignored("a**c", "ab/c", true);
	assert_ignored("**", ".", false);
}

static void assert_refused(const char *pattern, ocib_errc code)
{
	ob_autodone(ob_strlist) patterns = {0};
	ob_auto(ob_ignore) ignore = NULL;

	assert_int_equal(ob_strlist_add(&patterns, pattern), 0);
	assert_int_equal(ob_ignore_new(&patterns, &ignore, &t_err), code);
	t_err = ocib_error_free(t_err);
}

TEST(match__malformed_patterns_are_refused)
{
	static const char *const patterns[] = {"[",          "a*[",     "[]",   "[a",
					       "\\",         "x*\\",    "a\\q", "[b-a]",
					       "[[:nope:]]", "a*[z-a]", "!",    "\\p{L}"};
	char longer[OB_LIMIT_IGNORE_PATTERN + 2];

	for (size_t i = 0; i < OB_ARRAY_LEN(patterns); i++)
		assert_refused(patterns[i], OCIB_ERR_SYNTAX);
	memset(longer, 'a', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	assert_refused(longer, OCIB_ERR_LIMIT);
}

TEST(explain__names_the_pattern)
{
	ob_auto(ob_ignore) ignore = ignore_of("a * !b b/*.log");

	assert_int_equal(ob_ignore_explain(ignore, "a"), 0);
	assert_int_equal(ob_ignore_explain(ignore, "x/y"), 1);
	assert_int_equal(ob_ignore_explain(ignore, "b/c"), 2);
	assert_int_equal(ob_ignore_explain(ignore, "b/c.log"), 3);
	ignore = (ob_ignore_free(ignore), ignore_of("a"));
	assert_int_equal(ob_ignore_explain(ignore, "b"), -1);
}

/* The state of dir, and whether it is excluded. */
static bool walk_to(const ob_ignore *ignore, const char *dir, char *states)
{
	size_t size = ob_ignore_state_size(ignore), at = 0;
	bool excluded = false;
	char path[256];

	ob_ignore_root(ignore, states);
	do {
		at += strcspn(dir + at, "/");
		memcpy(path, dir, at);
		path[at] = '\0';
		excluded = ob_ignore_step(ignore, states, path, states + size);
		memmove(states, states + size, size);
	} while (dir[at++]);
	return excluded;
}

static void assert_enters(const char *patterns, const char *dir, bool wanted)
{
	ob_auto(ob_ignore) ignore = ignore_of(patterns);
	ob_autofree char *states = malloc(2 * ob_ignore_state_size(ignore));

	assert_non_null(states);
	assert_true(walk_to(ignore, dir, states));
	if (ob_ignore_may_reinclude(ignore, dir, states) != wanted)
		fail_msg("'%s' with '%s'", dir, patterns);
}

TEST(may_reinclude__only_where_a_later_exception_can_match)
{
	assert_enters("node_modules", "node_modules", false);
	assert_enters("* !a/b", "a", true);
	assert_enters("* !a/b", "c", false);
	assert_enters("* !a/b", "a/c", false);
	assert_enters("!**/x b", "b", false);
	assert_enters("b !**/x", "b", true);
	assert_enters("b !*/x", "b/c", false);
	assert_enters("* !a*c/d", "abc", true);
	assert_enters("* !a*c/d", "abd", false);
}

static uint32_t random_state = 1;

static uint32_t draw(uint32_t below)
{
	random_state = random_state * 1664525 + 1013904223;
	return (random_state >> 16) % below;
}

static void draw_text(char *out, const char *const *pieces, uint32_t count, uint32_t most)
{
	out[0] = '\0';
	for (uint32_t n = 1 + draw(most); n > 0; n--)
		strcat(out, pieces[draw(count)]);
}

static ob_ignore *draw_ignore(void)
{
	static const char *const pieces[] = {"*",  "**",    "?",    "/", "a",    "b",
					     "ab", "[a-c]", "[^a]", ".", "/**/", "\n"};
	ob_ignore *ignore = NULL;

	while (!ignore) {
		ob_autodone(ob_strlist) patterns = {0};

		for (uint32_t n = 1 + draw(6); n > 0; n--) {
			char text[64];

			draw_text(text, pieces, OB_ARRAY_LEN(pieces), 6);
			assert_int_equal(
				ob_strlist_add_printf(&patterns, "%s%s", draw(3) ? "" : "!", text),
				0);
		}
		(void)ob_ignore_new(&patterns, &ignore, NULL);
	}
	return ignore;
}

/* What the walk says of a path and of the file of that name; pruned: a walker would not have come here. */
static void assert_walk_agrees(const ob_ignore *ignore, const char *path)
{
	size_t size = ob_ignore_state_size(ignore), at = 0;
	ob_autofree char *states = malloc(2 * size);
	bool excluded = false, pruned = false;
	char dir[256];

	assert_non_null(states);
	ob_ignore_root(ignore, states);
	do {
		at += strcspn(path + at, "/");
		memcpy(dir, path, at);
		dir[at] = '\0';
		assert_int_equal(ob_ignore_step(ignore, states, dir, NULL),
				 excluded = ob_ignore_step(ignore, states, dir, states + size));
		assert_int_equal(excluded, ob_ignore_match(ignore, dir));
		assert_false(pruned && !excluded);
		memmove(states, states + size, size);
		pruned = pruned || (excluded && !ob_ignore_may_reinclude(ignore, dir, states));
	} while (path[at++]);
}

TEST(walk__has_the_same_answer_as_match)
{
	static const char *const pieces[] = {"a", "b", "ab", "c",  ".x",
					     "/", "/", "/",  "\n", "\xc3\xa9"};

	for (int i = 0; i < 3000; i++) {
		ob_auto(ob_ignore) ignore = draw_ignore();

		for (int n = 0; n < 10; n++) {
			char path[128], clean[128];
			size_t len = 0;

			draw_text(path, pieces, OB_ARRAY_LEN(pieces), 12);
			for (const char *c = path; *c; c++)
				if (*c != '/' || (len > 0 && clean[len - 1] != '/'))
					clean[len++] = *c;
			len -= len > 0 && clean[len - 1] == '/';
			clean[len] = '\0';
			if (len > 0 && strcmp(clean, ".") != 0)
				assert_walk_agrees(ignore, clean);
		}
	}
}

TEST(walk__of_many_paths_and_patterns)
{
	ob_autodone(ob_strlist) patterns = {0};
	ob_auto(ob_ignore) ignore = NULL;
	size_t excluded = 0;
	char path[64];

	for (int i = 0; i < 50; i++) {
		ob_strlist_add_printf(&patterns, "**/*.ext%d", i);
		ob_strlist_add_printf(&patterns, "dir%d/**", i);
		ob_strlist_add_printf(&patterns, "!dir%d/keep*", i);
		ob_strlist_add_printf(&patterns, "a*%d*b", i);
	}
	ASSERT_OK(ob_ignore_new(&patterns, &ignore, &t_err));
	ob_autofree char *states = malloc(2 * ob_ignore_state_size(ignore));
	assert_non_null(states);
	char *below = states + ob_ignore_state_size(ignore);
	ob_ignore_root(ignore, states);
	for (int dir = 0; dir < 100; dir++) {
		sprintf(path, "dir%d", dir);
		ob_ignore_step(ignore, states, path, below);
		for (int file = 0; file < 100; file++) {
			sprintf(path, "dir%d/%s%d.ext%d", dir, file % 2 ? "keep" : "f", file, file);
			excluded += ob_ignore_step(ignore, below, path, NULL);
		}
	}
	/* dir0 to dir49: half, and of what is kept 1 + 3 + … + 49 by a later "*.ext"; then .ext0 to .ext49. */
	assert_int_equal(excluded, 50 * 50 + 625 + 50 * 50);
}

TEST(read__lines_become_patterns_with_numbers)
{
	static const char text[] =
		"\xef\xbb\xbf# comment\r\n\r\n  /a/../b/ \n #c\n! /d\n!\n\t\n/\n.//e";
	static const char *const wanted[] = {"b", "#c", "!d", "!", "/", "e"};
	static const unsigned lines[] = {3, 4, 5, 6, 8, 9};
	ob_autodone(ob_strlist) patterns = {0};
	ob_autofree unsigned *numbers = NULL;

	ASSERT_OK(ob_ignore_read(text, sizeof(text) - 1, &patterns, &numbers, &t_err));
	assert_int_equal(patterns.len, OB_ARRAY_LEN(wanted));
	for (size_t i = 0; i < patterns.len; i++) {
		assert_string_equal(patterns.items[i], wanted[i]);
		assert_int_equal(numbers[i], lines[i]);
	}
}

TEST(read__refuses_what_is_no_text)
{
	ob_autodone(ob_strlist) patterns = {0};
	ob_autofree char *huge = calloc(1, OB_LIMIT_IGNORE_FILE + 1);

	assert_non_null(huge);
	ASSERT_ERROR(ob_ignore_read("a\nb\0c", 5, &patterns, NULL, &t_err), OCIB_ERR_SYNTAX,
		     "line 2 has a NUL byte");
	ASSERT_ERROR(ob_ignore_read(huge, OB_LIMIT_IGNORE_FILE + 1, &patterns, NULL, &t_err),
		     OCIB_ERR_LIMIT, "OB_LIMIT_IGNORE_FILE");
}

TEST(glob__is_filepath_match)
{
	static const struct {
		const char *pattern, *name;
		bool match, bad;
	} cases[] = {
		{"abc", "abc", true, false},
		{"*", "abc", true, false},
		{"*", "a/b", false, false},
		{"*c", "abc", true, false},
		{"a*/b", "abc/b", true, false},
		{"a*b*c*d*e*/f", "axbxcxdxexxx/f", true, false},
		{"a*b*c*d*e*/f", "axbxcxdxe/xxx/f", false, false},
		{"a*b?c*x", "abxbbxdbxebxczzx", true, false},
		{"ab[c]", "abc", true, false},
		{"ab[^c]", "abc", false, false},
		{"a\\*b", "a*b", true, false},
		{"a\\*b", "ab", false, false},
		{"a?b",
		 "a\xe2\x98\xba"
		 "b",
		 true, false},
		{"a[^a]b",
		 "a\xe2\x98\xba"
		 "b",
		 true, false},
		{"a???b",
		 "a\xe2\x98\xba"
		 "b",
		 false, false},
		{"[a-\xce\xb6]*", "\xce\xb1", true, false},
		{"*[a-\xce\xb6]", "A", false, false},
		{"a?b", "a/b", false, false},
		{"[\\]a]", "]", true, false},
		{"[\\-x]", "-", true, false},
		{"[x-]", "x", false, true},
		{"[]a]", "]", false, true},
		{"[-]", "-", false, true},
		{"[a-b-c]", "a", false, true},
		{"[", "a", false, true},
		{"a[", "a", false, true},
		{"\\", "a", false, true},
		{"*x", "xxx", true, false},
		{"", "", true, false},
		{"", "a", false, false},
		{"x*[", "y", false, false},
		{"**a**", "bab", true, false},
	};

	for (size_t i = 0; i < OB_ARRAY_LEN(cases); i++) {
		bool bad;
		bool match = ob_glob_match(cases[i].pattern, cases[i].name, &bad);

		if (match != cases[i].match || bad != cases[i].bad)
			fail_msg("'%s' on '%s': %d %d", cases[i].pattern, cases[i].name, match,
				 bad);
	}
	assert_true(ob_glob_has_magic("a[b"));
	assert_true(ob_glob_has_magic("a\\*?"));
	assert_false(ob_glob_has_magic("a\\*b"));
}
