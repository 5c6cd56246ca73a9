/* engine/plan/plan_dispatch.c — a stage from its base to its last instruction.
 *
 * Needed stages are carried out in the order of the file, so that what a stage stands on is complete when
 * its turn comes: its node follows those of its base and its sources. A stage begins with the
 * configuration and the variables of its base; each instruction then changes them by its handler.
 */
#include <string.h>
#include "base/strings.h"
#include "engine/plan/planner.h"

#define DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

static const ob_handler handlers[] = {
	[OB_INSTRUCTION_ADD] = ob_dispatch_copy,
	[OB_INSTRUCTION_ARG] = ob_dispatch_arg,
	[OB_INSTRUCTION_CMD] = ob_dispatch_cmd,
	[OB_INSTRUCTION_COPY] = ob_dispatch_copy,
	[OB_INSTRUCTION_ENTRYPOINT] = ob_dispatch_entrypoint,
	[OB_INSTRUCTION_ENV] = ob_dispatch_env,
	[OB_INSTRUCTION_EXPOSE] = ob_dispatch_expose,
	[OB_INSTRUCTION_HEALTHCHECK] = ob_dispatch_healthcheck,
	[OB_INSTRUCTION_LABEL] = ob_dispatch_label,
	[OB_INSTRUCTION_MAINTAINER] = ob_dispatch_maintainer,
	[OB_INSTRUCTION_ONBUILD] = ob_dispatch_onbuild,
	[OB_INSTRUCTION_RUN] = ob_dispatch_run,
	[OB_INSTRUCTION_SHELL] = ob_dispatch_shell,
	[OB_INSTRUCTION_STOPSIGNAL] = ob_dispatch_stopsignal,
	[OB_INSTRUCTION_USER] = ob_dispatch_user,
	[OB_INSTRUCTION_VOLUME] = ob_dispatch_volume,
	[OB_INSTRUCTION_WORKDIR] = ob_dispatch_workdir,
};

/* FROM scratch, and a directory as a base. */
static ocib_errc begin_empty(ob_planner *p, ob_plan_stage *stage, ocib_error **err)
{
	stage->platform = p->options->platform;
	stage->config = ob_config_new();
	if (!stage->config)
		return ob_fail_nomem(err);
	stage->config->platform = stage->platform;
	return ob_config_set_text(&stage->config->working_dir, "/", err);
}

/* What BuildKit does not know of a configuration, it does not hand on; nor do we. */
static void forget_unknown(ob_config *config)
{
	config->rest = ob_json_free(config->rest);
	config->config_rest = ob_json_free(config->config_rest);
	ob_strlist_done(&config->on_build); /* its triggers run here */
	free(config->created);
	config->created = NULL;
}

static ocib_errc begin_image(ob_planner *p, ob_plan_stage *stage, const ob_image_source *image,
			     ocib_error **err)
{
	stage->config = ob_config_copy(ob_image_source_config(image));
	if (!stage->config)
		return ob_fail_nomem(err);
	forget_unknown(stage->config);
	const ob_platform *have = &stage->config->platform;
	/* Nobody asked for a platform, so the image's own is as good as any. */
	if (!stage->has_platform && !p->options->platform_given && have->os[0] && have->arch[0])
		stage->platform = *have;
	return OCIB_OK;
}

/* FROM a stage of this file: ARGs come along, ONBUILD does not. */
static ocib_errc begin_stage(ob_planner *p, ob_plan_stage *stage, const ob_plan_stage *parent,
			     ocib_error **err)
{
	stage->platform = parent->platform;
	stage->has_workdir = parent->has_workdir;
	stage->base_missing = parent->base_missing;
	stage->base_node = parent->node;
	stage->config = ob_config_copy(p->plan->nodes[parent->node].config);
	if (!stage->config || ob_strlist_copy(&stage->env, &parent->env) < 0 ||
	    ob_strlist_copy(&stage->args, &parent->args) < 0)
		return ob_fail_nomem(err);
	ob_strlist_done(&stage->config->on_build);
	return OCIB_OK;
}

/* A directory as a base is one layer on nothing: all that the directory's ignore file lets through. */
static ocib_errc add_directory_layer(ob_dispatch *d, size_t from, ocib_error **err)
{
	ob_autodone(ob_buffer) history = OB_HISTORY_BUFFER;
	ob_step *step = NULL;
	ocib_errc r = ob_dispatch_add_step(d, OB_STEP_COPY, &step, err);

	if (r)
		return r;
	step->copy.unpack = -1;
	step->copy.from = from;
	step->copy.dest = strdup("/");
	step->copy.sources = calloc(1, sizeof(*step->copy.sources));
	step->text = ob_str_printf("FROM %s", d->stage->base_name);
	if (!step->copy.dest || !step->copy.sources || !step->text)
		return ob_fail_nomem(err);
	step->copy.source_count = 1;
	step->copy.sources[0] = (ob_copy_source){
		.kind = OB_COPY_PATHS,
		.path = strdup("."),
		.at = *d->command->at,
	};
	if (!step->copy.sources[0].path)
		return ob_fail_nomem(err);
	ob_buffer_printf(&history, "%s%s", step->text, OB_HISTORY_MARK);
	return ob_dispatch_commit(d, &history, true, err);
}

static ocib_errc begin_source(ob_dispatch *d, size_t index, ocib_error **err)
{
	ob_planner *p = d->planner;
	ob_plan_stage *stage = d->stage;
	ob_node_kind kind = p->sources[index].kind;
	size_t from = OB_NO_INDEX;
	ocib_errc r = ob_planner_source_node(p, index, &from, err);

	if (r)
		return r;
	stage->base_node = from;
	stage->base_missing = p->sources[index].missing;
	if (kind == OB_NODE_IMAGE && !stage->base_missing) {
		stage->counted = 1;
		ob_check_image_platform(d, &p->sources[index], &stage->platform);
		return begin_image(p, stage, p->sources[index].image, err);
	}
	r = begin_empty(p, stage, err);
	if (r || kind != OB_NODE_CONTEXT)
		return r;
	r = ob_plan_add_scratch(p->plan, &stage->base_node, err);
	return r ? r : add_directory_layer(d, from, err);
}

/* Whatever the base is: a PATH, its environment as variables, an absolute working directory. */
static ocib_errc adopt_config(ob_dispatch *d, ocib_error **err)
{
	ob_config *config = d->stage->config;
	ocib_errc r = OCIB_OK;

	if (!ob_env_get(&config->env, "PATH") &&
	    ob_strlist_add(&config->env, "PATH=" DEFAULT_PATH) < 0)
		return ob_fail_nomem(err);
	for (size_t i = 0; !r && i < config->env.len; i++) {
		const char *item = config->env.items[i], *equals = strchr(item, '=');
		ob_autofree char *key = strndup(item, strcspn(item, "="));

		if (!key)
			return ob_fail_nomem(err);
		r = ob_dispatch_set_env(d, key, equals ? equals + 1 : "", err);
	}
	if (!r)
		r = ob_planner_spend(d->planner, config->history_count * sizeof(ob_history),
				     d->command->at, err);
	return r ? r : ob_planner_start_dir(config, err);
}

static ocib_errc begin(ob_dispatch *d, ocib_error **err)
{
	ob_planner *p = d->planner;
	ob_input base = d->stage->stand_in.kind ? d->stage->stand_in
						: ob_planner_real_input(p, d->stage->base);
	ocib_errc r;

	if (base.kind == OB_INPUT_STAGE)
		r = begin_stage(p, d->stage, &p->stages[base.index], err);
	else
		r = begin_source(d, base.index, err);
	if (!r && ob_str_eq(d->stage->platform.os, "windows"))
		return ob_fail_here(err, d, NULL, OCIB_ERR_UNSUPPORTED,
				    "building Windows images is not supported");
	return r ? r : adopt_config(d, err);
}

/* The stage's steps and configuration become a node of the plan. */
static ocib_errc finish(ob_planner *p, ob_plan_stage *stage, ocib_error **err)
{
	const char *name = p->stage_count > 1 ? stage->label : "";
	ob_node *node = NULL;
	ocib_errc r = ob_plan_add_node(p->plan, &node, &stage->node, err);

	if (r)
		return r;
	for (size_t i = 0; i < stage->step_count; i++) {
		stage->steps[i].stage = stage->node;
		stage->steps[i].total = stage->counted;
	}
	node->kind = OB_NODE_STAGE;
	node->platform = stage->platform;
	node->base = stage->base_node;
	node->step_count = stage->step_count;
	node->steps = ob_take_ptr(stage->steps);
	stage->step_count = 0;
	node->config = ob_take_ptr(stage->config);
	node->name = strdup(name);
	node->shown = ob_planner_show_stage(p, stage, name);
	if (!node->name || !node->shown)
		return ob_fail_nomem(err);
	ob_planner_share_node(p, &stage->node);
	return OCIB_OK;
}

static ocib_errc dispatch_stage(ob_planner *p, ob_plan_stage *stage, ocib_error **err)
{
	const ob_plan_command from = {
		.instruction = stage->source->from,
		.at = ob_plan_from_place(stage->source->from),
	};
	ob_dispatch d = {
		.planner = p,
		.stage = stage,
		.command = &from,
		.instruction = from.instruction,
	};
	ocib_errc r = begin(&d, err);

	for (size_t i = 0; !r && !stage->stand_in.kind && i < stage->command_count; i++) {
		d.command = &stage->commands[i];
		d.instruction = d.command->instruction;
		r = ob_check_canceled(p->ctx, err);
		if (r)
			return r;
		ob_check_instruction(&d);
		r = handlers[d.instruction->type](&d, err);
		if (!r)
			ob_check_copied(&d);
	}
	return r ? r : finish(p, stage, err);
}

/* The exported image says the platform that was asked for, whatever its base says of itself. */
static void set_platform(const ob_planner *p, ob_config *config)
{
	const ob_platform *want = &p->options->platform;
	bool same = ob_str_eq(config->platform.os, want->os) &&
		    ob_str_eq(config->platform.arch, want->arch);
	ob_platform old = config->platform, normal;
	ob_auto(ocib_error) unknown = NULL;
	char text[128];

	if (p->options->platform_given) {
		config->platform = *want;
		if (same && !want->variant[0])
			memcpy(config->platform.variant, old.variant, sizeof(old.variant));
		if (same && !want->os_version[0])
			memcpy(config->platform.os_version, old.os_version, sizeof(old.os_version));
	}
	if (!config->platform.os[0] || !config->platform.arch[0])
		return;
	ob_platform_format(&config->platform, text);
	if (!ob_platform_parse(text, &normal, &unknown))
		config->platform = normal;
}

static ocib_errc finish_target(ob_planner *p, ocib_error **err)
{
	const ob_strlist *labels = p->options->labels;
	ob_plan *plan = p->plan;
	ob_plan_target *grown = reallocarray(plan->targets, plan->target_count + 1, sizeof(*grown));

	if (!grown)
		return ob_fail_nomem(err);
	plan->targets = grown;
	ob_plan_target *target = &grown[plan->target_count++];
	*target = (ob_plan_target){
		.node = p->stages[p->target].node,
		.platform = p->options->platform,
	};
	target->config = ob_config_copy(plan->nodes[target->node].config);
	if (!target->config)
		return ob_fail_nomem(err);
	for (size_t i = 0; labels && i + 1 < labels->len; i += 2)
		if (ob_config_set_label(target->config, labels->items[i], labels->items[i + 1]) < 0)
			return ob_fail_nomem(err);
	set_platform(p, target->config);
	return OCIB_OK;
}

ocib_errc ob_planner_dispatch(ob_planner *p, ocib_error **err)
{
	for (size_t i = 0; i < p->stage_count; i++) {
		ocib_errc r;

		/* A stage that a named context replaces is nothing of its own, but as the target. */
		if (!p->stages[i].needed || (p->stages[i].stand_in.kind && i != p->target))
			continue;
		r = dispatch_stage(p, &p->stages[i], err);
		if (r)
			return r;
	}
	return finish_target(p, err);
}
