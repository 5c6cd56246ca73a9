/* engine/plan/plan_platform.c — several platforms in one plan: what they share, and how they are told apart.
 *
 * Each platform is planned for itself. A node that comes out as one that another platform has left in the
 * plan is that node: the context, a stage FROM --platform=$BUILDPLATFORM that asks for nothing of the
 * target, and all that stands on such. Same means the same in every respect that anybody can see, so a
 * stage of which only a label differs is planned twice; that its steps are not executed twice is the
 * cache's business.
 */
#include <stdio.h>
#include <string.h>
#include "base/strings.h"
#include "engine/plan/planner.h"
#include "engine/step_key.h"

static bool same_text(const char *a, const char *b)
{
	return a && b ? ob_str_eq(a, b) : a == b;
}

static bool same_list(const ob_strlist *a, const ob_strlist *b)
{
	for (size_t i = 0; i < a->len && i < b->len; i++)
		if (!ob_str_eq(a->items[i], b->items[i]))
			return false;
	return a->len == b->len;
}

/* What the digest of a step does not say of a mount. */
static bool same_mount(const ob_step_mount *a, const ob_step_mount *b)
{
	return a->from == b->from && a->sharing == b->sharing && same_text(a->source, b->source) &&
	       same_text(a->id, b->id) && same_text(a->env, b->env);
}

/* By what they were made from, then by what they do. */
static bool same_step(const ob_step *a, const ob_step *b)
{
	uint8_t x[OB_SHA256_LEN], y[OB_SHA256_LEN];

	if (a->op != b->op || a->number != b->number || a->total != b->total ||
	    a->history != b->history || a->at.line != b->at.line || !ob_str_eq(a->text, b->text) ||
	    a->copy.from != b->copy.from || a->run.mount_count != b->run.mount_count ||
	    !same_list(&a->run.secret_env, &b->run.secret_env))
		return false;
	for (size_t i = 0; i < a->run.mount_count; i++)
		if (!same_mount(&a->run.mounts[i], &b->run.mounts[i]))
			return false;
	return !ob_step_digest(a, x, NULL) && !ob_step_digest(b, y, NULL) &&
	       memcmp(x, y, sizeof(x)) == 0;
}

static bool same_config(const ob_config *a, const ob_config *b)
{
	ob_autodone(ob_buffer) x = OB_BUFFER_INIT(OB_LIMIT_CONFIG, "image configuration");
	ob_autodone(ob_buffer) y = OB_BUFFER_INIT(OB_LIMIT_CONFIG, "image configuration");

	return a && b && !ob_config_format(a, &x, NULL) && !ob_config_format(b, &y, NULL) &&
	       x.len == y.len && memcmp(x.data, y.data, x.len) == 0;
}

/* Nothing is the same wherever it is. */
static bool same_base(const ob_plan *plan, size_t a, size_t b)
{
	return a == b ||
	       (plan->nodes[a].kind == OB_NODE_SCRATCH && plan->nodes[b].kind == OB_NODE_SCRATCH);
}

static bool same_stage(const ob_plan *plan, const ob_node *a, const ob_node *b)
{
	if (!same_base(plan, a->base, b->base) || a->step_count != b->step_count ||
	    !ob_platform_eq(&a->platform, &b->platform) || !ob_str_eq(a->shown, b->shown) ||
	    !same_config(a->config, b->config))
		return false;
	for (size_t i = 0; i < a->step_count; i++)
		if (!same_step(&a->steps[i], &b->steps[i]))
			return false;
	return true;
}

static bool same_node(const ob_plan *plan, const ob_node *a, const ob_node *b)
{
	if (a->kind != b->kind || !ob_str_eq(a->name, b->name))
		return false;
	switch (a->kind) {
	case OB_NODE_SCRATCH: return true;
	case OB_NODE_IMAGE: return a->image == b->image;
	case OB_NODE_TREE: return a->tree == b->tree;
	case OB_NODE_CONTEXT:
		return ob_str_eq(a->dir, b->dir) &&
		       same_list(&a->ignore_patterns, &b->ignore_patterns);
	case OB_NODE_STAGE: return same_stage(plan, a, b);
	}
	return false;
}

void ob_planner_share_node(ob_planner *p, size_t *index)
{
	for (size_t i = 0; i < p->first_node; i++) {
		if (!same_node(p->plan, &p->plan->nodes[i], &p->plan->nodes[*index]))
			continue;
		ob_plan_drop_node(p->plan);
		*index = i;
		return;
	}
}

/* What the platform's arguments say where a stage has asked for them; false: it has not. */
static bool asked_target(const ob_strlist *env, const ob_platform *base, ob_platform *out)
{
	const char *all = ob_env_get(env, "TARGETPLATFORM"), *os = ob_env_get(env, "TARGETOS"),
		   *arch = ob_env_get(env, "TARGETARCH"),
		   *variant = ob_env_get(env, "TARGETVARIANT");
	ob_auto(ocib_error) unknown = NULL;

	if (all && !ob_platform_parse(all, out, &unknown))
		return true;
	if (!os && !arch && !variant)
		return false;
	ob_autofree char *text = ob_str_printf(
		"%s/%s%s%s", os && *os ? os : base->os, arch && *arch ? arch : base->arch,
		variant && *variant ? "/" : "", variant && *variant ? variant : "");
	unknown = ocib_error_free(unknown);
	return text && !ob_platform_parse(text, out, &unknown);
}

/* A stage that makes for another platform than it runs on says so: "->arm64". */
static void show_target(const ob_plan_stage *stage, char out[136])
{
	const ob_platform *base = &stage->platform;
	ob_platform target = {0};
	char text[128];

	out[0] = '\0';
	if (!asked_target(&stage->env, base, &target))
		return;
	ob_platform_format(&target, text);
	bool same_os = ob_str_eq(target.os, base->os);
	if (same_os && ob_str_eq(target.arch, base->arch))
		return;
	(void)snprintf(out, 136, "->%s", same_os ? text + strlen(target.os) + 1 : text);
}

char *ob_planner_show_stage(const ob_planner *p, const ob_plan_stage *stage, const char *name)
{
	char platform[128], target[136];

	if (!p->options->show_platforms)
		return strdup(name);
	ob_platform_format(&stage->platform, platform);
	show_target(stage, target);
	return ob_str_printf("%s%s%s%s", platform, target, *name ? " " : "", name);
}
