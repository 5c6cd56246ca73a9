/* image/descriptor.h — a pointer to content: media type, digest, size (OCI image-spec descriptor.md). */
#ifndef OB_IMAGE_DESCRIPTOR_H
#define OB_IMAGE_DESCRIPTOR_H

#include "base/json.h"
#include "image/digest.h"
#include "image/platform.h"
#include "io/compress.h"

#define OB_MEDIA_OCI_INDEX         "application/vnd.oci.image.index.v1+json"
#define OB_MEDIA_OCI_MANIFEST      "application/vnd.oci.image.manifest.v1+json"
#define OB_MEDIA_OCI_CONFIG        "application/vnd.oci.image.config.v1+json"
#define OB_MEDIA_OCI_LAYER         "application/vnd.oci.image.layer.v1.tar"
#define OB_MEDIA_OCI_LAYER_GZIP    "application/vnd.oci.image.layer.v1.tar+gzip"
#define OB_MEDIA_OCI_LAYER_ZSTD    "application/vnd.oci.image.layer.v1.tar+zstd"
#define OB_MEDIA_DOCKER_INDEX      "application/vnd.docker.distribution.manifest.list.v2+json"
#define OB_MEDIA_DOCKER_MANIFEST   "application/vnd.docker.distribution.manifest.v2+json"
#define OB_MEDIA_DOCKER_CONFIG     "application/vnd.docker.container.image.v1+json"
#define OB_MEDIA_DOCKER_LAYER_GZIP "application/vnd.docker.image.rootfs.diff.tar.gzip"

/** Annotations of our own on a layer's descriptor: where the hidden layer index is in the blob. */
#define OB_ANNOTATION_INDEX_OFFSET "org.ocibuild.layer.index.offset" /* decimal, packed bytes */
#define OB_ANNOTATION_INDEX_SIZE   "org.ocibuild.layer.index.size"   /* decimal, packed bytes */
#define OB_ANNOTATION_INDEX_DIGEST \
	"org.ocibuild.layer.index.digest" /* of the unpacked index document */

typedef struct ob_descriptor {
	char *media_type;
	ob_digest digest;
	uint64_t size;
	ob_strlist annotations; /**< KEY=VALUE; keys have no '=' */
	bool has_platform;
	ob_platform platform;
	char *artifact_type; /**< or NULL */
	ob_json *rest;       /**< members not modelled (urls, data …), or NULL */
} ob_descriptor;

void ob_descriptor_done(ob_descriptor *descriptor);
int ob_descriptor_copy(ob_descriptor *to /* empty */,
		       const ob_descriptor *from); /**< -1: no memory */
/** Kinds: CORRUPT, LIMIT. */
ocib_errc ob_descriptor_from_json(const ob_json *json, ob_descriptor *out, ocib_error **err);
ob_json *ob_descriptor_to_json(const ob_descriptor *descriptor);
const char *ob_descriptor_annotation(const ob_descriptor *descriptor, const char *key);

bool ob_media_is_index(const char *media_type);
bool ob_media_is_manifest(const char *media_type);
bool ob_media_is_layer(const char *media_type);
/** The OCI layer media type for a compression. */
const char *ob_media_layer(ob_compression compression);
/** Compression of a layer media type, Docker's and foreign ones included; false: no layer type. */
bool ob_media_layer_compression(const char *media_type, ob_compression *out);

#endif
