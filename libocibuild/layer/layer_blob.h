/* layer/layer_blob.h — read a layer blob: as a stream, or the content of one entry. */
#ifndef OB_LAYER_LAYER_BLOB_H
#define OB_LAYER_LAYER_BLOB_H

#include "layer/layer_index.h"
#include "layer/tar_reader.h"

/**
 * The unpacked tar of a blob file. With an index that has a member table, inflated on @p threads cores.
 * fd and index are borrowed (index may be NULL).
 */
ocib_errc ob_layer_blob_open_tar(int fd, const ob_layer_index *index, uint32_t threads,
				 ob_reader **out, ocib_error **err);

/**
 * Random access to the files of one layer blob. Reads in tar order are sequential; others seek by the
 * member table, or, for single-stream blobs, start over from the beginning.
 */
typedef struct ob_layer_blob ob_layer_blob;
ocib_errc ob_layer_blob_open(int fd /* taken */, const ob_layer_index *index /* borrowed */,
			     ob_layer_blob **out, ocib_error **err);
/** Content of a file entry of the index as a reader; valid until the next call. Borrowed from the blob. */
ocib_errc ob_layer_blob_content(ob_layer_blob *blob, const ob_entry *entry, ob_reader **out,
				ocib_error **err);
ob_layer_blob *ob_layer_blob_free(ob_layer_blob *blob);
OB_DEFINE_AUTO(ob_layer_blob);

#endif
