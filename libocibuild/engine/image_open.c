/* engine/image_open.c — the public ocib_image: manifest, config and history of one image, all in
 * memory.
 *
 * Nothing of it refers to the store any more once it is open, so it may outlive it.
 */
#include <string.h>
#include "base/limits.h"
#include "base/strings.h"
#include "engine/transfer/transfer.h"
#include "image/config.h"
#include "image/manifest.h"

struct ocib_image {
	ob_buffer index_json; /* of the index that the name means; len 0: there is none */
	ob_digest index_digest;
	ob_buffer manifest_json;
	ob_buffer config_json;
	ob_manifest *manifest;
	ob_config *config;
	ob_digest digest;
	char platform[128];
	uint64_t size;
	ocib_history_entry *history;
};

OB_DEFINE_AUTO(ocib_image);

ocib_image *ocib_image_free(ocib_image *image)
{
	if (!image)
		return NULL;
	ob_buffer_done(&image->index_json);
	ob_buffer_done(&image->manifest_json);
	ob_buffer_done(&image->config_json);
	ob_manifest_free(image->manifest);
	ob_config_free(image->config);
	free(image->history);
	free(image);
	return NULL;
}

static const char *or_empty(const char *text)
{
	return text ? text : "";
}

/*
 * Layers are the history's entries that are not empty, in order; either list may be the
 * longer one.
 */
static ocib_errc make_history(ocib_image *image, ocib_error **err)
{
	const ob_config *config = image->config;
	size_t layer = 0;

	image->history = calloc(config->history_count + 1, sizeof(*image->history));
	if (!image->history)
		return ob_fail_nomem(err);
	for (size_t i = 0; i < config->history_count; i++) {
		const ob_history *from = &config->history[i];
		ocib_history_entry *to = &image->history[i];

		*to = (ocib_history_entry){.created = or_empty(from->created),
					   .created_by = or_empty(from->created_by),
					   .comment = or_empty(from->comment),
					   .layer = ""};
		if (from->empty_layer || layer >= image->manifest->layer_count)
			continue;
		to->layer = image->manifest->layers[layer].digest.text;
		to->size = image->manifest->layers[layer++].size;
	}
	return OCIB_OK;
}

static ocib_errc read_documents(ocib_image *image, ob_transfer *t, ocib_error **err)
{
	ocib_errc rc = ob_store_read_blob(t->work, &t->root.digest, &image->manifest_json, err);

	if (!rc)
		rc = ob_manifest_parse(image->manifest_json.data, image->manifest_json.len,
				       t->root.media_type, &image->manifest, err);
	if (rc)
		return rc;
	const ob_descriptor *config = &image->manifest->config;
	if (config->size > OB_LIMIT_CONFIG)
		return ob_fail(err, OCIB_ERR_LIMIT, "a configuration of more than %llu bytes",
			       OB_LIMIT_CONFIG);
	if (!ob_store_has_blob(t->work, &config->digest))
		rc = ob_blob_fetch(t->fetcher, &t->place, config, 0, err);
	if (!rc)
		rc = ob_store_read_blob(t->work, &config->digest, &image->config_json, err);
	if (!rc)
		rc = ob_config_parse(image->config_json.data, image->config_json.len,
				     &image->config, err);
	return rc;
}

/* The name may mean more than the image that was chosen. */
static ocib_errc read_index(ocib_image *image, ob_transfer *t, ocib_error **err)
{
	if (ob_digest_eq(&t->named.digest, &t->root.digest))
		return OCIB_OK;
	image->index_digest = t->named.digest;
	return ob_store_read_blob(t->work, &t->named.digest, &image->index_json, err);
}

static ocib_errc load(ob_transfer *t, ocib_image **out, ocib_error **err)
{
	ob_auto(ocib_image) image = calloc(1, sizeof(*image));

	if (!image)
		return ob_fail_nomem(err);
	image->index_json = (ob_buffer)OB_BUFFER_INIT(OB_LIMIT_MANIFEST, "image index");
	image->manifest_json = (ob_buffer)OB_BUFFER_INIT(OB_LIMIT_MANIFEST, "manifest");
	image->config_json = (ob_buffer)OB_BUFFER_INIT(OB_LIMIT_CONFIG, "image configuration");
	ocib_errc rc = read_index(image, t, err);
	if (!rc)
		rc = read_documents(image, t, err);
	if (!rc)
		rc = make_history(image, err);
	if (rc)
		return rc;
	image->digest = t->root.digest;
	ob_platform_format(&image->config->platform, image->platform);
	image->size = image->manifest_json.len + image->config_json.len;
	for (size_t i = 0; i < image->manifest->layer_count; i++)
		image->size += image->manifest->layers[i].size;
	*out = ob_take_ptr(image);
	return OCIB_OK;
}

ocib_errc ocib_image_open_platform(ocib_context *ctx, ocib_store *store, const char *name,
				   const char *platform, ocib_image **out, ocib_error **err)
{
	ob_autodone(ob_transfer) transfer = {0};
	ocib_transfer_options options = OCIB_TRANSFER_OPTIONS_INIT;

	if (platform && ob_str_eq(platform, "all"))
		return ob_fail(err, OCIB_ERR_INVALID, "an image is for one platform, not for all");
	options.platform = platform;
	ocib_errc rc = ob_transfer_init(&transfer, ctx, store, &options, err);
	if (!rc)
		rc = ob_image_name_parse(name, &transfer.source, err);
	if (!rc)
		rc = ob_transfer_open(&transfer, NULL, err);
	if (rc)
		return rc;
	rc = load(&transfer, out, err);
	return rc ? ob_wrap(err, rc, "image '%s'", name) : OCIB_OK;
}

ocib_errc ocib_image_open(ocib_context *ctx, ocib_store *store, const char *name, ocib_image **out,
			  ocib_error **err)
{
	return ocib_image_open_platform(ctx, store, name, NULL, out, err);
}

const char *ocib_image_platform(const ocib_image *image)
{
	return image->platform;
}

const char *ocib_image_index_digest(const ocib_image *image)
{
	return image->index_json.len ? image->index_digest.text : NULL;
}

const char *ocib_image_index_json(const ocib_image *image)
{
	return image->index_json.len ? image->index_json.data : NULL;
}

const char *ocib_image_digest(const ocib_image *image)
{
	return image->digest.text;
}

const char *ocib_image_id(const ocib_image *image)
{
	return image->manifest->config.digest.text;
}

const char *ocib_image_manifest_json(const ocib_image *image)
{
	return image->manifest_json.data;
}

const char *ocib_image_config_json(const ocib_image *image)
{
	return image->config_json.data;
}

uint64_t ocib_image_size(const ocib_image *image)
{
	return image->size;
}

size_t ocib_image_layer_count(const ocib_image *image)
{
	return image->manifest->layer_count;
}

const char *ocib_image_annotation(const ocib_image *image, const char *key)
{
	return ob_env_get(&image->manifest->annotations, key);
}

const char *ocib_image_label(const ocib_image *image, const char *key)
{
	const ob_strlist *labels = &image->config->labels;

	for (size_t i = 0; i + 1 < labels->len; i += 2) {
		if (ob_str_eq(labels->items[i], key))
			return labels->items[i + 1];
	}
	return NULL;
}

size_t ocib_image_history_count(const ocib_image *image)
{
	return image->config->history_count;
}

int ocib_image_history(const ocib_image *image, size_t index, ocib_history_entry *out)
{
	if (index >= image->config->history_count)
		return -1;
	*out = image->history[index];
	return 0;
}
