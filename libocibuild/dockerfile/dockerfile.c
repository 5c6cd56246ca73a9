/* dockerfile/dockerfile.c — a whole Dockerfile: its instructions in order and the stages they form.
 *
 * Parsing goes instruction by instruction through both levels, so that errors come in the order of the
 * file. Stages borrow from the array of instructions, which is complete before they are made.
 */
#include <string.h>
#include "base/limits.h"
#include "dockerfile/check_syntax.h"
#include "dockerfile/instruction_build.h"

ob_dockerfile *ob_dockerfile_free(ob_dockerfile *dockerfile)
{
	if (!dockerfile)
		return NULL;
	ob_source_text_done(&dockerfile->source);
	free(dockerfile->syntax);
	free(dockerfile->check);
	for (size_t i = 0; i < dockerfile->len; i++)
		ob_instruction_done(&dockerfile->instructions[i]);
	free(dockerfile->instructions);
	free(dockerfile->stages);
	ob_strlist_done(&dockerfile->warnings);
	free(dockerfile->empty_lines);
	free(dockerfile);
	return NULL;
}

/* Room for one more, zeroed and counted. */
static ob_instruction *new_instruction(ob_dockerfile *file)
{
	size_t count = file->len;

	if ((count & (count - 1)) == 0) {
		ob_instruction *grown =
			realloc(file->instructions, (count ? count * 2 : 1) * sizeof(*grown));

		if (!grown)
			return NULL;
		file->instructions = grown;
	}
	file->instructions[count] = (ob_instruction){0};
	file->len++;
	return &file->instructions[count];
}

static ocib_errc add_instruction(ob_dockerfile *file, ob_syntax_node *node, ocib_error **err)
{
	ob_instruction_build build = {&file->source, &file->warnings, err};
	ob_instruction *made;

	if (file->len == OB_LIMIT_INSTRUCTIONS) {
		ob_fail(err, OCIB_ERR_LIMIT,
			"a Dockerfile has at most %d instructions (OB_LIMIT_INSTRUCTIONS)",
			OB_LIMIT_INSTRUCTIONS);
		return ob_source_locate(&file->source, &node->at, OCIB_ERR_LIMIT, err);
	}
	made = new_instruction(file);
	if (!made)
		return ob_fail_nomem(err);
	ocib_errc r = ob_instruction_make(&build, node, made);
	if (r != OCIB_OK) {
		ob_instruction_done(made);
		file->len--;
	}
	return r;
}

/* Only ARG may stand before the first FROM. */
static ocib_errc check_place(ob_dockerfile *file, ocib_error **err)
{
	ob_instruction *last = &file->instructions[file->len - 1];

	if (last->type == OB_INSTRUCTION_FROM) {
		file->stage_count++;
	} else if (file->stage_count == 0 && last->type == OB_INSTRUCTION_ARG) {
		file->global_count++;
	} else if (file->stage_count == 0) {
		return ob_fail_at(
			err, file, &last->at, OCIB_ERR_SYNTAX,
			"no build stage in current context: only ARG may stand before the "
			"first FROM");
	}
	return OCIB_OK;
}

static ocib_errc parse_instructions(ob_dockerfile *file, bool is_trigger, ocib_error **err)
{
	ob_autodone(ob_syntax_parser) parser;
	ocib_errc r = OCIB_OK;

	ob_syntax_parser_init(&parser, &file->source);
	while (r == OCIB_OK) {
		ob_auto(ob_syntax_node) node = NULL;

		r = ob_syntax_parser_next(&parser, &node, err);
		if (r != OCIB_OK || !node)
			break;
		r = add_instruction(file, node, err);
		if (r == OCIB_OK && !is_trigger)
			r = check_place(file, err);
	}
	file->escape = parser.escape;
	file->empty_lines = ob_take_ptr(parser.empty_lines);
	file->empty_line_count = parser.empty_line_count;
	return r;
}

static ocib_errc make_stages(ob_dockerfile *file, ocib_error **err)
{
	ob_stage_source *stage;

	if (file->stage_count == 0)
		return OCIB_OK;
	file->stages = calloc(file->stage_count, sizeof(*file->stages));
	if (!file->stages)
		return ob_fail_nomem(err);
	stage = file->stages - 1;
	for (size_t i = file->global_count; i < file->len; i++) {
		if (file->instructions[i].type == OB_INSTRUCTION_FROM)
			*++stage = (ob_stage_source){&file->instructions[i],
						     &file->instructions[i + 1], 0};
		else
			stage->len++;
	}
	return OCIB_OK;
}

/* "x // options" means x to those who ask; the rest is for the one that x names. */
static ocib_errc find_directive(const ob_dockerfile *file, const char *name, char **out,
				ocib_error **err)
{
	unsigned line;
	ocib_errc r = ob_directive_find(file->source.data, file->source.len, name, out, &line, err);

	if (r == OCIB_OK && *out)
		(*out)[strcspn(*out, " ")] = '\0';
	return r;
}

/* All that can go wrong once there is a text; what was parsed until then stays in the file. */
static ocib_errc fill(ob_dockerfile *file, bool is_trigger, ob_findings *findings, ocib_error **err)
{
	ocib_errc r = ob_findings_read_options(findings, &file->source, err);

	if (r == OCIB_OK)
		r = parse_instructions(file, is_trigger, err);
	if (r == OCIB_OK)
		r = find_directive(file, "syntax", &file->syntax, err);
	if (r == OCIB_OK)
		r = find_directive(file, "check", &file->check, err);
	return r == OCIB_OK ? make_stages(file, err) : r;
}

static ocib_errc parse(const char *name, const char *data, size_t len, bool is_trigger,
		       ob_findings *findings, ob_dockerfile **out, ocib_error **err)
{
	ob_auto(ob_dockerfile) file = calloc(1, sizeof(*file));
	ocib_errc r;

	if (!file)
		return ob_fail_nomem(err);
	r = ob_source_text_init(&file->source, name, data, len, err);
	if (r != OCIB_OK)
		return r;
	r = fill(file, is_trigger, findings, err);
	ob_check_syntax(file, findings);
	if (r == OCIB_OK)
		*out = ob_take_ptr(file);
	return r;
}

ocib_errc ob_dockerfile_parse_checked(const char *name, const char *data, size_t len,
				      ob_findings *findings, ob_dockerfile **out, ocib_error **err)
{
	static const ob_location nowhere = {0};
	ob_auto(ob_dockerfile) file = NULL;
	ocib_errc r = parse(name, data, len, false, findings, &file, err);

	if (r != OCIB_OK)
		return r;
	if (file->len == 0)
		return ob_fail_at(err, file, &nowhere, OCIB_ERR_SYNTAX,
				  "file with no instructions: it is empty");
	if (file->stage_count == 0)
		return ob_fail_at(err, file, &nowhere, OCIB_ERR_SYNTAX,
				  "no build stage in current context: there is no FROM");
	*out = ob_take_ptr(file);
	return OCIB_OK;
}

ocib_errc ob_dockerfile_parse(const char *name, const char *data, size_t len, ob_dockerfile **out,
			      ocib_error **err)
{
	return ob_dockerfile_parse_checked(name, data, len, NULL, out, err);
}

ocib_errc ob_instruction_parse_trigger(const char *text, ob_dockerfile **out, ocib_error **err)
{
	static const ob_location nowhere = {0};
	ob_auto(ob_dockerfile) file = NULL;
	ocib_errc r = parse("ONBUILD trigger", text, strlen(text), true, NULL, &file, err);

	if (r != OCIB_OK)
		return r;
	if (file->len != 1)
		return ob_fail_at(err, file, &nowhere, OCIB_ERR_SYNTAX,
				  "a trigger is one instruction, and this is %zu: '%.200s'",
				  file->len, text);
	*out = ob_take_ptr(file);
	return OCIB_OK;
}
