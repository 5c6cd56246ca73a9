/* engine/tree.h — the tree a node has at some point: layers as metadata, content on demand.
 *
 * What COPY --from reads, what COPY resolves its destination in, what a RUN stands on. Made of image
 * layers and of layers that steps wrote. Refcounted: the tree after a step shares what is below.
 * Thread rule: a tree is immutable but for caches behind its own lock; any thread.
 */
#ifndef OB_ENGINE_TREE_H
#define OB_ENGINE_TREE_H

#include "engine/image_source.h"
#include "io/hash.h"
#include "layer/layer_stack.h"
#include "layer/layer_writer.h"

typedef struct ob_tree ob_tree;

ocib_errc ob_tree_new_scratch(ob_store *store, ob_tree **out, ocib_error **err);
ocib_errc ob_tree_new_image(ob_store *store, ob_image_source *image, ob_tree **out,
			    ocib_error **err);
/** The tree with one more layer, whose blob is in the store; result is moved in (index may be NULL). */
ocib_errc ob_tree_new_child(ob_tree *parent, ob_layer_result *result, ob_tree **out,
			    ocib_error **err);
ob_tree *ob_tree_ref(ob_tree *tree);
ob_tree *ob_tree_free(ob_tree *tree); /**< drops a reference */
OB_DEFINE_AUTO(ob_tree);

size_t ob_tree_layer_count(const ob_tree *tree);
const ob_digest *ob_tree_diff_id(const ob_tree *tree, size_t i);
const ob_descriptor *ob_tree_descriptor(const ob_tree *tree, size_t i);
const ob_digest *ob_tree_chain_id(const ob_tree *tree); /**< of the top; unset for scratch */
void ob_tree_chain_id_at(const ob_tree *tree, size_t layers, ob_digest *out);

/**
 * What metadata answers about the tree depend on, as a digest: the chain id, and which indexes are
 * believed although nothing here has checked them against their diff ids. Two images that have the same
 * chain id and claim different indexes are different trees.
 */
ocib_errc ob_tree_identity(const ob_tree *tree, uint8_t out[OB_SHA256_LEN], ocib_error **err);

/** File with the serialised index of layer @p i; see ob_image_source_index_path(). malloc'ed or NULL. */
char *ob_tree_index_path(ob_tree *tree, size_t i);
/** The merged view; loads all indexes at the first call. Borrowed. */
ocib_errc ob_tree_stack(ob_tree *tree, const ob_layer_stack **out, ocib_error **err);
bool ob_tree_has_blob(const ob_tree *tree, size_t i);
/** Make sure that blob @p i is in the store. */
ocib_errc ob_tree_fetch_layer(ob_tree *tree, size_t i, uint32_t step, ocib_error **err);
/** Content of a found file; valid until the next call with this reader object. */
typedef struct ob_tree_reader ob_tree_reader;
ocib_errc ob_tree_reader_new(ob_tree *tree, ob_tree_reader **out, ocib_error **err);
ocib_errc ob_tree_reader_open(ob_tree_reader *reader, const ob_found *found,
			      ob_reader **out /* borrowed */, ocib_error **err);
ob_tree_reader *ob_tree_reader_free(ob_tree_reader *reader);
OB_DEFINE_AUTO(ob_tree_reader);
/** A whole small file by image path, symlinks followed. Kinds: NOTFOUND, LIMIT. */
ocib_errc ob_tree_read_file(ob_tree *tree, const char *path, ob_buffer *out, ocib_error **err);

/** "user[:group]" to ids by the tree's /etc/passwd and /etc/group, COPY --chown's rules: a missing name
 *  is NOTFOUND; "5" is 5:5. @p text NULL or "": 0:0. */
ocib_errc ob_tree_lookup_owner(ob_tree *tree, const char *text, uint32_t *uid, uint32_t *gid,
			       ocib_error **err);

#endif
