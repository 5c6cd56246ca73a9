/* layer/layer_index.h — the sorted entries of one layer, kept beside the blob and inside it.
 *
 * With it, everything COPY, ADD, WORKDIR and --chown=name ask of a base is answered without unpacking.
 * It also holds the blob's member table, so content is read by range.
 * Serialised form: magic "OBLI", version byte, then a zstd frame of varints with paths prefix-coded;
 * docs/internals/layer-index.md.
 */
#ifndef OB_LAYER_LAYER_INDEX_H
#define OB_LAYER_LAYER_INDEX_H

#include "io/compress.h"
#include "layer/entry.h"

typedef struct ob_layer_index {
	ob_entry *entries; /**< ob_entry_compare order */
	size_t len;
	size_t cap;
	uint64_t tar_size;          /**< unpacked bytes */
	ob_compression compression; /**< of the blob that members refers to */
	ob_member_table members;    /**< empty for foreign single-stream blobs */
} ob_layer_index;

ob_layer_index *ob_layer_index_new(void);
ob_layer_index *ob_layer_index_free(ob_layer_index *index);
OB_DEFINE_AUTO(ob_layer_index);
/** Moves the entry in; -1: no memory (entry untouched). */
int ob_layer_index_take(ob_layer_index *index, ob_entry *entry);
/** Sort; of two entries with one path the later one (by tar order) wins. */
void ob_layer_index_sort(ob_layer_index *index);
/**
 * Sort, after checking that no path is both a directory (or a parent) and something else: then unpackers
 * would write through links, or lose files. Kinds: CORRUPT.
 */
ocib_errc ob_layer_index_settle(ob_layer_index *index, ocib_error **err);
/** Exact path; NULL if not in this layer. A whiteout is found only where nothing else has its path. */
const ob_entry *ob_layer_index_find(const ob_layer_index *index, const char *path);
/** Position of the first entry that is not before @p path in order (len when there is none). */
size_t ob_layer_index_lower_bound(const ob_layer_index *index, const char *path);
/** Position after the last entry at or below @p path, searched for from @p from on. */
size_t ob_layer_index_subtree_end(const ob_layer_index *index, size_t from, const char *path);

ocib_errc ob_layer_index_format(const ob_layer_index *index, ob_buffer *out, ocib_error **err);
/** Kinds: CORRUPT, LIMIT. */
ocib_errc ob_layer_index_parse(const void *data, size_t len, ob_layer_index **out,
			       ocib_error **err);

/**
 * Make the index of a foreign layer by streaming it once, to the very end of @p tar. Content digests are
 * computed. Kinds: CORRUPT, LIMIT.
 */
ocib_errc ob_layer_index_scan(ob_reader *tar /* unpacked; borrowed */, const char *what,
			      ob_layer_index **out, ocib_error **err);

#endif
