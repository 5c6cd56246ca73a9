/* engine/build/stage_run.c — one stage, step by step, as far as it can go.
 *
 * A stage stops where its next step reads a stage that is not finished; the scheduler comes back to it.
 * It is finished when its last layer is: what follows (other stages, the image) sees only whole trees.
 */
#include <string.h>
#include "base/strings.h"
#include "engine/build/build.h"

ob_step_span ob_build_span(const ob_build *build, const ob_step *step)
{
	return (ob_step_span){
		.stage = build->plan->nodes[step->stage].shown,
		.number = step->number,
		.total = step->total,
		.text = step->text,
	};
}

ocib_errc ob_stage_take_layer(ob_stage_run *stage, ob_tree **tree, const char *created,
			      ocib_error **err)
{
	if (ob_strlist_add(&stage->created, created) < 0)
		return ob_fail_nomem(err);
	(void)ob_tree_free(stage->tree);
	stage->tree = ob_take_ptr(*tree);
	return OCIB_OK;
}

ocib_errc ob_step_use_record(ob_build *build, ob_stage_run *stage, const ob_step *step,
			     const ob_step_record *record, ocib_error **err)
{
	ob_step_span span = ob_build_span(build, step);
	ob_autodone(ob_layer_result) layer = {0};
	ob_auto(ob_tree) tree = NULL;

	ocib_errc r = ob_step_record_to_layer(record, &layer, err);
	if (r == OCIB_OK)
		r = ob_tree_new_child(stage->tree, &layer, &tree, err);
	if (r == OCIB_OK)
		r = ob_stage_take_layer(stage, &tree, record->created, err);
	if (r == OCIB_OK)
		ob_span_cached(build->ctx, &span);
	return r;
}

/* --- going on --- */

static bool is_no_cache(const ob_build *build, const ob_node *node)
{
	if (build->options.no_cache)
		return true;
	for (const char *const *one = build->options.no_cache_stages; one && *one; one++) {
		if (ob_str_eq_nocase(*one, node->name))
			return true;
	}
	return false;
}

/* An image as a base is the first of the numbered steps. Nothing is done for it now. */
static void tell_from(const ob_build *build, const ob_node *node)
{
	const ob_node *base = &build->plan->nodes[node->base];
	ob_autofree char *text = ob_str_printf("FROM %s", base->name);
	ob_step_span span = {.stage = node->shown, .number = 1, .text = text};

	if (base->kind != OB_NODE_IMAGE || !text || !node->step_count || node->steps[0].number == 1)
		return;
	span.total = node->steps[0].total;
	ob_span_start(build->ctx, &span);
	(void)ob_span_end(build->ctx, &span, OCIB_OK);
}

static void begin_stage(ob_build *build, ob_stage_run *stage)
{
	const ob_node *node = &build->plan->nodes[stage->node];
	const ob_node_run *base = &build->nodes[node->base];

	stage->tree = ob_tree_ref(base->tree);
	memcpy(stage->key, base->key, OB_SHA256_LEN);
	stage->no_cache = is_no_cache(build, node);
	tell_from(build, node);
}

bool ob_stage_can_go_on(const ob_build *build, const ob_stage_run *stage)
{
	const ob_node *node = &build->plan->nodes[stage->node];

	if (!build->nodes[node->base].done)
		return false;
	if (stage->next == node->step_count)
		return true;
	const ob_step *step = &node->steps[stage->next];
	for (size_t i = 0; i < step->run.mount_count; i++) {
		size_t from = step->run.mounts[i].from;

		if (from != OB_NO_NODE && !build->nodes[from].done)
			return false;
	}
	return step->op != OB_STEP_COPY || build->nodes[step->copy.from].done;
}

static ocib_errc do_step(ob_build *build, ob_stage_run *stage, const ob_step *step,
			 ocib_error **err)
{
	ocib_errc r = ob_check_canceled(build->ctx, err);

	if (r < 0)
		return r;
	r = step->op == OB_STEP_RUN ? ob_step_do_run(build, stage, step, err)
				    : ob_step_do_copy(build, stage, step, err);
	if (r == OCIB_OK)
		stage->next++;
	return r;
}

ocib_errc ob_stage_go_on(ob_build *build, ob_stage_run *stage, ocib_error **err)
{
	const ob_node *node = &build->plan->nodes[stage->node];

	if (!stage->tree)
		begin_stage(build, stage);
	while (stage->next < node->step_count) {
		ocib_errc r = do_step(build, stage, &node->steps[stage->next], err);
		if (r < 0) {
			(void)ob_run_commit_collect(build, stage, NULL);
			return r;
		}
		if (!ob_build_may_go_on(build, stage))
			return OCIB_OK;
	}
	return ob_run_commit_collect(build, stage, err);
}
