/* engine/build/export_registry.c — the finished image into registries, and which of its blobs are fetched for it.
 *
 * The layers of a base that was looked at in a registry need not be here: the registry takes them from the
 * other repository. Of several platforms each image goes with its own base's origin, then the index.
 */
#include <string.h>
#include "engine/build/export_call.h"
#include "engine/build/fetch_layers.h"
#include "engine/transfer/push.h"

ob_tree *ob_export_tree(const ob_build *build, size_t target)
{
	return build->nodes[build->plan->targets[target].node].tree;
}

static ocib_errc fetch_base(const ob_export_call *call, size_t target, ocib_error **err)
{
	return ob_layer_fetch_all(call->build->store, ob_export_tree(call->build, target),
				  call->step, err);
}

ocib_errc ob_export_fetch(const ob_export_call *call, ocib_error **err)
{
	ocib_errc r = OCIB_OK;

	for (size_t i = 0; i < call->result->count && r == OCIB_OK; i++)
		r = fetch_base(call, i, err);
	return r;
}

bool ob_export_is_fetched(const ob_build *build)
{
	for (size_t i = 0; i < build->plan->target_count; i++)
		if (!ob_layer_fetch_is_done(build->store, ob_export_tree(build, i)))
			return false;
	return true;
}

/* The image at the bottom, if it came from a registry. */
static const ob_reference *base_origin(const ob_build *build, size_t target)
{
	const ob_image_source *base = ob_build_base_image(build, &build->plan->targets[target]);

	return base ? ob_image_source_origin(base) : NULL;
}

typedef struct push_call {
	ob_export_call *call;
	ob_blob_fetcher *fetcher;
	ob_registry_set *registries;
} push_call;

static ocib_errc push_document(const push_call *push, const ob_descriptor *root,
			       const ob_reference *origin, const ob_reference *destination,
			       ocib_error **err)
{
	ob_build *build = push->call->build;
	ocib_transfer_result result = {0};
	const ob_push_request request = {
		.ctx = build->ctx,
		.store = build->store,
		.memory = build->store,
		.registries = push->registries,
		.fetcher = push->fetcher,
		.place = {.origin = origin},
		.root = root,
		.destination = destination,
		.step = push->call->step,
	};

	return ob_push_image(&request, &result, err);
}

/* What the index refers to goes first, without a tag: each image's base is somewhere else. */
static ocib_errc push_images(const push_call *push, const ob_reference *destination,
			     ocib_error **err)
{
	const ob_build_result *result = push->call->result;
	ob_reference untagged = *destination; /* borrowed */
	ocib_errc r = OCIB_OK;

	untagged.tag = NULL;
	for (size_t i = 0; i < result->count && r == OCIB_OK; i++)
		r = push_document(push, &result->manifests[i], base_origin(push->call->build, i),
				  &untagged, err);
	return r;
}

static ocib_errc push_one(const push_call *push, const char *name, ocib_error **err)
{
	ob_build *build = push->call->build;
	const ob_build_result *result = push->call->result;
	ob_autodone(ob_reference) destination = {0};

	ocib_errc r = ob_reference_parse(name, &destination, err);
	if (r == OCIB_OK)
		r = ob_reference_default_tag(&destination, err);
	if (r == OCIB_OK && build->makes_index)
		r = push_images(push, &destination, err);
	if (r == OCIB_OK)
		r = push_document(push, &result->root, base_origin(build, 0), &destination, err);
	if (r == OCIB_OK)
		ob_emit_note(build->ctx, "pushed %s@%s", name, result->root.digest.text);
	return r;
}

/* The names of the output, comma-separated, else the tags. */
static ocib_errc registry_names(const ob_export_call *call, ob_strlist *names, ocib_error **err)
{
	const char *text = call->output->name;

	if (!text)
		return ob_strlist_copy(names, &call->build->tags) < 0 ? ob_fail_nomem(err)
								      : OCIB_OK;
	while (*text) {
		size_t len = strcspn(text, ",");

		if (len && ob_strlist_add_len(names, text, len) < 0)
			return ob_fail_nomem(err);
		text += len + (text[len] == ',');
	}
	return OCIB_OK;
}

/* Without an origin the base came from a layout, which the fetcher knows nothing of. */
static ocib_errc fetch_layouts(const ob_export_call *call, ocib_error **err)
{
	ocib_errc r = OCIB_OK;

	for (size_t i = 0; i < call->result->count && r == OCIB_OK; i++)
		if (!base_origin(call->build, i))
			r = fetch_base(call, i, err);
	return r;
}

ocib_errc ob_export_to_registry(ob_export_call *call, ocib_error **err)
{
	ob_build *build = call->build;
	push_call push = {
		.call = call,
		.registries = ob_image_sources_registries(build->sources),
	};
	ob_autodone(ob_strlist) names = {0};

	ocib_errc r = fetch_layouts(call, err);
	if (r == OCIB_OK)
		r = registry_names(call, &names, err);
	if (r == OCIB_OK)
		r = ob_blob_fetcher_new(build->ctx, build->store, push.registries, &push.fetcher,
					err);
	for (size_t i = 0; i < names.len && r == OCIB_OK; i++)
		r = push_one(&push, names.items[i], err);
	push.fetcher = ob_blob_fetcher_free(push.fetcher);
	return r;
}
