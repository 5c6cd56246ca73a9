/* io/stream.c — what works on any reader or writer, and copying from one to the other. */
#include "io/stream.h"

#define COPY_BUFFER 65536

ocib_errc ob_reader_read_full(ob_reader *r, void *data, size_t cap, size_t *got, ocib_error **err)
{
	size_t done = 0;

	while (done < cap) {
		size_t now = 0;
		ocib_errc rc = ob_reader_read(r, (char *)data + done, cap - done, &now, err);

		if (rc)
			return rc;
		if (now == 0)
			break;
		done += now;
	}
	*got = done;
	return OCIB_OK;
}

ocib_errc ob_reader_read_all(ob_reader *r, ob_buffer *into, ocib_error **err)
{
	for (;;) {
		size_t left = into->max - into->len, got = 0;
		size_t ask = left < COPY_BUFFER ? left : COPY_BUFFER;
		char probe, *to = ask ? ob_buffer_reserve(into, ask) : &probe;

		if (!to)
			return ob_buffer_check(into, err);
		ocib_errc rc = ob_reader_read(r, to, ask ? ask : 1, &got, err);
		if (rc)
			return rc;
		if (got == 0)
			return ob_buffer_check(into, err);
		if (!ask) {
			into->failed = OCIB_ERR_LIMIT;
			return ob_buffer_check(into, err);
		}
		into->len += got;
		into->data[into->len] = '\0';
	}
}

ocib_errc ob_reader_skip(ob_reader *r, uint64_t len, ocib_error **err)
{
	ob_autofree char *data = len ? malloc(COPY_BUFFER) : NULL;

	if (len && !data)
		return ob_fail_nomem(err);
	while (len) {
		size_t ask = len < COPY_BUFFER ? (size_t)len : COPY_BUFFER, got = 0;
		ocib_errc rc = ob_reader_read(r, data, ask, &got, err);

		if (rc)
			return rc;
		if (got == 0)
			return ob_fail(err, OCIB_ERR_CORRUPT, "ends %ju bytes too early",
				       (uintmax_t)len);
		len -= got;
	}
	return OCIB_OK;
}

ob_reader *ob_reader_free(ob_reader *r)
{
	if (r)
		r->ops->destroy(r);
	return NULL;
}

ocib_errc ob_writer_finish(ob_writer *w, ocib_error **err)
{
	return w->ops->finish ? w->ops->finish(w, err) : OCIB_OK;
}

ob_writer *ob_writer_free(ob_writer *w)
{
	if (w)
		w->ops->destroy(w);
	return NULL;
}

ocib_errc ob_stream_copy(ob_reader *from, ob_writer *to, uint64_t *copied, ocib_error **err)
{
	ob_autofree char *data = malloc(COPY_BUFFER);
	uint64_t total = 0;

	if (!data)
		return ob_fail_nomem(err);
	for (;;) {
		size_t got = 0;
		ocib_errc rc = ob_reader_read(from, data, COPY_BUFFER, &got, err);

		if (rc == OCIB_OK && got)
			rc = ob_writer_write(to, data, got, err);
		if (rc)
			return rc;
		if (got == 0)
			break;
		total += got;
	}
	if (copied)
		*copied = total;
	return OCIB_OK;
}
