/* engine/context/archive_tree.c — see archive_tree.h.
 *
 * A context that is an archive becomes a layer and is not unpacked: so it keeps owners and device files
 * whoever we are, and COPY finds it as quickly as an image. A record says which layer a tarball has become.
 */
#include "engine/context/archive_tree.h"
#include <string.h>
#include "engine/build/step_cache.h"
#include "engine/transfer/import_layer.h"

static ocib_errc import_now(ocib_context *ctx, ob_store *store, const ob_digest *digest,
			    const char *name, uint32_t step, ob_layer_result *out, ocib_error **err)
{
	const ob_layer_writer_options options = {
		.compression = OB_COMPRESSION_GZIP,
		.threads = ob_context_jobs(ctx),
	};
	ob_autofd int fd = -1;
	ocib_errc r = ob_store_open_blob(store, digest, UINT64_MAX, &fd, err);

	return r ? r : ob_import_layer(ctx, store, fd, name, step, &options, out, err);
}

static ocib_errc remember(ob_store *store, const uint8_t key[OB_SHA256_LEN],
			  const ob_layer_result *layer, ocib_error **err)
{
	const ob_digest nothing = {0};
	ob_autodone(ob_step_record) record = {0};
	ocib_errc r = ob_step_record_of_layer(layer, &nothing, &record, err);

	return r ? r : ob_step_record_save(store, key, &record, err);
}

ocib_errc ob_archive_tree_open(ocib_context *ctx, ob_store *store, const ob_digest *digest,
			       const char *name, uint32_t step, ob_tree **out, ocib_error **err)
{
	const ob_key_part part = {digest->bytes, sizeof(digest->bytes)};
	const ob_digest nothing = {0};
	ob_autodone(ob_step_record) record = {0};
	ob_autodone(ob_layer_result) layer = {0};
	ob_auto(ob_tree) scratch = NULL;
	uint8_t key[OB_SHA256_LEN];
	bool found = false;

	ocib_errc r = ob_step_key("archive", &part, 1, key, err);
	if (!r)
		r = ob_step_record_find(store, key, &nothing, &found, &record, err);
	if (!r && found)
		r = ob_step_record_to_layer(&record, &layer, err);
	if (!r && !found)
		r = import_now(ctx, store, digest, name, step, &layer, err);
	if (!r && !found)
		r = remember(store, key, &layer, err);
	if (!r)
		r = ob_tree_new_scratch(store, &scratch, err);
	return r ? r : ob_tree_new_child(scratch, &layer, out, err);
}
