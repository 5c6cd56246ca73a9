/* engine/source/image_name.h — how a person says where an image is, taken apart.
 *
 *   NAME                          the store, and where that has it not, its registry
 *   docker://NAME                 its registry; docker-image://NAME the same
 *   oci:DIR[:TAG]                 an OCI layout directory; oci-layout://DIR[:TAG|@DIGEST] the same
 *   oci-archive:FILE[:TAG]        a tar of one
 *   docker-archive:FILE[:NAME]    what `docker save` writes
 */
#ifndef OB_ENGINE_IMAGE_NAME_H
#define OB_ENGINE_IMAGE_NAME_H

#include "image/reference.h"

typedef enum ob_image_place {
	OB_PLACE_STORE = 1,
	OB_PLACE_REGISTRY,
	OB_PLACE_LAYOUT,
	OB_PLACE_OCI_ARCHIVE,
	OB_PLACE_DOCKER_ARCHIVE
} ob_image_place;

typedef struct ob_image_name {
	ob_image_place place;
	char *text;       /**< as given */
	char *path;       /**< directory or file; NULL for STORE and REGISTRY */
	char *tag;        /**< in a layout or archive; NULL: not said */
	ob_digest digest; /**< in a layout; STORE: a name that is a digest or an image id */
	ob_reference ref; /**< REGISTRY, and STORE without digest: with tag or digest */
} ob_image_name;

/** Kinds: INVALID. */
ocib_errc ob_image_name_parse(const char *text, ob_image_name *out, ocib_error **err);
void ob_image_name_done(ob_image_name *name);

#endif
