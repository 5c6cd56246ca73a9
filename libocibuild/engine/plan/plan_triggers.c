/* engine/plan/plan_triggers.c — ONBUILD: instructions that a base wants to be run in what is built on it.
 *
 * They come from an image's configuration, or from a stage of this file, and run once, before the
 * stage's own instructions, as if they stood below its FROM: variables, --from and SHELL are the
 * stage's. A Dockerfile line is not theirs, so errors point at the FROM.
 */
#include <string.h>
#include "engine/plan/planner.h"

/* Texts that a stage's base asks for; borrowed strings. */
static ocib_errc list_texts(const ob_planner *p, const ob_plan_stage *stage, const char ***out,
			    size_t *count, ocib_error **err)
{
	const ob_stage_source *base = NULL;
	const ob_strlist *stored = NULL;
	size_t most = 0;

	if (stage->base.kind == OB_INPUT_STAGE) {
		const ob_plan_stage *parent = &p->stages[stage->base.index];

		base = parent->stand_in.kind ? NULL : parent->source;
		most = base ? base->len : 0;
	} else if (p->sources[stage->base.index].image) {
		stored = &ob_image_source_config(p->sources[stage->base.index].image)->on_build;
		most = stored->len;
	}
	ob_autofree const char **texts = calloc(most + 1, sizeof(*texts));
	if (!texts)
		return ob_fail_nomem(err);
	for (size_t i = 0; i < most; i++)
		if (stored)
			texts[(*count)++] = stored->items[i];
		else if (base->instructions[i].type == OB_INSTRUCTION_ONBUILD)
			texts[(*count)++] = base->instructions[i].onbuild;
	*out = ob_take_ptr(texts);
	return OCIB_OK;
}

static bool may_be_trigger(const ob_dockerfile *trigger)
{
	if (trigger->len != 1)
		return false;
	ob_instruction_type type = trigger->instructions[0].type;
	return type != OB_INSTRUCTION_FROM && type != OB_INSTRUCTION_ONBUILD &&
	       type != OB_INSTRUCTION_MAINTAINER;
}

/* The plan owns parsed triggers: steps borrow from them. */
static ocib_errc keep_trigger(ob_plan *plan, ob_dockerfile **trigger, ocib_error **err)
{
	ob_dockerfile **grown =
		reallocarray(plan->triggers, plan->trigger_count + 1, sizeof(*plan->triggers));

	if (!grown)
		return ob_fail_nomem(err);
	plan->triggers = grown;
	plan->triggers[plan->trigger_count++] = ob_take_ptr(*trigger);
	return OCIB_OK;
}

static ocib_errc parse_trigger(ob_planner *p, const char *text, const ob_location *at,
			       ob_plan_command *out, ocib_error **err)
{
	ob_auto(ob_dockerfile) trigger = NULL;
	ob_auto(ocib_error) inner = NULL;
	ocib_errc r = ob_planner_spend(p, strlen(text), at, err);

	if (r)
		return r;
	r = ob_instruction_parse_trigger(text, &trigger, &inner);
	if (r == OCIB_ERR_NOMEM)
		return ob_fail_nomem(err);
	if (r)
		return ob_fail_at(err, p->dockerfile, at, r, "trigger 'ONBUILD %s' of the base: %s",
				  text, ocib_error_message(inner));
	if (!may_be_trigger(trigger))
		return ob_fail_at(err, p->dockerfile, at, OCIB_ERR_SYNTAX,
				  "trigger 'ONBUILD %s' of the base is not allowed", text);
	*out = (ob_plan_command){
		.instruction = &trigger->instructions[0],
		.at = at,
		.is_trigger = true,
	};
	return keep_trigger(p->plan, &trigger, err);
}

/* Before the stage's own; they are the stage's from here on. */
static ocib_errc insert_commands(ob_plan_stage *stage, const ob_plan_command *commands,
				 size_t count, ocib_error **err)
{
	ob_plan_command *all =
		reallocarray(stage->commands, count + stage->command_count, sizeof(*all));

	if (!all)
		return ob_fail_nomem(err);
	memmove(all + count, all, stage->command_count * sizeof(*all));
	memcpy(all, commands, count * sizeof(*all));
	stage->commands = all;
	stage->command_count += count;
	return OCIB_OK;
}

ocib_errc ob_planner_add_triggers(ob_planner *p, ob_plan_stage *stage, ocib_error **err)
{
	const ob_location *at = ob_plan_from_place(stage->source->from);
	ob_autofree const char **texts = NULL;
	size_t count = 0;
	ocib_errc r;

	stage->has_triggers = true;
	if (stage->stand_in.kind)
		return OCIB_OK;
	r = list_texts(p, stage, &texts, &count, err);
	if (r || !count)
		return r;
	if (count > OB_LIMIT_ONBUILD)
		return ob_fail_at(err, p->dockerfile, at, OCIB_ERR_LIMIT,
				  "the base has %zu ONBUILD triggers, more than %d (limit "
				  "OB_LIMIT_ONBUILD)",
				  count, OB_LIMIT_ONBUILD);
	ob_autofree ob_plan_command *commands = calloc(count, sizeof(*commands));
	if (!commands)
		return ob_fail_nomem(err);
	for (size_t i = 0; !r && i < count; i++)
		r = parse_trigger(p, texts[i], at, &commands[i], err);
	if (!r)
		r = insert_commands(stage, commands, count, err);
	for (size_t i = 0; !r && i < count; i++)
		r = ob_planner_link_command(p, &stage->commands[i], err);
	return r;
}
