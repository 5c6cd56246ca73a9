/* engine/source/archive_docker.c — what `docker save` writes, as an OCI image.
 *
 *   manifest.json   [{"Config": FILE, "RepoTags": ["name:tag", …], "Layers": [FILE, …]}, …]
 *
 * Files come in any order and layers may be links to one another, so all are unpacked under numbers
 * before manifest.json is looked at. A layer is a plain tar, which is packed here, or is packed
 * already and kept; either way its content must have the config's diff id.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include "base/fds.h"
#include "base/limits.h"
#include "base/map.h"
#include "base/paths.h"
#include "base/strings.h"
#include "engine/source/archive_source.h"
#include "image/config.h"
#include "image/manifest.h"
#include "layer/tar_reader.h"

typedef struct archive {
	ocib_context *ctx;
	const char *file;
	int dirfd;
	ob_map *names; /* entry path → "f<number>", or "l" and the entry path of a link's target */
	size_t count;
	ob_store *layout;
} archive;

static void archive_done(archive *a)
{
	ob_map_free(a->names);
	if (a->dirfd >= 0)
		(void)close(a->dirfd);
	if (a->layout)
		(void)ocib_store_close(a->layout);
}

/* ---- Unpacking. ---- */

static ocib_errc remember(archive *a, const char *path, char *value, ocib_error **err)
{
	if (value && ob_map_set(a->names, path, value) == 0)
		return OCIB_OK;
	free(value);
	return ob_fail_nomem(err);
}

static ocib_errc take_file(archive *a, ob_tar_reader *tar, const char *path, ocib_error **err)
{
	ob_autofree char *name = ob_str_printf("f%zu", a->count);
	ob_auto(ob_writer) to = NULL;

	if (!name)
		return ob_fail_nomem(err);
	ob_autofd int fd = openat(a->dirfd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return ob_fail_errno(err, "create '%s'", name);
	ocib_errc rc = ob_writer_open_fd(fd, &to, err);
	if (!rc)
		rc = ob_stream_copy(ob_tar_reader_content(tar), to, NULL, err);
	return rc ? rc : remember(a, path, ob_take_ptr(name), err);
}

/* The entry path that a link means, prefixed with 'l'. */
static char *link_value(const ob_entry *entry)
{
	if (entry->type == OB_ENTRY_HARDLINK)
		return ob_str_printf("l%s", entry->link);
	ob_autofree char *dir = strndup(entry->path, ob_path_parent_len(entry->path));
	ob_autofree char *joined = dir ? ob_path_join(dir, entry->link) : NULL;
	ob_autofree char *target = joined ? ob_path_to_entry(joined) : NULL;

	return target ? ob_str_printf("l%s", target) : NULL;
}

static ocib_errc take_entry(archive *a, ob_tar_reader *tar, const ob_entry *entry, ocib_error **err)
{
	if (entry->type == OB_ENTRY_DIR)
		return OCIB_OK;
	if (++a->count > OB_LIMIT_ARCHIVE_FILES)
		return ob_fail(err, OCIB_ERR_LIMIT, "more than %d files", OB_LIMIT_ARCHIVE_FILES);
	if (entry->type == OB_ENTRY_FILE)
		return take_file(a, tar, entry->path, err);
	if (entry->type == OB_ENTRY_SYMLINK || entry->type == OB_ENTRY_HARDLINK)
		return remember(a, entry->path, link_value(entry), err);
	return ob_fail(err, OCIB_ERR_CORRUPT, "'%s' is no file", entry->path);
}

static ocib_errc unpack(archive *a, ocib_error **err)
{
	const ob_tar_reader_options options = {
		.strict = true, .any_archive = true, .what = a->file};
	ob_autofd int fd = open(a->file, O_RDONLY | O_CLOEXEC);
	ob_auto(ob_reader) input = NULL;
	ob_auto(ob_tar_reader) tar = NULL;
	const ob_entry *entry = NULL;

	if (fd < 0 && errno == ENOENT)
		return ob_fail(err, OCIB_ERR_NOTFOUND, "there is no such file");
	if (fd < 0)
		return ob_fail_errno(err, "open");
	ocib_errc rc = ob_reader_open_fd(fd, &input, err);
	if (!rc)
		rc = ob_tar_reader_open(input, &options, &tar, err);
	while (!rc) {
		rc = ob_check_canceled(a->ctx, err);
		if (!rc)
			rc = ob_tar_reader_next(tar, &entry, err);
		if (rc || !entry)
			return rc;
		rc = take_entry(a, tar, entry, err);
	}
	return rc;
}

/* The unpacked file of a name in the archive, links followed. */
static ocib_errc open_file(const archive *a, const char *name, int *out, ocib_error **err)
{
	ob_autofree char *path = ob_path_to_entry(name);
	const char *value = path ? ob_map_get(a->names, path) : NULL;

	for (int hops = 0; value && *value == 'l' && hops < OB_LIMIT_SYMLINKS; hops++)
		value = ob_map_get(a->names, value + 1);
	if (!path)
		return ob_fail_nomem(err);
	if (!value || *value != 'f')
		return ob_fail(err, OCIB_ERR_CORRUPT, "there is no '%s' in it", name);
	*out = openat(a->dirfd, value, O_RDONLY | O_CLOEXEC);
	return *out < 0 ? ob_fail_errno(err, "open '%s'", value) : OCIB_OK;
}

static ocib_errc read_file(const archive *a, const char *name, ob_buffer *text, ocib_error **err)
{
	ob_autofd int fd = -1;
	ob_auto(ob_reader) reader = NULL;
	ocib_errc rc = open_file(a, name, &fd, err);

	if (!rc)
		rc = ob_reader_open_fd(fd, &reader, err);
	return rc ? rc : ob_reader_read_all(reader, text, err);
}

/* ---- Which image. ---- */

static bool has_tag(const ob_json *image, const char *wanted)
{
	const ob_json *tags = ob_json_get(image, "RepoTags");

	for (size_t i = 0; i < ob_json_len(tags); i++) {
		ob_autodone(ob_reference) ref = {0};
		const char *text = ob_json_str(ob_json_at(tags, i));
		ob_autofree char *full = NULL;

		if (!text || ob_reference_parse(text, &ref, NULL) ||
		    ob_reference_default_tag(&ref, NULL))
			continue;
		full = ob_reference_format(&ref);
		if (full && ob_str_eq(full, wanted))
			return true;
	}
	return false;
}

static ocib_errc full_name(const char *tag, char **out, ocib_error **err)
{
	ob_autodone(ob_reference) ref = {0};
	ocib_errc rc = ob_reference_parse(tag, &ref, err);

	if (!rc)
		rc = ob_reference_default_tag(&ref, err);
	if (rc)
		return rc;
	*out = ob_reference_format(&ref);
	return *out ? OCIB_OK : ob_fail_nomem(err);
}

static ocib_errc choose(const ob_json *images, const char *tag, const ob_json **out,
			ocib_error **err)
{
	ob_autofree char *wanted = NULL;
	ocib_errc rc = tag ? full_name(tag, &wanted, err) : OCIB_OK;

	if (rc)
		return rc;
	if (!tag && ob_json_len(images) > 1)
		return ob_fail(err, OCIB_ERR_INVALID,
			       "it holds %zu images; say which: "
			       "docker-archive:FILE:NAME",
			       ob_json_len(images));
	for (size_t i = 0; i < ob_json_len(images); i++) {
		if (tag && !has_tag(ob_json_at(images, i), wanted))
			continue;
		*out = ob_json_at(images, i);
		return OCIB_OK;
	}
	return ob_fail(err, OCIB_ERR_NOTFOUND, "there is no image '%s' in it",
		       tag ? tag : "latest");
}

/* ---- Conversion. ---- */

static ocib_errc open_start(int fd, ob_reader **out, ocib_error **err)
{
	if (lseek(fd, 0, SEEK_SET) < 0)
		return ob_fail_errno(err, "lseek");
	return ob_reader_open_fd(fd, out, err);
}

/* The unpacked bytes of a layer's file to @p to; fails unless they have the diff id. */
static ocib_errc stream_layer(int fd, const ob_digest *diff_id, ob_writer *to, ocib_error **err)
{
	ob_auto(ob_reader) packed = NULL;
	ob_auto(ob_reader) tar = NULL;
	ob_auto(ob_reader) verified = NULL;

	ocib_errc rc = open_start(fd, &packed, err);
	if (!rc)
		rc = ob_reader_open_decompress(ob_take_ptr(packed), &tar, err);
	if (!rc)
		rc = ob_reader_open_verify(ob_take_ptr(tar), diff_id->bytes, UINT64_MAX,
					   diff_id->text, &verified, err);
	return rc ? rc : ob_stream_copy(verified, to, NULL, err);
}

static ocib_errc pack_layer(archive *a, int fd, const ob_digest *diff_id, ob_descriptor *out,
			    ocib_error **err)
{
	ob_auto(ob_blob_writer) blob = NULL;
	ob_auto(ob_hash_writer) counter = NULL;
	ob_auto(ob_compress_writer) packer = NULL;

	ocib_errc rc = ob_blob_writer_open(a->layout, &blob, err);
	if (!rc)
		rc = ob_hash_writer_new(ob_blob_writer_unhashed(blob), &counter, err);
	if (!rc)
		rc = ob_compress_writer_new(ob_hash_writer_base(counter), OB_COMPRESSION_GZIP, 0,
					    ob_context_jobs(a->ctx), &packer, err);
	if (!rc)
		rc = stream_layer(fd, diff_id, ob_compress_writer_base(packer), err);
	if (!rc)
		rc = ob_writer_finish(ob_compress_writer_base(packer), err);
	if (rc)
		return rc;
	uint8_t digest[OB_SHA256_LEN];
	ob_hash_writer_peek(counter, digest);
	ob_digest_from_bytes(&out->digest, digest);
	out->size = ob_hash_writer_count(counter);
	return ob_blob_writer_commit_trusted(blob, &out->digest, err);
}

/* A layer that is packed already is kept as it is, once its content is seen to be right. */
static ocib_errc keep_layer(archive *a, int fd, const ob_digest *diff_id, ob_descriptor *out,
			    ocib_error **err)
{
	ob_auto(ob_writer) nowhere = NULL;
	ob_auto(ob_reader) packed = NULL;
	ob_auto(ob_blob_writer) blob = NULL;

	ocib_errc rc = ob_writer_open_null(&nowhere, err);
	if (!rc)
		rc = stream_layer(fd, diff_id, nowhere, err);
	if (!rc)
		rc = open_start(fd, &packed, err);
	if (!rc)
		rc = ob_blob_writer_open(a->layout, &blob, err);
	if (!rc)
		rc = ob_stream_copy(packed, ob_blob_writer_base(blob), &out->size, err);
	return rc ? rc : ob_blob_writer_commit(blob, NULL, UINT64_MAX, &out->digest, err);
}

static ocib_errc convert_layer(archive *a, const char *name, const ob_digest *diff_id,
			       ob_manifest *manifest, ocib_error **err)
{
	ob_autodone(ob_descriptor) layer = {0};
	ob_autofd int fd = -1;
	uint8_t head[6];

	ocib_errc rc = name ? open_file(a, name, &fd, err)
			    : ob_fail(err, OCIB_ERR_CORRUPT, "a layer's name is no text");
	if (rc)
		return rc;
	ssize_t got = ob_pread_full(fd, head, sizeof(head), 0);
	if (got < 0)
		return ob_fail_errno(err, "read '%s'", name);
	ob_compression kind = ob_compression_detect(head, (size_t)got);
	bool plain = kind == OB_COMPRESSION_NONE;
	layer.media_type = strdup(ob_media_layer(plain ? OB_COMPRESSION_GZIP : kind));
	if (!layer.media_type)
		return ob_fail_nomem(err);
	rc = plain ? pack_layer(a, fd, diff_id, &layer, err)
		   : keep_layer(a, fd, diff_id, &layer, err);
	if (rc)
		return ob_wrap(err, rc, "layer '%s'", name);
	return ob_manifest_add_layer(manifest, &layer) ? ob_fail_nomem(err) : OCIB_OK;
}

static ocib_errc convert_layers(archive *a, const ob_json *image, const ob_config *config,
				ob_manifest *manifest, ocib_error **err)
{
	const ob_json *layers = ob_json_get(image, "Layers");
	ocib_errc rc = OCIB_OK;

	if (ob_json_len(layers) != config->diff_id_count)
		return ob_fail(err, OCIB_ERR_CORRUPT, "%zu layers, and a configuration for %zu",
			       ob_json_len(layers), config->diff_id_count);
	for (size_t i = 0; !rc && i < config->diff_id_count; i++)
		rc = convert_layer(a, ob_json_str(ob_json_at(layers, i)), &config->diff_ids[i],
				   manifest, err);
	return rc;
}

static ocib_errc write_manifest(archive *a, const ob_manifest *manifest, ob_descriptor *root,
				ocib_error **err)
{
	ob_autodone(ob_buffer) text = OB_BUFFER_INIT(OB_LIMIT_MANIFEST, "manifest");
	ob_autodone(ob_descriptor) d = {.media_type = strdup(OB_MEDIA_OCI_MANIFEST)};

	ocib_errc rc = ob_manifest_format(manifest, &text, err);
	if (!rc)
		rc = ob_store_write_blob(a->layout, text.data, text.len, &d.digest, err);
	if (rc || !d.media_type)
		return rc ? rc : ob_fail_nomem(err);
	d.size = text.len;
	*root = d;
	d = (ob_descriptor){0};
	return OCIB_OK;
}

static ocib_errc convert(archive *a, const ob_json *image, ob_descriptor *root, ocib_error **err)
{
	ob_autodone(ob_buffer) text = OB_BUFFER_INIT(OB_LIMIT_CONFIG, "configuration");
	ob_auto(ob_manifest) manifest = calloc(1, sizeof(*manifest));
	ob_auto(ob_config) config = NULL;
	const char *config_name = ob_json_get_str(image, "Config");

	if (!config_name)
		return ob_fail(err, OCIB_ERR_CORRUPT, "manifest.json names no configuration");
	if (!manifest)
		return ob_fail_nomem(err);
	ocib_errc rc = read_file(a, config_name, &text, err);
	if (!rc)
		rc = ob_config_parse(text.data ? text.data : "", text.len, &config, err);
	if (!rc)
		rc = ob_store_write_blob(a->layout, text.data, text.len, &manifest->config.digest,
					 err);
	if (rc)
		return rc;
	manifest->media_type = strdup(OB_MEDIA_OCI_MANIFEST);
	manifest->config.media_type = strdup(OB_MEDIA_OCI_CONFIG);
	manifest->config.size = text.len;
	if (!manifest->media_type || !manifest->config.media_type)
		return ob_fail_nomem(err);
	rc = convert_layers(a, image, config, manifest, err);
	return rc ? rc : write_manifest(a, manifest, root, err);
}

static ocib_errc unpack_and_convert(archive *a, const char *tag, ob_descriptor *root,
				    ocib_error **err)
{
	ob_autodone(ob_buffer) text = OB_BUFFER_INIT(OB_LIMIT_MANIFEST, "manifest.json");
	ob_auto(ob_json) images = NULL;
	const ob_json *image = NULL;

	ocib_errc rc = unpack(a, err);
	if (!rc)
		rc = read_file(a, "manifest.json", &text, err);
	if (!rc)
		rc = ob_json_parse(text.data ? text.data : "", text.len, &images, err);
	if (!rc)
		rc = choose(images, tag, &image, err);
	return rc ? rc : convert(a, image, root, err);
}

ocib_errc ob_docker_archive_unpack(ocib_context *ctx, const ob_image_name *name, const char *dir,
				   ob_store **layout, ob_descriptor *root, ocib_error **err)
{
	ob_autodone(archive) a = {.ctx = ctx,
				  .file = name->path,
				  .dirfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC),
				  .names = ob_map_new(free)};
	ob_autofree char *path = ob_str_printf("%s/layout", dir);

	if (a.dirfd < 0)
		return ob_fail_errno(err, "open '%s'", dir);
	if (!path || !a.names)
		return ob_fail_nomem(err);
	ocib_errc rc = ob_layout_open(path, true, &a.layout, err);
	if (!rc)
		rc = unpack_and_convert(&a, name->tag, root, err);
	if (rc)
		return ob_wrap(err, rc, "docker archive '%s'", name->path);
	*layout = ob_take_ptr(a.layout);
	return OCIB_OK;
}
