/* engine/worker/diff_id_reader.c — see diff_id_reader.h.
 *
 * Unpacking is one thread that parses and writes; SHA-256 of all that passes would make it a third
 * slower. So what was read is copied to a thread that hashes some blocks behind.
 */
#include "engine/worker/diff_id_reader.h"
#include "layer/write_behind.h"

typedef struct diff_id_reader {
	ob_reader base;
	ob_reader *inner;
	ob_hash_writer *hash;
	ob_write_behind *behind;
	ob_digest want;
	bool is_checked;
} diff_id_reader;

static void diff_id_destroy(ob_reader *self)
{
	diff_id_reader *r = (diff_id_reader *)self;

	/* The thread first: it uses the hash. */
	ob_write_behind_free(r->behind);
	ob_hash_writer_free(r->hash);
	ob_reader_free(r->inner);
	free(r);
}

static ocib_errc check(diff_id_reader *r, ocib_error **err)
{
	uint8_t bytes[OB_SHA256_LEN];
	ob_digest got;

	ocib_errc rc = ob_write_behind_finish(r->behind, err);
	if (rc < 0)
		return rc;
	ob_hash_writer_peek(r->hash, bytes);
	ob_digest_from_bytes(&got, bytes);
	if (!ob_digest_eq(&got, &r->want))
		return ob_fail(err, OCIB_ERR_CORRUPT,
			       "the content has digest %s, and not diff id %s", got.text,
			       r->want.text);
	r->is_checked = true;
	return OCIB_OK;
}

static ocib_errc diff_id_read(ob_reader *self, void *data, size_t cap, size_t *got,
			      ocib_error **err)
{
	diff_id_reader *r = (diff_id_reader *)self;

	ocib_errc rc = ob_reader_read(r->inner, data, cap, got, err);
	if (rc < 0)
		return rc;
	if (*got)
		return ob_write_behind_write(r->behind, data, *got, err);
	return r->is_checked ? OCIB_OK : check(r, err);
}

ocib_errc ob_reader_open_diff_id(ob_reader *inner, const ob_digest *diff_id, ob_reader **out,
				 ocib_error **err)
{
	static const ob_reader_ops ops = {diff_id_read, diff_id_destroy};
	ob_auto(ob_reader) taken = inner;
	diff_id_reader *r = calloc(1, sizeof(*r));

	if (!r)
		return ob_fail_nomem(err);
	r->base.ops = &ops;
	r->inner = ob_take_ptr(taken);
	r->want = *diff_id;
	taken = &r->base; /* from here on it frees all */
	ocib_errc rc = ob_hash_writer_new(NULL, &r->hash, err);
	if (rc == OCIB_OK)
		rc = ob_write_behind_new(ob_hash_writer_base(r->hash), true, &r->behind, err);
	if (rc < 0)
		return rc;
	*out = ob_take_ptr(taken);
	return OCIB_OK;
}
