/* dockerfile/shell_expand.c — $name and ${name…}: every form of substitution that BuildKit has.
 *
 *   $name ${name}                 the value; nothing when unset
 *   ${name-w} ${name:-w}          w when unset (or empty)
 *   ${name+w} ${name:+w}          w when set (and not empty)
 *   ${name?m} ${name:?m}          an error when unset (or empty)
 *   ${name#p} ## % %%             without a beginning or an end: see shell_pattern.h
 *   ${name/p/r} ${name//p/r}      replaced
 *
 * A name is letters, digits and '_'; one that begins with a digit ends with the digits; @ * # ? - $ !
 * are names of their own, for which there is never a value. Words are processed whether they are
 * taken or not, so errors in them count.
 */
#include <string.h>
#include "base/limits.h"
#include "base/strings.h"
#include "dockerfile/runes.h"
#include "dockerfile/shell_pattern.h"
#include "dockerfile/shell_state.h"

/* Look at the environment's list for so many names, then make an index of it. */
#define LOOKUPS_BEFORE_INDEX 16

static ocib_errc make_index(ob_shell_state *state)
{
	state->index = ob_map_new(NULL);
	if (!state->index)
		return ob_fail_nomem(state->err);
	for (size_t i = 0; i < state->env->len; i++) {
		char *entry = state->env->items[i], *equals = strchr(entry, '=');
		ob_autofree char *name = NULL;

		if (!equals)
			continue;
		name = strndup(entry, (size_t)(equals - entry));
		if (!name || (!ob_map_get(state->index, name) &&
			      ob_map_set(state->index, name, equals + 1) < 0))
			return ob_fail_nomem(state->err);
	}
	return OCIB_OK;
}

static ocib_errc note_use(ob_shell_state *state, const char *name, bool set)
{
	ob_strlist *list = set ? state->use->matched : state->use->unmatched;

	if (!list)
		return OCIB_OK;
	if (!state->seen)
		state->seen = ob_map_new(NULL);
	if (!state->seen)
		return ob_fail_nomem(state->err);
	if (ob_map_get(state->seen, name))
		return OCIB_OK;
	if (ob_map_set(state->seen, name, state) < 0)
		return ob_fail_nomem(state->err);
	if (!ob_strlist_contains(list, name) && ob_strlist_add(list, name) < 0)
		return ob_fail_nomem(state->err);
	return OCIB_OK;
}

/* *value is borrowed from the environment; NULL when unset. */
static ocib_errc look_up(ob_shell_state *state, const char *name, const char **value)
{
	ocib_errc r = OCIB_OK;

	*value = NULL;
	if (state->env && !state->index && ++state->lookups > LOOKUPS_BEFORE_INDEX)
		r = make_index(state);
	if (r != OCIB_OK)
		return r;
	if (state->index)
		*value = ob_map_get(state->index, name);
	else if (state->env)
		*value = ob_env_get(state->env, name);
	if (*value)
		r = ob_shell_spend(&state->steps, strlen(*value), state->err);
	return r == OCIB_OK && state->use ? note_use(state, name, *value != NULL) : r;
}

/* How many bytes at the state's position are a name. */
static size_t name_len(const ob_shell_state *state)
{
	const char *text = state->text + state->pos;
	size_t len = state->len - state->pos, at = 0;
	bool number = false;

	if (len > 0 && *text && strchr("@*#?-$!", *text))
		return 1;
	while (at < len) {
		uint32_t rune;
		size_t width = ob_rune_decode(text + at, len - at, &rune);
		bool digit = ob_rune_is_digit(rune);

		if (at == 0)
			number = digit;
		if (!digit && (number || (rune != '_' && !ob_rune_is_letter(rune))))
			break;
		at += width;
	}
	return at;
}

static ocib_errc take_name(ob_shell_state *state, char **out)
{
	size_t len = name_len(state);

	*out = strndup(state->text + state->pos, len);
	if (!*out)
		return ob_fail_nomem(state->err);
	state->pos += len;
	return OCIB_OK;
}

/* $name */
static ocib_errc bare(ob_shell_state *state, ob_buffer *out)
{
	ob_autofree char *name = NULL;
	const char *value;
	ocib_errc r = take_name(state, &name);

	if (r != OCIB_OK)
		return r;
	if (!*name) {
		ob_buffer_append_char(out, '$');
		return OCIB_OK;
	}
	r = look_up(state, name, &value);
	if (r == OCIB_OK && value)
		ob_buffer_append_str(out, value);
	else if (r == OCIB_OK && state->options->skip_unset)
		ob_buffer_printf(out, "$%s", name);
	return r;
}

static ocib_errc unsupported(ob_shell_state *state, const char *modifier, size_t len)
{
	return ob_fail(state->err, OCIB_ERR_SYNTAX, "unsupported modifier '%.*s' in substitution",
		       (int)len, modifier);
}

/* The word up to stop. When the text ends first, that is the error, whatever else is wrong. */
static ocib_errc take_word(ob_shell_state *state, char stop, bool raw_escapes, const char *missing,
			   char **out)
{
	ob_autodone(ob_buffer) word =
		OB_BUFFER_INIT(OB_LIMIT_EXPANSION, "expanded word (OB_LIMIT_EXPANSION)");
	ocib_errc r = ob_shell_until(state, stop, raw_escapes, &word);

	if (r == OCIB_ERR_SYNTAX && ob_shell_peek(state) == OB_SHELL_END)
		return ob_fail(state->err, OCIB_ERR_SYNTAX, "missing '%s' of a substitution",
			       missing);
	if (r == OCIB_OK)
		r = ob_shell_spend(&state->steps, word.len, state->err);
	return r == OCIB_OK ? ob_buffer_finish(&word, out, state->err) : r;
}

static ocib_errc required(ob_shell_state *state, const char *name, const char *value,
			  bool null_unset, const char *message, ob_buffer *out)
{
	if (value && !(null_unset && !*value)) {
		ob_buffer_append_str(out, value);
		return OCIB_OK;
	}
	if (!*message)
		message = value ? "is not allowed to be empty" : "is not allowed to be unset";
	return ob_fail(state->err, OCIB_ERR_SYNTAX, "%s: %s", name, message);
}

static ocib_errc trimmed(ob_shell_state *state, char modifier, const char *pattern,
			 const char *value, ob_buffer *out)
{
	bool longest = pattern[0] == modifier;

	pattern += longest;
	if (!value)
		value = "";
	if (modifier == '#')
		return ob_shell_trim_prefix(pattern, value, longest, &state->steps, out,
					    state->err);
	return ob_shell_trim_suffix(pattern, value, longest, &state->steps, out, state->err);
}

/* ${name with one of - + ? # %, the colon forms too; the modifier is at the state's position. */
static ocib_errc modified(ob_shell_state *state, const char *name, ob_buffer *out)
{
	const char *spelled = state->text + state->pos, *value;
	bool null_unset = *spelled == ':';
	ob_autofree char *word = NULL;
	ocib_errc r;

	state->pos += null_unset;
	int modifier = ob_shell_next(state);
	size_t len = (size_t)(state->text + state->pos - spelled);
	bool is_pattern = modifier == '#' || modifier == '%';

	if (null_unset && is_pattern)
		return unsupported(state, spelled, len);
	r = take_word(state, '}', is_pattern, "}", &word);
	if (r == OCIB_OK)
		r = look_up(state, name, &value);
	if (r != OCIB_OK)
		return r;
	if (!value && state->options->skip_unset) {
		ob_buffer_printf(out, "${%s%.*s%s}", name, (int)len, spelled, word);
		return OCIB_OK;
	}

	bool present = value && !(null_unset && !*value);
	switch (modifier) {
	case '-': ob_buffer_append_str(out, present ? value : word); return OCIB_OK;
	case '+': ob_buffer_append_str(out, present ? word : ""); return OCIB_OK;
	case '?': return required(state, name, value, null_unset, word, out);
	case '#':
	case '%': return trimmed(state, (char)modifier, word, value, out);
	default: return unsupported(state, spelled, len);
	}
}

/* ${name/pattern/replacement}; the first '/' is at the state's position. */
static ocib_errc replaced(ob_shell_state *state, const char *name, ob_buffer *out)
{
	ob_autofree char *pattern = NULL, *replacement = NULL;
	const char *value;
	bool all;
	ocib_errc r;

	state->pos++;
	all = ob_shell_peek(state) == '/';
	state->pos += all;
	r = take_word(state, '/', true, "/", &pattern);
	if (r == OCIB_OK)
		r = take_word(state, '}', true, "}", &replacement);
	if (r == OCIB_OK)
		r = look_up(state, name, &value);
	if (r != OCIB_OK)
		return r;
	if (!value && state->options->skip_unset) {
		ob_buffer_printf(out, "${%s/%s/%s}", name, pattern, replacement);
		return OCIB_OK;
	}
	return ob_shell_replace(pattern, value ? value : "", replacement, all, &state->steps, out,
				state->err);
}

/* ${…}; behind the brace. */
static ocib_errc braced(ob_shell_state *state, ob_buffer *out)
{
	ob_autofree char *name = NULL;
	const char *value;
	ocib_errc r;
	int c = ob_shell_peek(state);

	if (c == OB_SHELL_END)
		return ob_fail(state->err, OCIB_ERR_SYNTAX, "missing '}' of a substitution");
	if (c == '{' || c == '}' || c == ':')
		return ob_fail(state->err, OCIB_ERR_SYNTAX, "bad substitution: a name is missing");
	r = take_name(state, &name);
	if (r != OCIB_OK)
		return r;
	switch (ob_shell_peek(state)) {
	case OB_SHELL_END:
		return ob_fail(state->err, OCIB_ERR_SYNTAX, "missing '}' of a substitution");
	case '}':
		state->pos++;
		r = look_up(state, name, &value);
		if (r == OCIB_OK && value)
			ob_buffer_append_str(out, value);
		else if (r == OCIB_OK && state->options->skip_unset)
			ob_buffer_printf(out, "${%s}", name);
		return r;
	case ':':
	case '+':
	case '-':
	case '?':
	case '#':
	case '%': return modified(state, name, out);
	case '/': return replaced(state, name, out);
	default: return unsupported(state, state->text + state->pos, 1);
	}
}

ocib_errc ob_shell_dollar(ob_shell_state *state, ob_buffer *out)
{
	state->pos++;
	if (ob_shell_peek(state) != '{')
		return bare(state, out);
	state->pos++;
	return braced(state, out);
}
