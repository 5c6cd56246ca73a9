/* engine/tree/tree.c — trees as chains of nodes: an image (or nothing) at the bottom, a layer per node.
 *
 * A tree never changes, so trees of steps share what is below them by reference. What costs something
 * is loaded when it is first asked for and kept: a layer's index, the stack of all of them. Both are behind
 * the lock of the node they are in; a stack borrows indexes of nodes below, which it keeps alive.
 */
#include <string.h>
#include "base/strings.h"
#include "engine/tree/tree_internal.h"

static ocib_errc new_node(ob_store *store, ob_tree **out, ocib_error **err)
{
	ob_tree *tree = calloc(1, sizeof(*tree));

	if (!tree)
		return ob_fail_nomem(err);
	tree->references = 1;
	tree->store = store;
	(void)pthread_mutex_init(&tree->lock, NULL);
	*out = tree;
	return OCIB_OK;
}

ocib_errc ob_tree_new_scratch(ob_store *store, ob_tree **out, ocib_error **err)
{
	return new_node(store, out, err);
}

ocib_errc ob_tree_new_image(ob_store *store, ob_image_source *image, ob_tree **out,
			    ocib_error **err)
{
	const ob_config *config = ob_image_source_config(image);
	const ob_manifest *manifest = ob_image_source_manifest(image);

	if (config->diff_id_count != manifest->layer_count)
		return ob_fail(err, OCIB_ERR_CORRUPT,
			       "image '%s' has %zu layers but its configuration names %zu",
			       ob_image_source_name(image), manifest->layer_count,
			       config->diff_id_count);
	ocib_errc r = new_node(store, out, err);
	if (r != OCIB_OK)
		return r;
	(*out)->image = image;
	(*out)->layer_count = manifest->layer_count;
	ob_tree_chain_id_at(*out, manifest->layer_count, &(*out)->chain_id);
	return OCIB_OK;
}

ocib_errc ob_tree_new_child(ob_tree *parent, ob_layer_result *result, ob_tree **out,
			    ocib_error **err)
{
	ocib_errc r = new_node(parent->store, out, err);

	if (r != OCIB_OK)
		return r;
	(*out)->parent = ob_tree_ref(parent);
	(*out)->layer = *result;
	*result = (ob_layer_result){0};
	(*out)->layer_count = parent->layer_count + 1;
	ob_chain_id(&parent->chain_id, &(*out)->layer.diff_id, &(*out)->chain_id);
	return OCIB_OK;
}

ob_tree *ob_tree_ref(ob_tree *tree)
{
	if (tree)
		(void)__atomic_add_fetch(&tree->references, 1, __ATOMIC_RELAXED);
	return tree;
}

ob_tree *ob_tree_free(ob_tree *tree)
{
	/* A loop and not a recursion: chains may be long. */
	while (tree && __atomic_sub_fetch(&tree->references, 1, __ATOMIC_ACQ_REL) == 0) {
		ob_tree *parent = tree->parent;

		(void)ob_layer_stack_free(tree->stack);
		ob_layer_result_done(&tree->layer);
		(void)pthread_mutex_destroy(&tree->lock);
		free(tree);
		tree = parent;
	}
	return NULL;
}

size_t ob_tree_layer_count(const ob_tree *tree)
{
	return tree->layer_count;
}

static const ob_tree *node_of_layer(const ob_tree *tree, size_t i)
{
	while (tree->parent && i < tree->parent->layer_count)
		tree = tree->parent;
	return tree;
}

ob_tree *ob_tree_node_of_layer(ob_tree *tree, size_t i)
{
	while (tree->parent && i < tree->parent->layer_count)
		tree = tree->parent;
	return tree;
}

const ob_digest *ob_tree_diff_id(const ob_tree *tree, size_t i)
{
	const ob_tree *node = node_of_layer(tree, i);

	return node->parent ? &node->layer.diff_id
			    : &ob_image_source_config(node->image)->diff_ids[i];
}

const ob_descriptor *ob_tree_descriptor(const ob_tree *tree, size_t i)
{
	const ob_tree *node = node_of_layer(tree, i);

	return node->parent ? &node->layer.descriptor
			    : &ob_image_source_manifest(node->image)->layers[i];
}

const ob_digest *ob_tree_chain_id(const ob_tree *tree)
{
	return &tree->chain_id;
}

void ob_tree_chain_id_at(const ob_tree *tree, size_t layers, ob_digest *out)
{
	const ob_config *config;

	*out = (ob_digest){0};
	if (!layers)
		return;
	const ob_tree *node = node_of_layer(tree, layers - 1);
	if (node->parent) {
		*out = node->chain_id;
		return;
	}
	config = ob_image_source_config(node->image);
	for (size_t i = 0; i < layers; i++) {
		ob_digest below = *out;

		ob_chain_id(i ? &below : NULL, &config->diff_ids[i], out);
	}
}

ocib_errc ob_tree_identity(const ob_tree *tree, uint8_t out[OB_SHA256_LEN], ocib_error **err)
{
	const ob_tree *bottom = node_of_layer(tree, 0);
	ob_auto(ob_hash) hash = NULL;
	ob_digest claim;
	ocib_errc r = ob_hash_new(&hash, err);

	if (r != OCIB_OK)
		return r;
	ob_hash_update(hash, tree->chain_id.text, strlen(tree->chain_id.text));
	for (size_t i = 0; bottom->image && i < bottom->layer_count; i++) {
		bool claimed = ob_image_source_index_claim(bottom->image, i, &claim);

		ob_hash_update(hash, claimed ? claim.text : "",
			       claimed ? strlen(claim.text) + 1 : 1);
	}
	ob_hash_final(hash, out);
	return OCIB_OK;
}

ocib_errc ob_tree_layer_index(ob_tree *tree, size_t i, const ob_layer_index **out, ocib_error **err)
{
	ob_tree *node = ob_tree_node_of_layer(tree, i);
	ocib_errc r = OCIB_OK;

	if (!node->parent)
		return ob_image_source_layer_index(node->image, i, out, err);
	(void)pthread_mutex_lock(&node->lock);
	if (!node->layer.index)
		r = ob_store_get_layer_index(node->store, &node->layer.diff_id, &node->layer.index,
					     err);
	*out = node->layer.index;
	(void)pthread_mutex_unlock(&node->lock);
	return r;
}

char *ob_tree_index_path(ob_tree *tree, size_t i)
{
	ob_tree *node = ob_tree_node_of_layer(tree, i);
	const ob_digest *diff_id = &node->layer.diff_id;

	if (!node->parent)
		return ob_image_source_index_path(node->image, i);
	if (!ob_store_has_layer_index(node->store, diff_id))
		return NULL;
	return ob_str_printf("%s/layers/%s", ob_store_path(node->store), ob_digest_hex(diff_id));
}

static ocib_errc make_stack(ob_tree *tree, ob_layer_stack **out, ocib_error **err)
{
	ob_auto(ob_layer_stack) stack = ob_layer_stack_new();

	if (!stack)
		return ob_fail_nomem(err);
	for (size_t i = 0; i < tree->layer_count; i++) {
		const ob_layer_index *index = NULL;
		ocib_errc r = ob_tree_layer_index(tree, i, &index, err);

		if (r != OCIB_OK)
			return ob_wrap(err, r, "layer %s", ob_tree_diff_id(tree, i)->text);
		if (ob_layer_stack_push(stack, index) < 0)
			return ob_fail_nomem(err);
	}
	*out = ob_take_ptr(stack);
	return OCIB_OK;
}

ocib_errc ob_tree_stack(ob_tree *tree, const ob_layer_stack **out, ocib_error **err)
{
	ob_layer_stack *made = NULL;
	ocib_errc r;

	(void)pthread_mutex_lock(&tree->lock);
	*out = tree->stack;
	(void)pthread_mutex_unlock(&tree->lock);
	if (*out)
		return OCIB_OK;
	/* Made outside the lock, which the tree's own index needs; of two makers the first wins. */
	r = make_stack(tree, &made, err);
	if (r != OCIB_OK)
		return r;
	(void)pthread_mutex_lock(&tree->lock);
	if (!tree->stack)
		tree->stack = ob_take_ptr(made);
	*out = tree->stack;
	(void)pthread_mutex_unlock(&tree->lock);
	(void)ob_layer_stack_free(made);
	return OCIB_OK;
}

bool ob_tree_has_blob(const ob_tree *tree, size_t i)
{
	return ob_store_has_blob(tree->store, &ob_tree_descriptor(tree, i)->digest);
}

ocib_errc ob_tree_fetch_layer(ob_tree *tree, size_t i, uint32_t step, ocib_error **err)
{
	ob_tree *node = ob_tree_node_of_layer(tree, i);

	if (!node->parent)
		return ob_image_source_fetch_layer(node->image, i, step, err);
	if (!ob_tree_has_blob(tree, i))
		return ob_fail(err, OCIB_ERR_NOTFOUND, "layer %s is not in the store",
			       node->layer.descriptor.digest.text);
	return OCIB_OK;
}
