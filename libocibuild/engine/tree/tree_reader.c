/* engine/tree/tree_reader.c — contents of files in a tree: layer blobs, opened when first needed.
 *
 * A reader keeps one open blob per layer, so reading the files of a layer in their order is one pass over
 * it. Small single files of an image that is not here are fetched by range (ob_tree_read_file()).
 */
#include "engine/tree/tree_internal.h"
#include "layer/layer_blob.h"

struct ob_tree_reader {
	ob_tree *tree;
	ob_layer_blob **blobs; /* one per layer; NULL until it is used */
};

ocib_errc ob_tree_reader_new(ob_tree *tree, ob_tree_reader **out, ocib_error **err)
{
	ob_auto(ob_tree_reader) reader = calloc(1, sizeof(*reader));

	if (!reader)
		return ob_fail_nomem(err);
	reader->blobs = calloc(tree->layer_count + 1, sizeof(ob_layer_blob *));
	if (!reader->blobs)
		return ob_fail_nomem(err);
	reader->tree = ob_tree_ref(tree);
	*out = ob_take_ptr(reader);
	return OCIB_OK;
}

ob_tree_reader *ob_tree_reader_free(ob_tree_reader *reader)
{
	if (!reader)
		return NULL;
	for (size_t i = 0; reader->tree && i < reader->tree->layer_count; i++)
		(void)ob_layer_blob_free(reader->blobs[i]);
	free(reader->blobs);
	(void)ob_tree_free(reader->tree);
	free(reader);
	return NULL;
}

static ocib_errc open_blob(ob_tree *tree, size_t i, ob_layer_blob **out, ocib_error **err)
{
	const ob_descriptor *descriptor = ob_tree_descriptor(tree, i);
	const ob_layer_index *index = NULL;
	ob_autofd int fd = -1;
	ocib_errc r = ob_tree_fetch_layer(tree, i, 0, err);

	if (r == OCIB_OK)
		r = ob_tree_layer_index(tree, i, &index, err);
	if (r == OCIB_OK)
		r = ob_store_open_blob(tree->store, &descriptor->digest, descriptor->size, &fd,
				       err);
	if (r != OCIB_OK)
		return r;
	return ob_layer_blob_open(ob_take_fd(fd), index, out, err);
}

ocib_errc ob_tree_reader_open(ob_tree_reader *reader, const ob_found *found, ob_reader **out,
			      ocib_error **err)
{
	size_t i = found->layer;

	if (!reader->blobs[i]) {
		ocib_errc r = open_blob(reader->tree, i, &reader->blobs[i], err);

		if (r != OCIB_OK)
			return ob_wrap(err, r, "layer %s", ob_tree_diff_id(reader->tree, i)->text);
	}
	return ob_layer_blob_content(reader->blobs[i], found->entry, out, err);
}

static ocib_errc read_found(ob_tree *tree, const ob_found *found, ob_buffer *out, ocib_error **err)
{
	ob_tree *node = ob_tree_node_of_layer(tree, found->layer);
	ob_auto(ob_tree_reader) reader = NULL;
	ob_reader *content = NULL;
	ocib_errc r;

	if (found->entry->size > out->max)
		return ob_fail(err, OCIB_ERR_LIMIT, "it has %ju bytes; the limit for %s is %zu",
			       (uintmax_t)found->entry->size, out->what, out->max);
	if (!node->parent)
		return ob_image_source_read(node->image, found->layer, found->entry, out, err);
	r = ob_tree_reader_new(tree, &reader, err);
	if (r == OCIB_OK)
		r = ob_tree_reader_open(reader, found, &content, err);
	if (r == OCIB_OK)
		r = ob_reader_read_all(content, out, err);
	return r;
}

ocib_errc ob_tree_read_file(ob_tree *tree, const char *path, ob_buffer *out, ocib_error **err)
{
	const ob_layer_stack *stack = NULL;
	ob_autofree char *resolved = NULL;
	ob_found found = {0};
	ocib_errc r = ob_tree_stack(tree, &stack, err);

	if (r == OCIB_OK)
		r = ob_layer_stack_resolve(stack, path, true, &resolved, &found, err);
	if (r != OCIB_OK)
		return ob_wrap(err, r, "'%s'", path);
	if (!found.exists)
		return ob_fail(err, OCIB_ERR_NOTFOUND, "'%s' is not in the image", path);
	if (!found.entry || found.entry->type != OB_ENTRY_FILE)
		return ob_fail(err, OCIB_ERR_INVALID, "'%s' is not a regular file in the image",
			       path);
	r = read_found(tree, &found, out, err);
	return r == OCIB_OK ? r : ob_wrap(err, r, "read '%s' of the image", path);
}
