/* io/gzip_pack.c — gzip members by zlib, or by ISA-L where that has the level.
 *
 * Level 0 is the default: ISA-L's level 1, which is an order of magnitude faster than zlib -6 for a
 * little more size; zlib -6 where there is no ISA-L.
 */
#include "io/gzip_codec.h"
#include <zlib.h>

#define GZIP_WRAPPER 16 /* added to the window bits: zlib's way to ask for gzip */
#define WINDOW_BITS  15

struct ob_gzip_packer {
	ob_isal_packer *isal; /* or NULL: zlib */
	z_stream stream;
	bool started;
};

ocib_errc ob_gzip_packer_new(int level, ob_gzip_packer **out, ocib_error **err)
{
	if (level < 0 || level > 9)
		return ob_fail(err, OCIB_ERR_INVALID, "gzip has levels 0 to 9, not %d", level);
	ob_auto(ob_gzip_packer) p = calloc(1, sizeof(*p));
	if (!p)
		return ob_fail_nomem(err);
	if (ob_isal_level(level) >= 0) {
		p->isal = ob_isal_packer_new(ob_isal_level(level));
		if (!p->isal)
			return ob_fail_nomem(err);
	} else {
		if (deflateInit2(&p->stream, level ? level : 6, Z_DEFLATED,
				 WINDOW_BITS + GZIP_WRAPPER, 8, Z_DEFAULT_STRATEGY) != Z_OK)
			return ob_fail_nomem(err);
		p->started = true;
	}
	*out = ob_take_ptr(p);
	return OCIB_OK;
}

size_t ob_gzip_bound(size_t len)
{
	/* Stored blocks and Huffman tables that do not pay: well above both libraries' worst case. */
	return len + len / 8 + 4096;
}

ocib_errc ob_gzip_pack(ob_gzip_packer *p, const void *in, size_t len, void *out, size_t cap,
		       size_t *packed, ocib_error **err)
{
	if (p->isal)
		return ob_isal_pack(p->isal, in, len, out, cap, packed, err);

	union {
		const void *in;
		Bytef *out;
	} u = {.in = in}; /* zlib takes its input by a pointer to non-const */
	p->stream.next_in = u.out;
	p->stream.avail_in = (uInt)len;
	p->stream.next_out = out;
	p->stream.avail_out = (uInt)cap;
	if (deflateReset(&p->stream) != Z_OK || deflate(&p->stream, Z_FINISH) != Z_STREAM_END)
		return ob_fail(err, OCIB_ERR_INVALID, "gzip: compressing failed");
	*packed = cap - p->stream.avail_out;
	return OCIB_OK;
}

ob_gzip_packer *ob_gzip_packer_free(ob_gzip_packer *p)
{
	if (!p)
		return NULL;
	ob_isal_packer_free(p->isal);
	if (p->started)
		(void)deflateEnd(&p->stream);
	free(p);
	return NULL;
}
