/* fuzz_shell_word.c — options, an environment and a word through the shell lexer.
 *
 * Input: a line whose letters are options (q: raw quotes, e: raw escapes, s: skip unset, p: quotes are plain,
 * b: the escape character is a backtick), lines NAME=VALUE, an empty line, the word.
 */
#undef NDEBUG
#include <assert.h>
#include <stdint.h>
#include <string.h>
#include "base/cleanup.h"
#include "base/limits.h"
#include "dockerfile/heredoc.h"
#include "dockerfile/shell_lexer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static ob_shell_options read_options(const char *line, size_t len)
{
	return (ob_shell_options){
		.escape = memchr(line, 'b', len) ? '`' : '\\',
		.raw_quotes = memchr(line, 'q', len),
		.raw_escapes = memchr(line, 'e', len),
		.skip_unset = memchr(line, 's', len),
		.skip_process_quotes = memchr(line, 'p', len),
	};
}

/* The word behind the environment. */
static const char *read_env(const char *text, ob_strlist *env)
{
	while (*text && *text != '\n') {
		size_t len = strcspn(text, "\n");

		assert(ob_strlist_add_len(env, text, len) == 0);
		text += len + (text[len] == '\n');
	}
	return text + (*text == '\n');
}

/* Where nothing is expanded or removed, a field begins with what stands where it begins; what comes out of
 * a ${…} may be several. */
static void check_split(const char *word)
{
	static const ob_shell_options keep = {
		.escape = '\\', .raw_quotes = true, .raw_escapes = true, .skip_unset = true};
	ob_autodone(ob_strlist) fields = {0};
	ob_autofree size_t *starts = NULL;

	if (ob_shell_split(word, &keep, &fields, &starts, NULL) != OCIB_OK)
		return;
	for (size_t i = 0; i < fields.len; i++) {
		assert(starts[i] < strlen(word) && (i == 0 || starts[i] >= starts[i - 1]));
		assert(word[starts[i]] == '$' || *fields.items[i] == word[starts[i]]);
		(void)ob_heredoc_is_word(fields.items[i]);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	ob_autofree char *text = strndup((const char *)data, size), *out = NULL;
	ob_autodone(ob_strlist) env = {0};
	ob_autodone(ob_strlist) matched = {0};
	ob_autodone(ob_strlist) unmatched = {0};
	ob_autodone(ob_strlist) fields = {0};
	ob_shell_use use = {&matched, &unmatched};
	ob_shell_options options;
	const char *word;
	size_t len;
	ocib_errc r;

	assert(text);
	len = strcspn(text, "\n");
	options = read_options(text, len);
	word = read_env(text + len + (text[len] == '\n'), &env);
	r = ob_shell_word(word, &env, &options, &use, &out, NULL);
	assert(r == OCIB_OK || r == OCIB_ERR_SYNTAX || r == OCIB_ERR_LIMIT);
	assert((r == OCIB_OK) == (out != NULL));
	for (size_t i = 0; i < unmatched.len; i++)
		assert(!ob_strlist_contains(&matched, unmatched.items[i]));
	if (r != OCIB_ERR_LIMIT)
		assert(ob_shell_words(word, &env, &options, &fields, NULL) == r);
	check_split(word);
	return 0;
}
