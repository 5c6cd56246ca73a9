/* engine/build/rootfs_tar.c — a merged tree as one tar, as `docker export` gives it. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/fds.h"
#include "base/limits.h"
#include "base/strings.h"
#include "engine/build/rootfs_sink.h"
#include "layer/tar_writer.h"

typedef struct tar_sink {
	ob_rootfs_sink base;
	int fd;
	char *path, *temp; /* NULL for standard output */
} tar_sink;

static ocib_errc put(tar_sink *sink, const void *data, size_t len, ocib_error **err)
{
	if (ob_write_full(sink->fd, data, len) < 0)
		return ob_fail_errno(err, "write '%s'",
				     sink->path ? sink->path : "standard output");
	return OCIB_OK;
}

static ocib_errc put_content(tar_sink *sink, ob_reader *content, uint64_t size, ocib_error **err)
{
	static const char zeros[OB_TAR_BLOCK];
	uint64_t copied = 0;
	size_t got = 1;
	ob_autofree char *block = malloc(64 * OB_KIB);

	if (!block)
		return ob_fail_nomem(err);
	while (got) {
		ocib_errc r = ob_reader_read(content, block, 64 * OB_KIB, &got, err);
		if (r == OCIB_OK)
			r = put(sink, block, got, err);
		if (r < 0)
			return r;
		copied += got;
	}
	if (copied != size)
		return ob_fail(err, OCIB_ERR_CORRUPT, "a file ends too early in its layer");
	return put(sink, zeros, ob_tar_padding(size), err);
}

static ocib_errc tar_add(ob_rootfs_sink *self, const ob_entry *entry, ob_reader *content,
			 ocib_error **err)
{
	tar_sink *sink = (tar_sink *)self;
	ob_autodone(ob_buffer) header = OB_BUFFER_INIT(OB_TAR_HEADER_MAX, "tar header");

	ocib_errc r = ob_tar_header_format(entry, &header, err);
	if (r == OCIB_OK)
		r = ob_buffer_check(&header, err);
	if (r == OCIB_OK)
		r = put(sink, header.data, header.len, err);
	if (r == OCIB_OK && content)
		r = put_content(sink, content, entry->size, err);
	return r;
}

static ocib_errc tar_finish(ob_rootfs_sink *self, ocib_error **err)
{
	static const char end[OB_TAR_END_LEN];
	tar_sink *sink = (tar_sink *)self;

	ocib_errc r = put(sink, end, sizeof(end), err);
	if (r < 0 || !sink->temp)
		return r;
	if (fsync(sink->fd) < 0 || rename(sink->temp, sink->path) < 0)
		return ob_fail_errno(err, "write '%s'", sink->path);
	free(sink->temp);
	sink->temp = NULL;
	return OCIB_OK;
}

static void tar_destroy(ob_rootfs_sink *self)
{
	tar_sink *sink = (tar_sink *)self;

	if (sink->temp)
		(void)unlink(sink->temp);
	if (sink->path && sink->fd >= 0)
		(void)close(sink->fd);
	free(sink->temp);
	free(sink->path);
	free(sink);
}

/* A regular file is replaced at the end; a device or a pipe is written to. */
static ocib_errc open_file(tar_sink *sink, const char *path, ocib_error **err)
{
	struct stat st;
	bool in_place = stat(path, &st) == 0 && !S_ISREG(st.st_mode);

	sink->fd = -1;
	sink->path = strdup(path);
	if (!sink->path)
		return ob_fail_nomem(err);
	if (in_place) {
		sink->fd = open(path, O_WRONLY | O_CLOEXEC);
	} else {
		sink->temp = ob_str_printf("%s.partial-%d", path, (int)getpid());
		if (!sink->temp)
			return ob_fail_nomem(err);
		sink->fd = open(sink->temp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	}
	return sink->fd < 0 ? ob_fail_errno(err, "create '%s'", path) : OCIB_OK;
}

ocib_errc ob_rootfs_sink_open_tar(const char *path, ob_rootfs_sink **out, ocib_error **err)
{
	static const ob_rootfs_sink_ops ops = {tar_add, tar_finish, tar_destroy};
	ob_auto(ob_rootfs_sink) base = calloc(1, sizeof(tar_sink));
	tar_sink *sink = (tar_sink *)base;

	if (!base)
		return ob_fail_nomem(err);
	base->ops = &ops;
	sink->fd = STDOUT_FILENO;
	if (!ob_str_eq(path, "-")) {
		ocib_errc r = open_file(sink, path, err);
		if (r < 0)
			return r;
	}
	*out = ob_take_ptr(base);
	return OCIB_OK;
}

ob_rootfs_sink *ob_rootfs_sink_free(ob_rootfs_sink *sink)
{
	if (sink)
		sink->ops->destroy(sink);
	return NULL;
}
