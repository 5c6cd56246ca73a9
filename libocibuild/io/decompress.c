/* io/decompress.c — one packed stream as unpacked bytes, whatever it is packed with.
 *
 * Members and frames are joined. What follows the last one must be another one or the end: garbage is
 * CORRUPT, and so is an end in the middle. How much may come out of how little is limited, so a bomb
 * ends early; nothing is held in memory but one input buffer and the library's window.
 */
#include <stddef.h>
#include <string.h>
#include <zstd.h>
#include <zstd_errors.h>
#include "base/limits.h"
#include "io/compress.h"
#include "io/gzip_codec.h"

#define INPUT_BUFFER    (128 * 1024)
#define ZSTD_WINDOW_LOG 27 /* 128 MiB, what zstd itself allows without being asked */

typedef struct unpack_reader {
	ob_reader base;
	ob_reader *inner;
	ob_compression kind;
	ob_gzip_unpacker *gzip;
	ZSTD_DStream *zstd;
	bool in_member; /* some of a member or frame was read and not its end */
	bool inner_ended, ended;
	size_t at, len; /* the unread part of input */
	uint64_t total_in, total_out;
	unsigned char input[INPUT_BUFFER];
} unpack_reader;

ob_compression ob_compression_detect(const void *data, size_t len)
{
	const unsigned char *p = data;

	if (len >= 3 && p[0] == 0x1f && p[1] == 0x8b && p[2] == 8)
		return OB_COMPRESSION_GZIP;
	if (len >= 4 && p[0] == 0x28 && p[1] == 0xb5 && p[2] == 0x2f && p[3] == 0xfd)
		return OB_COMPRESSION_ZSTD;
	if (len >= 4 && (p[0] & 0xf0) == 0x50 && p[1] == 0x2a && p[2] == 0x4d && p[3] == 0x18)
		return OB_COMPRESSION_ZSTD;
	return OB_COMPRESSION_NONE;
}

static ocib_errc fill(unpack_reader *r, ocib_error **err)
{
	size_t got = 0;
	ocib_errc rc = ob_reader_read(r->inner, r->input, sizeof(r->input), &got, err);

	if (rc)
		return rc;
	r->at = 0;
	r->len = got;
	r->inner_ended = got == 0;
	return OCIB_OK;
}

/* One step of either library: moves at and len, says how much came out. */
static ocib_errc step_gzip(unpack_reader *r, void *data, size_t cap, size_t *got, ocib_error **err)
{
	ob_gzip_io io = {r->input + r->at, r->len, data, cap};
	bool ended = false;
	ocib_errc rc = ob_gzip_unpack(r->gzip, &io, &ended, err);

	if (rc)
		return rc;
	r->at += r->len - io.in_len;
	r->len = io.in_len;
	*got = cap - io.out_len;
	r->in_member = !ended;
	if (ended)
		ob_gzip_unpacker_reset(r->gzip);
	return OCIB_OK;
}

static ocib_errc step_zstd(unpack_reader *r, void *data, size_t cap, size_t *got, ocib_error **err)
{
	ZSTD_inBuffer in = {r->input + r->at, r->len, 0};
	ZSTD_outBuffer out = {data, cap, 0};
	size_t left = ZSTD_decompressStream(r->zstd, &out, &in);

	if (ZSTD_isError(left) && ZSTD_getErrorCode(left) == ZSTD_error_memory_allocation)
		return ob_fail_nomem(err);
	if (ZSTD_isError(left) &&
	    ZSTD_getErrorCode(left) == ZSTD_error_frameParameter_windowTooLarge)
		return ob_fail(err, OCIB_ERR_LIMIT, "zstd: the window is larger than %d MiB",
			       1 << (ZSTD_WINDOW_LOG - 20));
	if (ZSTD_isError(left))
		return ob_fail(err, OCIB_ERR_CORRUPT, "zstd: %s", ZSTD_getErrorName(left));
	r->at += in.pos;
	r->len -= in.pos;
	*got = out.pos;
	r->in_member = left != 0;
	return OCIB_OK;
}

static ocib_errc check_ratio(const unpack_reader *r, ocib_error **err)
{
	if (r->total_out <= OB_LIMIT_EXPANSION_FREE ||
	    r->total_out / OB_LIMIT_EXPANSION_RATIO <= r->total_in)
		return OCIB_OK;
	return ob_fail(err, OCIB_ERR_LIMIT, "unpacks to more than %d times its size",
		       OB_LIMIT_EXPANSION_RATIO);
}

static ocib_errc unpack_read(ob_reader *self, void *data, size_t cap, size_t *got, ocib_error **err)
{
	unpack_reader *r = (unpack_reader *)self;

	*got = 0;
	while (!r->ended && cap) {
		ocib_errc rc = r->len || r->inner_ended ? OCIB_OK : fill(r, err);

		if (rc)
			return rc;
		if (r->inner_ended && !r->in_member) {
			r->ended = true;
			break;
		}
		size_t before = r->len;
		rc = r->kind == OB_COMPRESSION_GZIP ? step_gzip(r, data, cap, got, err)
						    : step_zstd(r, data, cap, got, err);
		if (rc)
			return rc;
		r->total_in += before - r->len;
		r->total_out += *got;
		if (*got)
			return check_ratio(r, err);
		/* At the end of input a library may still hold output, but not for ever. */
		if (r->inner_ended && r->in_member)
			return ob_fail(err, OCIB_ERR_CORRUPT, "%s: ends in the middle",
				       r->kind == OB_COMPRESSION_GZIP ? "gzip" : "zstd");
	}
	return OCIB_OK;
}

static ocib_errc pass_read(ob_reader *self, void *data, size_t cap, size_t *got, ocib_error **err)
{
	unpack_reader *r = (unpack_reader *)self;

	if (!r->len)
		return ob_reader_read(r->inner, data, cap, got, err);
	if (cap > r->len)
		cap = r->len;
	memcpy(data, r->input + r->at, cap);
	r->at += cap;
	r->len -= cap;
	*got = cap;
	return OCIB_OK;
}

static void unpack_destroy(ob_reader *self)
{
	unpack_reader *r = (unpack_reader *)self;

	ob_reader_free(r->inner);
	ob_gzip_unpacker_free(r->gzip);
	ZSTD_freeDStream(r->zstd);
	free(r);
}

/* By now the first bytes are in the input buffer. */
static ocib_errc start(unpack_reader *r, ocib_error **err)
{
	static const ob_reader_ops unpack_ops = {unpack_read, unpack_destroy};

	r->kind = ob_compression_detect(r->input, r->len);
	if (r->kind == OB_COMPRESSION_NONE)
		return OCIB_OK;
	r->base.ops = &unpack_ops;
	if (r->kind == OB_COMPRESSION_GZIP)
		return ob_gzip_unpacker_new(&r->gzip, err);
	r->zstd = ZSTD_createDStream();
	if (!r->zstd)
		return ob_fail_nomem(err);
	(void)ZSTD_DCtx_setParameter(r->zstd, ZSTD_d_windowLogMax, ZSTD_WINDOW_LOG);
	return OCIB_OK;
}

ocib_errc ob_reader_open_decompress(ob_reader *inner, ob_reader **out, ocib_error **err)
{
	static const ob_reader_ops pass_ops = {pass_read, unpack_destroy};
	ob_auto(ob_reader) owned = inner;
	unpack_reader *r = malloc(sizeof(*r));

	if (!r)
		return ob_fail_nomem(err);
	memset(r, 0, offsetof(unpack_reader, input));
	r->base.ops = &pass_ops;
	r->inner = ob_take_ptr(owned);
	owned = &r->base;
	ocib_errc rc = ob_reader_read_full(r->inner, r->input, 6, &r->len, err);
	if (rc == OCIB_OK)
		rc = start(r, err);
	if (rc)
		return rc;
	*out = ob_take_ptr(owned);
	return OCIB_OK;
}
