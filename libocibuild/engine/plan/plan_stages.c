/* engine/plan/plan_stages.c — FROM lines to stages.
 *
 * Name look-ups as BuildKit has them: FROM finds an earlier stage by its exact name, of two with one name
 * the later; --from and --target find any stage, whatever its case, of two with one name the last of
 * the file.
 */
#include <string.h>
#include "base/strings.h"
#include "engine/plan/planner.h"

const ob_location *ob_plan_from_place(const ob_instruction *from)
{
	return from->from_at.line ? &from->from_at : &from->at;
}

/* The FROM's name with global ARGs in it. */
static ocib_errc read_base_name(ob_planner *p, ob_plan_stage *stage, ocib_error **err)
{
	const ob_instruction *from = stage->source->from;
	const ob_location *at = ob_plan_from_place(from);
	ocib_errc r = ob_planner_expand_global(p, from->from, at, &stage->base_name, err);

	if (r)
		return r;
	if (*stage->base_name)
		return OCIB_OK;
	r = ob_fail_at(err, p->dockerfile, at, OCIB_ERR_SYNTAX,
		       "base name (%s) should not be blank", from->from);
	if (strchr(from->from, '$'))
		ob_error_set_hint(err, "FROM sees only ARGs that stand before the first FROM");
	return r;
}

const ob_flag *ob_plan_flag(const ob_instruction *instruction, const char *name)
{
	for (size_t i = instruction->flag_count; i-- > 0;)
		if (ob_str_eq(instruction->flags[i].name, name))
			return &instruction->flags[i];
	return NULL;
}

static ocib_errc read_platform(ob_planner *p, ob_plan_stage *stage, ocib_error **err)
{
	const ob_flag *flag = ob_plan_flag(stage->source->from, "platform");
	ob_autofree char *text = NULL;
	ocib_errc r;

	stage->platform = p->options->platform;
	if (!flag || !*flag->value)
		return OCIB_OK;
	r = ob_planner_expand_global(p, flag->value, &flag->at, &text, err);
	if (r)
		return r;
	if (!*text)
		return ob_fail_at(err, p->dockerfile, &flag->at, OCIB_ERR_SYNTAX,
				  "empty platform value from expression %s", flag->value);
	stage->has_platform = true;
	ob_auto(ocib_error) inner = NULL;
	if (!ob_platform_parse(text, &stage->platform, &inner))
		return OCIB_OK;
	return ob_fail_at(err, p->dockerfile, &flag->at, OCIB_ERR_SYNTAX,
			  "failed to parse platform %s: %s", flag->value,
			  ocib_error_message(inner));
}

/* Bases: the latest earlier stage of exactly this name, else something outside. */
static ocib_errc find_base(ob_planner *p, ob_plan_stage *stage, ocib_error **err)
{
	for (size_t i = stage->index; i-- > 0;) {
		const char *name = p->stages[i].source->from->as;

		if (name && ob_str_eq(name, stage->base_name)) {
			stage->base = (ob_input){OB_INPUT_STAGE, i};
			return OCIB_OK;
		}
	}
	return ob_planner_add_source(p, stage->base_name, &stage->platform,
				     ob_plan_from_place(stage->source->from), &stage->base, err);
}

static ocib_errc list_commands(const ob_stage_source *source, ob_plan_stage *stage,
			       ocib_error **err)
{
	stage->commands = calloc(source->len + 1, sizeof(*stage->commands));
	if (!stage->commands)
		return ob_fail_nomem(err);
	stage->command_count = source->len;
	for (size_t i = 0; i < source->len; i++) {
		stage->commands[i].instruction = &source->instructions[i];
		stage->commands[i].at = &source->instructions[i].at;
	}
	return OCIB_OK;
}

static ocib_errc make_stage(ob_planner *p, ob_plan_stage *stage, ocib_error **err)
{
	const ob_instruction *from = stage->source->from;
	ocib_errc r;

	if (from->as)
		stage->label = strdup(from->as);
	else
		stage->label = ob_str_printf("stage-%zu", stage->index);
	if (!stage->label)
		return ob_fail_nomem(err);
	ob_check_from(p, from);
	r = read_base_name(p, stage, err);
	if (!r)
		r = read_platform(p, stage, err);
	if (!r && from->as)
		r = ob_planner_find_stand_in(p, from->as, &stage->platform,
					     ob_plan_from_place(from), &stage->stand_in, err);
	if (!r && !stage->stand_in.kind)
		r = find_base(p, stage, err);
	return r ? r : list_commands(stage->source, stage, err);
}

ocib_errc ob_planner_make_stages(ob_planner *p, ocib_error **err)
{
	size_t count = p->dockerfile->stage_count;

	if (count == 0)
		return ob_fail(err, OCIB_ERR_SYNTAX, "%s has no FROM: there is nothing to build",
			       p->dockerfile->source.name);
	if (count > OB_LIMIT_STAGES)
		return ob_fail_at(err, p->dockerfile,
				  &p->dockerfile->stages[OB_LIMIT_STAGES].from->at, OCIB_ERR_LIMIT,
				  "more than %d stages (limit OB_LIMIT_STAGES)", OB_LIMIT_STAGES);
	p->stages = calloc(count, sizeof(*p->stages));
	if (!p->stages)
		return ob_fail_nomem(err);
	for (p->stage_count = 0; p->stage_count < count;) {
		ob_plan_stage *stage = &p->stages[p->stage_count];

		*stage = (ob_plan_stage){
			.source = &p->dockerfile->stages[p->stage_count],
			.index = p->stage_count,
			.node = OB_NO_INDEX,
		};
		p->stage_count++;
		ocib_errc r = make_stage(p, stage, err);
		if (r)
			return r;
	}
	return OCIB_OK;
}

size_t ob_planner_find_stage(const ob_planner *p, const char *name)
{
	for (size_t i = p->stage_count; i-- > 0;) {
		const char *have = p->stages[i].source->from->as;

		if (have && ob_str_eq_nocase(have, name))
			return i;
	}
	return OB_NO_INDEX;
}

const char *ob_planner_nearest_stage(const ob_planner *p, const char *name)
{
	ob_autofree const char **names = calloc(p->stage_count, sizeof(*names));
	size_t count = 0;

	for (size_t i = 0; names && i < p->stage_count; i++)
		if (p->stages[i].source->from->as)
			names[count++] = p->stages[i].source->from->as;
	return count ? ob_nearest(name, names, count) : NULL;
}

ocib_errc ob_planner_find_target(ob_planner *p, ocib_error **err)
{
	const char *name = p->options->target;

	p->target = p->stage_count - 1;
	if (!name || !*name)
		return OCIB_OK;
	p->target = ob_planner_find_stage(p, name);
	if (p->target != OB_NO_INDEX)
		return OCIB_OK;
	const char *nearest = ob_planner_nearest_stage(p, name);
	if (nearest)
		return ob_fail(err, OCIB_ERR_NOTFOUND,
			       "target stage '%s' could not be found in %s (did you mean %s?)",
			       name, p->dockerfile->source.name, nearest);
	return ob_fail(err, OCIB_ERR_NOTFOUND, "target stage '%s' could not be found in %s", name,
		       p->dockerfile->source.name);
}
