/* engine/transfer/archive_writer.c — see archive_writer.h.
 *
 * Members have no owner, no time and fixed modes, so the same image gives the same archive.
 */
#include "engine/transfer/archive_writer.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include "base/fds.h"
#include "base/limits.h"
#include "base/strings.h"
#include "layer/tar_writer.h"

#define COPY_BUFFER (256 * 1024)

struct ob_archive_writer {
	ocib_context *ctx;
	char *file;
	char *temp; /* is renamed to file at the end; NULL: written in place */
	int fd;
	bool is_borrowed; /* fd 1 */
	char *buffer;
};

ob_archive_writer *ob_archive_writer_free(ob_archive_writer *w)
{
	if (!w)
		return NULL;
	if (w->temp)
		(void)unlink(w->temp);
	if (w->fd >= 0 && !w->is_borrowed)
		(void)close(w->fd);
	free(w->temp);
	free(w->file);
	free(w->buffer);
	free(w);
	return NULL;
}

static ocib_errc open_temp(ob_archive_writer *w, ocib_error **err)
{
	uint64_t unique;

	if (getrandom(&unique, sizeof(unique), 0) != sizeof(unique))
		return ob_fail_errno(err, "getrandom");
	w->temp = ob_str_printf("%s.%016jx", w->file, (uintmax_t)unique);
	if (!w->temp)
		return ob_fail_nomem(err);
	w->fd = open(w->temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	if (w->fd >= 0)
		return OCIB_OK;
	(void)ob_fail_errno(err, "create '%s'", w->file);
	free(w->temp);
	w->temp = NULL;
	return OCIB_ERR_SYSTEM;
}

static ocib_errc open_target(ob_archive_writer *w, ocib_error **err)
{
	struct stat st;

	if (ob_str_eq(w->file, "-")) {
		w->fd = STDOUT_FILENO;
		w->is_borrowed = true;
		return OCIB_OK;
	}
	if (stat(w->file, &st) < 0 || S_ISREG(st.st_mode))
		return open_temp(w, err);
	w->fd = open(w->file, O_WRONLY | O_CLOEXEC);
	return w->fd < 0 ? ob_fail_errno(err, "open '%s'", w->file) : OCIB_OK;
}

ocib_errc ob_archive_writer_open(ocib_context *ctx, const char *file, ob_archive_writer **out,
				 ocib_error **err)
{
	ob_auto(ob_archive_writer) w = calloc(1, sizeof(*w));

	if (!w)
		return ob_fail_nomem(err);
	w->fd = -1;
	w->ctx = ctx;
	w->file = strdup(file);
	w->buffer = malloc(COPY_BUFFER);
	if (!w->file || !w->buffer)
		return ob_fail_nomem(err);
	ocib_errc rc = open_target(w, err);
	if (rc)
		return rc;
	*out = ob_take_ptr(w);
	return OCIB_OK;
}

static ocib_errc put(ob_archive_writer *w, const void *data, size_t len, ocib_error **err)
{
	return ob_write_full(w->fd, data, len) < 0 ? ob_fail_errno(err, "write '%s'", w->file)
						   : OCIB_OK;
}

static ocib_errc put_header(ob_archive_writer *w, const char *name, ob_entry_type type,
			    uint64_t size, ocib_error **err)
{
	ob_autodone(ob_buffer) text = OB_BUFFER_INIT(OB_TAR_HEADER_MAX, "tar header");
	ob_autofree char *path = strdup(name);
	const ob_entry entry = {.path = path,
				.type = type,
				.mode = type == OB_ENTRY_DIR ? 0755 : 0644,
				.size = size};

	if (!path)
		return ob_fail_nomem(err);
	ocib_errc rc = ob_tar_header_format(&entry, &text, err);
	return rc ? rc : put(w, text.data, text.len, err);
}

static ocib_errc put_padding(ob_archive_writer *w, uint64_t size, ocib_error **err)
{
	static const char zeros[OB_TAR_BLOCK];

	return put(w, zeros, ob_tar_padding(size), err);
}

ocib_errc ob_archive_writer_add(ob_archive_writer *w, const char *name, const void *data,
				size_t len, ocib_error **err)
{
	ocib_errc rc = put_header(w, name, OB_ENTRY_FILE, len, err);

	if (!rc)
		rc = put(w, data, len, err);
	return rc ? rc : put_padding(w, len, err);
}

ocib_errc ob_archive_writer_add_dir(ob_archive_writer *w, const char *name, ocib_error **err)
{
	return put_header(w, name, OB_ENTRY_DIR, 0, err);
}

ocib_errc ob_archive_writer_add_fd(ob_archive_writer *w, const char *name, int fd, uint64_t size,
				   ocib_error **err)
{
	ocib_errc rc = put_header(w, name, OB_ENTRY_FILE, size, err);

	for (uint64_t done = 0; !rc && done < size;) {
		size_t len = size - done < COPY_BUFFER ? (size_t)(size - done) : COPY_BUFFER;
		ssize_t got = ob_pread_full(fd, w->buffer, len, (off_t)done);

		if (got < 0)
			return ob_fail_errno(err, "read '%s'", name);
		if ((size_t)got < len)
			return ob_fail(err, OCIB_ERR_CORRUPT, "'%s' is shorter than %ju bytes",
				       name, (uintmax_t)size);
		done += len;
		rc = ob_check_canceled(w->ctx, err);
		if (!rc)
			rc = put(w, w->buffer, len, err);
	}
	return rc ? rc : put_padding(w, size, err);
}

ocib_errc ob_archive_writer_finish(ob_archive_writer *w, ocib_error **err)
{
	static const char zeros[OB_TAR_END_LEN];

	ocib_errc rc = put(w, zeros, sizeof(zeros), err);
	if (rc || !w->temp)
		return rc;
	if (fsync(w->fd) < 0 || rename(w->temp, w->file) < 0)
		return ob_fail_errno(err, "write '%s'", w->file);
	free(w->temp);
	w->temp = NULL;
	return OCIB_OK;
}
