/* ocibuild/image.h — an image that a build made or that a store holds. Immutable. */
#ifndef OCIBUILD_IMAGE_H
#define OCIBUILD_IMAGE_H

#include <ocibuild/store.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct ocib_image ocib_image;

/** @param name reference, digest, "oci:DIR[:TAG]" …. Branch on: OCIB_ERR_NOTFOUND. */
OCIB_API ocib_errc ocib_image_open(ocib_context *ctx, ocib_store *store, const char *name,
				   ocib_image **out, ocib_error **err);
/**
 * The same, and of an index of several platforms the image for @p platform ("linux/arm64"; NULL: this
 * machine's). Branch on: OCIB_ERR_NOTFOUND (also: none for that platform), OCIB_ERR_INVALID.
 */
OCIB_API ocib_errc ocib_image_open_platform(ocib_context *ctx, ocib_store *store, const char *name,
					    const char *platform, ocib_image **out,
					    ocib_error **err);
OCIB_API ocib_image *ocib_image_free(ocib_image *image);
OCIB_API const char *ocib_image_platform(const ocib_image *image); /**< "linux/amd64"; borrowed */
/** Of the index that the name meant; NULL when it meant the image itself. Borrowed. */
OCIB_API const char *ocib_image_index_digest(const ocib_image *image);
OCIB_API const char *ocib_image_index_json(const ocib_image *image); /**< borrowed; or NULL */
OCIB_API const char *ocib_image_digest(const ocib_image *image); /**< of the manifest; borrowed */
OCIB_API const char *ocib_image_id(const ocib_image *image); /**< digest of the config; borrowed */
OCIB_API const char *ocib_image_manifest_json(const ocib_image *image); /**< borrowed */
OCIB_API const char *ocib_image_config_json(const ocib_image *image);   /**< borrowed */
OCIB_API uint64_t ocib_image_size(const ocib_image *image); /**< bytes of all blobs, packed */
OCIB_API size_t ocib_image_layer_count(const ocib_image *image);
/** An annotation of the manifest; borrowed, NULL when there is none of that name. */
OCIB_API const char *ocib_image_annotation(const ocib_image *image, const char *key);
/** A label of the configuration; borrowed, NULL when there is none of that name. */
OCIB_API const char *ocib_image_label(const ocib_image *image, const char *key);

/** One line of the history, oldest first. Strings are borrowed from the image, "" when absent. */
typedef struct ocib_history_entry {
	const char *created;
	const char *created_by;
	const char *comment;
	const char *layer; /**< digest, "" for an empty layer */
	uint64_t size;     /**< packed bytes, 0 for an empty layer */
} ocib_history_entry;
OCIB_API size_t ocib_image_history_count(const ocib_image *image);
/** @return 0, or -1 when @p index is out of range. */
OCIB_API int ocib_image_history(const ocib_image *image, size_t index, ocib_history_entry *out);

#ifdef __cplusplus
}
#endif
#endif
