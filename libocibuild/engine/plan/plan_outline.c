/* engine/plan/plan_outline.c — what the target and all that it needs take from outside, for an outline.
 *
 * A global ARG belongs to the stages whose FROM uses it or that import it with a bare ARG, and so do the
 * global ARGs that its default is made of. An ARG with a default in a stage is the stage's own. Values of
 * those are noted where they are decided; everything else is looked up when the plan is made.
 */
#include <string.h>
#include "base/map.h"
#include "base/strings.h"
#include "engine/plan/planner.h"

/* The walk from the target. */
typedef struct outline_walk {
	ob_planner *p;
	ocib_outline *outline;
	bool *seen;      /* by stage */
	ob_map *globals; /* declared before the first FROM: name to instruction */
} outline_walk;

ocib_errc ob_dispatch_note_arg(ob_dispatch *d, const ob_pair *pair, const char *key,
			       const char *value, ocib_error **err)
{
	ob_plan_stage *stage = d->stage;
	const ob_planner *p = d->planner;
	size_t count = stage->noted_count;

	if (!p->options->outline)
		return OCIB_OK;
	if ((count & (count - 1)) == 0) {
		ob_noted_arg *grown =
			reallocarray(stage->noted, count ? count * 2 : 1, sizeof(*grown));

		if (!grown)
			return ob_fail_nomem(err);
		stage->noted = grown;
	}
	stage->noted[count] = (ob_noted_arg){
		.key = strdup(key),
		.value = strdup(value ? value : ""),
		.instruction = d->instruction,
		.at = d->command->is_trigger ? &stage->source->from->at : &d->instruction->at,
		.own = pair->value || ob_env_get(&p->build_args, key) ||
		       !ob_env_get(&p->global_args, key),
	};
	stage->noted_count++;
	return stage->noted[count].key && stage->noted[count].value ? OCIB_OK : ob_fail_nomem(err);
}

static ocib_errc add_arg(const outline_walk *walk, const char *key, const char *value,
			 const ob_instruction *instruction, const ob_location *at, ocib_error **err)
{
	const ocib_outline_item item = {
		.name = key,
		.value = value,
		.description = ob_doc_comment(instruction, key),
		.line = at->line,
		.end_line = at->end_line,
	};

	return ob_outline_add(walk->outline, OCIB_OUTLINE_ARG, &item, err);
}

/* By name the place of its last declaration before the first FROM. */
static ocib_errc list_globals(outline_walk *walk, ocib_error **err)
{
	const ob_dockerfile *file = walk->p->dockerfile;

	walk->globals = ob_map_new(NULL);
	if (!walk->globals)
		return ob_fail_nomem(err);
	for (size_t i = 0; i < file->global_count; i++) {
		ob_instruction *arg = &file->instructions[i];

		for (size_t k = 0; k < arg->pair_count; k++)
			if (ob_map_set(walk->globals, arg->pairs[k].key, arg) < 0)
				return ob_fail_nomem(err);
	}
	return OCIB_OK;
}

static const ob_pair *find_pair(const ob_instruction *arg, const char *key)
{
	for (size_t k = arg->pair_count; k-- > 0;)
		if (ob_str_eq(arg->pairs[k].key, key))
			return &arg->pairs[k];
	return NULL;
}

/* Names that a word uses, but for those that have no value. */
static ocib_errc list_used(const ob_planner *p, const char *word, ob_strlist *out, ocib_error **err)
{
	const ob_shell_options options = {.escape = p->dockerfile->escape};
	const ob_shell_use use = {.matched = out};
	ob_autofree char *ignored = NULL;
	ocib_errc r = ob_shell_word(word, &p->global_args, &options, &use, &ignored, NULL);

	return r == OCIB_ERR_NOMEM ? ob_fail_nomem(err) : OCIB_OK;
}

/* A global ARG and those that its default is made of: a list of names that grows behind us. */
static ocib_errc add_globals(const outline_walk *walk, ob_strlist *names, ocib_error **err)
{
	const ob_planner *p = walk->p;

	for (size_t i = 0; i < names->len; i++) {
		const char *key = names->items[i];
		const ob_instruction *arg = ob_map_get(walk->globals, key);
		const ob_pair *pair = arg ? find_pair(arg, key) : NULL;
		ocib_errc r;

		if (!pair)
			continue;
		r = add_arg(walk, key, ob_env_get(&p->global_args, key), arg, &arg->at, err);
		if (!r && pair->value && !ob_env_get(&p->build_args, key))
			r = list_used(p, pair->value, names, err);
		if (r)
			return r;
	}
	return OCIB_OK;
}

static ocib_errc add_args(const outline_walk *walk, const ob_plan_stage *stage, ocib_error **err)
{
	const char *platform = ob_instruction_flag(stage->source->from, "platform");
	ob_autodone(ob_strlist) globals = {0};
	ocib_errc r = OCIB_OK;

	if (!stage->stand_in.kind)
		r = list_used(walk->p, stage->source->from->from, &globals, err);
	if (!r && !stage->stand_in.kind && platform)
		r = list_used(walk->p, platform, &globals, err);
	for (size_t i = stage->noted_count; !r && i-- > 0;) {
		const ob_noted_arg *arg = &stage->noted[i];

		if (arg->own)
			r = add_arg(walk, arg->key, arg->value, arg->instruction, arg->at, err);
		else if (ob_strlist_add(&globals, arg->key) < 0)
			r = ob_fail_nomem(err);
	}
	return r ? r : add_globals(walk, &globals, err);
}

static ocib_errc add_mounts(const outline_walk *walk, const ob_step *step, ocib_error **err)
{
	ocib_errc r = OCIB_OK;

	for (size_t i = 0; !r && i < step->run.mount_count; i++) {
		const ob_step_mount *mount = &step->run.mounts[i];
		bool is_ssh = mount->type == OB_RUN_MOUNT_SSH;
		const ocib_outline_item item = {
			.name = mount->id ? mount->id : "default",
			.required = mount->required,
			.line = step->at.line,
			.end_line = step->at.end_line,
		};

		if (is_ssh || mount->type == OB_RUN_MOUNT_SECRET)
			r = ob_outline_add(walk->outline,
					   is_ssh ? OCIB_OUTLINE_SSH : OCIB_OUTLINE_SECRET, &item,
					   err);
	}
	return r;
}

static ocib_errc add_stage(outline_walk *walk, size_t index, ocib_error **err);

static ocib_errc add_input(outline_walk *walk, const ob_input *input, ocib_error **err)
{
	return input->kind == OB_INPUT_STAGE ? add_stage(walk, input->index, err) : OCIB_OK;
}

/* The stage first, so that its own ARGs come before those of the same names below it. */
static ocib_errc add_stage(outline_walk *walk, size_t index, ocib_error **err)
{
	const ob_plan_stage *stage = &walk->p->stages[index];
	ocib_errc r;

	if (walk->seen[index])
		return OCIB_OK;
	walk->seen[index] = true;
	r = add_args(walk, stage, err);
	if (r || stage->node == OB_NO_INDEX)
		return r;
	const ob_node *node = &walk->p->plan->nodes[stage->node];
	for (size_t i = 0; !r && i < node->step_count; i++)
		r = add_mounts(walk, &node->steps[i], err);
	if (!r)
		r = add_input(walk, &stage->base, err);
	for (size_t i = 0; i < stage->command_count; i++)
		for (size_t k = 0; !r && k < stage->commands[i].from_count; k++)
			r = add_input(walk, &stage->commands[i].from[k], err);
	return r;
}

ocib_errc ob_planner_make_outline(ob_planner *p, ocib_error **err)
{
	const ob_instruction *from = p->stages[p->target].source->from;
	const char *name = from->as ? from->as : "";
	ob_auto(ocib_outline) outline = NULL;
	ocib_errc r;

	if (!p->options->outline)
		return OCIB_OK;
	outline = ob_outline_new();
	ob_autofree bool *seen = calloc(p->stage_count, sizeof(*seen));
	if (!outline || !seen)
		return ob_fail_nomem(err);
	outline_walk walk = {p, outline, seen, NULL};
	r = ob_outline_name(outline, name, ob_doc_comment(from, name), err);
	if (!r)
		r = list_globals(&walk, err);
	if (!r)
		r = add_stage(&walk, p->target, err);
	walk.globals = ob_map_free(walk.globals);
	if (r)
		return r;
	ob_outline_sort(outline);
	p->plan->outline = ob_take_ptr(outline);
	return OCIB_OK;
}
