/* layer/layer_index_scan.c — the index of a layer that somebody else wrote, from its tar.
 *
 * The tar is read to its very end, also behind the end mark: the caller is hashing what passes.
 */
#include "base/limits.h"
#include "layer/layer_index.h"
#include "layer/tar_reader.h"

#define READ_BLOCK (128 * 1024)

/* Counts what the tar reader takes and what is left behind it. */
typedef struct counting_reader {
	ob_reader base;
	ob_reader *inner; /* borrowed */
	uint64_t count;
} counting_reader;

static ocib_errc count_read(ob_reader *self, void *data, size_t cap, size_t *got, ocib_error **err)
{
	counting_reader *counter = (counting_reader *)self;
	ocib_errc r = ob_reader_read(counter->inner, data, cap, got, err);

	if (!r)
		counter->count += *got;
	return r;
}

static const ob_reader_ops counting_ops = {.read = count_read};

static ocib_errc hash_content(ob_tar_reader *tar, ob_hash *hash, uint8_t *block, ob_entry *entry,
			      ocib_error **err)
{
	size_t got = 0;

	do {
		ocib_errc r = ob_tar_reader_read(tar, block, READ_BLOCK, &got, err);

		if (r)
			return r;
		ob_hash_update(hash, block, got);
	} while (got > 0);
	ob_hash_final(hash, entry->digest);
	entry->has_digest = true;
	if (ob_tar_reader_has_holes(tar))
		entry->data_offset = 0;
	return OCIB_OK;
}

static ocib_errc scan_members(ob_tar_reader *tar, uint8_t *block, ob_layer_index *index,
			      ocib_error **err)
{
	ob_auto(ob_hash) hash = NULL;
	ocib_errc r = ob_hash_new(&hash, err);

	while (!r) {
		ob_autodone(ob_entry) entry = {.path = NULL};
		const ob_entry *member;

		r = ob_tar_reader_next(tar, &member, err);
		if (r || !member)
			return r;
		if (ob_entry_copy(&entry, member) < 0)
			return ob_fail_nomem(err);
		if (entry.type == OB_ENTRY_FILE)
			r = hash_content(tar, hash, block, &entry, err);
		if (!r && ob_layer_index_take(index, &entry) < 0)
			return ob_fail_nomem(err);
	}
	return r;
}

ocib_errc ob_layer_index_scan(ob_reader *tar_bytes, const char *what, ob_layer_index **out,
			      ocib_error **err)
{
	const ob_tar_reader_options options = {.strict = true, .whiteouts = true, .what = what};
	counting_reader counter = {.base.ops = &counting_ops, .inner = tar_bytes};
	ob_auto(ob_layer_index) index = ob_layer_index_new();
	ob_autofree uint8_t *block = malloc(READ_BLOCK);
	ob_auto(ob_tar_reader) tar = NULL;
	size_t got = 0;
	ocib_errc r;

	if (!index || !block)
		return ob_fail_nomem(err);
	r = ob_tar_reader_open(&counter.base, &options, &tar, err);
	if (!r)
		r = scan_members(tar, block, index, err);
	if (r)
		return r;
	do {
		r = ob_reader_read(&counter.base, block, READ_BLOCK, &got, err);
	} while (!r && got > 0);
	if (r)
		return r;
	r = ob_layer_index_settle(index, err);
	if (r)
		return ob_wrap(err, r, "%s", what);
	index->tar_size = counter.count;
	index->compression = OB_COMPRESSION_NONE;
	*out = ob_take_ptr(index);
	return OCIB_OK;
}
