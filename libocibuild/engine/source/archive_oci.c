/* engine/source/archive_oci.c — a tar of an OCI layout, unpacked to one.
 *
 * Only what a layout consists of is taken: oci-layout, index.json and blobs/sha256/<hex>; a name
 * decides nothing else. Blobs are verified when they are copied out of the layout, like those of
 * any other.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include "base/fds.h"
#include "base/limits.h"
#include "base/strings.h"
#include "engine/source/archive_source.h"
#include "layer/tar_reader.h"

#define BLOB_DIR "blobs/sha256/"

static bool is_wanted(const ob_entry *entry)
{
	uint8_t digest[OB_SHA256_LEN];

	if (entry->type != OB_ENTRY_FILE)
		return false;
	return ob_str_eq(entry->path, "oci-layout") || ob_str_eq(entry->path, "index.json") ||
	       (ob_str_starts(entry->path, BLOB_DIR) &&
		ob_hex_decode(entry->path + strlen(BLOB_DIR), digest, sizeof(digest)));
}

static ocib_errc unpack_file(ob_tar_reader *tar, int dirfd, const char *path, ocib_error **err)
{
	ob_autofd int fd = openat(dirfd, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	ob_auto(ob_writer) to = NULL;

	if (fd < 0)
		return ob_fail_errno(err, "create '%s'", path);
	ocib_errc rc = ob_writer_open_fd(fd, &to, err);
	return rc ? rc : ob_stream_copy(ob_tar_reader_content(tar), to, NULL, err);
}

static ocib_errc unpack_all(ocib_context *ctx, ob_tar_reader *tar, int dirfd, ocib_error **err)
{
	const ob_entry *entry = NULL;
	size_t files = 0;

	for (;;) {
		ocib_errc rc = ob_check_canceled(ctx, err);
		if (!rc)
			rc = ob_tar_reader_next(tar, &entry, err);
		if (rc || !entry)
			return rc;
		if (!is_wanted(entry))
			continue;
		if (++files > OB_LIMIT_ARCHIVE_FILES)
			return ob_fail(err, OCIB_ERR_LIMIT, "more than %d files",
				       OB_LIMIT_ARCHIVE_FILES);
		rc = unpack_file(tar, dirfd, entry->path, err);
		if (rc)
			return rc;
	}
}

static ocib_errc unpack_archive(ocib_context *ctx, int fd, const char *file, int dirfd,
				ocib_error **err)
{
	const ob_tar_reader_options options = {.strict = true, .any_archive = true, .what = file};
	ob_auto(ob_reader) input = NULL;
	ob_auto(ob_tar_reader) tar = NULL;

	ocib_errc rc = ob_mkdir_parents(dirfd, BLOB_DIR, 0755, err);
	if (!rc)
		rc = ob_reader_open_fd(fd, &input, err);
	if (!rc)
		rc = ob_tar_reader_open(input, &options, &tar, err);
	return rc ? rc : unpack_all(ctx, tar, dirfd, err);
}

ocib_errc ob_oci_archive_unpack(ocib_context *ctx, const char *file, const char *dir,
				ob_store **layout, ocib_error **err)
{
	ob_autofd int dirfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ob_autofd int fd = open(file, O_RDONLY | O_CLOEXEC);

	if (fd < 0 && errno == ENOENT)
		return ob_fail(err, OCIB_ERR_NOTFOUND, "there is no file '%s'", file);
	if (fd < 0 || dirfd < 0)
		return ob_fail_errno(err, "open '%s'", fd < 0 ? file : dir);
	ocib_errc rc = unpack_archive(ctx, fd, file, dirfd, err);
	if (!rc)
		rc = ob_layout_open(dir, false, layout, err);
	return rc ? ob_wrap(err, rc, "OCI archive '%s'", file) : OCIB_OK;
}
