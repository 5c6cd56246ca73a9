/* engine/source/layout_source.h — an OCI layout or an archive, opened for reading.
 *
 * An archive is unpacked to a temporary layout in the store; what `docker save` wrote is made one
 * on the way.
 */
#ifndef OB_ENGINE_LAYOUT_SOURCE_H
#define OB_ENGINE_LAYOUT_SOURCE_H

#include "base/context.h"
#include "engine/source/image_name.h"
#include "store/store.h"

typedef struct ob_layout_source {
	ob_store *layout;
	ob_descriptor root; /**< the image that the name means: a manifest or an index */
	ob_store *store;    /* borrowed: holds temp */
	char *temp;         /* directory relative to the store, or NULL */
} ob_layout_source;

/** @param name of place LAYOUT, OCI_ARCHIVE or DOCKER_ARCHIVE. Kinds: NOTFOUND, CORRUPT, LIMIT. */
ocib_errc ob_layout_source_open(ocib_context *ctx, ob_store *store, const ob_image_name *name,
				ob_layout_source *out, ocib_error **err);
void ob_layout_source_done(ob_layout_source *source);

#endif
