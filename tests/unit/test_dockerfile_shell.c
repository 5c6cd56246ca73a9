/* The shell lexer beyond the shared vectors: options, limits, odd substitutions. */
#include <stdlib.h>
#include "base/buffer.h"
#include "base/limits.h"
#include "dockerfile/shell_lexer.h"
#include "harness.h"

static ob_strlist env_of(const char *const *entries)
{
	ob_strlist env = {0};

	for (; entries && *entries; entries++)
		assert_int_equal(ob_strlist_add(&env, *entries), 0);
	return env;
}

static const char *const usual[] = {
	"x=X y",    "empty=",   "path=/a/b.tar.gz",         "lines=a\nb",
	"star=a*b", "name_1=n", "\xc3\xa9t\xc3\xa9=summer", NULL};

static void assert_expands(const char *word, ob_shell_options options, const char *wanted)
{
	ob_autodone(ob_strlist) env = env_of(usual);
	ob_autofree char *out = NULL;

	options.escape = options.escape ? options.escape : '\\';
	ASSERT_OK(ob_shell_word(word, &env, &options, NULL, &out, &t_err));
	if (strcmp(out, wanted) != 0)
		fail_msg("'%s' gives '%s', not '%s'", word, out, wanted);
}

static void assert_fails(const char *word, ocib_errc code, const char *text)
{
	ob_autodone(ob_strlist) env = env_of(usual);
	ob_autofree char *out = NULL;
	ob_shell_options options = {.escape = '\\'};

	ASSERT_ERROR(ob_shell_word(word, &env, &options, NULL, &out, &t_err), code, text);
	assert_null(out);
}

TEST(options__change_what_is_kept)
{
	assert_expands("'a' \"b$x\" \\c", (ob_shell_options){.raw_quotes = true}, "'a' \"bX y\" c");
	assert_expands("'a' \"\\\"\" \\c", (ob_shell_options){.raw_escapes = true}, "a \\\" \\c");
	assert_expands("$x $no ${no} ${no:-y} ${no/a/b}", (ob_shell_options){.skip_unset = true},
		       "X y $no ${no} ${no:-y} ${no/a/b}");
	assert_expands("it's \"$x\" \\$x", (ob_shell_options){.skip_process_quotes = true},
		       "it's \"X y\" $x");
	assert_expands("c:\\d`$x \"`\"\"", (ob_shell_options){.escape = '`'}, "c:\\d$x \"");
}

TEST(names__may_have_any_letter_and_end_where_they_must)
{
	assert_expands("$\xc3\xa9t\xc3\xa9!", (ob_shell_options){0}, "summer!");
	assert_expands("$name_1.x ${name_1}2 $name_12", (ob_shell_options){0}, "n.x n2 ");
	assert_expands("$ $. $\xff", (ob_shell_options){0}, "$ $. $\xff");
	assert_expands("$@$*$#$?$-$$$!x", (ob_shell_options){0}, "x");
}

TEST(patterns__trim_and_replace)
{
	assert_expands("${path##*/} ${path%%.*} ${path%.*} ${path#*/}", (ob_shell_options){0},
		       "b.tar.gz /a/b /a/b.tar a/b.tar.gz");
	assert_expands("${star#a\\*} ${star%\\*b} ${star/\\*/-}", (ob_shell_options){0}, "b a a-b");
	assert_expands("${path/\\//_} ${path//\\//_} ${path//?/x}", (ob_shell_options){0},
		       "_a/b.tar.gz _a_b.tar.gz xxxxxxxxxxx");
	assert_expands("${x//'y'/'<$0$$>'} ${x/y/'$0'} ${x//X/'$1-${name}$'}",
		       (ob_shell_options){0}, "X <y$> X $0 -$ y");
	assert_expands("${path//*/r}|${empty//*/r}|${x///-}", (ob_shell_options){0}, "r|r|-X- -y-");
}

TEST(patterns__do_not_cross_newlines)
{
	assert_expands("${lines#*b}", (ob_shell_options){0}, "a\nb");
	assert_expands("${lines##*}", (ob_shell_options){0}, "\nb");
	assert_expands("${lines//*/r}", (ob_shell_options){0}, "r\nr");
}

TEST(patterns__take_the_longest_and_the_shortest)
{
	ob_autodone(ob_strlist) env = {0};
	ob_shell_options options = {.escape = '\\'};
	ob_autofree char *out = NULL;

	assert_int_equal(ob_strlist_add(&env, "v=xaxbxaxb"), 0);
	ASSERT_OK(ob_shell_word("${v#x*b} ${v##x*b} ${v%a*b} ${v%%a*b} ${v#*a*x} ${v##*a*x}", &env,
				&options, NULL, &out, &t_err));
	assert_string_equal(out, "xaxb  xaxbx x bxaxb b");
}

TEST(errors__say_what_is_missing)
{
	assert_fails("${x", OCIB_ERR_SYNTAX, "missing '}'");
	assert_fails("${x:-\"a}", OCIB_ERR_SYNTAX, "missing '}'");
	assert_fails("${x/a}", OCIB_ERR_SYNTAX, "missing '/'");
	assert_fails("${}", OCIB_ERR_SYNTAX, "bad substitution");
	assert_fails("${x^^}", OCIB_ERR_SYNTAX, "unsupported modifier '^'");
	assert_fails("${x:=1}", OCIB_ERR_SYNTAX, "unsupported modifier ':='");
	assert_fails("${x#\\q}", OCIB_ERR_SYNTAX, "invalid pattern '\\q'");
	assert_fails("${no?}", OCIB_ERR_SYNTAX, "no: is not allowed to be unset");
	assert_fails("${empty:?}", OCIB_ERR_SYNTAX, "empty: is not allowed to be empty");
	assert_fails("${no:?say $x}", OCIB_ERR_SYNTAX, "no: say X y");
	assert_fails("a'b", OCIB_ERR_SYNTAX, "single quote");
}

TEST(words__keep_the_beginning_of_a_field)
{
	ob_shell_options options = {.escape = '\\'};
	ob_autodone(ob_strlist) words = {0};

	ASSERT_OK(ob_shell_words("80${no:-80} a${no-b c}d", NULL, &options, &words, &t_err));
	assert_int_equal(words.len, 3);
	assert_string_equal(words.items[0], "8080");
	assert_string_equal(words.items[1], "ab");
	assert_string_equal(words.items[2], "cd");
}

TEST(split__says_where_fields_begin)
{
	ob_shell_options options = {.escape = '\\', .raw_quotes = true, .raw_escapes = true};
	ob_autodone(ob_strlist) words = {0};
	ob_autofree size_t *starts = NULL;

	ASSERT_OK(ob_shell_split("  a \"b c\"d <<- E\\ F", &options, &words, &starts, &t_err));
	assert_int_equal(words.len, 3);
	assert_string_equal(words.items[1], "\"b c\"d");
	assert_string_equal(words.items[2], "<<- E\\ F");
	assert_int_equal(starts[0], 2);
	assert_int_equal(starts[1], 4);
	assert_int_equal(starts[2], 11);
}

TEST(limits__nesting)
{
	char word[4096] = "";

	for (int i = 0; i < OB_LIMIT_SHELL_DEPTH; i++)
		strcat(word, "${no-");
	strcat(word, "deep");
	for (int i = 0; i < OB_LIMIT_SHELL_DEPTH; i++)
		strcat(word, "}");
	assert_expands(word, (ob_shell_options){0}, "deep");
	memmove(word + 5, word, strlen(word) + 1);
	memcpy(word, "${no-", 5);
	assert_fails(word, OCIB_ERR_LIMIT, "OB_LIMIT_SHELL_DEPTH");
}

/* An environment with one variable v of len characters. */
static ob_strlist env_of_length(size_t len)
{
	ob_strlist env = {0};
	ob_autofree char *entry = malloc(len + 3);

	assert_non_null(entry);
	memset(entry, 'x', len + 2);
	memcpy(entry, "v=", 2);
	entry[len + 2] = '\0';
	assert_int_equal(ob_strlist_add(&env, entry), 0);
	return env;
}

TEST(limits__expansion)
{
	ob_autodone(ob_strlist) env = env_of_length(OB_LIMIT_EXPANSION / 2);
	ob_shell_options options = {.escape = '\\'};
	ob_autofree char *out = NULL;

	ASSERT_OK(ob_shell_word("$v$v", &env, &options, NULL, &out, &t_err));
	ASSERT_ERROR(ob_shell_word("$v$v.", &env, &options, NULL, &out, &t_err), OCIB_ERR_LIMIT,
		     "OB_LIMIT_EXPANSION");
	ASSERT_ERROR(ob_shell_word("${v/x/$v$v}", &env, &options, NULL, &out, &t_err),
		     OCIB_ERR_LIMIT, "OB_LIMIT_EXPANSION");
}

/* What is not kept costs as well. */
TEST(limits__work_of_a_word)
{
	ob_autodone(ob_strlist) env = env_of_length(10000);
	ob_shell_options options = {.escape = '\\'};
	ob_autofree char *out = NULL;

	static const char *const words[] = {"${v##$v}", "${no:+$v}",
					    "${v//?/'$1$1$1$1$1$1$1$1$1$1'}", "${v%%?*x}"};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		ob_autodone(ob_buffer) word = OB_BUFFER_INIT(OB_MIB, "word");

		for (int n = 0; n < 10000; n++)
			ob_buffer_append_str(&word, words[i]);
		ASSERT_ERROR(ob_shell_word(word.data, &env, &options, NULL, &out, &t_err),
			     OCIB_ERR_LIMIT, "OB_LIMIT_SHELL_STEPS");
	}
}

TEST(use__names_are_listed_once)
{
	ob_autodone(ob_strlist) env = env_of(usual);
	ob_autodone(ob_strlist) matched = {0};
	ob_autodone(ob_strlist) unmatched = {0};
	ob_shell_use use = {&matched, &unmatched};
	ob_shell_options options = {.escape = '\\'};
	ob_autofree char *out = NULL;

	ASSERT_OK(ob_shell_word("$x$x${no}${no:-$star}'$path'${empty:+$y}", &env, &options, &use,
				&out, &t_err));
	assert_int_equal(matched.len, 3);
	assert_string_equal(matched.items[0], "x");
	assert_int_equal(unmatched.len, 2);
	assert_string_equal(unmatched.items[1], "y");
}

/* Many variables, many uses: looked up in an index after the first few. */
TEST(lookups__of_many_variables)
{
	ob_autodone(ob_strlist) env = {0};
	ob_autodone(ob_buffer) word = OB_BUFFER_INIT(OB_MIB, "word");
	ob_shell_options options = {.escape = '\\'};
	ob_autofree char *out = NULL;

	for (int i = 0; i < 10000; i++) {
		assert_int_equal(ob_strlist_add_printf(&env, "v%d=%d", i, i % 10), 0);
		ob_buffer_printf(&word, "${v%d}$v%d_", i, i);
	}
	ASSERT_OK(ob_shell_word(word.data, &env, &options, NULL, &out, &t_err));
	assert_int_equal(strlen(out), 10000);
	assert_int_equal(strncmp(out, "01234567890123", 14), 0);
}
