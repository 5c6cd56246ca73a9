/* dockerfile/check_syntax.c — see check_syntax.h.
 *
 * Rules of one instruction are applied as far as the file could be parsed; those that compare
 * instructions, where it could be to its end. The first kind obeys a "check=" in the comment above the
 * instruction, the second one only the file's options: BuildKit has it so.
 */
#include "dockerfile/check_syntax.h"
#include <ctype.h>
#include <string.h>
#include "base/map.h"
#include "base/strings.h"

/* --- one instruction --- */

static bool has_upper(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (isupper((unsigned char)text[i]))
			return true;
	return false;
}

static bool has_lower(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (islower((unsigned char)text[i]))
			return true;
	return false;
}

/* The instruction's name as it is written: its text begins with it. */
static bool name_has_upper(const ob_instruction *i)
{
	return has_upper(i->original, strlen(i->name));
}

static bool name_has_lower(const ob_instruction *i)
{
	return has_lower(i->original, strlen(i->name));
}

/* A FROM of mixed letters is another rule's. */
static bool keywords_differ(const ob_instruction *from)
{
	size_t len = strlen(from->as_keyword);

	if (!name_has_upper(from))
		return has_upper(from->as_keyword, len);
	return !name_has_lower(from) && has_lower(from->as_keyword, len);
}

/* Does the last line of the comment above begin with one of the names? */
static bool comment_describes(const char *comment, const ob_instruction *i)
{
	size_t len = strcspn(comment, " ");

	if (i->as)
		return strlen(i->as) == len && strncmp(comment, i->as, len) == 0;
	for (size_t k = 0; k < i->pair_count; k++)
		if (strlen(i->pairs[k].key) == len && strncmp(comment, i->pairs[k].key, len) == 0)
			return true;
	return false;
}

static void check_description(const ob_instruction *i, ob_findings *findings)
{
	const char *last = NULL, *subject = i->as;

	for (char *const *line = i->comments; line && *line; line++)
		last = *line;
	if (!last || (!i->as && !i->pair_count) || comment_describes(last, i))
		return;
	if (!subject)
		subject = i->pair_count == 1 ? i->pairs[0].key : "<name>";
	ob_findings_add(findings, OB_RULE_INVALID_DEFINITION_DESCRIPTION, i, &i->at,
			"the comment above this %s does not describe it: expected '# %s "
			"<description>', or an empty line between them",
			ob_instruction_name(i->type), subject);
}

static void check_from(const ob_instruction *i, ob_findings *findings)
{
	if (!i->as)
		return;
	if (!ob_str_eq(i->as, i->as_original))
		ob_findings_add(findings, OB_RULE_STAGE_NAME_CASING, i, &i->at,
				"stage name '%s' has capitals: it is '%s' to everything else",
				i->as_original, i->as);
	if (keywords_differ(i))
		ob_findings_add(findings, OB_RULE_FROM_AS_CASING, i, &i->at,
				"'%.*s' and '%s' are not in the same case", (int)strlen(i->name),
				i->original, i->as_keyword);
	check_description(i, findings);
}

static void check_instruction(const ob_instruction *i, ob_findings *findings)
{
	if (i->type == OB_INSTRUCTION_FROM)
		check_from(i, findings);
	else if (i->type == OB_INSTRUCTION_ARG)
		check_description(i, findings);
	else if (i->type == OB_INSTRUCTION_MAINTAINER)
		ob_findings_add(findings, OB_RULE_MAINTAINER_DEPRECATED, i, &i->at,
				"MAINTAINER is deprecated: use LABEL "
				"org.opencontainers.image.authors=…");
}

/* --- all of them --- */

/* ARGs before the first FROM belong to no stage and are not compared. */
static void check_casing(const ob_dockerfile *file, ob_findings *findings)
{
	size_t lower = 0, upper = 0;

	for (size_t i = file->global_count; i < file->len; i++) {
		lower += !name_has_upper(&file->instructions[i]);
		upper += !name_has_lower(&file->instructions[i]);
	}
	bool to_lower = lower > upper;
	for (size_t i = file->global_count; i < file->len; i++) {
		const ob_instruction *one = &file->instructions[i];

		if (to_lower ? name_has_upper(one) : name_has_lower(one))
			ob_findings_add(findings, OB_RULE_CONSISTENT_INSTRUCTION_CASING, NULL,
					&one->at,
					"'%.*s' is not in %s letters, as most instructions of "
					"this file are",
					(int)strlen(one->name), one->original,
					to_lower ? "small" : "capital");
	}
}

static void check_stage_names(const ob_dockerfile *file, ob_findings *findings)
{
	ob_auto(ob_map) seen = ob_map_new(NULL);

	for (size_t i = 0; i < file->stage_count; i++) {
		const ob_instruction *from = file->stages[i].from;

		if (!from->as)
			continue;
		if (ob_str_eq(from->as, "scratch") || ob_str_eq(from->as, "context"))
			ob_findings_add(findings, OB_RULE_RESERVED_STAGE_NAME, NULL, &from->at,
					"a stage should not be called '%s', which means something "
					"else",
					from->as);
		if (seen && ob_map_get(seen, from->as))
			ob_findings_add(findings, OB_RULE_DUPLICATE_STAGE_NAME, NULL, &from->at,
					"there is already a stage called '%s'", from->as);
		else if (!seen || ob_map_set(seen, from->as, from->as) < 0)
			findings->failed = true;
	}
}

void ob_check_syntax(const ob_dockerfile *file, ob_findings *findings)
{
	if (!findings)
		return;
	for (size_t i = 0; i < file->empty_line_count; i++) {
		const ob_location at = {file->empty_lines[i], file->empty_lines[i], 0};

		ob_findings_add(findings, OB_RULE_NO_EMPTY_CONTINUATION, NULL, &at,
				"empty line inside of an instruction");
	}
	for (size_t i = 0; i < file->len; i++)
		check_instruction(&file->instructions[i], findings);
	if (!file->stages)
		return;
	check_casing(file, findings);
	check_stage_names(file, findings);
}
