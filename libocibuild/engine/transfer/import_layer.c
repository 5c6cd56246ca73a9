/* engine/transfer/import_layer.c — see import_layer.h.
 *
 * The layer is written as a build writes its own: entries sorted, members that inflate on all
 * cores, the index hidden in the blob. So two tarballs of the same tree give the same layer.
 */
#include "engine/transfer/import_layer.h"
#include <unistd.h>
#include "base/limits.h"
#include "engine/transfer/import_tree.h"

static uint64_t content_size(const ob_layer_index *index)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < index->len; i++)
		sum += index->entries[i].size;
	return sum;
}

static ocib_errc write_entry(const ob_import_tree *tree, const ob_entry *entry,
			     ob_layer_writer *writer, ocib_error **err)
{
	ob_auto(ob_reader) content = NULL;
	ocib_errc rc = OCIB_OK;

	if (entry->type == OB_ENTRY_FILE && entry->size)
		rc = ob_import_tree_content(tree, entry, &content, err);
	return rc ? rc : ob_layer_writer_add(writer, entry, content, err);
}

static ocib_errc write_entries(ocib_context *ctx, const ob_import_tree *tree, uint32_t step,
			       ob_layer_writer *writer, ocib_error **err)
{
	uint64_t total = content_size(tree->index), done = 0, shown = 0;

	for (size_t i = 0; i < tree->index->len; i++) {
		const ob_entry *entry = &tree->index->entries[i];
		ocib_errc rc = ob_check_canceled(ctx, err);

		if (!rc)
			rc = write_entry(tree, entry, writer, err);
		if (rc)
			return rc;
		done += entry->size;
		if (done - shown < 8 * OB_MIB && i + 1 < tree->index->len)
			continue;
		shown = done;
		ob_emit_progress(ctx, step, "layer", "importing", done, total);
	}
	return OCIB_OK;
}

static ocib_errc write_layer(ocib_context *ctx, ob_store *store, const ob_import_tree *tree,
			     uint32_t step, const ob_layer_writer_options *options,
			     ob_layer_result *out, ocib_error **err)
{
	ob_auto(ob_blob_writer) blob = NULL;
	ob_auto(ob_layer_writer) writer = NULL;

	ocib_errc rc = ob_blob_writer_open(store, &blob, err);
	if (!rc)
		rc = ob_layer_writer_open(options, ob_blob_writer_unhashed(blob), &writer, err);
	if (!rc)
		rc = write_entries(ctx, tree, step, writer, err);
	if (!rc)
		rc = ob_layer_writer_finish(writer, out, err);
	if (!rc)
		rc = ob_blob_writer_commit_trusted(blob, &out->descriptor.digest, err);
	return rc ? rc : ob_store_put_layer_index(store, &out->diff_id, out->index, err);
}

ocib_errc ob_import_layer(ocib_context *ctx, ob_store *store, int fd, const char *name,
			  uint32_t step, const ob_layer_writer_options *options,
			  ob_layer_result *out, ocib_error **err)
{
	__attribute__((cleanup(ob_import_tree_done))) ob_import_tree tree = {.spool = -1};
	ocib_errc rc = ob_import_tree_read(ctx, store, fd, name, &tree, err);

	return rc ? rc : write_layer(ctx, store, &tree, step, options, out, err);
}
