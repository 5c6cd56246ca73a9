/* engine/build/export.c — where the finished image goes: names in the store, layouts, archives, registries.
 *
 * The image's new blobs are in the store already. The layers of a base that was looked at in a registry
 * may not be: they are fetched for outputs that need all bytes, and not for a push, where the registry
 * takes them from the other repository. A name in the store is given only to an image that is whole.
 */
#include <string.h>
#include "base/strings.h"
#include "engine/build/build.h"
#include "engine/build/fetch_layers.h"
#include "engine/build/rootfs_sink.h"
#include "engine/transfer/archive_write.h"
#include "engine/transfer/push.h"

#define ANNOTATION_IMAGE_NAME "io.containerd.image.name"

typedef struct export_call {
	ob_build *build;
	const ocib_output *output;
	const ob_descriptor *manifest;
	uint32_t step;
} export_call;

static ob_tree *target_tree(const ob_build *build)
{
	return build->nodes[build->plan->target].tree;
}

static ocib_errc fetch_base(const export_call *call, ocib_error **err)
{
	return ob_layer_fetch_all(call->build->store, target_tree(call->build), call->step, err);
}

/* --- the store --- */

static ocib_errc set_names(ob_store *store, const ob_strlist *names,
			   const ob_descriptor *descriptors, ocib_error **err)
{
	return ob_store_set_refs(store, (const char *const *)names->items, descriptors, names->len,
				 err);
}

static ocib_errc name_in_store(ob_build *build, const ob_descriptor *manifest, ocib_error **err)
{
	ob_autofree ob_descriptor *descriptors = calloc(build->tags.len + 1, sizeof(*descriptors));

	if (!descriptors)
		return ob_fail_nomem(err);
	for (size_t i = 0; i < build->tags.len; i++)
		descriptors[i] = *manifest; /* borrowed */
	return set_names(build->store, &build->tags, descriptors, err);
}

static ocib_errc to_store(export_call *call, ocib_error **err)
{
	ocib_errc r = fetch_base(call, err);

	return r == OCIB_OK ? name_in_store(call->build, call->manifest, err) : r;
}

/* --- layouts --- */

static void descriptors_free(ob_descriptor *descriptors, size_t count)
{
	for (size_t i = 0; i < count; i++)
		ob_descriptor_done(&descriptors[i]);
	free(descriptors);
}

/* BuildKit's way: the tag as the layout's name, the full name beside it; "latest" without tags. */
static ocib_errc layout_names(const export_call *call, ob_strlist *names,
			      ob_descriptor *descriptors, ocib_error **err)
{
	const ob_strlist *tags = &call->build->tags;

	for (size_t i = 0; i < tags->len; i++) {
		const char *tag = strrchr(tags->items[i], ':');

		if (ob_descriptor_copy(&descriptors[i], call->manifest) < 0 ||
		    ob_env_set(&descriptors[i].annotations, ANNOTATION_IMAGE_NAME, tags->items[i]) <
			    0 ||
		    ob_strlist_add(names, tag + 1) < 0)
			return ob_fail_nomem(err);
	}
	if (!tags->len && (ob_descriptor_copy(&descriptors[0], call->manifest) < 0 ||
			   ob_strlist_add(names, "latest") < 0))
		return ob_fail_nomem(err);
	return OCIB_OK;
}

static ocib_errc fill_layout(export_call *call, ob_store *layout, ocib_error **err)
{
	size_t count = call->build->tags.len + 1;
	ob_autodone(ob_strlist) names = {0};
	ob_descriptor *descriptors = calloc(count, sizeof(*descriptors));

	if (!descriptors)
		return ob_fail_nomem(err);
	ocib_errc r = ob_store_copy_image(call->build->store, layout, call->manifest, NULL, err);
	if (r == OCIB_OK)
		r = layout_names(call, &names, descriptors, err);
	if (r == OCIB_OK)
		r = set_names(layout, &names, descriptors, err);
	descriptors_free(descriptors, count);
	return r;
}

static ocib_errc to_layout(export_call *call, ocib_error **err)
{
	ob_auto(ocib_store) layout = NULL;

	ocib_errc r = ob_layout_open(call->output->dest, true, &layout, err);
	return r == OCIB_OK ? fill_layout(call, layout, err) : r;
}

/* --- archives --- */

/* NULL-terminated, also when empty. */
static const char *const *terminated(const ob_strlist *list)
{
	static const char *const none[] = {NULL};

	return list->len ? (const char *const *)list->items : none;
}

static ocib_errc to_oci_archive(export_call *call, ocib_error **err)
{
	static const char *const latest[] = {"latest", NULL};
	const ob_strlist *tags = &call->build->tags;
	ob_autodone(ob_strlist) short_names = {0};

	for (size_t i = 0; i < tags->len; i++) {
		if (ob_strlist_add(&short_names, strrchr(tags->items[i], ':') + 1) < 0)
			return ob_fail_nomem(err);
	}
	return ob_archive_write_oci(call->build->ctx, call->build->store, call->manifest,
				    call->output->dest,
				    tags->len ? terminated(&short_names) : latest,
				    tags->len ? terminated(tags) : NULL, NULL, err);
}

static ocib_errc to_docker(export_call *call, ocib_error **err)
{
	ocib_errc r = fetch_base(call, err);

	return r < 0 ? r
		     : ob_archive_write_docker(call->build->ctx, call->build->store, call->manifest,
					       call->output->dest, terminated(&call->build->tags),
					       NULL, err);
}

static ocib_errc to_oci(export_call *call, ocib_error **err)
{
	ocib_errc r = fetch_base(call, err);

	if (r < 0)
		return r;
	return call->output->tar == 0 ? to_layout(call, err) : to_oci_archive(call, err);
}

/* --- root file systems --- */

static ocib_errc to_rootfs(export_call *call,
			   ocib_errc (*open_sink)(const char *path, ob_rootfs_sink **out,
						  ocib_error **err),
			   ocib_error **err)
{
	ob_auto(ob_rootfs_sink) sink = NULL;

	ocib_errc r = fetch_base(call, err);
	if (r == OCIB_OK)
		r = open_sink(call->output->dest, &sink, err);
	if (r == OCIB_OK)
		r = ob_rootfs_write(call->build->ctx, target_tree(call->build), sink, err);
	return r;
}

static ocib_errc to_tar(export_call *call, ocib_error **err)
{
	return to_rootfs(call, ob_rootfs_sink_open_tar, err);
}

static ocib_errc to_local(export_call *call, ocib_error **err)
{
	return to_rootfs(call, ob_rootfs_sink_open_dir, err);
}

/* --- registries --- */

/* The image at the bottom, if it came from a registry. */
static const ob_reference *base_origin(const ob_build *build)
{
	const ob_node *node = &build->plan->nodes[build->plan->target];

	while (node->kind == OB_NODE_STAGE)
		node = &build->plan->nodes[node->base];
	return node->kind == OB_NODE_IMAGE ? ob_image_source_origin(node->image) : NULL;
}

static ocib_errc push_one(export_call *call, const char *name, ob_blob_fetcher *fetcher,
			  ob_registry_set *registries, ocib_error **err)
{
	ob_build *build = call->build;
	ob_autodone(ob_reference) destination = {0};
	ocib_transfer_result result = {0};

	ocib_errc r = ob_reference_parse(name, &destination, err);
	if (r == OCIB_OK)
		r = ob_reference_default_tag(&destination, err);
	if (r < 0)
		return r;
	const ob_push_request request = {
		.ctx = build->ctx,
		.store = build->store,
		.memory = build->store,
		.registries = registries,
		.fetcher = fetcher,
		.place = {.origin = base_origin(build)},
		.root = call->manifest,
		.destination = &destination,
		.step = call->step,
	};
	r = ob_push_image(&request, &result, err);
	if (r == OCIB_OK)
		ob_emit_note(build->ctx, "pushed %s@%s", name, call->manifest->digest.text);
	return r;
}

/* The names of the output, comma-separated, else the tags. */
static ocib_errc registry_names(const export_call *call, ob_strlist *names, ocib_error **err)
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
static ocib_errc to_registry(export_call *call, ocib_error **err)
{
	ob_build *build = call->build;
	ob_registry_set *registries = ob_image_sources_registries(build->sources);
	ob_auto(ob_blob_fetcher) fetcher = NULL;
	ob_autodone(ob_strlist) names = {0};

	ocib_errc r = base_origin(build) ? OCIB_OK : fetch_base(call, err);
	if (r == OCIB_OK)
		r = ob_blob_fetcher_new(build->ctx, build->store, registries, &fetcher, err);
	if (r == OCIB_OK)
		r = registry_names(call, &names, err);
	for (size_t i = 0; i < names.len && r == OCIB_OK; i++)
		r = push_one(call, names.items[i], fetcher, registries, err);
	return r;
}

/* --- all of them --- */

/* What was built is in the store's blobs all the same, for later builds and for whoever knows its digest. */
static ocib_errc to_nowhere(export_call *call, ocib_error **err)
{
	(void)call;
	(void)err;
	return OCIB_OK;
}

typedef struct exporter {
	const char *type;
	bool has_dest;
	ocib_errc (*run)(export_call *call, ocib_error **err);
} exporter;

static const exporter exporters[] = {
	{"store", false, to_store},       {"oci", true, to_oci},     {"docker", true, to_docker},
	{"registry", false, to_registry}, {"local", true, to_local}, {"tar", true, to_tar},
	{"cacheonly", false, to_nowhere},
};

static const exporter *find_exporter(const ocib_output *output)
{
	const char *type = output->type ? output->type : "store";

	for (size_t i = 0; i < OB_ARRAY_LEN(exporters); i++) {
		if (ob_str_eq(exporters[i].type, type))
			return &exporters[i];
	}
	return NULL;
}

static ocib_errc check_output(const ob_build *build, const ocib_output *output, ocib_error **err)
{
	const exporter *found = find_exporter(output);

	if (!found)
		return ob_fail(err, OCIB_ERR_INVALID, "there is no output type '%s'", output->type);
	if (found->has_dest && (!output->dest || !*output->dest))
		return ob_fail(err, OCIB_ERR_INVALID, "output type '%s' needs a destination",
			       found->type);
	if (found->run == to_registry && !output->name && !build->tags.len)
		return ob_fail(err, OCIB_ERR_INVALID, "output to a registry needs a tag or a name");
	return OCIB_OK;
}

ocib_errc ob_build_check_outputs(const ob_build *build, ocib_error **err)
{
	if (build->options.push && !build->tags.len)
		return ob_fail(err, OCIB_ERR_INVALID, "a push needs at least one tag");
	for (size_t i = 0; i < build->options.output_count; i++) {
		ocib_errc r = check_output(build, &build->options.outputs[i], err);
		if (r < 0)
			return r;
	}
	return OCIB_OK;
}

static char *describe(const ocib_output *output)
{
	if (find_exporter(output)->run == to_nowhere)
		return strdup("keeping the image in the cache");
	if (output->dest)
		return ob_str_printf("exporting to %s '%s'", output->type, output->dest);
	return ob_str_printf("exporting to the %s", output->type ? output->type : "store");
}

static ocib_errc export_one(ob_build *build, const ocib_output *output,
			    const ob_descriptor *manifest, ocib_error **err)
{
	ob_autofree char *text = describe(output);
	export_call call = {.build = build, .output = output, .manifest = manifest};
	ob_step_span span = {.text = text};

	if (!text)
		return ob_fail_nomem(err);
	ob_span_start(build->ctx, &span);
	call.step = span.id;
	return ob_span_end(build->ctx, &span, find_exporter(output)->run(&call, err));
}

/* Without outputs the image goes into the store; with a push alone, only if nothing must be fetched. */
static ocib_errc export_default(ob_build *build, const ob_descriptor *manifest, ocib_error **err)
{
	static const ocib_output store = {.type = "store"};

	if (build->options.output_count)
		return OCIB_OK;
	if (build->options.push && !ob_layer_fetch_is_done(build->store, target_tree(build))) {
		ob_emit_note(
			build->ctx,
			"the image will be in the registry only: not all layers of its base are here");
		return OCIB_OK;
	}
	return export_one(build, &store, manifest, err);
}

ocib_errc ob_build_export(ob_build *build, const ob_descriptor *manifest, ocib_error **err)
{
	static const ocib_output registry = {.type = "registry"};

	ocib_errc r = export_default(build, manifest, err);
	for (size_t i = 0; i < build->options.output_count && r == OCIB_OK; i++)
		r = export_one(build, &build->options.outputs[i], manifest, err);
	if (r == OCIB_OK && build->options.push)
		r = export_one(build, &registry, manifest, err);
	return r;
}
