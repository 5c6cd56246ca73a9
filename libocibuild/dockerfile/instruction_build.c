/* dockerfile/instruction_build.c — the second level: a node's words are checked and put in their places.
 *
 * Every instruction is a row: how many words it takes and what else is to be done. What BuildKit refuses
 * when it parses is refused here, so that everything wrong is found before anything is built.
 * ARG and STOPSIGNAL ignore flags in BuildKit, and so does HEALTHCHECK NONE; that is said as a warning.
 */
#include "dockerfile/instruction_build.h"
#include <string.h>
#include "base/strings.h"
#include "dockerfile/heredoc.h"
#include "dockerfile/instruction_flags.h"
#include "dockerfile/json_words.h"
#include "dockerfile/runes.h"

typedef enum word_count {
	ANY_NUMBER,
	EXACTLY_ONE,
	AT_LEAST_ONE,
	AT_LEAST_TWO,
	ONE_OR_THREE
} word_count;

ocib_errc ob_build_locate(const ob_instruction_build *build, const ob_location *at, ocib_errc code)
{
	return build->source ? ob_source_locate(build->source, at, code, build->err) : code;
}

static void free_pairs(ob_instruction *instruction)
{
	for (size_t i = 0; i < instruction->pair_count; i++) {
		free(instruction->pairs[i].key);
		free(instruction->pairs[i].value);
	}
	free(instruction->pairs);
}

static void free_comments(char **comments)
{
	for (char **one = comments; one && *one; one++)
		free(*one);
	free(comments);
}

void ob_instruction_done(ob_instruction *instruction)
{
	free(instruction->name);
	free(instruction->original);
	free_comments(instruction->comments);
	ob_flags_free(instruction->flags, instruction->flag_count);
	ob_heredocs_free(instruction->heredocs, instruction->heredoc_count);
	ob_words_done(&instruction->words);
	free_pairs(instruction);
	free(instruction->from);
	free(instruction->as);
	free(instruction->as_original);
	free(instruction->as_keyword);
	free(instruction->onbuild);
	if (instruction->trigger)
		ob_instruction_done(instruction->trigger);
	free(instruction->trigger);
	*instruction = (ob_instruction){0};
}

static ocib_errc add_pair(const ob_instruction_build *build, ob_instruction *out,
			  const ob_word *key, size_t key_len, const char *value, bool no_delim)
{
	ob_pair *pair = &out->pairs[out->pair_count++];

	pair->at = key->at;
	pair->no_delim = no_delim;
	pair->key = strndup(key->text, key_len);
	pair->value = value ? strdup(value) : NULL;
	if (!pair->key || (value && !pair->value))
		return ob_fail_nomem(build->err);
	if (value && !*pair->key)
		return ob_fail_build(build, &key->at, "%s names can not be blank",
				     ob_instruction_name(out->type));
	return OCIB_OK;
}

/* ENV, LABEL: three words a pair. ARG: NAME or NAME=VALUE. */
static ocib_errc make_pairs(const ob_instruction_build *build, ob_instruction *out)
{
	size_t step = out->type == OB_INSTRUCTION_ARG ? 1 : 3;
	const ob_word *word = out->words.items;
	ocib_errc r = OCIB_OK;

	out->pairs = calloc(out->words.len / step, sizeof(*out->pairs));
	if (!out->pairs)
		return ob_fail_nomem(build->err);
	for (size_t i = 0; i < out->words.len && r == OCIB_OK; i += step, word += step) {
		const char *equals = strchr(word->text, '=');

		if (step == 3)
			r = add_pair(build, out, word, strlen(word->text), word[1].text,
				     !*word[2].text);
		else
			r = add_pair(build, out, word,
				     equals ? (size_t)(equals - word->text) : strlen(word->text),
				     equals ? equals + 1 : NULL, false);
	}
	ob_words_done(&out->words);
	return r;
}

/* A shell line that is not there is an empty one; [] is no words at all. */
static ocib_errc make_command(const ob_instruction_build *build, ob_instruction *out)
{
	if (out->words.len == 0 && !out->json_form &&
	    ob_words_add(&out->words, (ob_span){"", 0}, out->at) < 0)
		return ob_fail_nomem(build->err);
	return out->type == OB_INSTRUCTION_RUN ? ob_build_run(build, out) : OCIB_OK;
}

static ocib_errc make_shell(const ob_instruction_build *build, ob_instruction *out)
{
	if (out->json_form)
		return OCIB_OK;
	return ob_fail_build(build, &out->words.items[0].at,
			     "SHELL requires the arguments to be in JSON form");
}

static bool is_stage_name(const char *name)
{
	if (*name < 'a' || *name > 'z')
		return false;
	return name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-_.")] == '\0';
}

static ocib_errc make_from(const ob_instruction_build *build, ob_instruction *out)
{
	ob_word *words = out->words.items;

	if (out->words.len == 3 && !ob_str_eq_nocase(words[1].text, "as"))
		return ob_fail_build(build, &words[1].at,
				     "FROM requires either one or three arguments, and 'AS' in the "
				     "middle of three");
	if (out->words.len == 3) {
		out->as_keyword = ob_take_ptr(words[1].text);
		out->as_original = ob_take_ptr(words[2].text);
		out->as = strdup(out->as_original);
		if (!out->as)
			return ob_fail_nomem(build->err);
		ob_str_lower(out->as);
		if (!is_stage_name(out->as))
			return ob_fail_build(
				build, &words[2].at,
				"invalid name for build stage: '%s', a name begins with "
				"a letter and has letters, digits, '-', '_' and '.'",
				out->as_original);
	}
	out->from_at = words[0].at;
	out->from = ob_take_ptr(words[0].text);
	ob_words_done(&out->words);
	return OCIB_OK;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(((const ob_word *)a)->text, ((const ob_word *)b)->text);
}

/* BuildKit takes ports in sorted order, which history shows. */
static ocib_errc make_expose(const ob_instruction_build *build, ob_instruction *out)
{
	(void)build;
	qsort(out->words.items, out->words.len, sizeof(*out->words.items), by_text);
	return OCIB_OK;
}

static ocib_errc make_volume(const ob_instruction_build *build, ob_instruction *out)
{
	for (size_t i = 0; i < out->words.len; i++) {
		char *text = out->words.items[i].text;
		ob_span trimmed = ob_span_trim((ob_span){text, strlen(text)});

		if (trimmed.len == 0)
			return ob_fail_build(build, &out->words.items[i].at,
					     "VOLUME specified can not be an empty string");
		memmove(text, trimmed.text, trimmed.len);
		text[trimmed.len] = '\0';
		out->words.items[i].len = trimmed.len;
	}
	return OCIB_OK;
}

static const struct {
	word_count words;
	ocib_errc (*make)(const ob_instruction_build *build, ob_instruction *out);
} rules[] = {
	[OB_INSTRUCTION_ADD] = {AT_LEAST_TWO, ob_build_sources},
	[OB_INSTRUCTION_ARG] = {AT_LEAST_ONE, make_pairs},
	[OB_INSTRUCTION_CMD] = {ANY_NUMBER, make_command},
	[OB_INSTRUCTION_COPY] = {AT_LEAST_TWO, ob_build_sources},
	[OB_INSTRUCTION_ENTRYPOINT] = {ANY_NUMBER, make_command},
	[OB_INSTRUCTION_ENV] = {AT_LEAST_ONE, make_pairs},
	[OB_INSTRUCTION_EXPOSE] = {AT_LEAST_ONE, make_expose},
	[OB_INSTRUCTION_FROM] = {ONE_OR_THREE, make_from},
	[OB_INSTRUCTION_HEALTHCHECK] = {AT_LEAST_ONE, ob_build_healthcheck},
	[OB_INSTRUCTION_LABEL] = {AT_LEAST_ONE, make_pairs},
	[OB_INSTRUCTION_MAINTAINER] = {EXACTLY_ONE, NULL},
	[OB_INSTRUCTION_ONBUILD] = {ANY_NUMBER, NULL}, /* has a node instead: ob_build_onbuild() */
	[OB_INSTRUCTION_RUN] = {ANY_NUMBER, make_command},
	[OB_INSTRUCTION_SHELL] = {AT_LEAST_ONE, make_shell},
	[OB_INSTRUCTION_STOPSIGNAL] = {EXACTLY_ONE, NULL},
	[OB_INSTRUCTION_USER] = {EXACTLY_ONE, NULL},
	[OB_INSTRUCTION_VOLUME] = {AT_LEAST_ONE, make_volume},
	[OB_INSTRUCTION_WORKDIR] = {EXACTLY_ONE, NULL},
};

/* A JSON string may say \u0000; no argument of a process and no path can. */
static ocib_errc check_nul(const ob_instruction_build *build, const ob_instruction *out)
{
	for (size_t i = 0; i < out->words.len; i++)
		if (strlen(out->words.items[i].text) != out->words.items[i].len)
			return ob_fail_build(build, &out->words.items[i].at,
					     "an argument cannot have a NUL character");
	return OCIB_OK;
}

static ocib_errc check_count(const ob_instruction_build *build, const ob_instruction *out)
{
	static const struct {
		const char *text;
		size_t least, most;
	} counts[] = {
		[ANY_NUMBER] = {"", 0, SIZE_MAX},
		[EXACTLY_ONE] = {"exactly one argument", 1, 1},
		[AT_LEAST_ONE] = {"at least one argument", 1, SIZE_MAX},
		[AT_LEAST_TWO] = {"at least two arguments: a source and a destination", 2,
				  SIZE_MAX},
		[ONE_OR_THREE] = {"either one or three arguments", 1, 3},
	};
	word_count wanted = rules[out->type].words;
	size_t len = out->words.len;

	if (len >= counts[wanted].least && len <= counts[wanted].most &&
	    !(wanted == ONE_OR_THREE && len == 2))
		return OCIB_OK;
	return ob_fail_build(build, &out->at, "%s requires %s", ob_instruction_name(out->type),
			     counts[wanted].text);
}

/* Does BuildKit ignore the flags of this one? */
static bool ignores_flags(const ob_syntax_node *node)
{
	return node->type == OB_INSTRUCTION_ARG || node->type == OB_INSTRUCTION_STOPSIGNAL ||
	       (node->type == OB_INSTRUCTION_HEALTHCHECK && node->words.len > 0 &&
		ob_str_eq_nocase(node->words.items[0].text, "none"));
}

static ocib_errc make_flags(const ob_instruction_build *build, const ob_syntax_node *node,
			    ob_instruction *out)
{
	size_t rule_count, wrong = 0;
	const ob_flag_rule *flag_rules = ob_flag_rules(node->type, &rule_count);
	ocib_errc r;

	if (node->flags.len > 0 && ignores_flags(node)) {
		if (build->warnings &&
		    ob_strlist_add_printf(build->warnings, "%u: '%s' has no effect here",
					  node->at.line, node->flags.items[0].text) < 0)
			return ob_fail_nomem(build->err);
		return OCIB_OK;
	}
	r = ob_flags_parse(ob_instruction_name(node->type), flag_rules, rule_count, &node->flags,
			   &out->flags, &out->flag_count, &wrong, build->err);
	return r == OCIB_OK ? r : ob_build_locate(build, &node->flags.items[wrong].at, r);
}

/* Move what needs no check. */
static ocib_errc move_content(const ob_instruction_build *build, ob_syntax_node *node,
			      ob_instruction *out)
{
	out->type = node->type;
	out->at = node->at;
	out->json_form = node->json;
	out->words = node->words;
	node->words = (ob_words){0};
	out->heredocs = ob_take_ptr(node->heredocs);
	out->heredoc_count = node->heredoc_count;
	node->heredoc_count = 0;
	out->comments = node->comments.items;
	node->comments = (ob_strlist){0};
	out->name = strdup(node->value);
	out->original =
		ob_span_copy(ob_span_trim((ob_span){node->original, strlen(node->original)}));
	if (!out->name || !out->original)
		return ob_fail_nomem(build->err);
	ob_str_lower(out->name);
	return OCIB_OK;
}

static ocib_errc fail_unknown(const ob_instruction_build *build, const ob_syntax_node *node)
{
	const char *nearest = ob_instruction_nearest(node->value);

	return ob_fail_build(build, &node->at, "unknown instruction '%.64s'%s%s%s", node->value,
			     nearest ? " (did you mean '" : "", nearest ? nearest : "",
			     nearest ? "'?)" : "");
}

ocib_errc ob_instruction_make(const ob_instruction_build *build, ob_syntax_node *node,
			      ob_instruction *out)
{
	ocib_errc r;

	if (!node->type)
		return fail_unknown(build, node);
	r = make_flags(build, node, out);
	if (r == OCIB_OK)
		r = move_content(build, node, out);
	if (r == OCIB_OK)
		r = check_nul(build, out);
	if (r == OCIB_OK)
		r = check_count(build, out);
	if (r == OCIB_OK && out->type == OB_INSTRUCTION_ONBUILD)
		return ob_build_onbuild(build, node, out);
	return r == OCIB_OK && rules[out->type].make ? rules[out->type].make(build, out) : r;
}
