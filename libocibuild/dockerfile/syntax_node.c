/* dockerfile/syntax_node.c — one logical line to a node: instruction, flags, words.
 *
 * Each instruction has its own way to split its line, in the table below. The ways are BuildKit's,
 * down to what looks odd: FROM and COPY know no quotes, a RUN line that is almost JSON is a shell line.
 */
#include "dockerfile/syntax_node.h"
#include <string.h>
#include "base/strings.h"
#include "dockerfile/heredoc.h"
#include "dockerfile/runes.h"
#include "dockerfile/word_split.h"

/* ONBUILD in ONBUILD is an error of the second level, so that many are read, and no more. */
#define TRIGGER_DEPTH 2

/* The arguments of one instruction while they are split. */
typedef struct line_args {
	unsigned depth;
	ob_split split;
	ob_span text;
	ob_syntax_node *node;
	const char **wrong;
	ocib_error **err;
} line_args;

typedef ocib_errc (*line_rule)(line_args *args);

ob_syntax_node *ob_syntax_node_free(ob_syntax_node *node)
{
	if (!node)
		return NULL;
	free(node->value);
	free(node->original);
	ob_words_done(&node->flags);
	ob_words_done(&node->words);
	ob_syntax_node_free(node->child);
	ob_heredocs_free(node->heredocs, node->heredoc_count);
	ob_strlist_done(&node->comments);
	free(node);
	return NULL;
}

static ocib_errc add(line_args *args, ob_span word, const char *place)
{
	ob_location at = ob_logical_line_locate(args->split.line, place);

	return ob_words_add(&args->node->words, word, at) < 0 ? ob_fail_nomem(args->err) : OCIB_OK;
}

static ocib_errc whole_line(line_args *args)
{
	return args->text.len ? add(args, args->text, args->text.text) : OCIB_OK;
}

static ocib_errc blanks(line_args *args)
{
	return ob_split_blanks(&args->split, args->text, &args->node->words, args->err);
}

static ocib_errc quoted(line_args *args)
{
	return ob_split_quoted(&args->split, args->text, &args->node->words, args->err);
}

static ocib_errc json_or(line_args *args, line_rule otherwise)
{
	ocib_errc r = ob_json_words(args->text, args->split.line, &args->node->json,
				    &args->node->words, args->wrong, args->err);

	return r != OCIB_OK || args->node->json ? r : otherwise(args);
}

static ocib_errc json_or_line(line_args *args)
{
	return json_or(args, whole_line);
}

static ocib_errc json_or_blanks(line_args *args)
{
	return json_or(args, blanks);
}

/* The words become key, value and how they were divided. */
static ocib_errc add_pair(line_args *args, ob_span key, ob_span value, const char *divider)
{
	ocib_errc r = add(args, key, key.text);

	if (r == OCIB_OK)
		r = add(args, value, value.text);
	if (r == OCIB_OK)
		r = add(args, (ob_span){divider, strlen(divider)}, value.text);
	return r;
}

static ocib_errc add_assignment(line_args *args, ob_span word)
{
	const char *equals = memchr(word.text, '=', word.len), *end = word.text + word.len;

	*args->wrong = word.text;
	if (!equals)
		return ob_fail(args->err, OCIB_ERR_SYNTAX,
			       "can't find '=' in '%.*s': must be of the form name=value",
			       (int)word.len, word.text);
	return add_pair(args, (ob_span){word.text, (size_t)(equals - word.text)},
			(ob_span){equals + 1, (size_t)(end - equals) - 1}, "=");
}

/* "K=V K=V …", or when the first word has no '=' "K rest of the line". */
static ocib_errc pairs(line_args *args)
{
	ob_span rest = args->text, word, key, value;
	ocib_errc r = OCIB_OK;

	if (!ob_next_quoted(&rest, args->split.escape, &word))
		return OCIB_OK;
	if (memchr(word.text, '=', word.len)) {
		do
			r = add_assignment(args, word);
		while (r == OCIB_OK && ob_next_quoted(&rest, args->split.escape, &word));
		return r;
	}
	if (!ob_split_first(args->text, &key, &value)) {
		*args->wrong = args->text.text;
		return ob_fail(args->err, OCIB_ERR_SYNTAX,
			       "%s must have two arguments: a name and a value", args->node->value);
	}
	return add_pair(args, key, value, "");
}

/* NONE, or CMD and a command. */
static ocib_errc health(line_args *args)
{
	ob_span type;
	ocib_errc r;

	ob_split_first(args->text, &type, &args->text);
	if (type.len == 0)
		return OCIB_OK;
	r = add(args, type, type.text);
	return r == OCIB_OK && args->text.len ? json_or_line(args) : r;
}

static ocib_errc parse(ob_span text, const ob_split *split, unsigned depth, ob_syntax_node **out,
		       const char **wrong, ocib_error **err);

static ocib_errc trigger(line_args *args)
{
	if (args->text.len == 0)
		return OCIB_OK;
	if (args->depth == TRIGGER_DEPTH) {
		*args->wrong = args->text.text;
		return ob_fail(args->err, OCIB_ERR_SYNTAX, "ONBUILD isn't allowed in ONBUILD");
	}
	return parse(args->text, &args->split, args->depth + 1, &args->node->child, args->wrong,
		     args->err);
}

static ocib_errc unknown(line_args *args)
{
	return add(args, (ob_span){"", 0}, args->text.text);
}

static const line_rule rules[] = {
	[0] = unknown,
	[OB_INSTRUCTION_ADD] = json_or_blanks,
	[OB_INSTRUCTION_ARG] = quoted,
	[OB_INSTRUCTION_CMD] = json_or_line,
	[OB_INSTRUCTION_COPY] = json_or_blanks,
	[OB_INSTRUCTION_ENTRYPOINT] = json_or_line,
	[OB_INSTRUCTION_ENV] = pairs,
	[OB_INSTRUCTION_EXPOSE] = blanks,
	[OB_INSTRUCTION_FROM] = blanks,
	[OB_INSTRUCTION_HEALTHCHECK] = health,
	[OB_INSTRUCTION_LABEL] = pairs,
	[OB_INSTRUCTION_MAINTAINER] = whole_line,
	[OB_INSTRUCTION_ONBUILD] = trigger,
	[OB_INSTRUCTION_RUN] = json_or_line,
	[OB_INSTRUCTION_SHELL] = json_or_line,
	[OB_INSTRUCTION_STOPSIGNAL] = whole_line,
	[OB_INSTRUCTION_USER] = whole_line,
	[OB_INSTRUCTION_VOLUME] = json_or_blanks,
	[OB_INSTRUCTION_WORKDIR] = whole_line,
};

static ocib_errc parse(ob_span text, const ob_split *split, unsigned depth, ob_syntax_node **out,
		       const char **wrong, ocib_error **err)
{
	ob_auto(ob_syntax_node) node = calloc(1, sizeof(*node));
	line_args args = {
		.depth = depth, .split = *split, .node = node, .wrong = wrong, .err = err};
	ob_span name;
	ocib_errc r;

	if (!node)
		return ob_fail_nomem(err);
	ob_split_first(ob_span_trim(text), &name, &args.text);
	node->value = ob_span_copy(name);
	node->original = ob_span_copy(text);
	if (!node->value || !node->original)
		return ob_fail_nomem(err);
	node->type = ob_instruction_find(node->value);
	node->at = ob_logical_line_locate(split->line, name.text);
	r = ob_split_flags(split, &args.text, &node->flags, err);
	if (r != OCIB_OK)
		return r;
	args.text = ob_span_trim(args.text);
	r = rules[node->type](&args);
	if (r == OCIB_OK)
		*out = ob_take_ptr(node);
	return r;
}

ocib_errc ob_syntax_node_parse(ob_span text, const ob_logical_line *line, char escape,
			       ob_syntax_node **out, const char **wrong, ocib_error **err)
{
	ob_split split = {line, escape};

	return parse(text, &split, 0, out, wrong, err);
}

bool ob_syntax_node_takes_heredocs(const ob_syntax_node *node)
{
	if (node->type == OB_INSTRUCTION_ONBUILD && node->child)
		node = node->child;
	return !node->json &&
	       (node->type == OB_INSTRUCTION_RUN || node->type == OB_INSTRUCTION_COPY ||
		node->type == OB_INSTRUCTION_ADD);
}
