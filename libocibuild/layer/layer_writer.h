/* layer/layer_writer.h — entries to a finished layer blob in one pass and constant memory.
 *
 * tar → SHA-256 (diff id) → compress on all cores → SHA-256 (digest) → the blob writer. The index is
 * built on the way and hidden at the end of the blob. Entries must come in ob_entry_compare order,
 * parents before children; the same entries give the same bytes for any number of threads.
 *
 * The tar is as tar_writer.h says; what a type of entry has not got in a layer is dropped (entry.h,
 * ob_entry_strip), capabilities become v2. Whiteouts take no digest, owner or mode.
 */
#ifndef OB_LAYER_LAYER_WRITER_H
#define OB_LAYER_LAYER_WRITER_H

#include "image/descriptor.h"
#include "io/compress.h"
#include "layer/layer_index.h"

typedef struct ob_layer_writer ob_layer_writer;

typedef struct ob_layer_writer_options {
	ob_compression compression;
	int level;        /**< 0 = default of the compression */
	uint32_t threads; /**< 0 = 1 */
	bool clamp;       /**< SOURCE_DATE_EPOCH: later times become clamp_sec */
	int64_t clamp_sec;
	bool no_hidden_index; /**< do not embed the index in the blob */
} ob_layer_writer_options;

/** What came out. */
typedef struct ob_layer_result {
	ob_digest diff_id;
	ob_descriptor descriptor; /**< media type, digest, size, annotations for the hidden index */
	ob_layer_index *index;    /**< owned */
} ob_layer_result;
void ob_layer_result_done(ob_layer_result *result);

ocib_errc ob_layer_writer_open(const ob_layer_writer_options *options,
			       ob_writer *blob /* borrowed */, ob_layer_writer **out,
			       ocib_error **err);
/**
 * @param content exactly entry->size bytes of a file; NULL for everything else and for empty files.
 * The entry is copied. A digest that it has is believed, else the content is hashed.
 * Kinds: INVALID (order, a hard link before its target), UNSUPPORTED (a name or xattr that no layer can
 * hold), CORRUPT (content shorter or longer than size; the layer cannot go on then), LIMIT.
 */
ocib_errc ob_layer_writer_add(ob_layer_writer *writer, const ob_entry *entry, ob_reader *content,
			      ocib_error **err);
/** The same with the content from a file descriptor read from its start; the fast path. */
ocib_errc ob_layer_writer_add_fd(ob_layer_writer *writer, const ob_entry *entry, int fd,
				 ocib_error **err);
uint64_t ob_layer_writer_tar_bytes(const ob_layer_writer *writer); /**< so far, for progress */
size_t ob_layer_writer_entries(const ob_layer_writer *writer);
/** The entry that was added last, as it is in the index: with its digest. Borrowed until the next. */
const ob_entry *ob_layer_writer_last(const ob_layer_writer *writer);
ocib_errc ob_layer_writer_finish(ob_layer_writer *writer, ob_layer_result *result,
				 ocib_error **err);
ob_layer_writer *ob_layer_writer_free(ob_layer_writer *writer);
OB_DEFINE_AUTO(ob_layer_writer);

#endif
