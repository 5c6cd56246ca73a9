/* engine/plan/plan_links.c — what stands between stages: COPY --from, RUN --mount=from=…, what needs what.
 *
 * Name look-ups as BuildKit has them: both find any stage, whatever its case, of two with one name the
 * last of the file. A number is an index for COPY only. All stages are linked, so that a wrong name is
 * found in stages that nobody needs; only what the target needs goes on from here.
 */
#include <ctype.h>
#include <string.h>
#include "base/strings.h"
#include "dockerfile/run_mount.h"
#include "engine/plan/planner.h"

/* Go's strconv.Atoi for what may be an index; 1: a number, 0: a name. */
static bool parse_index(const char *text, int64_t *index)
{
	return (isdigit((unsigned char)text[0]) || text[0] == '-' || text[0] == '+') &&
	       ob_parse_i64(text, index);
}

static ocib_errc find_copy_source(ob_planner *p, const char *name, const ob_location *at,
				  ob_input *out, ocib_error **err)
{
	const ob_shell_options options = {.escape = p->dockerfile->escape};
	const ob_strlist nothing = {0};
	ob_autofree char *expanded = NULL;
	int64_t index = 0;
	ocib_errc r = ob_shell_word(name, &nothing, &options, NULL, &expanded, err);

	if (r)
		return ob_source_locate(&p->dockerfile->source, at, r, err);
	if (!ob_str_eq(expanded, name)) {
		r = ob_fail_at(err, p->dockerfile, at, OCIB_ERR_SYNTAX,
			       "variable expansion is not supported for --from=%s", name);
		ob_error_set_hint(err,
				  "define a stage before this one: an ARG before the first FROM, "
				  "FROM with that ARG AS a name, and --from=name");
		return r;
	}
	if (parse_index(name, &index)) {
		if (index < 0 || (uint64_t)index >= p->stage_count)
			return ob_fail_at(err, p->dockerfile, at, OCIB_ERR_SYNTAX,
					  "invalid stage index %s: stages are numbered 0 to %zu",
					  name, p->stage_count - 1);
		*out = (ob_input){OB_INPUT_STAGE, (size_t)index};
		return OCIB_OK;
	}
	*out = (ob_input){OB_INPUT_STAGE, ob_planner_find_stage(p, name)};
	if (out->index != OB_NO_INDEX)
		return OCIB_OK;
	return ob_planner_add_source(p, name, &p->options->platform, at, out, err);
}

ob_input ob_planner_real_input(const ob_planner *p, ob_input input)
{
	if (input.kind == OB_INPUT_STAGE && p->stages[input.index].stand_in.kind)
		return p->stages[input.index].stand_in;
	return input;
}

/* A mount's "from" is a name and nothing else: "0" is no stage's number. */
static ocib_errc find_mount_source(ob_planner *p, const ob_flag *flag, const ob_location *at,
				   ob_input *out, ocib_error **err)
{
	ob_autofree char *name = NULL;
	ocib_errc r = ob_run_mount_from(flag->value, &name, err);

	if (r)
		return ob_source_locate(&p->dockerfile->source, at, r, err);
	if (!name)
		return OCIB_OK;
	*out = (ob_input){OB_INPUT_STAGE, ob_planner_find_stage(p, name)};
	if (out->index != OB_NO_INDEX)
		return OCIB_OK;
	return ob_planner_add_source(p, name, &p->options->platform, at, out, err);
}

static ocib_errc link_mounts(ob_planner *p, ob_plan_command *command, ocib_error **err)
{
	const ob_instruction *instruction = command->instruction;
	ocib_errc r = OCIB_OK;

	for (size_t i = 0; !r && i < instruction->flag_count; i++) {
		const ob_flag *flag = &instruction->flags[i];

		if (ob_str_eq(flag->name, "mount"))
			r = find_mount_source(p, flag,
					      command->is_trigger ? command->at : &flag->at,
					      &command->from[command->from_count++], err);
	}
	return r;
}

static ocib_errc link_copy(ob_planner *p, ob_plan_command *command, ocib_error **err)
{
	const ob_flag *flag = ob_plan_flag(command->instruction, "from");

	if (!flag || !*flag->value)
		return OCIB_OK;
	command->from_count = 1;
	return find_copy_source(p, flag->value, command->is_trigger ? command->at : &flag->at,
				&command->from[0], err);
}

ocib_errc ob_planner_link_command(ob_planner *p, ob_plan_command *command, ocib_error **err)
{
	ob_instruction_type type = command->instruction->type;

	if ((type != OB_INSTRUCTION_COPY && type != OB_INSTRUCTION_RUN) ||
	    !command->instruction->flag_count)
		return OCIB_OK;
	command->from = calloc(command->instruction->flag_count, sizeof(*command->from));
	if (!command->from)
		return ob_fail_nomem(err);
	return type == OB_INSTRUCTION_COPY ? link_copy(p, command, err)
					   : link_mounts(p, command, err);
}

static ocib_errc find_cycle(const ob_planner *p, const ob_plan_stage *stage, uint8_t *seen,
			    ocib_error **err);

enum { UNSEEN, ON_PATH, DONE };

/* What one instruction of a stage takes from another. */
static ocib_errc follow(const ob_planner *p, const ob_plan_command *command, const ob_input *input,
			uint8_t *seen, ocib_error **err)
{
	if (input->kind != OB_INPUT_STAGE || seen[input->index] == DONE)
		return OCIB_OK;
	const ob_plan_stage *from = &p->stages[input->index];
	if (seen[from->index] == ON_PATH)
		return ob_fail_at(err, p->dockerfile, command->at, OCIB_ERR_SYNTAX,
				  "circular dependency detected on stage: %s", from->label);
	return find_cycle(p, from, seen, err);
}

/* Depth first along --from of all stages; finds a stage that is on the path already. */
static ocib_errc find_cycle(const ob_planner *p, const ob_plan_stage *stage, uint8_t *seen,
			    ocib_error **err)
{
	seen[stage->index] = ON_PATH;
	for (size_t i = 0; i < stage->command_count; i++) {
		const ob_plan_command *command = &stage->commands[i];

		for (size_t k = 0; k < command->from_count; k++) {
			ocib_errc r = follow(p, command, &command->from[k], seen, err);

			if (r)
				return r;
		}
	}
	seen[stage->index] = DONE;
	return OCIB_OK;
}

ocib_errc ob_planner_link_stages(ob_planner *p, ocib_error **err)
{
	ob_autofree uint8_t *seen = calloc(p->stage_count, sizeof(*seen));
	ocib_errc r = OCIB_OK;

	if (!seen)
		return ob_fail_nomem(err);
	for (size_t i = 0; !r && i < p->stage_count; i++) {
		ob_plan_stage *stage = &p->stages[i];

		for (size_t k = 0; !r && k < stage->command_count; k++)
			r = ob_planner_link_command(p, &stage->commands[k], err);
	}
	for (size_t i = 0; !r && i < p->stage_count; i++)
		r = seen[i] == UNSEEN ? find_cycle(p, &p->stages[i], seen, err) : OCIB_OK;
	return r;
}

/* What is marked is not entered again, so each stage is walked once. */
static void mark(ob_planner *p, ob_plan_stage *stage);

static void mark_input(ob_planner *p, ob_input input)
{
	if (input.kind == OB_INPUT_SOURCE)
		p->sources[input.index].wanted = true;
	else if (input.kind == OB_INPUT_STAGE && !p->stages[input.index].needed)
		mark(p, &p->stages[input.index]);
}

static void mark(ob_planner *p, ob_plan_stage *stage)
{
	stage->needed = true;
	if (stage->stand_in.kind) {
		mark_input(p, stage->stand_in);
		return;
	}
	mark_input(p, stage->base);
	for (size_t i = 0; i < stage->command_count; i++)
		for (size_t k = 0; k < stage->commands[i].from_count; k++)
			mark_input(p, stage->commands[i].from[k]);
}

void ob_planner_mark_needed(ob_planner *p)
{
	const char *target = p->options->target;
	bool all = p->options->checking && !p->options->outline && (!target || !*target);

	for (size_t i = 0; i < p->stage_count; i++)
		p->stages[i].needed = false;
	mark(p, &p->stages[p->target]);
	for (size_t i = 0; all && i < p->stage_count; i++)
		if (!p->stages[i].needed)
			mark(p, &p->stages[i]);
}
