/* engine/copy/context_write.c — files of a context into a layer.
 *
 * A file that was hashed before goes in with the digest it had, if it is still the one that stat found then;
 * one that was not is hashed as it passes. What it is, is checked once it was read, on the descriptor it
 * was read from: so there is no moment for a change between check and use.
 */
#include <fcntl.h>
#include <string.h>
#include "base/paths.h"
#include "engine/copy/context_source.h"

void ob_context_dir_done(ob_context_dir *dir)
{
	free(dir->path);
	if (dir->fd >= 0)
		(void)close(dir->fd);
	*dir = (ob_context_dir){.fd = -1};
}

static ocib_errc write_verified(int fd, const ob_copy_file *file, const ob_entry *entry,
				ob_layer_writer *writer, ocib_error **err)
{
	ob_auto(ob_reader) plain = NULL;
	ob_auto(ob_reader) verified = NULL;
	ocib_errc r = ob_reader_open_range(fd, false, 0, UINT64_MAX, &plain, err);

	if (!r)
		r = ob_reader_open_verify(ob_take_ptr(plain), file->digest, file->size, file->path,
					  &verified, err);
	if (!r)
		r = ob_layer_writer_add(writer, entry, verified, err);
	if (r == OCIB_ERR_CORRUPT)
		return ob_wrap(err, r, "'%s' changed while the build was reading it", file->path);
	return r;
}

/* A file that nobody has read yet: what reading shows about it is found out now. */
static ocib_errc write_unread(int fd, ob_copy_file *file, const ob_entry *entry,
			      ob_layer_writer *writer, ocib_error **err)
{
	ob_entry complete = *entry;
	ocib_errc r = ob_context_read_xattrs(fd, file, err);

	complete.xattrs = file->xattrs;
	complete.xattr_count = file->xattr_count;
	if (!r)
		r = ob_layer_writer_add_fd(writer, &complete, fd, err);
	if (r)
		return r;
	memcpy(file->digest, ob_layer_writer_last(writer)->digest, sizeof(file->digest));
	file->has_digest = true;
	return OCIB_OK;
}

/* Files come directory by directory: the last one's is kept open. */
static ocib_errc open_file(const ob_context_scan *scan, ob_context_dir *dir,
			   const ob_copy_file *file, int *out, ocib_error **err)
{
	size_t len = ob_path_parent_len(file->path);

	if (!dir->path || strncmp(dir->path, file->path, len) != 0 || dir->path[len]) {
		ob_context_dir_done(dir);
		dir->path = strndup(file->path, len);
		if (!dir->path)
			return ob_fail_nomem(err);
		dir->fd = ob_context_open(scan, dir->path, O_PATH | O_DIRECTORY);
	}
	*out = openat(dir->fd, ob_path_base(file->path),
		      O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY);
	if (*out >= 0)
		return OCIB_OK;
	if (errno != ENOENT && errno != ELOOP && errno != EBADF)
		return ob_fail_errno(err, "open '%s' of the build context", file->path);
	return ob_fail(err, OCIB_ERR_CORRUPT, "'%s' changed while the build was reading it",
		       file->path);
}

ocib_errc ob_context_write_file(ob_context_scan *scan, ob_context_dir *dir, ob_copy_file *file,
				const ob_entry *entry, ob_layer_writer *writer, ocib_error **err)
{
	ob_autofd int fd = -1;
	ocib_errc r = open_file(scan, dir, file, &fd, err);

	if (r)
		return r;
	if (!file->has_digest)
		r = write_unread(fd, file, entry, writer, err);
	else if (file->stamp.is_young && entry->size)
		/* A second change need not show in the times, so the digest must say it. */
		r = write_verified(fd, file, entry, writer, err);
	else
		r = ob_layer_writer_add_fd(writer, entry, fd, err);
	/* Is it the file that was found, and was it all the time? */
	return r ? r : ob_context_check_file(file, fd, err);
}
