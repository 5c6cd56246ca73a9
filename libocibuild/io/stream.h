/* io/stream.h — bytes on their way: a reader is pulled from, a writer is pushed to.
 *
 * Both are small objects with a table of operations, stacked by wrapping one another. A wrapper owns
 * what it wraps only where its constructor says "takes". One object, one thread, unless said otherwise.
 */
#ifndef OB_IO_STREAM_H
#define OB_IO_STREAM_H

#include <stdbool.h>
#include <stdint.h>
#include "base/buffer.h"

typedef struct ob_reader ob_reader;
typedef struct ob_reader_ops {
	/** At least one byte unless at the end; *got == 0 means the end. */
	ocib_errc (*read)(ob_reader *self, void *data, size_t cap, size_t *got, ocib_error **err);
	void (*destroy)(ob_reader *self);
} ob_reader_ops;
struct ob_reader {
	const ob_reader_ops *ops;
};

typedef struct ob_writer ob_writer;
typedef struct ob_writer_ops {
	ocib_errc (*write)(ob_writer *self, const void *data, size_t len, ocib_error **err);
	/** All was written: flush to what lies below. Called once, before free; optional. */
	ocib_errc (*finish)(ob_writer *self, ocib_error **err);
	void (*destroy)(ob_writer *self);
} ob_writer_ops;
struct ob_writer {
	const ob_writer_ops *ops;
};

static inline ocib_errc ob_reader_read(ob_reader *r, void *data, size_t cap, size_t *got,
				       ocib_error **err)
{
	return r->ops->read(r, data, cap, got, err);
}
/** Reads until cap bytes or the end. */
ocib_errc ob_reader_read_full(ob_reader *r, void *data, size_t cap, size_t *got, ocib_error **err);
ocib_errc ob_reader_read_all(ob_reader *r, ob_buffer *into, ocib_error **err);
ocib_errc ob_reader_skip(ob_reader *r, uint64_t len,
			 ocib_error **err); /**< CORRUPT if it ends first */
ob_reader *ob_reader_free(ob_reader *r);

static inline ocib_errc ob_writer_write(ob_writer *w, const void *data, size_t len,
					ocib_error **err)
{
	return w->ops->write(w, data, len, err);
}
ocib_errc ob_writer_finish(ob_writer *w, ocib_error **err);
ob_writer *ob_writer_free(ob_writer *w);

/** Copies until the end of @p from; counts into *copied (may be NULL). */
ocib_errc ob_stream_copy(ob_reader *from, ob_writer *to, uint64_t *copied, ocib_error **err);

OB_DEFINE_AUTO(ob_reader);
OB_DEFINE_AUTO(ob_writer);

/* Ends. */
ocib_errc ob_reader_open_fd(int fd /* borrowed; read from its offset on */, ob_reader **out,
			    ocib_error **err);
/** Reads [offset, offset+len) with pread, never moving the fd's own offset; takes fd when @p take. */
ocib_errc ob_reader_open_range(int fd, bool take, uint64_t offset, uint64_t len, ob_reader **out,
			       ocib_error **err);
ocib_errc ob_reader_open_memory(const void *data /* borrowed */, size_t len, ob_reader **out,
				ocib_error **err);
ocib_errc ob_writer_open_fd(int fd /* borrowed */, ob_writer **out, ocib_error **err);
ocib_errc ob_writer_open_buffer(ob_buffer *buffer /* borrowed */, ob_writer **out,
				ocib_error **err);
/** Swallows everything. */
ocib_errc ob_writer_open_null(ob_writer **out, ocib_error **err);

/* Wrappers. */
/** LIMIT error naming @p what once more than @p max bytes come. Takes @p inner. */
ocib_errc ob_reader_open_limit(ob_reader *inner, uint64_t max, const char *what, ob_reader **out,
			       ocib_error **err);
/** To both; takes neither. */
ocib_errc ob_writer_open_tee(ob_writer *a, ob_writer *b, ob_writer **out, ocib_error **err);

#endif
