/* engine/build/export.c — where the finished image goes: names in the store, layouts, archives, registries.
 *
 * The image's new blobs are in the store already. The layers of a base that was looked at in a registry
 * may not be: they are fetched for outputs that need all bytes, and not for a push, where the registry
 * takes them from the other repository. A name in the store is given only to an image that is whole.
 */
#include <string.h>
#include "base/strings.h"
#include "engine/build/export_call.h"
#include "engine/build/rootfs_sink.h"
#include "engine/transfer/archive_write.h"

#define ANNOTATION_IMAGE_NAME "io.containerd.image.name"

/* --- the store --- */

static ocib_errc set_names(ob_store *store, const ob_strlist *names,
			   const ob_descriptor *descriptors, ocib_error **err)
{
	return ob_store_set_refs(store, (const char *const *)names->items, descriptors, names->len,
				 err);
}

static ocib_errc name_in_store(ob_build *build, const ob_descriptor *root, ocib_error **err)
{
	ob_autofree ob_descriptor *descriptors = calloc(build->tags.len + 1, sizeof(*descriptors));

	if (!descriptors)
		return ob_fail_nomem(err);
	for (size_t i = 0; i < build->tags.len; i++)
		descriptors[i] = *root; /* borrowed */
	return set_names(build->store, &build->tags, descriptors, err);
}

static ocib_errc to_store(ob_export_call *call, ocib_error **err)
{
	ocib_errc r = ob_export_fetch(call, err);

	return r == OCIB_OK ? name_in_store(call->build, &call->result->root, err) : r;
}

/* --- layouts --- */

static void descriptors_free(ob_descriptor *descriptors, size_t count)
{
	for (size_t i = 0; i < count; i++)
		ob_descriptor_done(&descriptors[i]);
	free(descriptors);
}

/* BuildKit's way: the tag as the layout's name, the full name beside it; "latest" without tags. */
static ocib_errc layout_names(const ob_export_call *call, ob_strlist *names,
			      ob_descriptor *descriptors, ocib_error **err)
{
	const ob_strlist *tags = &call->build->tags;

	for (size_t i = 0; i < tags->len; i++) {
		const char *tag = strrchr(tags->items[i], ':');

		if (ob_descriptor_copy(&descriptors[i], &call->result->root) < 0 ||
		    ob_env_set(&descriptors[i].annotations, ANNOTATION_IMAGE_NAME, tags->items[i]) <
			    0 ||
		    ob_strlist_add(names, tag + 1) < 0)
			return ob_fail_nomem(err);
	}
	if (!tags->len && (ob_descriptor_copy(&descriptors[0], &call->result->root) < 0 ||
			   ob_strlist_add(names, "latest") < 0))
		return ob_fail_nomem(err);
	return OCIB_OK;
}

static ocib_errc fill_layout(ob_export_call *call, ob_store *layout, ocib_error **err)
{
	size_t count = call->build->tags.len + 1;
	ob_autodone(ob_strlist) names = {0};
	ob_descriptor *descriptors = calloc(count, sizeof(*descriptors));

	if (!descriptors)
		return ob_fail_nomem(err);
	ocib_errc r =
		ob_store_copy_image(call->build->store, layout, &call->result->root, NULL, err);
	if (r == OCIB_OK)
		r = layout_names(call, &names, descriptors, err);
	if (r == OCIB_OK)
		r = set_names(layout, &names, descriptors, err);
	descriptors_free(descriptors, count);
	return r;
}

static ocib_errc to_layout(ob_export_call *call, ocib_error **err)
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

static ocib_errc to_oci_archive(ob_export_call *call, ocib_error **err)
{
	static const char *const latest[] = {"latest", NULL};
	const ob_strlist *tags = &call->build->tags;
	ob_autodone(ob_strlist) short_names = {0};

	for (size_t i = 0; i < tags->len; i++) {
		if (ob_strlist_add(&short_names, strrchr(tags->items[i], ':') + 1) < 0)
			return ob_fail_nomem(err);
	}
	return ob_archive_write_oci(call->build->ctx, call->build->store, &call->result->root,
				    call->output->dest,
				    tags->len ? terminated(&short_names) : latest,
				    tags->len ? terminated(tags) : NULL, NULL, err);
}

static ocib_errc to_docker(ob_export_call *call, ocib_error **err)
{
	ocib_errc r = ob_export_fetch(call, err);

	return r < 0 ? r
		     : ob_archive_write_docker(call->build->ctx, call->build->store,
					       &call->result->root, call->output->dest,
					       terminated(&call->build->tags), NULL, err);
}

static ocib_errc to_oci(ob_export_call *call, ocib_error **err)
{
	ocib_errc r = ob_export_fetch(call, err);

	if (r < 0)
		return r;
	return call->output->tar == 0 ? to_layout(call, err) : to_oci_archive(call, err);
}

/* --- root file systems --- */

/* "linux/arm/v7" as the name of a folder. */
static void folder_name(const ob_platform *platform, char out[128])
{
	ob_platform_format(platform, out);
	for (char *slash = strchr(out, '/'); slash; slash = strchr(slash, '/'))
		*slash = '_';
}

/* One below the other in @p sink, each platform's in a folder of its own where there are several. */
static ocib_errc write_trees(ob_export_call *call, ob_rootfs_sink *sink, ocib_error **err)
{
	ob_build *build = call->build;
	ocib_errc r = OCIB_OK;

	for (size_t i = 0; i < call->result->count && r == OCIB_OK; i++) {
		char folder[128];

		folder_name(&build->plan->targets[i].platform, folder);
		r = ob_rootfs_write(build->ctx, ob_export_tree(build, i),
				    build->makes_index ? folder : NULL, sink, err);
	}
	return r == OCIB_OK ? sink->ops->finish(sink, err) : r;
}

static ocib_errc to_rootfs(ob_export_call *call,
			   ocib_errc (*open_sink)(const char *path, ob_rootfs_sink **out,
						  ocib_error **err),
			   ocib_error **err)
{
	ob_auto(ob_rootfs_sink) sink = NULL;

	ocib_errc r = ob_export_fetch(call, err);
	if (r == OCIB_OK)
		r = open_sink(call->output->dest, &sink, err);
	return r == OCIB_OK ? write_trees(call, sink, err) : r;
}

static ocib_errc to_tar(ob_export_call *call, ocib_error **err)
{
	return to_rootfs(call, ob_rootfs_sink_open_tar, err);
}

static ocib_errc to_local(ob_export_call *call, ocib_error **err)
{
	return to_rootfs(call, ob_rootfs_sink_open_dir, err);
}

/* --- all of them --- */

/* What was built is in the store's blobs all the same, for later builds and for whoever knows its digest. */
static ocib_errc to_nowhere(ob_export_call *call, ocib_error **err)
{
	(void)call;
	(void)err;
	return OCIB_OK;
}

typedef struct exporter {
	const char *type;
	bool has_dest;
	ocib_errc (*run)(ob_export_call *call, ocib_error **err);
} exporter;

static const exporter exporters[] = {
	{"store", false, to_store},       {"oci", true, to_oci},
	{"docker", true, to_docker},      {"registry", false, ob_export_to_registry},
	{"local", true, to_local},        {"tar", true, to_tar},
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
	if (found->run == to_docker && build->makes_index)
		return ob_fail(err, OCIB_ERR_INVALID,
			       "output type 'docker' holds one platform, and several are built: "
			       "use type=oci");
	if (found->run == ob_export_to_registry && !output->name && !build->tags.len)
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

static char *describe(const exporter *found, const ocib_output *output)
{
	if (found->run == to_nowhere)
		return strdup("keeping the image in the cache");
	if (output->dest)
		return ob_str_printf("exporting to %s '%s'", output->type, output->dest);
	return ob_str_printf("exporting to the %s", output->type ? output->type : "store");
}

static ocib_errc export_one(ob_build *build, const ocib_output *output,
			    const ob_build_result *result, ocib_error **err)
{
	const exporter *found = find_exporter(output);

	if (!found)
		return check_output(build, output, err);
	ob_autofree char *text = describe(found, output);
	ob_export_call call = {.build = build, .output = output, .result = result};
	ob_step_span span = {.text = text};

	if (!text)
		return ob_fail_nomem(err);
	ob_span_start(build->ctx, &span);
	call.step = span.id;
	return ob_span_end(build->ctx, &span, found->run(&call, err));
}

/* Without outputs the image goes into the store; with a push alone, only if nothing must be fetched. */
static ocib_errc export_default(ob_build *build, const ob_build_result *result, ocib_error **err)
{
	static const ocib_output store = {.type = "store"};

	if (build->options.output_count)
		return OCIB_OK;
	if (build->options.push && !ob_export_is_fetched(build)) {
		ob_emit_note(
			build->ctx,
			"the image will be in the registry only: not all layers of its base are here");
		return OCIB_OK;
	}
	return export_one(build, &store, result, err);
}

ocib_errc ob_build_export(ob_build *build, const ob_build_result *result, ocib_error **err)
{
	static const ocib_output registry = {.type = "registry"};

	ocib_errc r = export_default(build, result, err);
	for (size_t i = 0; i < build->options.output_count && r == OCIB_OK; i++)
		r = export_one(build, &build->options.outputs[i], result, err);
	if (r == OCIB_OK && build->options.push)
		r = export_one(build, &registry, result, err);
	return r;
}
