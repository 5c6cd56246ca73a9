/* engine/source/archive_source.h — archives of images, unpacked to a layout. */
#ifndef OB_ENGINE_ARCHIVE_SOURCE_H
#define OB_ENGINE_ARCHIVE_SOURCE_H

#include "base/context.h"
#include "engine/source/image_name.h"
#include "store/store.h"

/** A tar (packed or not) of an OCI layout, as the layout @p dir, which exists and is empty.
 *  Kinds: NOTFOUND, CORRUPT, LIMIT. */
ocib_errc ob_oci_archive_unpack(ocib_context *ctx, const char *file, const char *dir,
				ob_store **layout, ocib_error **err);

/**
 * What `docker save` writes: the one image that @p name means (its tag is a whole reference)
 * becomes an OCI image in a layout below @p dir. Plain layers are packed. Kinds: NOTFOUND,
 * CORRUPT, LIMIT, INVALID.
 */
ocib_errc ob_docker_archive_unpack(ocib_context *ctx, const ob_image_name *name, const char *dir,
				   ob_store **layout, ob_descriptor *root, ocib_error **err);

#endif
