/* engine/build/recompress.c — force-compression: a base's layers packed the way the new ones are.
 *
 * The tar stays what it is, byte for byte, and so does the diff id; only the packing changes. What came
 * out is remembered by diff id and packing, as a step's layer is.
 */
#include "engine/build/recompress.h"
#include <string.h>
#include "base/strings.h"
#include "engine/build/step_cache.h"

static ocib_errc recompress_key(const ob_digest *diff_id, const ob_layer_writer_options *options,
				uint8_t out[OB_SHA256_LEN], ocib_error **err)
{
	const int64_t numbers[] = {(int64_t)options->compression, options->level};
	const ob_key_part parts[] = {{diff_id->bytes, OB_SHA256_LEN}, {numbers, sizeof(numbers)}};

	return ob_step_key("recompress", parts, OB_ARRAY_LEN(parts), out, err);
}

static ocib_errc open_tar(ob_store *store, const ob_descriptor *blob, int *fd, ob_reader **out,
			  ocib_error **err)
{
	ob_auto(ob_reader) packed = NULL;

	ocib_errc r = ob_store_open_blob(store, &blob->digest, blob->size, fd, err);
	if (r == OCIB_OK)
		r = ob_reader_open_fd(*fd, &packed, err);
	return r == OCIB_OK ? ob_reader_open_decompress(ob_take_ptr(packed), out, err) : r;
}

static ocib_errc pack(ob_reader *tar, const ob_layer_writer_options *options, ob_writer *to,
		      ocib_error **err)
{
	ob_auto(ob_compress_writer) packer = NULL;

	ocib_errc r = ob_compress_writer_new(to, options->compression, options->level,
					     options->threads ? options->threads : 1, &packer, err);
	if (r == OCIB_OK)
		r = ob_stream_copy(tar, ob_compress_writer_base(packer), NULL, err);
	return r == OCIB_OK ? ob_writer_finish(ob_compress_writer_base(packer), err) : r;
}

static ocib_errc write_blob(ob_store *store, ob_reader *tar, const ob_layer_writer_options *options,
			    ob_descriptor *out, ocib_error **err)
{
	ob_auto(ob_blob_writer) blob = NULL;
	ob_auto(ob_hash_writer) counter = NULL;

	ocib_errc r = ob_blob_writer_open(store, &blob, err);
	if (r == OCIB_OK)
		r = ob_hash_writer_new(ob_blob_writer_base(blob), &counter, err);
	if (r == OCIB_OK)
		r = pack(tar, options, ob_hash_writer_base(counter), err);
	if (r == OCIB_OK)
		r = ob_blob_writer_commit(blob, NULL, UINT64_MAX, &out->digest, err);
	if (r < 0)
		return r;
	out->size = ob_hash_writer_count(counter);
	out->media_type = strdup(ob_media_layer(options->compression));
	return out->media_type ? OCIB_OK : ob_fail_nomem(err);
}

/* A record without a tree below it: the packing of a layer does not depend on where it lies. */
static ocib_errc make(ob_store *store, const ob_descriptor *old, const ob_digest *diff_id,
		      const ob_layer_writer_options *options, const uint8_t key[OB_SHA256_LEN],
		      ob_descriptor *out, ocib_error **err)
{
	static const ob_digest nowhere = {0};
	ob_autodone(ob_layer_result) layer = {.diff_id = *diff_id};
	ob_autodone(ob_step_record) record = {0};
	ob_auto(ob_reader) tar = NULL;
	ob_autofd int fd = -1;

	ocib_errc r = open_tar(store, old, &fd, &tar, err);
	if (r == OCIB_OK)
		r = write_blob(store, tar, options, &layer.descriptor, err);
	if (r == OCIB_OK)
		r = ob_step_record_of_layer(&layer, &nowhere, &record, err);
	if (r == OCIB_OK)
		r = ob_step_record_save(store, key, &record, err);
	if (r < 0)
		return ob_wrap(err, r, "recompress layer %s", old->digest.text);
	*out = layer.descriptor;
	layer.descriptor = (ob_descriptor){0};
	return OCIB_OK;
}

ocib_errc ob_recompress_layer(ob_store *store, const ob_descriptor *old, const ob_digest *diff_id,
			      const ob_layer_writer_options *options, ob_descriptor *out,
			      ocib_error **err)
{
	static const ob_digest nowhere = {0};
	ob_autodone(ob_step_record) record = {0};
	uint8_t key[OB_SHA256_LEN];
	bool found = false;

	ocib_errc r = recompress_key(diff_id, options, key, err);
	if (r == OCIB_OK)
		r = ob_step_record_find(store, key, &nowhere, &found, &record, err);
	if (r < 0)
		return r;
	if (!found)
		return make(store, old, diff_id, options, key, out, err);
	*out = record.descriptor;
	record.descriptor = (ob_descriptor){0};
	return OCIB_OK;
}
