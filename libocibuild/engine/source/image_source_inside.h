/* engine/source/image_source_inside.h — inside of ob_image_sources and ob_image_source. */
#ifndef OB_ENGINE_IMAGE_SOURCE_INSIDE_H
#define OB_ENGINE_IMAGE_SOURCE_INSIDE_H

#include <pthread.h>
#include "base/map.h"
#include "engine/image_source.h"
#include "engine/source/blob_fetch.h"
#include "engine/source/image_name.h"
#include "engine/source/layout_source.h"
#include "layer/layer_blob.h"

struct ob_image_sources {
	ocib_context *ctx;
	ob_store *store;
	ob_registry_set *registries;
	ob_blob_fetcher *fetcher;
	pthread_mutex_t lock;
	ob_map *images; /* "name\nplatform" → ob_image_source */
};

/* What is loaded of a layer, behind its lock. */
typedef struct ob_image_layer {
	pthread_mutex_t lock;
	ob_layer_index *index; /* or NULL */
	ob_layer_blob *blob;   /* open for reading single files, or NULL */
} ob_image_layer;

struct ob_image_source {
	ob_image_sources *sources; /* borrowed */
	ob_image_name name;
	char *full_name;         /* as shown */
	ob_layout_source layout; /* open where the image is in one */
	bool from_registry;      /* it was looked up in its registry */
	ob_descriptor root;      /* manifest or index that the name means */
	ob_manifest *manifest;
	ob_digest digest; /* of the manifest */
	ob_config *config;
	ob_image_layer *layers;
};

ob_image_source *ob_image_source_free(ob_image_source *image);
OB_DEFINE_AUTO(ob_image_source);

/** Where the image's blobs may be. */
ob_blob_place ob_image_source_place(const ob_image_source *image);

/**
 * Find out what the name means: fills layout, from_registry, root. Kinds: see
 * ob_image_source_resolve().
 */
ocib_errc ob_image_source_find(ob_image_source *image, bool pull, ocib_error **err);
/** Read manifest and config for @p platform. */
ocib_errc ob_image_source_load(ob_image_source *image, const ob_platform *platform,
			       ocib_error **err);

#endif
