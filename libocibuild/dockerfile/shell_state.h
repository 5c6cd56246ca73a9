/* dockerfile/shell_state.h — what shell_lexer.c (quotes, fields) and shell_expand.c ($…) share. */
#ifndef OB_DOCKERFILE_SHELL_STATE_H
#define OB_DOCKERFILE_SHELL_STATE_H

#include "base/buffer.h"
#include "base/map.h"
#include "dockerfile/shell_lexer.h"

#define OB_SHELL_END (-1)

typedef struct ob_shell_state {
	const char *text;
	size_t len, pos;
	const ob_shell_options *options;
	const ob_strlist *env;
	const ob_shell_use *use;
	ob_map *index; /* name to value, made once a word asks for many variables */
	ob_map *seen;  /* names already in use */
	unsigned lookups;
	uint64_t steps;   /* spent, of OB_LIMIT_SHELL_STEPS */
	unsigned depth;   /* of ${…} in ${…} */
	bool raw_escapes; /* keep escapes here */
	ocib_error **err;
} ob_shell_state;

static inline int ob_shell_peek(const ob_shell_state *state)
{
	return state->pos < state->len ? (unsigned char)state->text[state->pos] : OB_SHELL_END;
}

static inline int ob_shell_next(ob_shell_state *state)
{
	int c = ob_shell_peek(state);

	state->pos += c != OB_SHELL_END;
	return c;
}

/** Append what stands before the character @p stop, which is consumed. In shell_lexer.c. */
ocib_errc ob_shell_until(ob_shell_state *state, char stop, bool raw_escapes, ob_buffer *out);
/** At a '$': append what it stands for. In shell_expand.c. */
ocib_errc ob_shell_dollar(ob_shell_state *state, ob_buffer *out);

#endif
