/* The shell lexer against the shared vectors. */
#include "dockerfile/shell_lexer.h"
#include "vectors.h"

static void make_env(const ob_json *vector, ob_strlist *env)
{
	const ob_json *value;
	const char *key;

	ob_json_foreach (ob_json_get(vector, "env"), key, value)
		assert_int_equal(ob_env_set(env, key, ob_json_str(value)), 0);
}

static ob_shell_options options_of(const ob_json *vector)
{
	return (ob_shell_options){.escape = *ob_json_get_str(vector, "escape")};
}

/* In any order; where the vector does not say, all is right. */
static bool same_names(const ob_json *wanted, const ob_strlist *names)
{
	if (!wanted)
		return true;
	for (size_t i = 0; i < ob_json_len(wanted); i++)
		if (!ob_strlist_contains(names, ob_json_str(ob_json_at(wanted, i))))
			return false;
	return ob_json_len(wanted) == names->len;
}

static bool check_word(const ob_json *vector)
{
	ob_autodone(ob_strlist) env = {0};
	ob_autodone(ob_strlist) matched = {0};
	ob_autodone(ob_strlist) unmatched = {0};
	ob_autofree char *word = NULL;
	ob_shell_options options = options_of(vector);
	ob_shell_use use = {&matched, &unmatched};
	ocib_errc r;

	make_env(vector, &env);
	r = ob_shell_word(ob_json_get_str(vector, "input"), &env, &options, &use, &word, &t_err);
	if (ob_json_get_bool(vector, "error"))
		return r == OCIB_ERR_SYNTAX || VECTOR_WRONG(vector, "was not refused");
	if (r != OCIB_OK)
		return VECTOR_WRONG(vector, "%s", ocib_error_message(t_err));
	if (strcmp(word, ob_json_get_str(vector, "word")) != 0)
		return VECTOR_WRONG(vector, "'%s' gives '%s', not '%s'",
				    ob_json_get_str(vector, "input"), word,
				    ob_json_get_str(vector, "word"));
	return (same_names(ob_json_get(vector, "matched"), &matched) &&
		same_names(ob_json_get(vector, "unmatched"), &unmatched)) ||
	       VECTOR_WRONG(vector, "%zu matched, %zu unmatched", matched.len, unmatched.len);
}

static bool check_words(const ob_json *vector)
{
	ob_autodone(ob_strlist) env = {0};
	ob_autodone(ob_strlist) words = {0};
	ob_shell_options options = options_of(vector);
	ocib_errc r;

	make_env(vector, &env);
	r = ob_shell_words(ob_json_get_str(vector, "input"), &env, &options, &words, &t_err);
	if (ob_json_get_bool(vector, "error"))
		return r == OCIB_ERR_SYNTAX || VECTOR_WRONG(vector, "was not refused");
	if (r != OCIB_OK)
		return VECTOR_WRONG(vector, "%s", ocib_error_message(t_err));
	return same_texts(ob_json_get(vector, "words"), (const char *const *)words.items,
			  words.len) ||
	       VECTOR_WRONG(vector, "'%s' gives %zu words", ob_json_get_str(vector, "input"),
			    words.len);
}

TEST(vectors__words_are_expanded)
{
	run_vectors("shell-word", check_word);
}

TEST(vectors__words_are_split_after_expansion)
{
	run_vectors("shell-words", check_words);
}
