/* engine/source/image_layer.c — an image's layers: their indexes, their blobs, single files out of
 * them.
 *
 * An index is looked for in the order of what it costs: in the store by diff id, hidden in the blob
 * (by HTTP range where the blob is remote), and last by streaming the blob once, which also fetches
 * it.
 *
 * The store's indexes by diff id are believed by every build, so only one that was made here, from
 * content that has the diff id, is put there. A hidden index is a claim of the image's author. It
 * is kept as a blob under the digest that the manifest states, so that it counts for images that
 * state it and no others.
 */
#include <string.h>
#include "base/fds.h"
#include "base/limits.h"
#include "base/strings.h"
#include "engine/source/image_source_inside.h"
#include "layer/layer_blob.h"

static const ob_descriptor *descriptor_of(const ob_image_source *image, size_t i)
{
	return &image->manifest->layers[i];
}

static ocib_errc wrap(const ob_image_source *image, size_t i, ocib_errc rc, ocib_error **err)
{
	return rc ? ob_wrap(err, rc, "layer %zu of image '%s'", i + 1, image->name.text) : OCIB_OK;
}

static ocib_errc check_range(const ob_image_source *image, size_t i, ocib_error **err)
{
	if (i < image->manifest->layer_count)
		return OCIB_OK;
	return ob_fail(err, OCIB_ERR_INVALID, "image '%s' has no layer %zu", image->name.text,
		       i + 1);
}

/* ---- Blobs. ---- */

static ocib_errc fetch_blob(ob_image_source *image, size_t i, uint32_t step, ocib_error **err)
{
	const ob_blob_place place = ob_image_source_place(image);

	return ob_blob_fetch(image->sources->fetcher, &place, descriptor_of(image, i), step, err);
}

ocib_errc ob_image_source_fetch_layer(ob_image_source *image, size_t i, uint32_t step,
				      ocib_error **err)
{
	ocib_errc rc = check_range(image, i, err);

	return rc ? rc : wrap(image, i, fetch_blob(image, i, step, err), err);
}

/* ---- Hidden indexes. ---- */

typedef struct hidden_index {
	uint64_t offset, size;
	ob_digest digest;
	ob_compression compression;
} hidden_index;

/* Where the manifest says it is; false when it says nothing that can be true. */
static bool find_hidden(const ob_descriptor *layer, hidden_index *out)
{
	const char *offset = ob_descriptor_annotation(layer, OB_ANNOTATION_INDEX_OFFSET);
	const char *size = ob_descriptor_annotation(layer, OB_ANNOTATION_INDEX_SIZE);
	const char *digest = ob_descriptor_annotation(layer, OB_ANNOTATION_INDEX_DIGEST);

	return offset && size && digest && ob_parse_u64(offset, 10, layer->size, &out->offset) &&
	       ob_parse_u64(size, 10, layer->size - out->offset, &out->size) && out->size > 0 &&
	       out->size <= OB_LIMIT_LAYER_INDEX &&
	       ob_digest_parse(digest, &out->digest, NULL) == OCIB_OK &&
	       ob_media_layer_compression(layer->media_type, &out->compression);
}

static ocib_errc read_hidden(ob_image_source *image, size_t i, const hidden_index *hidden,
			     ob_buffer *document, ocib_error **err)
{
	ob_autodone(ob_buffer) packed = OB_BUFFER_INIT(OB_LIMIT_LAYER_INDEX, "layer index");
	const ob_blob_place place = ob_image_source_place(image);
	ob_digest got;

	ocib_errc rc = ob_blob_fetch_range(image->sources->fetcher, &place, descriptor_of(image, i),
					   hidden->offset, hidden->size, &packed, err);
	if (!rc)
		rc = ob_hidden_read(packed.data, packed.len, hidden->compression, document, err);
	if (rc)
		return rc;
	ob_digest_of(&got, document->data ? document->data : "", document->len);
	if (!ob_digest_eq(&got, &hidden->digest))
		return ob_fail(err, OCIB_ERR_CORRUPT, "its index has digest %s, and not %s",
			       got.text, hidden->digest.text);
	return ob_store_write_blob(image->sources->store, document->data, document->len, &got, err);
}

/* Kinds: NOTFOUND (there is none), UNSUPPORTED (no ranges), and those of fetching. */
static ocib_errc load_hidden(ob_image_source *image, size_t i, ob_layer_index **out,
			     ocib_error **err)
{
	ob_autodone(ob_buffer) document = OB_BUFFER_INIT(OB_LIMIT_LAYER_INDEX, "layer index");
	ob_store *store = image->sources->store;
	hidden_index hidden;
	ocib_errc rc;

	if (!find_hidden(descriptor_of(image, i), &hidden))
		return ob_fail(err, OCIB_ERR_NOTFOUND, "no index in the blob");
	if (ob_store_has_blob(store, &hidden.digest) &&
	    ob_store_read_blob(store, &hidden.digest, &document, NULL) == OCIB_OK)
		return ob_layer_index_parse(document.data, document.len, out, err);
	ob_buffer_clear(&document);
	rc = read_hidden(image, i, &hidden, &document, err);
	return rc ? rc : ob_layer_index_parse(document.data, document.len, out, err);
}

/* ---- Scanned indexes. ---- */

static ocib_errc open_blob(const ob_image_source *image, size_t i, int *out, ocib_error **err)
{
	const ob_descriptor *layer = descriptor_of(image, i);

	return ob_store_open_blob(image->sources->store, &layer->digest, layer->size, out, err);
}

static ocib_errc scan(const ob_image_source *image, size_t i, ob_layer_index **out,
		      ocib_error **err)
{
	const ob_digest *diff_id = &image->config->diff_ids[i];
	ob_autofd int fd = -1;
	ob_auto(ob_reader) tar = NULL;
	ob_auto(ob_reader) verified = NULL;

	ocib_errc rc = open_blob(image, i, &fd, err);
	if (!rc)
		rc = ob_layer_blob_open_tar(fd, NULL, ob_context_jobs(image->sources->ctx), &tar,
					    err);
	if (!rc)
		rc = ob_reader_open_verify(ob_take_ptr(tar), diff_id->bytes, UINT64_MAX,
					   diff_id->text, &verified, err);
	return rc ? rc : ob_layer_index_scan(verified, diff_id->text, out, err);
}

static ocib_errc make_index(ob_image_source *image, size_t i, ob_layer_index **out,
			    ocib_error **err)
{
	ocib_errc rc = fetch_blob(image, i, 0, err);

	if (!rc)
		rc = scan(image, i, out, err);
	return rc ? rc
		  : ob_store_put_layer_index(image->sources->store, &image->config->diff_ids[i],
					     *out, err);
}

/* ---- Indexes. ---- */

static ocib_errc load_index(ob_image_source *image, size_t i, ob_layer_index **out,
			    ocib_error **err)
{
	ob_auto(ocib_error) failure = NULL;
	ocib_errc rc = ob_store_get_layer_index(image->sources->store, &image->config->diff_ids[i],
						out, &failure);

	if (rc != OCIB_ERR_NOTFOUND)
		return rc ? ob_error_move(err, &failure) : OCIB_OK;
	failure = ocib_error_free(failure);
	rc = load_hidden(image, i, out, &failure);
	/*
	 * A hidden index that cannot be had, or is nonsense, is as good as none: the blob
	 * decides.
	 */
	if (rc != OCIB_ERR_NOTFOUND && rc != OCIB_ERR_UNSUPPORTED && rc != OCIB_ERR_CORRUPT)
		return rc ? ob_error_move(err, &failure) : OCIB_OK;
	if (rc == OCIB_ERR_CORRUPT)
		ob_emit_warning(image->sources->ctx, NULL, 0,
				"image '%s': the index in layer %zu is not "
				"used: %s",
				image->name.text, i + 1, ocib_error_message(failure));
	return make_index(image, i, out, err);
}

/* Under the layer's lock. */
static ocib_errc need_index(ob_image_source *image, size_t i, ocib_error **err)
{
	if (image->layers[i].index)
		return OCIB_OK;
	return load_index(image, i, &image->layers[i].index, err);
}

ocib_errc ob_image_source_layer_index(ob_image_source *image, size_t i, const ob_layer_index **out,
				      ocib_error **err)
{
	ocib_errc rc = check_range(image, i, err);

	if (rc)
		return rc;
	pthread_mutex_lock(&image->layers[i].lock);
	rc = need_index(image, i, err);
	pthread_mutex_unlock(&image->layers[i].lock);
	if (!rc)
		*out = image->layers[i].index;
	return wrap(image, i, rc, err);
}

char *ob_image_source_index_path(ob_image_source *image, size_t i)
{
	ob_store *store = image->sources->store;
	const ob_layer_index *index;
	hidden_index hidden;

	if (i >= image->manifest->layer_count)
		return NULL;
	const ob_digest *diff_id = &image->config->diff_ids[i];
	if (ob_store_has_layer_index(store, diff_id))
		return ob_str_printf("%s/layers/%s", ob_store_path(store), ob_digest_hex(diff_id));
	/* What is loaded is in the store as a blob, for others to read once it is flushed. */
	if (!find_hidden(descriptor_of(image, i), &hidden) ||
	    ob_image_source_layer_index(image, i, &index, NULL) ||
	    !ob_store_has_blob(store, &hidden.digest) || ob_store_flush(store, NULL))
		return NULL;
	return ob_str_printf("%s/blobs/sha256/%s", ob_store_path(store),
			     ob_digest_hex(&hidden.digest));
}

bool ob_image_source_index_claim(ob_image_source *image, size_t i, ob_digest *digest)
{
	hidden_index hidden;

	if (ob_store_has_layer_index(image->sources->store, &image->config->diff_ids[i]) ||
	    !find_hidden(descriptor_of(image, i), &hidden))
		return false;
	*digest = hidden.digest;
	return true;
}

/* ---- Single files. ---- */

/*
 * The members that hold [offset, offset + len) of the tar; false when the index has no table of
 * them.
 */
static bool find_members(const ob_layer_index *index, uint64_t offset, uint64_t len, size_t *first,
			 size_t *end)
{
	const ob_member_table *table = &index->members;
	size_t i = 0;

	if (table->len < 2 || offset > index->tar_size || len > index->tar_size - offset)
		return false;
	while (i + 2 < table->len && table->items[i + 1].unpacked <= offset)
		i++;
	*first = i;
	while (i + 1 < table->len && table->items[i].unpacked < offset + len)
		i++;
	*end = i;
	return *end > *first && table->items[*end].packed > table->items[*first].packed;
}

static ocib_errc unpack_part(const ob_buffer *packed, uint64_t skip, const ob_entry *entry,
			     ob_buffer *out, ocib_error **err)
{
	ob_auto(ob_reader) memory = NULL;
	ob_auto(ob_reader) tar = NULL;
	size_t got = 0;
	uint8_t digest[OB_SHA256_LEN];

	ocib_errc rc = ob_reader_open_memory(packed->data, packed->len, &memory, err);
	if (!rc)
		rc = ob_reader_open_decompress(ob_take_ptr(memory), &tar, err);
	if (!rc)
		rc = ob_reader_skip(tar, skip, err);
	char *to = rc ? NULL : ob_buffer_reserve(out, entry->size);
	if (!rc && !to)
		rc = ob_buffer_check(out, err);
	if (!rc)
		rc = ob_reader_read_full(tar, to, entry->size, &got, err);
	if (rc)
		return rc;
	ob_sha256(to, got, digest);
	if (got != entry->size ||
	    (entry->has_digest && memcmp(digest, entry->digest, sizeof(digest)))) {
		to[0] = '\0';
		return ob_fail(err, OCIB_ERR_CORRUPT, "file '%s' is not what the index says",
			       entry->path);
	}
	to[got] = '\0';
	out->len += got;
	return OCIB_OK;
}

/* Kinds: UNSUPPORTED: by range it cannot be had. */
static ocib_errc read_range(ob_image_source *image, size_t i, const ob_entry *entry, ob_buffer *out,
			    ocib_error **err)
{
	const ob_layer_index *index = image->layers[i].index;
	const ob_blob_place place = ob_image_source_place(image);
	ob_autodone(ob_buffer) packed = OB_BUFFER_INIT(OB_LIMIT_BLOB, "part of a layer");
	size_t first, end;

	if (!entry->data_offset || !entry->has_digest ||
	    !find_members(index, entry->data_offset, entry->size, &first, &end))
		return ob_fail(err, OCIB_ERR_UNSUPPORTED, "no table of members");
	const ob_member *from = &index->members.items[first], *to = &index->members.items[end];
	ocib_errc rc = ob_blob_fetch_range(image->sources->fetcher, &place, descriptor_of(image, i),
					   from->packed, to->packed - from->packed, &packed, err);
	return rc ? rc : unpack_part(&packed, entry->data_offset - from->unpacked, entry, out, err);
}

/* Under the layer's lock. */
static ocib_errc read_blob(ob_image_source *image, size_t i, const ob_entry *entry, ob_buffer *out,
			   ocib_error **err)
{
	ob_image_layer *layer = &image->layers[i];
	ob_reader *content = NULL;
	ocib_errc rc = OCIB_OK;

	if (!layer->blob) {
		ob_autofd int fd = -1;

		rc = fetch_blob(image, i, 0, err);
		if (!rc)
			rc = open_blob(image, i, &fd, err);
		if (!rc)
			rc = ob_layer_blob_open(ob_take_fd(fd), layer->index, &layer->blob, err);
	}
	if (!rc)
		rc = ob_layer_blob_content(layer->blob, entry, &content, err);
	return rc ? rc : ob_reader_read_all(content, out, err);
}

static ocib_errc read_entry(ob_image_source *image, size_t i, const ob_entry *entry, ob_buffer *out,
			    ocib_error **err)
{
	ob_auto(ocib_error) failure = NULL;
	ocib_errc rc = need_index(image, i, err);

	if (rc)
		return rc;
	if (!ob_store_has_blob(image->sources->store, &descriptor_of(image, i)->digest)) {
		rc = read_range(image, i, entry, out, &failure);
		if (rc != OCIB_ERR_UNSUPPORTED && rc != OCIB_ERR_CORRUPT)
			return rc ? ob_error_move(err, &failure) : OCIB_OK;
	}
	return read_blob(image, i, entry, out, err);
}

ocib_errc ob_image_source_read(ob_image_source *image, size_t i, const ob_entry *entry,
			       ob_buffer *out, ocib_error **err)
{
	ocib_errc rc = check_range(image, i, err);

	if (rc)
		return rc;
	if (entry->size > out->max - out->len)
		return ob_fail(err, OCIB_ERR_LIMIT, "file '%s' is larger than %zu bytes",
			       entry->path, out->max);
	if (!entry->size)
		return OCIB_OK;
	pthread_mutex_lock(&image->layers[i].lock);
	rc = read_entry(image, i, entry, out, err);
	pthread_mutex_unlock(&image->layers[i].lock);
	return wrap(image, i, rc, err);
}
