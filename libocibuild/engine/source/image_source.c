/* engine/source/image_source.c — the images of one build, by name and platform.
 *
 * Resolving happens outside the lock, since it asks registries; of two threads that resolve the
 * same name the first one's object stays. Images live as long as the set.
 */
#include "engine/source/image_source_inside.h"
#include <string.h>
#include "base/strings.h"
#include "engine/source/blob_origin.h"
#include "layer/layer_blob.h"

ob_image_source *ob_image_source_free(ob_image_source *image)
{
	if (!image)
		return NULL;
	for (size_t i = 0; image->layers && i < image->manifest->layer_count; i++) {
		ob_layer_blob_free(image->layers[i].blob);
		ob_layer_index_free(image->layers[i].index);
		pthread_mutex_destroy(&image->layers[i].lock);
	}
	free(image->layers);
	ob_config_free(image->config);
	ob_manifest_free(image->manifest);
	ob_descriptor_done(&image->root);
	ob_layout_source_done(&image->layout);
	ob_image_name_done(&image->name);
	free(image->full_name);
	free(image);
	return NULL;
}

static void free_image(void *image)
{
	ob_image_source_free(image);
}

ob_image_sources *ob_image_sources_free(ob_image_sources *sources)
{
	if (!sources)
		return NULL;
	ob_map_free(sources->images);
	ob_blob_fetcher_free(sources->fetcher);
	ob_registry_set_free(sources->registries);
	pthread_mutex_destroy(&sources->lock);
	free(sources);
	return NULL;
}

ocib_errc ob_image_sources_new(ocib_context *ctx, ob_store *store,
			       const ob_registry_options *options, ob_image_sources **out,
			       ocib_error **err)
{
	ob_auto(ob_image_sources) sources = calloc(1, sizeof(*sources));

	if (!sources)
		return ob_fail_nomem(err);
	pthread_mutex_init(&sources->lock, NULL);
	sources->ctx = ctx;
	sources->store = store;
	sources->images = ob_map_new(free_image);
	if (!sources->images)
		return ob_fail_nomem(err);
	ocib_errc rc = ob_registry_set_new(ctx, options, &sources->registries, err);
	if (!rc)
		rc = ob_blob_fetcher_new(ctx, store, sources->registries, &sources->fetcher, err);
	if (rc)
		return rc;
	*out = ob_take_ptr(sources);
	return OCIB_OK;
}

ob_store *ob_image_sources_store(const ob_image_sources *sources)
{
	return sources->store;
}

ob_registry_set *ob_image_sources_registries(const ob_image_sources *sources)
{
	return sources->registries;
}

uint64_t ob_image_sources_received(const ob_image_sources *sources)
{
	return ob_registry_set_received(sources->registries);
}

ob_blob_place ob_image_source_place(const ob_image_source *image)
{
	return (ob_blob_place){.layout = image->layout.layout,
			       .origin = image->name.ref.path ? &image->name.ref : NULL,
			       .is_there = image->from_registry};
}

/* ---- Resolving. ---- */

static char *show_name(const ob_image_name *name)
{
	return name->ref.path ? ob_reference_format(&name->ref) : strdup(name->text);
}

/* Layers that are not here: remember where they can be had, also for images built on this one. */
static void remember_origins(const ob_image_source *image)
{
	for (size_t i = 0; i < image->manifest->layer_count; i++)
		ob_blob_origin_add(image->sources->store, &image->manifest->layers[i].digest,
				   &image->name.ref);
}

static ocib_errc make_layers(ob_image_source *image, ocib_error **err)
{
	image->layers = calloc(image->manifest->layer_count + 1, sizeof(*image->layers));
	if (!image->layers)
		return ob_fail_nomem(err);
	for (size_t i = 0; i < image->manifest->layer_count; i++)
		pthread_mutex_init(&image->layers[i].lock, NULL);
	return OCIB_OK;
}

static ocib_errc resolve(ob_image_sources *sources, const char *name, const ob_platform *platform,
			 bool pull, ob_image_source **out, ocib_error **err)
{
	ob_auto(ob_image_source) image = calloc(1, sizeof(*image));

	if (!image)
		return ob_fail_nomem(err);
	image->sources = sources;
	ocib_errc rc = ob_image_name_parse(name, &image->name, err);
	if (rc)
		return rc;
	image->full_name = show_name(&image->name);
	if (!image->full_name)
		return ob_fail_nomem(err);
	rc = ob_image_source_find(image, pull, err);
	if (!rc)
		rc = ob_image_source_load(image, platform, err);
	if (!rc)
		rc = make_layers(image, err);
	if (rc)
		return rc;
	if (image->from_registry)
		remember_origins(image);
	*out = ob_take_ptr(image);
	return OCIB_OK;
}

/* Keep the image; where another thread was faster, its object is the one. */
static ocib_errc keep(ob_image_sources *sources, const char *key, ob_image_source **image,
		      ob_image_source **out, ocib_error **err)
{
	ocib_errc rc = OCIB_OK;

	pthread_mutex_lock(&sources->lock);
	*out = ob_map_get(sources->images, key);
	if (!*out && ob_map_set(sources->images, key, *image))
		rc = ob_fail_nomem(err);
	else if (!*out)
		*out = ob_take_ptr(*image);
	pthread_mutex_unlock(&sources->lock);
	return rc;
}

ocib_errc ob_image_source_resolve(ob_image_sources *sources, const char *name,
				  const ob_platform *platform, bool pull, ob_image_source **out,
				  ocib_error **err)
{
	ob_auto(ob_image_source) image = NULL;
	ob_image_source *found;
	char text[128];

	ob_platform_format(platform, text);
	ob_autofree char *key = ob_str_printf("%s\n%s", name, text);
	if (!key)
		return ob_fail_nomem(err);
	pthread_mutex_lock(&sources->lock);
	found = ob_map_get(sources->images, key);
	pthread_mutex_unlock(&sources->lock);
	if (!found) {
		ocib_errc rc = resolve(sources, name, platform, pull, &image, err);

		if (!rc)
			rc = keep(sources, key, &image, &found, err);
		if (rc)
			return rc;
	}
	*out = found;
	return OCIB_OK;
}

/* ---- What it is. ---- */

const char *ob_image_source_name(const ob_image_source *image)
{
	return image->full_name;
}

const ob_config *ob_image_source_config(const ob_image_source *image)
{
	return image->config;
}

const ob_manifest *ob_image_source_manifest(const ob_image_source *image)
{
	return image->manifest;
}

const ob_digest *ob_image_source_digest(const ob_image_source *image)
{
	return &image->digest;
}

const ob_reference *ob_image_source_origin(const ob_image_source *image)
{
	return image->from_registry ? &image->name.ref : NULL;
}
