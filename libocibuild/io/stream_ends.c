/* io/stream_ends.c — where streams begin and end: descriptors, ranges of files, memory, nothing. */
#include <errno.h>
#include <string.h>
#include "base/fds.h"
#include "io/stream.h"

typedef struct fd_reader {
	ob_reader base;
	int fd;
} fd_reader;

static ocib_errc fd_read(ob_reader *self, void *data, size_t cap, size_t *got, ocib_error **err)
{
	fd_reader *r = (fd_reader *)self;
	ssize_t n;

	do {
		n = read(r->fd, data, cap);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return ob_fail_errno(err, "read");
	*got = (size_t)n;
	return OCIB_OK;
}

static void fd_reader_destroy(ob_reader *self)
{
	free(self);
}

ocib_errc ob_reader_open_fd(int fd, ob_reader **out, ocib_error **err)
{
	static const ob_reader_ops ops = {fd_read, fd_reader_destroy};
	fd_reader *r = malloc(sizeof(*r));

	if (!r)
		return ob_fail_nomem(err);
	*r = (fd_reader){.base.ops = &ops, .fd = fd};
	*out = &r->base;
	return OCIB_OK;
}

typedef struct range_reader {
	ob_reader base;
	int fd;
	bool owns;
	uint64_t at, left;
} range_reader;

static ocib_errc range_read(ob_reader *self, void *data, size_t cap, size_t *got, ocib_error **err)
{
	range_reader *r = (range_reader *)self;
	ssize_t n;

	if (cap > r->left)
		cap = (size_t)r->left;
	do {
		n = pread(r->fd, data, cap, (off_t)r->at);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return ob_fail_errno(err, "read at %ju", (uintmax_t)r->at);
	r->at += (uint64_t)n;
	r->left -= (uint64_t)n;
	*got = (size_t)n;
	return OCIB_OK;
}

static void range_destroy(ob_reader *self)
{
	range_reader *r = (range_reader *)self;

	if (r->owns)
		(void)close(r->fd);
	free(r);
}

ocib_errc ob_reader_open_range(int fd, bool take, uint64_t offset, uint64_t len, ob_reader **out,
			       ocib_error **err)
{
	static const ob_reader_ops ops = {range_read, range_destroy};
	range_reader *r = malloc(sizeof(*r));

	if (!r) {
		if (take)
			(void)close(fd);
		return ob_fail_nomem(err);
	}
	*r = (range_reader){.base.ops = &ops, .fd = fd, .owns = take, .at = offset, .left = len};
	*out = &r->base;
	return OCIB_OK;
}

typedef struct memory_reader {
	ob_reader base;
	const char *data;
	size_t left;
} memory_reader;

static ocib_errc memory_read(ob_reader *self, void *data, size_t cap, size_t *got, ocib_error **err)
{
	memory_reader *r = (memory_reader *)self;

	(void)err;
	if (cap > r->left)
		cap = r->left;
	if (cap)
		memcpy(data, r->data, cap);
	r->data += cap;
	r->left -= cap;
	*got = cap;
	return OCIB_OK;
}

static void memory_destroy(ob_reader *self)
{
	free(self);
}

ocib_errc ob_reader_open_memory(const void *data, size_t len, ob_reader **out, ocib_error **err)
{
	static const ob_reader_ops ops = {memory_read, memory_destroy};
	memory_reader *r = malloc(sizeof(*r));

	if (!r)
		return ob_fail_nomem(err);
	*r = (memory_reader){.base.ops = &ops, .data = len ? data : "", .left = len};
	*out = &r->base;
	return OCIB_OK;
}

typedef struct fd_writer {
	ob_writer base;
	int fd;
} fd_writer;

static ocib_errc fd_write(ob_writer *self, const void *data, size_t len, ocib_error **err)
{
	fd_writer *w = (fd_writer *)self;

	if (ob_write_full(w->fd, data, len) < 0)
		return ob_fail_errno(err, "write %zu bytes", len);
	return OCIB_OK;
}

static void writer_destroy(ob_writer *self)
{
	free(self);
}

ocib_errc ob_writer_open_fd(int fd, ob_writer **out, ocib_error **err)
{
	static const ob_writer_ops ops = {fd_write, NULL, writer_destroy};
	fd_writer *w = malloc(sizeof(*w));

	if (!w)
		return ob_fail_nomem(err);
	*w = (fd_writer){.base.ops = &ops, .fd = fd};
	*out = &w->base;
	return OCIB_OK;
}

typedef struct buffer_writer {
	ob_writer base;
	ob_buffer *buffer;
} buffer_writer;

static ocib_errc buffer_write(ob_writer *self, const void *data, size_t len, ocib_error **err)
{
	buffer_writer *w = (buffer_writer *)self;

	ob_buffer_append(w->buffer, data, len);
	return ob_buffer_check(w->buffer, err);
}

ocib_errc ob_writer_open_buffer(ob_buffer *buffer, ob_writer **out, ocib_error **err)
{
	static const ob_writer_ops ops = {buffer_write, NULL, writer_destroy};
	buffer_writer *w = malloc(sizeof(*w));

	if (!w)
		return ob_fail_nomem(err);
	*w = (buffer_writer){.base.ops = &ops, .buffer = buffer};
	*out = &w->base;
	return OCIB_OK;
}

static ocib_errc null_write(ob_writer *self, const void *data, size_t len, ocib_error **err)
{
	(void)self, (void)data, (void)len, (void)err;
	return OCIB_OK;
}

ocib_errc ob_writer_open_null(ob_writer **out, ocib_error **err)
{
	static const ob_writer_ops ops = {null_write, NULL, writer_destroy};
	ob_writer *w = malloc(sizeof(*w));

	if (!w)
		return ob_fail_nomem(err);
	w->ops = &ops;
	*out = w;
	return OCIB_OK;
}
