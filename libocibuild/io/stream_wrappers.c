/* io/stream_wrappers.c — a reader that stops too much, a writer that writes twice. */
#include "base/strings.h"
#include "io/stream.h"

typedef struct limit_reader {
	ob_reader base;
	ob_reader *inner;
	uint64_t max, left;
	char *what;
} limit_reader;

static ocib_errc limit_read(ob_reader *self, void *data, size_t cap, size_t *got, ocib_error **err)
{
	limit_reader *r = (limit_reader *)self;
	size_t ask = cap, now = 0;

	/* One byte more than is left proves that there is too much. */
	if (r->left < cap)
		ask = (size_t)r->left + 1;
	ocib_errc rc = ob_reader_read(r->inner, data, ask, &now, err);
	if (rc)
		return rc;
	if (now > r->left)
		return ob_fail(err, OCIB_ERR_LIMIT, "%s is larger than %ju bytes", r->what,
			       (uintmax_t)r->max);
	r->left -= now;
	*got = now;
	return OCIB_OK;
}

static void limit_destroy(ob_reader *self)
{
	limit_reader *r = (limit_reader *)self;

	ob_reader_free(r->inner);
	free(r->what);
	free(r);
}

ocib_errc ob_reader_open_limit(ob_reader *inner, uint64_t max, const char *what, ob_reader **out,
			       ocib_error **err)
{
	static const ob_reader_ops ops = {limit_read, limit_destroy};
	ob_auto(ob_reader) taken = inner;
	ob_autofree char *copy = ob_str_printf("%s", what);
	limit_reader *r = malloc(sizeof(*r));

	if (!r || !copy) {
		free(r);
		return ob_fail_nomem(err);
	}
	*r = (limit_reader){.base.ops = &ops,
			    .inner = ob_take_ptr(taken),
			    .max = max,
			    .left = max,
			    .what = ob_take_ptr(copy)};
	*out = &r->base;
	return OCIB_OK;
}

typedef struct tee_writer {
	ob_writer base;
	ob_writer *a, *b;
} tee_writer;

static ocib_errc tee_write(ob_writer *self, const void *data, size_t len, ocib_error **err)
{
	tee_writer *w = (tee_writer *)self;
	ocib_errc rc = ob_writer_write(w->a, data, len, err);

	return rc ? rc : ob_writer_write(w->b, data, len, err);
}

static void tee_destroy(ob_writer *self)
{
	free(self);
}

ocib_errc ob_writer_open_tee(ob_writer *a, ob_writer *b, ob_writer **out, ocib_error **err)
{
	static const ob_writer_ops ops = {tee_write, NULL, tee_destroy};
	tee_writer *w = malloc(sizeof(*w));

	if (!w)
		return ob_fail_nomem(err);
	*w = (tee_writer){.base.ops = &ops, .a = a, .b = b};
	*out = &w->base;
	return OCIB_OK;
}
