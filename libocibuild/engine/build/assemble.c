/* engine/build/assemble.c — a target's configuration and manifest, as BuildKit's exporter writes them.
 *
 * The plan left open what only execution knows: which layers there are, and when they were made. A
 * layer's history entry has the time of its record, so that a build from the cache gives the image that
 * the first build gave, digest included. An entry without a layer has the time of the first new layer,
 * or else of the entry before it. Under SOURCE_DATE_EPOCH nothing of ours is later than it.
 */
#include <string.h>
#include "base/limits.h"
#include "base/strings.h"
#include "engine/build/annotations.h"
#include "engine/build/build.h"
#include "engine/build/recompress.h"

#define ANNOTATION_BASE "org.opencontainers.image.base."

/* --- history --- */

static int set_text(char **field, const char *text)
{
	char *copy = strdup(text);

	if (!copy)
		return -1;
	free(*field);
	*field = copy;
	return 0;
}

/* Times of the layers that steps made: of the target's own and of all stages below it. */
static int fill_layer_times(const ob_build *build, const ob_plan_target *target, ob_config *config)
{
	const ob_node *node = &build->plan->nodes[target->node];

	for (; node->kind == OB_NODE_STAGE; node = &build->plan->nodes[node->base]) {
		const ob_stage_run *stage = &build->nodes[node - build->plan->nodes].stage;

		for (size_t i = 0; i < node->step_count; i++) {
			ob_history *entry = &config->history[node->steps[i].history];

			if (!entry->created &&
			    set_text(&entry->created, stage->created.items[i]) < 0)
				return -1;
		}
	}
	return 0;
}

/* The time that an entry before the first new layer gets: that layer's, else the last one there is. */
static const char *first_new_time(const ob_config *config)
{
	const char *last = NULL;
	bool gap = false;

	for (size_t i = 0; i < config->history_count; i++) {
		if (!config->history[i].created) {
			gap = true;
			continue;
		}
		last = config->history[i].created;
		if (gap)
			break;
	}
	return last;
}

static int fill_other_times(ob_config *config)
{
	ob_autofree char *time = NULL;
	const char *first = first_new_time(config);
	bool gap = false;

	if (first && set_text(&time, first) < 0)
		return -1;
	for (size_t i = 0; i < config->history_count; i++) {
		ob_history *entry = &config->history[i];

		if (entry->created) {
			if (gap && set_text(&time, entry->created) < 0)
				return -1;
			continue;
		}
		gap = true;
		if (time && set_text(&entry->created, time) < 0)
			return -1;
	}
	return 0;
}

ob_image_source *ob_build_base_image(const ob_build *build, const ob_plan_target *target)
{
	const ob_node *node = &build->plan->nodes[target->node];

	while (node->kind == OB_NODE_STAGE)
		node = &build->plan->nodes[node->base];
	return node->kind == OB_NODE_IMAGE ? node->image : NULL;
}

/* How many entries came with the base image: they keep their times. */
static size_t inherited_entries(const ob_build *build, const ob_plan_target *target)
{
	const ob_image_source *base = ob_build_base_image(build, target);

	return base ? ob_image_source_config(base)->history_count : 0;
}

static bool is_later(const char *time, int64_t epoch)
{
	int64_t sec;
	uint32_t nsec;

	return !ob_time_parse(time, &sec, &nsec) || sec > epoch || (sec == epoch && nsec > 0);
}

static int clamp_times(const ob_build *build, const ob_plan_target *target, ob_config *config)
{
	char epoch[40];

	ob_time_format(build->epoch, 0, epoch);
	for (size_t i = inherited_entries(build, target); i < config->history_count; i++) {
		char **created = &config->history[i].created;

		if ((!*created || is_later(*created, build->epoch)) && set_text(created, epoch) < 0)
			return -1;
	}
	return 0;
}

/* The image is as old as the last thing in it. */
static int set_created(ob_config *config)
{
	for (size_t i = config->history_count; i-- > 0 && !config->created;) {
		if (config->history[i].created &&
		    set_text(&config->created, config->history[i].created) < 0)
			return -1;
	}
	return 0;
}

static int set_times(const ob_build *build, const ob_plan_target *target, ob_config *config)
{
	if (fill_layer_times(build, target, config) < 0 || fill_other_times(config) < 0)
		return -1;
	if (build->has_epoch && clamp_times(build, target, config) < 0)
		return -1;
	return set_created(config);
}

/* --- documents --- */

static int set_diff_ids(const ob_tree *tree, ob_config *config)
{
	config->diff_id_count = 0;
	for (size_t i = 0; i < ob_tree_layer_count(tree); i++) {
		if (ob_config_add_diff_id(config, ob_tree_diff_id(tree, i)) < 0)
			return -1;
	}
	return 0;
}

static ocib_errc write_config(ob_build *build, const ob_plan_target *target, const ob_tree *tree,
			      ob_descriptor *out, ocib_error **err)
{
	ob_autodone(ob_buffer) text = OB_BUFFER_INIT(OB_LIMIT_CONFIG, "image configuration");
	ob_auto(ob_config) config = ob_config_copy(target->config);

	if (!config || set_diff_ids(tree, config) < 0 || set_times(build, target, config) < 0)
		return ob_fail_nomem(err);
	ocib_errc r = ob_config_format(config, &text, err);
	if (r == OCIB_OK)
		r = ob_store_write_blob(build->store, text.data, text.len, &out->digest, err);
	if (r < 0)
		return r;
	out->media_type = strdup(OB_MEDIA_OCI_CONFIG);
	out->size = text.len;
	return out->media_type ? OCIB_OK : ob_fail_nomem(err);
}

/* A Docker image's layers are the same bytes under other names. */
static int set_oci_type(ob_descriptor *layer)
{
	ob_compression compression;

	if (!ob_str_starts(layer->media_type, "application/vnd.docker.") ||
	    !ob_media_layer_compression(layer->media_type, &compression))
		return 0;
	return set_text(&layer->media_type, ob_media_layer(compression));
}

static bool must_recompress(const ob_build *build, const ob_descriptor *layer)
{
	ob_compression compression;

	return build->options.force_compression &&
	       ob_media_layer_compression(layer->media_type, &compression) &&
	       compression != build->writer.compression;
}

static ocib_errc add_layer(ob_build *build, ob_tree *tree, size_t i, ob_manifest *manifest,
			   ocib_error **err)
{
	const ob_descriptor *layer = ob_tree_descriptor(tree, i);
	ob_autodone(ob_descriptor) copy = {0};

	if (must_recompress(build, layer)) {
		ocib_errc r = ob_tree_fetch_layer(tree, i, 0, err);
		if (r == OCIB_OK)
			r = ob_recompress_layer(build->store, layer, ob_tree_diff_id(tree, i),
						&build->writer, &copy, err);
		if (r < 0)
			return r;
	} else if (ob_descriptor_copy(&copy, layer) < 0) {
		return ob_fail_nomem(err);
	}
	if (set_oci_type(&copy) < 0 || ob_manifest_add_layer(manifest, &copy) < 0)
		return ob_fail_nomem(err);
	return OCIB_OK;
}

/* The name without the digest, which has an annotation of its own. */
static int set_base(ob_manifest *manifest, const ob_image_source *base)
{
	ob_autofree char *name = strdup(ob_image_source_name(base));
	char *at = name ? strchr(name, '@') : NULL;

	if (at)
		*at = '\0';
	return !name || ob_env_set(&manifest->annotations, ANNOTATION_BASE "name", name) < 0 ||
			       ob_env_set(&manifest->annotations, ANNOTATION_BASE "digest",
					  ob_image_source_digest(base)->text) < 0
		       ? -1
		       : 0;
}

static ocib_errc annotate_base(const ob_build *build, const ob_plan_target *target,
			       ob_manifest *manifest, ocib_error **err)
{
	const ob_image_source *base =
		build->options.annotate_base ? ob_build_base_image(build, target) : NULL;

	return base && set_base(manifest, base) < 0 ? ob_fail_nomem(err) : OCIB_OK;
}

static ocib_errc fill_manifest(ob_build *build, const ob_plan_target *target, ob_manifest *manifest,
			       ocib_error **err)
{
	ob_tree *tree = build->nodes[target->node].tree;

	manifest->media_type = strdup(OB_MEDIA_OCI_MANIFEST);
	if (!manifest->media_type)
		return ob_fail_nomem(err);
	ocib_errc r = write_config(build, target, tree, &manifest->config, err);
	for (size_t i = 0; i < ob_tree_layer_count(tree) && r == OCIB_OK; i++)
		r = add_layer(build, tree, i, manifest, err);
	if (r == OCIB_OK)
		r = annotate_base(build, target, manifest, err);
	return r == OCIB_OK ? ob_annotations_add(build->options.annotations, OB_ANNOTATE_MANIFEST,
						 &target->platform, &manifest->annotations, err)
			    : r;
}

static ocib_errc write_document(ob_build *build, const char *type, const ob_buffer *text,
				ob_descriptor *out, ocib_error **err)
{
	ocib_errc r = ob_store_write_blob(build->store, text->data, text->len, &out->digest, err);

	if (r < 0)
		return r;
	out->size = text->len;
	out->media_type = strdup(type);
	return out->media_type ? OCIB_OK : ob_fail_nomem(err);
}

static ocib_errc assemble_one(ob_build *build, const ob_plan_target *target, ob_descriptor *out,
			      ocib_error **err)
{
	ob_autodone(ob_buffer) text = OB_BUFFER_INIT(OB_LIMIT_MANIFEST, "manifest");
	ob_auto(ob_manifest) manifest = calloc(1, sizeof(*manifest));

	if (!manifest)
		return ob_fail_nomem(err);
	ocib_errc r = fill_manifest(build, target, manifest, err);
	if (r == OCIB_OK)
		r = ob_manifest_format(manifest, &text, err);
	if (r == OCIB_OK)
		r = write_document(build, OB_MEDIA_OCI_MANIFEST, &text, out, err);
	return r == OCIB_OK ? ob_annotations_add(build->options.annotations,
						 OB_ANNOTATE_MANIFEST_DESCRIPTOR, &target->platform,
						 &out->annotations, err)
			    : r;
}

/* --- several platforms --- */

static ocib_errc fill_index(const ob_build *build, const ob_build_result *result, ob_index *index,
			    ocib_error **err)
{
	index->media_type = strdup(OB_MEDIA_OCI_INDEX);
	if (!index->media_type)
		return ob_fail_nomem(err);
	for (size_t i = 0; i < result->count; i++) {
		ob_descriptor one = result->manifests[i]; /* borrowed */

		one.has_platform = true;
		one.platform = build->plan->targets[i].platform;
		if (ob_index_add(index, &one) < 0)
			return ob_fail_nomem(err);
	}
	return ob_annotations_add(build->options.annotations, OB_ANNOTATE_INDEX, NULL,
				  &index->annotations, err);
}

static ocib_errc assemble_index(ob_build *build, ob_build_result *result, ocib_error **err)
{
	ob_autodone(ob_buffer) text = OB_BUFFER_INIT(OB_LIMIT_MANIFEST, "image index");
	ob_auto(ob_index) index = calloc(1, sizeof(*index));

	if (!index)
		return ob_fail_nomem(err);
	ocib_errc r = fill_index(build, result, index, err);
	if (r == OCIB_OK)
		r = ob_index_format(index, &text, err);
	if (r == OCIB_OK)
		r = write_document(build, OB_MEDIA_OCI_INDEX, &text, &result->root, err);
	return r == OCIB_OK ? ob_annotations_add(build->options.annotations,
						 OB_ANNOTATE_INDEX_DESCRIPTOR, NULL,
						 &result->root.annotations, err)
			    : r;
}

ocib_errc ob_build_assemble(ob_build *build, ob_build_result *out, ocib_error **err)
{
	const ob_plan *plan = build->plan;
	ocib_errc r = OCIB_OK;

	out->manifests = calloc(plan->target_count, sizeof(*out->manifests));
	if (!out->manifests)
		return ob_fail_nomem(err);
	for (size_t i = 0; i < plan->target_count && r == OCIB_OK; i++, out->count++)
		r = assemble_one(build, &plan->targets[i], &out->manifests[i], err);
	if (r < 0)
		return r;
	if (build->makes_index)
		return assemble_index(build, out, err);
	return ob_descriptor_copy(&out->root, &out->manifests[0]) < 0 ? ob_fail_nomem(err)
								      : OCIB_OK;
}

void ob_build_result_done(ob_build_result *result)
{
	for (size_t i = 0; i < result->count; i++)
		ob_descriptor_done(&result->manifests[i]);
	free(result->manifests);
	ob_descriptor_done(&result->root);
	*result = (ob_build_result){0};
}
