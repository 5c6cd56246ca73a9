/* engine/plan/plan_mount_node.c — stages that nobody wrote: what a RUN mounts, where no tree has it as it is.
 *
 * A directory of the machine is seen through its ignore file and belongs to root; a cache begins as a
 * copy. Both are one COPY on nothing, so they are scanned, hashed, cached and unpacked like any other,
 * and the RUN waits for them as it waits for a stage.
 */
#include <string.h>
#include "base/strings.h"
#include "engine/plan/planner.h"

static size_t find_node(const ob_plan *plan, size_t from, const char *path)
{
	for (size_t i = 0; i < plan->node_count; i++) {
		const ob_node *node = &plan->nodes[i];

		if (node->kind != OB_NODE_STAGE || node->step_count != 1)
			continue;
		const ob_copy_op *copy = &node->steps[0].copy;
		if (copy->as_mount && copy->from == from && ob_str_eq(copy->sources[0].path, path))
			return i;
	}
	return OB_NO_NODE;
}

static ocib_errc fill_copy(ob_copy_op *copy, size_t from, bool keep_owner, const char *path,
			   const ob_location *at, ocib_error **err)
{
	copy->as_mount = true;
	copy->unpack = -1;
	copy->from = from;
	copy->keep_owner = keep_owner;
	copy->dest = strdup(OB_MOUNT_PATH);
	copy->sources = calloc(1, sizeof(*copy->sources));
	if (!copy->dest || !copy->sources)
		return ob_fail_nomem(err);
	copy->source_count = 1;
	copy->sources[0] = (ob_copy_source){.kind = OB_COPY_PATHS, .path = strdup(path), .at = *at};
	return copy->sources[0].path ? OCIB_OK : ob_fail_nomem(err);
}

/* "the build context", "stage 'build'", … for people. */
static char *describe(const ob_node *from, const char *path)
{
	const char *what = from->kind == OB_NODE_CONTEXT ? "directory"
			   : from->kind == OB_NODE_STAGE ? "stage"
							 : "image";

	if (from->kind == OB_NODE_CONTEXT && ob_str_eq(from->name, "context"))
		return ob_str_printf("loading %s of the build context for a mount", path);
	return ob_str_printf("loading %s of %s '%s' for a mount", path, what, from->name);
}

ocib_errc ob_planner_mount_node(ob_planner *p, size_t from, const char *path, const ob_location *at,
				size_t *out, ocib_error **err)
{
	bool keep_owner = p->plan->nodes[from].kind != OB_NODE_CONTEXT;
	size_t base = 0;
	ob_node *node = NULL;
	ocib_errc r = OCIB_OK;

	*out = find_node(p->plan, from, path);
	if (*out != OB_NO_NODE)
		return OCIB_OK;
	r = ob_planner_spend(p, sizeof(ob_step) + strlen(path), at, err);
	if (!r)
		r = ob_plan_add_scratch(p->plan, &base, err);
	if (!r)
		r = ob_plan_add_node(p->plan, &node, out, err);
	if (r)
		return r;
	node->kind = OB_NODE_STAGE;
	node->platform = p->options->platform;
	node->base = base;
	node->name = strdup("");
	node->shown = strdup("");
	node->steps = calloc(1, sizeof(*node->steps));
	if (!node->name || !node->shown || !node->steps)
		return ob_fail_nomem(err);
	node->step_count = 1;
	node->steps[0] = (ob_step){.op = OB_STEP_COPY, .stage = *out, .at = *at};
	node->steps[0].text = describe(&p->plan->nodes[from], path);
	if (!node->steps[0].text)
		return ob_fail_nomem(err);
	return fill_copy(&node->steps[0].copy, from, keep_owner, path, at, err);
}
