/* dockerfile/shell_lexer.c — quotes, escapes and fields of a word, as BuildKit's shell.Lex has them.
 *
 * It resembles a shell and is none: outside of quotes the escape character makes any next character
 * plain; in "…" only '"', '$' and itself can be escaped; "<<" and "<<-" keep the blanks behind them, so
 * that a heredoc is one field. What comes out of a '$' is split into fields at white space, what comes out
 * of quotes is not. Everything special is ASCII, so text is walked by bytes; only white space is
 * looked up as a code point.
 *
 * One difference is meant: BuildKit forgets the beginning of a field that goes on with a nested
 * substitution ("80${x:-80}" gives "80" there when split).
 */
#include "dockerfile/shell_lexer.h"
#include <string.h>
#include "base/limits.h"
#include "dockerfile/runes.h"
#include "dockerfile/shell_state.h"

/* Fields as they are found. */
typedef struct field_list {
	ob_buffer field;
	bool open; /* a field has begun; it may still be empty, as "" is */
	ob_strlist *out;
	size_t *starts;
	size_t start; /* where in the text the open field begins */
} field_list;

static ocib_errc close_field(field_list *fields, ocib_error **err)
{
	if (fields->field.len == 0)
		return ob_buffer_check(&fields->field, err);
	if (ob_buffer_check(&fields->field, err) != OCIB_OK)
		return fields->field.failed;
	/* Grows at powers of two: the list's length is its capacity's clue. */
	size_t used = fields->out->len;
	if (fields->starts && (used & (used - 1)) == 0) {
		size_t *grown = realloc(fields->starts, (used ? used * 2 : 2) * sizeof(*grown));

		if (!grown)
			return ob_fail_nomem(err);
		fields->starts = grown;
	}
	if (fields->starts)
		fields->starts[used] = fields->start;
	if (ob_strlist_add_len(fields->out, fields->field.data, fields->field.len) < 0)
		return ob_fail_nomem(err);
	ob_buffer_clear(&fields->field);
	fields->open = false;
	return OCIB_OK;
}

static void add_raw(field_list *fields, const char *text, size_t len, size_t start)
{
	if (!fields->open || fields->field.len == 0)
		fields->start = start;
	ob_buffer_append(&fields->field, text, len);
	fields->open = true;
}

/* Text that may hold white space, which ends fields. literal: it is as it is in the source. */
static ocib_errc add_split(field_list *fields, const char *text, size_t len, size_t start,
			   bool literal, ocib_error **err)
{
	ocib_errc r = OCIB_OK;

	for (size_t at = 0; at < len && r == OCIB_OK;) {
		uint32_t rune;
		size_t width = ob_rune_decode(text + at, len - at, &rune);

		if (!ob_rune_is_space(rune))
			add_raw(fields, text + at, width, literal ? start + at : start);
		else if (fields->open)
			r = close_field(fields, err);
		at += width;
	}
	return r;
}

static ocib_errc single_quote(ob_shell_state *state, ob_buffer *out)
{
	const char *start = state->text + state->pos + 1;
	const char *end = memchr(start, '\'', state->len - state->pos - 1);

	if (!end) {
		state->pos = state->len;
		return ob_fail(state->err, OCIB_ERR_SYNTAX,
			       "unexpected end while looking for the matching single quote");
	}
	if (state->options->raw_quotes)
		ob_buffer_append(out, start - 1, (size_t)(end - start) + 2);
	else
		ob_buffer_append(out, start, (size_t)(end - start));
	state->pos = (size_t)(end - state->text) + 1;
	return OCIB_OK;
}

/* The escape character in "…" was consumed. */
static void escape_in_quotes(ob_shell_state *state, ob_buffer *out)
{
	int next = ob_shell_peek(state);

	if (state->raw_escapes)
		ob_buffer_append_char(out, state->options->escape);
	if (next == OB_SHELL_END)
		return;
	if (next == '"' || next == '$' || next == state->options->escape)
		ob_buffer_append_char(out, (char)ob_shell_next(state));
	else
		ob_buffer_append_char(out, state->options->escape);
}

static ocib_errc double_quote(ob_shell_state *state, ob_buffer *out)
{
	ocib_errc r = OCIB_OK;

	state->pos++;
	if (state->options->raw_quotes)
		ob_buffer_append_char(out, '"');
	while (r == OCIB_OK) {
		int c = ob_shell_peek(state);

		if (c == '$') {
			r = ob_shell_dollar(state, out);
			continue;
		}
		if (c == OB_SHELL_END)
			return ob_fail(state->err, OCIB_ERR_SYNTAX,
				       "unexpected end while looking for the matching double "
				       "quote");
		state->pos++;
		if (c == '"') {
			if (state->options->raw_quotes)
				ob_buffer_append_char(out, '"');
			return OCIB_OK;
		}
		if (c == state->options->escape)
			escape_in_quotes(state, out);
		else
			ob_buffer_append_char(out, (char)c);
	}
	return r;
}

/* "<<" and "<<-" take the blanks behind them along. */
static void angle(ob_shell_state *state, ob_buffer *out)
{
	ob_buffer_append_char(out, (char)ob_shell_next(state));
	if (ob_shell_peek(state) != '<')
		return;
	ob_buffer_append_char(out, (char)ob_shell_next(state));
	if (ob_shell_peek(state) == '-')
		ob_buffer_append_char(out, (char)ob_shell_next(state));
	for (int c = ob_shell_peek(state); c == ' ' || c == '\t' || c == '\r';
	     c = ob_shell_peek(state))
		ob_buffer_append_char(out, (char)ob_shell_next(state));
}

/* The escape character outside of quotes: the next character is plain, at the end it is dropped. */
static void escape_outside(ob_shell_state *state, ob_buffer *out)
{
	uint32_t rune;

	if (state->raw_escapes)
		ob_buffer_append_char(out, state->text[state->pos]);
	state->pos++;
	if (state->pos == state->len)
		return;
	size_t width = ob_rune_decode(state->text + state->pos, state->len - state->pos, &rune);
	ob_buffer_append(out, state->text + state->pos, width);
	state->pos += width;
}

/* Plain text up to the next character that means something. */
static void plain(ob_shell_state *state, int stop, ob_buffer *out)
{
	size_t start = state->pos;

	do
		state->pos++;
	while (ob_shell_peek(state) != OB_SHELL_END && ob_shell_peek(state) != stop &&
	       ob_shell_peek(state) != state->options->escape &&
	       !strchr("$<'\"", ob_shell_peek(state)));
	ob_buffer_append(out, state->text + start, state->pos - start);
}

typedef enum piece_kind {
	PROTECTED, /* white space in it is part of the field */
	EXPANDED,  /* white space in it ends fields */
	LITERAL    /* so it does here, and it is as it is in the source */
} piece_kind;

/* One piece: a quoted string, a substitution, an escaped character, plain text. */
static ocib_errc piece(ob_shell_state *state, int stop, ob_buffer *out, piece_kind *kind)
{
	int c = ob_shell_peek(state);

	*kind = PROTECTED;
	if (c == '$') {
		*kind = EXPANDED;
		return ob_shell_dollar(state, out);
	}
	if (c == '\'' && !state->options->skip_process_quotes)
		return single_quote(state, out);
	if (c == '"' && !state->options->skip_process_quotes)
		return double_quote(state, out);
	if (c == '<') {
		angle(state, out);
	} else if (c == state->options->escape) {
		escape_outside(state, out);
	} else {
		*kind = LITERAL;
		plain(state, stop, out);
	}
	return OCIB_OK;
}

/* Everything, or what is before stop; fields may be NULL. */
static ocib_errc process(ob_shell_state *state, int stop, ob_buffer *out, field_list *fields)
{
	while (ob_shell_peek(state) != OB_SHELL_END) {
		size_t before = out->len, start = state->pos;
		piece_kind kind;
		ocib_errc r;

		if (ob_shell_peek(state) == stop) {
			state->pos++;
			return OCIB_OK;
		}
		r = piece(state, stop, out, &kind);
		if (r == OCIB_OK)
			r = ob_buffer_check(out, state->err);
		if (r != OCIB_OK)
			return r;
		if (!fields || out->len == before)
			continue;
		if (kind != PROTECTED)
			r = add_split(fields, out->data + before, out->len - before, start,
				      kind == LITERAL, state->err);
		else
			add_raw(fields, out->data + before, out->len - before, start);
		if (r != OCIB_OK)
			return r;
	}
	if (stop != OB_SHELL_END)
		return ob_fail(state->err, OCIB_ERR_SYNTAX,
			       "unexpected end while looking for the matching '%c'", stop);
	return fields ? close_field(fields, state->err) : OCIB_OK;
}

ocib_errc ob_shell_until(ob_shell_state *state, char stop, bool raw_escapes, ob_buffer *out)
{
	bool outer = state->raw_escapes;
	ocib_errc r;

	if (state->depth >= OB_LIMIT_SHELL_DEPTH)
		return ob_fail(state->err, OCIB_ERR_LIMIT,
			       "substitutions are nested deeper than %d (OB_LIMIT_SHELL_DEPTH)",
			       OB_LIMIT_SHELL_DEPTH);
	state->depth++;
	state->raw_escapes = raw_escapes;
	r = process(state, stop, out, NULL);
	state->raw_escapes = outer;
	state->depth--;
	return r;
}

/* How much of the text an error shows, on a character's border. */
static size_t shown_len(const ob_shell_state *state)
{
	size_t len = state->len < 64 ? state->len : 64;

	while (len < state->len && len > 0 && ((unsigned char)state->text[len] & 0xc0) == 0x80)
		len--;
	return len;
}

static ocib_errc run(const char *text, const ob_strlist *env, const ob_shell_options *options,
		     const ob_shell_use *use, ob_buffer *out, field_list *fields, ocib_error **err)
{
	ob_shell_state state = {
		.text = text,
		.len = strlen(text),
		.options = options,
		.env = env,
		.use = use,
		.raw_escapes = options->raw_escapes,
		.err = err,
	};
	ocib_errc r = process(&state, OB_SHELL_END, out, fields);

	ob_map_free(state.index);
	ob_map_free(state.seen);
	if (r == OCIB_ERR_SYNTAX || r == OCIB_ERR_LIMIT)
		ob_wrap(err, r, "cannot expand '%.*s%s'", (int)shown_len(&state), text,
			shown_len(&state) < state.len ? "..." : "");
	return r;
}

ocib_errc ob_shell_word(const char *word, const ob_strlist *env, const ob_shell_options *options,
			const ob_shell_use *use, char **out, ocib_error **err)
{
	ob_autodone(ob_buffer) result =
		OB_BUFFER_INIT(OB_LIMIT_EXPANSION, "expanded word (OB_LIMIT_EXPANSION)");
	ocib_errc r = run(word, env, options, use, &result, NULL, err);

	return r == OCIB_OK ? ob_buffer_finish(&result, out, err) : r;
}

static ocib_errc run_fields(const char *text, const ob_strlist *env,
			    const ob_shell_options *options, ob_strlist *out, size_t **starts,
			    ocib_error **err)
{
	ob_autodone(ob_buffer) result =
		OB_BUFFER_INIT(OB_LIMIT_DOCKERFILE, "expanded line (OB_LIMIT_DOCKERFILE)");
	ob_autodone(ob_strlist) found = {0};
	field_list fields = {
		.field = OB_BUFFER_INIT(OB_LIMIT_DOCKERFILE, "field (OB_LIMIT_DOCKERFILE)"),
		.out = &found,
	};
	ocib_errc r = OCIB_OK;

	if (starts) {
		fields.starts = malloc(sizeof(*fields.starts));
		if (!fields.starts)
			return ob_fail_nomem(err);
	}
	r = run(text, env, options, NULL, &result, &fields, err);
	ob_buffer_done(&fields.field);
	if (r == OCIB_OK && ob_strlist_copy(out, &found) < 0)
		r = ob_fail_nomem(err);
	if (r == OCIB_OK && starts)
		*starts = ob_take_ptr(fields.starts);
	free(fields.starts);
	return r;
}

ocib_errc ob_shell_words(const char *word, const ob_strlist *env, const ob_shell_options *options,
			 ob_strlist *out, ocib_error **err)
{
	return run_fields(word, env, options, out, NULL, err);
}

ocib_errc ob_shell_split(const char *text, const ob_shell_options *options, ob_strlist *out,
			 size_t **starts, ocib_error **err)
{
	return run_fields(text, NULL, options, out, starts, err);
}
