/* engine/transfer/archive_write.h — an image as one file. All its blobs are in the store it is
 * taken from.
 */
#ifndef OB_ENGINE_ARCHIVE_WRITE_H
#define OB_ENGINE_ARCHIVE_WRITE_H

#include "base/context.h"
#include "store/store.h"

/**
 * An OCI layout in a tar, named by @p tags (NULL-terminated, at least one).
 * @param file "-": fd 1. @param names whole references that go with the tags, or NULL.
 * @param bytes is added to; may be NULL.
 */
ocib_errc ob_archive_write_oci(ocib_context *ctx, ob_store *from, const ob_descriptor *root,
			       const char *file, const char *const *tags, const char *const *names,
			       uint64_t *bytes, ocib_error **err);

/** What `docker save` writes; @p names: whole references with tags, NULL-terminated, may be none.
 *  Kinds: UNSUPPORTED (an index of several platforms). */
ocib_errc ob_archive_write_docker(ocib_context *ctx, ob_store *from, const ob_descriptor *root,
				  const char *file, const char *const *names, uint64_t *bytes,
				  ocib_error **err);

#endif
