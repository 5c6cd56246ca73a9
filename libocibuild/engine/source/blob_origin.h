/* engine/source/blob_origin.h — which repositories are known to have a blob.
 *
 * Kept as records in the store's cache: where a blob that is not here can be had, and which
 * repository a registry can mount it from. Hints: losing one costs a transfer, a wrong one is found
 * out by digest.
 */
#ifndef OB_ENGINE_BLOB_ORIGIN_H
#define OB_ENGINE_BLOB_ORIGIN_H

#include "base/strlist.h"
#include "image/reference.h"
#include "store/store.h"

/** Failure to remember is not an error. */
void ob_blob_origin_add(ob_store *store, const ob_digest *digest, const ob_reference *repository);
/** Appends "domain/path" of each, newest first. */
ocib_errc ob_blob_origin_list(ob_store *store, const ob_digest *digest, ob_strlist *out,
			      ocib_error **err);

#endif
