/* engine/plan/plan.c — see engine/plan.h: a Dockerfile to a plan, phase by phase; and freeing one.
 *
 * A phase reads what earlier ones left in the planner and fills in more of it. All of the planner's
 * memory goes when the plan is made or has failed; what the plan keeps is moved to it on the way. Each
 * platform has a planner of its own, which finds in the plan what those before it have left.
 */
#include "engine/plan.h"
#include <string.h>
#include "base/strings.h"
#include "engine/plan/planner.h"

static ocib_errc (*const phases[])(ob_planner *, ocib_error **) = {
	ob_planner_read_args,   ob_planner_make_stages,  ob_planner_find_target,
	ob_planner_link_stages, ob_planner_resolve,      ob_planner_dispatch,
	ob_planner_list_unused, ob_planner_make_outline,
};

static void source_done(ob_plan_source *source)
{
	free(source->name);
	free(source->key);
	free(source->dir);
}

static void stage_done(ob_plan_stage *stage)
{
	free(stage->label);
	free(stage->base_name);
	for (size_t i = 0; i < stage->command_count; i++)
		free(stage->commands[i].from);
	free(stage->commands);
	stage->config = ob_config_free(stage->config);
	ob_strlist_done(&stage->env);
	ob_strlist_done(&stage->args);
	for (size_t i = 0; i < stage->step_count; i++)
		ob_step_done(&stage->steps[i]);
	free(stage->steps);
	for (size_t i = 0; i < stage->noted_count; i++) {
		free(stage->noted[i].key);
		free(stage->noted[i].value);
	}
	free(stage->noted);
}

static void ob_planner_done(ob_planner *planner)
{
	for (size_t i = 0; i < planner->source_count; i++)
		source_done(&planner->sources[i]);
	for (size_t i = 0; i < planner->stage_count; i++)
		stage_done(&planner->stages[i]);
	free(planner->sources);
	free(planner->stages);
	ob_strlist_done(&planner->build_args);
	ob_strlist_done(&planner->global_args);
	ob_strlist_done(&planner->proxy_env);
	planner->plan = ob_plan_free(planner->plan);
}

/* All phases for the platform of @p shared's options; on success *plan and *spent have grown. */
static ocib_errc plan_platform(const ob_planner *shared, ob_plan **plan, uint64_t *spent,
			       ocib_error **err)
{
	ob_autodone(ob_planner) planner = *shared;

	planner.plan = ob_take_ptr(*plan);
	planner.first_node = planner.plan->node_count;
	planner.spent = *spent;
	for (size_t i = 0; i < OB_ARRAY_LEN(phases); i++) {
		ocib_errc r = phases[i](&planner, err);

		if (r)
			return r;
	}
	*spent = planner.spent;
	*plan = ob_take_ptr(planner.plan);
	return OCIB_OK;
}

ocib_errc ob_plan_make(ocib_context *ctx, ob_image_sources *sources,
		       const ob_dockerfile *dockerfile, const ob_plan_options *options,
		       ob_plan **out, ocib_error **err)
{
	ob_auto(ob_plan) plan = calloc(1, sizeof(*plan));
	ob_plan_options one = *options;
	ob_planner planner = {
		.ctx = ctx,
		.images = sources,
		.dockerfile = dockerfile,
		.options = &one,
		.main_context = OB_NO_INDEX,
	};
	uint64_t spent = 0;

	if (!plan)
		return ob_fail_nomem(err);
	ob_platform_host(&planner.host);
	plan->dockerfile = dockerfile;
	ocib_errc r = plan_platform(&planner, &plan, &spent, err);
	one.findings = NULL;
	one.outline = false; /* of the first platform, as the findings */
	for (size_t i = 0; !r && i < options->also_count; i++) {
		one.platform = options->also[i];
		r = plan_platform(&planner, &plan, &spent, err);
	}
	if (!r)
		*out = ob_take_ptr(plan);
	return r;
}

ocib_errc ob_planner_spend(ob_planner *planner, uint64_t bytes, const ob_location *at,
			   ocib_error **err)
{
	planner->spent += bytes;
	if (planner->spent <= OB_LIMIT_PLAN)
		return OCIB_OK;
	return ob_fail_at(
		err, planner->dockerfile, at, OCIB_ERR_LIMIT,
		"the steps of this Dockerfile take more than %llu bytes with their variables "
		"replaced (limit OB_LIMIT_PLAN)",
		OB_LIMIT_PLAN);
}

/* Nodes are added one by one but for small plans rarely more than a dozen: grown by doubling. */
ocib_errc ob_plan_add_node(ob_plan *plan, ob_node **node, size_t *index, ocib_error **err)
{
	size_t count = plan->node_count;

	if ((count & (count - 1)) == 0) {
		ob_node *grown = reallocarray(plan->nodes, count ? count * 2 : 1, sizeof(*grown));

		if (!grown)
			return ob_fail_nomem(err);
		plan->nodes = grown;
	}
	*node = &plan->nodes[count];
	**node = (ob_node){.needed = true};
	*index = count;
	plan->node_count++;
	return OCIB_OK;
}

ocib_errc ob_plan_add_scratch(ob_plan *plan, size_t *index, ocib_error **err)
{
	ob_node *node = NULL;
	ocib_errc r = ob_plan_add_node(plan, &node, index, err);

	if (r)
		return r;
	node->kind = OB_NODE_SCRATCH;
	node->name = strdup("scratch");
	return node->name ? OCIB_OK : ob_fail_nomem(err);
}

static void copy_op_done(ob_copy_op *copy)
{
	for (size_t i = 0; i < copy->source_count; i++) {
		free(copy->sources[i].path);
		free(copy->sources[i].data);
		free(copy->sources[i].name);
	}
	free(copy->sources);
	free(copy->dest);
	free(copy->chown);
	free(copy->chmod);
	free(copy->checksum);
	ob_strlist_done(&copy->exclude);
}

static void step_mount_done(ob_step_mount *mount)
{
	free(mount->target);
	free(mount->source);
	free(mount->id);
	free(mount->env);
}

void ob_step_done(ob_step *step)
{
	copy_op_done(&step->copy);
	free(step->workdir.path);
	free(step->workdir.user);
	ob_strlist_done(&step->run.argv);
	ob_strlist_done(&step->run.env);
	ob_strlist_done(&step->run.secret_env);
	free(step->run.cwd);
	free(step->run.user);
	free(step->run.hostname);
	for (size_t i = 0; i < step->run.mount_count; i++)
		step_mount_done(&step->run.mounts[i]);
	free(step->run.mounts);
	free(step->text);
}

static void node_done(ob_node *node)
{
	free(node->name);
	free(node->shown);
	free(node->dir);
	node->ignore = ob_ignore_free(node->ignore);
	free(node->ignore_file);
	ob_strlist_done(&node->ignore_patterns);
	free(node->ignore_lines);
	for (size_t i = 0; i < node->step_count; i++)
		ob_step_done(&node->steps[i]);
	free(node->steps);
	node->config = ob_config_free(node->config);
	(void)ob_tree_free(node->tree);
}

void ob_plan_drop_node(ob_plan *plan)
{
	node_done(&plan->nodes[--plan->node_count]);
}

ob_plan *ob_plan_free(ob_plan *plan)
{
	if (!plan)
		return NULL;
	for (size_t i = 0; i < plan->target_count; i++)
		(void)ob_config_free(plan->targets[i].config);
	free(plan->targets);
	for (size_t i = 0; i < plan->node_count; i++)
		node_done(&plan->nodes[i]);
	free(plan->nodes);
	for (size_t i = 0; i < plan->remote_count; i++)
		ob_remote_context_done(&plan->remotes[i]);
	free(plan->remotes);
	ob_strlist_done(&plan->remote_addresses);
	for (size_t i = 0; i < plan->trigger_count; i++)
		ob_dockerfile_free(plan->triggers[i]);
	free(plan->triggers);
	plan->outline = ocib_outline_free(plan->outline);
	plan->missing = ocib_error_free(plan->missing);
	ob_strlist_done(&plan->unused_args);
	free(plan);
	return NULL;
}
