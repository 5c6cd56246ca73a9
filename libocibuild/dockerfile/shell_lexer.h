/* dockerfile/shell_lexer.h — BuildKit's shell-like words: quotes removed, ${…} of every form expanded. */
#ifndef OB_DOCKERFILE_SHELL_LEXER_H
#define OB_DOCKERFILE_SHELL_LEXER_H

#include <stdbool.h>
#include <stddef.h>
#include "base/error.h"
#include "base/strlist.h"

typedef struct ob_shell_options {
	char escape;              /**< '\\' or '`' */
	bool raw_quotes;          /**< keep quotes in the result */
	bool raw_escapes;         /**< keep escapes */
	bool skip_unset;          /**< leave unset variables as written */
	bool skip_process_quotes; /**< quotes are ordinary characters (heredoc bodies) */
} ob_shell_options;

typedef struct ob_shell_use { /**< which variables a word asked for; both may be NULL */
	ob_strlist *matched;
	ob_strlist *unmatched;
} ob_shell_use;

/** One word; *out malloc'ed. @p env is KEY=VALUE. Kinds: SYNTAX (no location), LIMIT. */
ocib_errc ob_shell_word(const char *word, const ob_strlist *env, const ob_shell_options *options,
			const ob_shell_use *use, char **out, ocib_error **err);
/** Split into fields after expansion, appended to @p out. Same kinds. */
ocib_errc ob_shell_words(const char *word, const ob_strlist *env, const ob_shell_options *options,
			 ob_strlist *out, ocib_error **err);
/** The same without variables; *starts gets the offset in @p text where each field begins. */
ocib_errc ob_shell_split(const char *text, const ob_shell_options *options, ob_strlist *out,
			 size_t **starts, ocib_error **err);

#endif
