/* Ignore files and patterns against the shared vectors. */
#include "dockerfile/ignore.h"
#include "dockerfile/ignore_regexp.h"
#include "vectors.h"

static bool check_match(const ob_json *vector)
{
	const char *path = ob_json_get_str(vector, "path");
	ob_autodone(ob_strlist) patterns = {0};
	ob_auto(ob_ignore) ignore = NULL;
	ocib_errc r;

	assert_int_equal(ob_json_get_strlist(vector, "patterns", &patterns), 0);
	r = ob_ignore_new(&patterns, &ignore, &t_err);
	if (ob_json_get_bool(vector, "error"))
		return r == OCIB_ERR_SYNTAX || VECTOR_WRONG(vector, "was not refused");
	if (r != OCIB_OK)
		return VECTOR_WRONG(vector, "%s", ocib_error_message(t_err));
	return ob_ignore_match(ignore, path) == ob_json_get_bool(vector, "match") ||
	       VECTOR_WRONG(vector, "'%s' matching '%s' is wrong", patterns.items[0], path);
}

/* Informative: that the pattern compiles is all that can be asked. */
static bool check_compile(const ob_json *vector)
{
	ob_autodone(ob_regexp) regexp = {0};

	return ob_regexp_compile(ob_json_get_str(vector, "pattern"), &regexp, &t_err) == OCIB_OK ||
	       VECTOR_WRONG(vector, "%s", ocib_error_message(t_err));
}

static bool check_file(const ob_json *vector)
{
	const char *text = ob_json_get_str(vector, "text");
	ob_autodone(ob_strlist) patterns = {0};

	ASSERT_OK(ob_ignore_read(text, strlen(text), &patterns, NULL, &t_err));
	return same_texts(ob_json_get(vector, "patterns"), (const char *const *)patterns.items,
			  patterns.len) ||
	       VECTOR_WRONG(vector, "%zu patterns in '%s'", patterns.len, text);
}

TEST(vectors__patterns_match_paths)
{
	run_vectors("patternmatcher", check_match);
}

TEST(vectors__patterns_compile)
{
	run_vectors("patternmatcher-compile", check_compile);
}

TEST(vectors__ignore_files_are_read)
{
	run_vectors("ignorefile", check_file);
}
