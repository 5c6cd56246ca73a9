/* engine/plan/plan_sources.c — names that are no stage: scratch, images, and the named contexts that
 * stand in for images and stages.
 *
 * A name means what its normal form means, so "alpine", "alpine:latest" and "docker.io/library/alpine"
 * are one source and one key of --build-context. "scratch" is no image and cannot be replaced. A
 * context may be given for one platform, "name::os/arch", which then comes before "name".
 */
#include <string.h>
#include "base/strings.h"
#include "engine/plan/planner.h"

/* The key of a name: as a person would type it, without ":latest". Kinds: INVALID, LIMIT. */
static ocib_errc name_key(const char *name, char **out, ocib_error **err)
{
	ob_autodone(ob_reference) reference = {0};
	ocib_errc r = ob_reference_parse(name, &reference, err);

	if (r)
		return r;
	ob_autofree char *key = ob_reference_familiar(&reference);
	if (!key)
		return ob_fail_nomem(err);
	if (ob_str_ends(key, ":latest"))
		key[strlen(key) - strlen(":latest")] = '\0';
	*out = ob_take_ptr(key);
	return OCIB_OK;
}

/* A named context's own name, which may end in "::os/arch", to its key. */
static ocib_errc context_key(const char *name, char **out, ocib_error **err)
{
	const char *platform = strstr(name, "::");
	size_t len = platform ? (size_t)(platform - name) : strlen(name);
	ob_autofree char *image = strndup(name, len), *key = NULL;
	ocib_errc r;

	if (!image)
		return ob_fail_nomem(err);
	r = name_key(image, &key, err);
	if (r)
		return ob_wrap(err, r, "build context '%s'", name);
	*out = ob_str_printf("%s%s", key, platform ? platform : "");
	return *out ? OCIB_OK : ob_fail_nomem(err);
}

/* The value given for @key, NULL when none is; the one for this platform comes first. */
static ocib_errc find_context(const ob_planner *p, const char *key, const ob_platform *platform,
			      bool for_stage, const char **value, ocib_error **err)
{
	char text[128];

	ob_platform_format(platform, text);
	ob_autofree char *exact = ob_str_printf("%s::%s", key, text);
	if (!exact)
		return ob_fail_nomem(err);
	*value = NULL;
	for (size_t i = 0; i < p->options->context_count; i++) {
		const ob_named_context *context = &p->options->contexts[i];
		ob_autofree char *have = NULL;

		if (for_stage && context->images_only)
			continue;
		ocib_errc r = context_key(context->name, &have, err);
		if (r)
			return r;
		if (ob_str_eq(have, exact)) {
			*value = context->value;
			return OCIB_OK;
		}
		if (ob_str_eq(have, key))
			*value = context->value;
	}
	return OCIB_OK;
}

/* What a named context is; of an unknown kind it stays IMAGE, and is refused when it is opened. */
static ob_node_kind context_kind(const char *value)
{
	if (ob_is_remote_context(value))
		return OB_NODE_CONTEXT;
	if (ob_str_eq(value, OB_CONTEXT_IMAGE "scratch"))
		return OB_NODE_SCRATCH;
	return strstr(value, "://") || ob_str_starts(value, "git@") ||
			       ob_str_starts(value, "target:")
		       ? OB_NODE_IMAGE
		       : OB_NODE_CONTEXT;
}

static ocib_errc add_source(ob_planner *p, const char *name, const char *key,
			    const ob_platform *platform, const ob_location *at, size_t *index,
			    ocib_error **err)
{
	ob_plan_source *grown = reallocarray(p->sources, p->source_count + 1, sizeof(*p->sources));

	if (!grown)
		return ob_fail_nomem(err);
	p->sources = grown;
	*index = p->source_count++;
	ob_plan_source *source = &p->sources[*index];
	*source = (ob_plan_source){
		.kind = OB_NODE_IMAGE,
		.name = strdup(name),
		.key = strdup(key),
		.platform = *platform,
		.at = at,
		.node = OB_NO_INDEX,
	};
	return source->name && source->key ? OCIB_OK : ob_fail_nomem(err);
}

static size_t find_source(const ob_planner *p, const char *key, const ob_platform *platform)
{
	for (size_t i = 0; i < p->source_count; i++)
		if (ob_str_eq(p->sources[i].key, key) &&
		    ob_platform_eq(&p->sources[i].platform, platform))
			return i;
	return OB_NO_INDEX;
}

/* The source of @key, new or not; *context (may be NULL) says what to take instead of an image. */
static ocib_errc use_source(ob_planner *p, const char *name, const char *key,
			    const ob_platform *platform, const ob_location *at, const char *context,
			    ob_input *out, ocib_error **err)
{
	size_t index = find_source(p, key, platform);

	if (index == OB_NO_INDEX) {
		ocib_errc r = add_source(p, name, key, platform, at, &index, err);

		if (r)
			return r;
		if (context) {
			p->sources[index].context = context;
			p->sources[index].kind = context_kind(context);
		}
	}
	*out = (ob_input){OB_INPUT_SOURCE, index};
	return OCIB_OK;
}

static ocib_errc fail_name(ob_planner *p, const char *name, const ob_location *at, ocib_errc r,
			   ocib_error **inner, ocib_error **err)
{
	const char *stage = ob_planner_nearest_stage(p, name);

	if (r != OCIB_ERR_INVALID)
		return ob_error_move(err, inner);
	r = ob_fail_at(err, p->dockerfile, at, OCIB_ERR_SYNTAX, "no stage and no image name: %s",
		       ocib_error_message(*inner));
	if (stage)
		ob_error_set_hint(err, "did you mean the stage '%s'?", stage);
	return r;
}

ocib_errc ob_planner_add_source(ob_planner *p, const char *name, const ob_platform *platform,
				const ob_location *at, ob_input *out, ocib_error **err)
{
	ob_auto(ocib_error) inner = NULL;
	ob_autofree char *key = NULL;
	const char *context = NULL;
	ocib_errc r;

	if (ob_str_eq(name, "scratch")) {
		r = use_source(p, name, name, &p->options->platform, at, NULL, out, err);
		if (!r)
			p->sources[out->index].kind = OB_NODE_SCRATCH;
		return r;
	}
	r = name_key(name, &key, &inner);
	if (r)
		return fail_name(p, name, at, r, &inner, err);
	r = find_context(p, key, platform, false, &context, err);
	return r ? r : use_source(p, name, key, platform, at, context, out, err);
}

ocib_errc ob_planner_find_stand_in(ob_planner *p, const char *name, const ob_platform *platform,
				   const ob_location *at, ob_input *out, ocib_error **err)
{
	ob_auto(ocib_error) inner = NULL;
	ob_autofree char *key = NULL;
	const char *context = NULL;

	/* A stage may have a name that no image can have, "a-": then there is no context for it. */
	if (ob_str_eq(name, "scratch") || ob_str_eq(name, "context") ||
	    name_key(name, &key, &inner))
		return OCIB_OK;
	ocib_errc r = find_context(p, key, platform, true, &context, err);
	if (r || !context)
		return r;
	return use_source(p, name, key, platform, at, context, out, err);
}
