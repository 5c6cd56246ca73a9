/* engine/transfer/archive_write.c — an image as one file: an OCI layout in a tar, or as docker save
 * has it.
 *
 * The archive for Docker keeps gzip layers packed, which docker load, Podman and Skopeo all take;
 * zstd, which older ones do not know, is unpacked to a temporary file first, since a tar member's
 * size comes before its content.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include "base/limits.h"
#include "base/strings.h"
#include "engine/transfer/archive_write.h"
#include "engine/transfer/archive_writer.h"
#include "image/manifest.h"

#define MAX_DEPTH 4

typedef struct archive_image {
	ocib_context *ctx;
	ob_store *from;
	ob_archive_writer *writer;
	ob_strlist written; /* digests */
	uint64_t bytes;
} archive_image;

static void archive_image_done(archive_image *a)
{
	ob_archive_writer_free(a->writer);
	ob_strlist_done(&a->written);
}

/* A blob as the member @p name. */
static ocib_errc add_blob_as(archive_image *a, const char *name, const ob_descriptor *blob,
			     ocib_error **err)
{
	ob_autofd int fd = -1;

	ocib_errc rc = ob_store_open_blob(a->from, &blob->digest, blob->size, &fd, err);
	if (!rc)
		rc = ob_archive_writer_add_fd(a->writer, name, fd, blob->size, err);
	a->bytes += blob->size;
	return rc;
}

static ocib_errc read_document(const archive_image *a, const ob_descriptor *d, ob_buffer *text,
			       ocib_error **err)
{
	return ob_store_read_blob(a->from, &d->digest, text, err);
}

/* ---- OCI. ---- */

static ocib_errc add_oci_blob(archive_image *a, const ob_descriptor *blob, ocib_error **err)
{
	ob_autofree char *name = ob_str_printf("blobs/sha256/%s", ob_digest_hex(&blob->digest));

	if (ob_strlist_contains(&a->written, blob->digest.text))
		return OCIB_OK;
	if (!name || ob_strlist_add(&a->written, blob->digest.text))
		return ob_fail_nomem(err);
	if (blob->rest && ob_json_len(ob_json_get(blob->rest, "urls")) > 0 &&
	    !ob_store_has_blob(a->from, &blob->digest))
		return OCIB_OK; /* not for redistribution */
	return add_blob_as(a, name, blob, err);
}

static ocib_errc add_oci_document(archive_image *a, const ob_descriptor *d, unsigned depth,
				  ocib_error **err);

static ocib_errc add_oci_children(archive_image *a, const ob_descriptor *d, const ob_buffer *text,
				  unsigned depth, ocib_error **err)
{
	ob_auto(ob_manifest) manifest = NULL;
	ob_auto(ob_index) index = NULL;
	const char *data = text->data ? text->data : "";
	ocib_errc rc;

	if (ob_document_kind(data, text->len, d->media_type) == 1) {
		if (!depth)
			return ob_fail(err, OCIB_ERR_LIMIT,
				       "image indexes are nested more than %d levels deep",
				       MAX_DEPTH);
		rc = ob_index_parse(data, text->len, d->media_type, &index, err);
		for (size_t i = 0; !rc && i < index->manifest_count; i++)
			rc = add_oci_document(a, &index->manifests[i], depth - 1, err);
		return rc;
	}
	rc = ob_manifest_parse(data, text->len, d->media_type, &manifest, err);
	if (!rc)
		rc = add_oci_blob(a, &manifest->config, err);
	for (size_t i = 0; !rc && i < manifest->layer_count; i++)
		rc = add_oci_blob(a, &manifest->layers[i], err);
	return rc;
}

static ocib_errc add_oci_document(archive_image *a, const ob_descriptor *d, unsigned depth,
				  ocib_error **err)
{
	ob_autodone(ob_buffer) text = OB_BUFFER_INIT(OB_LIMIT_MANIFEST, "manifest");

	ocib_errc rc = read_document(a, d, &text, err);
	if (!rc)
		rc = add_oci_children(a, d, &text, depth, err);
	return rc ? rc : add_oci_blob(a, d, err);
}

static ocib_errc add_index_json(archive_image *a, const ob_descriptor *root,
				const char *const *tags, const char *const *names, ocib_error **err)
{
	ob_autodone(ob_buffer) text = OB_BUFFER_INIT(OB_LIMIT_MANIFEST, "index.json");
	ob_auto(ob_index) index = calloc(1, sizeof(*index));

	if (!index || !(index->media_type = strdup(OB_MEDIA_OCI_INDEX)))
		return ob_fail_nomem(err);
	for (size_t i = 0; tags[i]; i++) {
		ob_autodone(ob_descriptor) d = {0};

		if (ob_descriptor_copy(&d, root) ||
		    ob_env_set(&d.annotations, "org.opencontainers.image.ref.name", tags[i]) ||
		    (names && ob_env_set(&d.annotations, "io.containerd.image.name", names[i])) ||
		    ob_index_add(index, &d))
			return ob_fail_nomem(err);
	}
	ocib_errc rc = ob_index_format(index, &text, err);
	return rc ? rc : ob_archive_writer_add(a->writer, "index.json", text.data, text.len, err);
}

static ocib_errc write_oci(archive_image *a, const ob_descriptor *root, const char *const *tags,
			   const char *const *names, ocib_error **err)
{
	static const char layout[] = "{\"imageLayoutVersion\":\"1.0.0\"}";

	ocib_errc rc = ob_archive_writer_add(a->writer, "oci-layout", layout, strlen(layout), err);
	if (!rc)
		rc = ob_archive_writer_add_dir(a->writer, "blobs", err);
	if (!rc)
		rc = ob_archive_writer_add_dir(a->writer, "blobs/sha256", err);
	if (!rc)
		rc = add_oci_document(a, root, MAX_DEPTH, err);
	if (!rc)
		rc = add_index_json(a, root, tags, names, err);
	return rc ? rc : ob_archive_writer_finish(a->writer, err);
}

ocib_errc ob_archive_write_oci(ocib_context *ctx, ob_store *from, const ob_descriptor *root,
			       const char *file, const char *const *tags, const char *const *names,
			       uint64_t *bytes, ocib_error **err)
{
	ob_autodone(archive_image) a = {.ctx = ctx, .from = from};

	ocib_errc rc = ob_archive_writer_open(ctx, file, &a.writer, err);
	if (!rc)
		rc = write_oci(&a, root, tags, names, err);
	if (rc)
		return ob_wrap(err, rc, "OCI archive '%s'", file);
	if (bytes)
		*bytes += a.bytes;
	return OCIB_OK;
}

/* ---- Docker. ---- */

/* The unpacked layer in a file without a name. */
static ocib_errc unpack_layer(const archive_image *a, const ob_descriptor *layer, int *out,
			      uint64_t *size, ocib_error **err)
{
	ob_autofd int blob = -1;
	ob_autofd int fd = -1;
	ob_auto(ob_reader) packed = NULL;
	ob_auto(ob_reader) tar = NULL;
	ob_auto(ob_writer) to = NULL;

	ocib_errc rc = ob_store_open_blob(a->from, &layer->digest, layer->size, &blob, err);
	if (rc)
		return rc;
	fd = openat(ob_store_dirfd(a->from), ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fd < 0)
		return ob_fail_errno(err, "a temporary file in '%s'", ob_store_path(a->from));
	rc = ob_reader_open_range(blob, false, 0, layer->size, &packed, err);
	if (!rc)
		rc = ob_reader_open_decompress(ob_take_ptr(packed), &tar, err);
	if (!rc)
		rc = ob_writer_open_fd(fd, &to, err);
	if (!rc)
		rc = ob_stream_copy(tar, to, size, err);
	if (rc)
		return rc;
	*out = ob_take_fd(fd);
	return OCIB_OK;
}

static ocib_errc add_layer(archive_image *a, const ob_descriptor *layer, const char *name,
			   ocib_error **err)
{
	ob_compression compression;
	ob_autofd int fd = -1;
	uint64_t size = 0;

	if (ob_strlist_contains(&a->written, name))
		return OCIB_OK;
	if (ob_strlist_add(&a->written, name))
		return ob_fail_nomem(err);
	if (!ob_media_layer_compression(layer->media_type, &compression))
		return ob_fail(err, OCIB_ERR_UNSUPPORTED, "a layer of type '%.128s'",
			       layer->media_type);
	if (compression != OB_COMPRESSION_ZSTD)
		return add_blob_as(a, name, layer, err);
	ocib_errc rc = unpack_layer(a, layer, &fd, &size, err);
	a->bytes += size;
	return rc ? rc : ob_archive_writer_add_fd(a->writer, name, fd, size, err);
}

static ocib_errc add_layers(archive_image *a, const ob_manifest *manifest, ob_strlist *names,
			    ocib_error **err)
{
	ocib_errc rc = OCIB_OK;

	for (size_t i = 0; !rc && i < manifest->layer_count; i++) {
		const ob_descriptor *layer = &manifest->layers[i];

		if (ob_strlist_add_printf(names, "%s.tar", ob_digest_hex(&layer->digest)))
			return ob_fail_nomem(err);
		rc = add_layer(a, layer, names->items[i], err);
	}
	return rc;
}

static ocib_errc add_json(archive_image *a, const char *name, const ob_json *json, ocib_error **err)
{
	ob_autodone(ob_buffer) text = OB_BUFFER_INIT(OB_LIMIT_MANIFEST, name);

	ocib_errc rc = ob_json_dump(json, OB_JSON_COMPACT, &text, err);
	return rc ? rc : ob_archive_writer_add(a->writer, name, text.data, text.len, err);
}

static ocib_errc add_manifest_json(archive_image *a, const char *config, const ob_strlist *layers,
				   const ob_strlist *tags, ocib_error **err)
{
	ob_auto(ob_json) list = ob_json_array();
	ob_json *image = ob_json_object();

	ob_json_set_str(image, "Config", config);
	ob_json_set(image, "RepoTags", ob_json_new_strlist(tags));
	ob_json_set(image, "Layers", ob_json_new_strlist(layers));
	ob_json_push(list, image);
	return add_json(a, "manifest.json", list, err);
}

/* {"name": {"tag": top layer}}: what readers of before manifest.json look for. */
static ocib_errc add_repositories(archive_image *a, const ob_strlist *layers,
				  const ob_strlist *tags, ocib_error **err)
{
	ob_auto(ob_json) root = ob_json_object();

	if (!layers->len || !tags->len)
		return OCIB_OK;
	ob_autofree char *top = strndup(layers->items[layers->len - 1], 2 * (size_t)OB_SHA256_LEN);
	if (!top)
		return ob_fail_nomem(err);
	for (size_t i = 0; i < tags->len; i++) {
		char *colon = strrchr(tags->items[i], ':');
		ob_autofree char *name = strndup(tags->items[i], (size_t)(colon - tags->items[i]));
		ob_auto(ob_json) one = name ? ob_json_copy(ob_json_get(root, name)) : NULL;

		if (!name)
			return ob_fail_nomem(err);
		if (!one)
			one = ob_json_object();
		ob_json_set_str(one, colon + 1, top);
		ob_json_set(root, name, ob_take_ptr(one));
	}
	return add_json(a, "repositories", root, err);
}

static ocib_errc write_docker(archive_image *a, const ob_descriptor *root, const char *const *names,
			      ocib_error **err)
{
	ob_autodone(ob_buffer) text = OB_BUFFER_INIT(OB_LIMIT_MANIFEST, "manifest");
	ob_auto(ob_manifest) manifest = NULL;
	ob_autodone(ob_strlist) layers = {0};
	ob_autodone(ob_strlist) tags = {0};

	if (ob_media_is_index(root->media_type))
		return ob_fail(err, OCIB_ERR_UNSUPPORTED,
			       "it holds one platform, not an index of several");
	ocib_errc rc = read_document(a, root, &text, err);
	if (!rc)
		rc = ob_manifest_parse(text.data, text.len, root->media_type, &manifest, err);
	if (rc)
		return rc;
	/* Whole names, since Podman takes short ones to be its own. */
	for (; names && *names; names++) {
		if (ob_strlist_add(&tags, *names))
			return ob_fail_nomem(err);
	}
	ob_autofree char *config =
		ob_str_printf("%s.json", ob_digest_hex(&manifest->config.digest));
	rc = config ? add_blob_as(a, config, &manifest->config, err) : ob_fail_nomem(err);
	if (!rc)
		rc = add_layers(a, manifest, &layers, err);
	if (!rc)
		rc = add_manifest_json(a, config, &layers, &tags, err);
	if (!rc)
		rc = add_repositories(a, &layers, &tags, err);
	return rc ? rc : ob_archive_writer_finish(a->writer, err);
}

ocib_errc ob_archive_write_docker(ocib_context *ctx, ob_store *from, const ob_descriptor *root,
				  const char *file, const char *const *names, uint64_t *bytes,
				  ocib_error **err)
{
	ob_autodone(archive_image) a = {.ctx = ctx, .from = from};

	ocib_errc rc = ob_archive_writer_open(ctx, file, &a.writer, err);
	if (!rc)
		rc = write_docker(&a, root, names, err);
	if (rc)
		return ob_wrap(err, rc, "docker archive '%s'", file);
	if (bytes)
		*bytes += a.bytes;
	return OCIB_OK;
}
