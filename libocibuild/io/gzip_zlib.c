/* io/gzip_zlib.c — gzip by zlib: the higher levels, everything where ISA-L is absent, and the choice.
 *
 * Level 0 is the default: ISA-L's level 1, which is an order of magnitude faster than zlib -6 for a
 * little more size; zlib -6 where there is no ISA-L.
 */
#include "io/gzip_codec.h"
#include <stdint.h>
#include <zlib.h>

#define GZIP_WRAPPER 16 /* added to the window bits: zlib's way to ask for gzip */
#define WINDOW_BITS  15

#ifdef OCIBUILD_HAVE_ISAL
#define ISAL_UP_TO 3 /* levels that ISA-L serves */
#else
#define ISAL_UP_TO (-1)
#endif

struct ob_gzip_packer {
	ob_isal_packer *isal; /* or NULL: zlib */
	z_stream stream;
	bool started;
};

#ifdef OCIBUILD_HAVE_ISAL
static ob_isal_packer *isal_new(int level)
{
	return ob_isal_packer_new(level < 2 ? 1 : 2);
}
#else
/* Never called: no level is ISA-L's. */
static ob_isal_packer *isal_new(int level)
{
	(void)level;
	return NULL;
}

ocib_errc ob_isal_pack(ob_isal_packer *p, const void *in, size_t len, void *out, size_t cap,
		       size_t *packed, ocib_error **err)
{
	(void)p, (void)in, (void)len, (void)out, (void)cap, (void)packed;
	return ob_fail(err, OCIB_ERR_UNSUPPORTED, "built without ISA-L");
}

ob_isal_packer *ob_isal_packer_free(ob_isal_packer *p)
{
	return p;
}
#endif

ocib_errc ob_gzip_packer_new(int level, ob_gzip_packer **out, ocib_error **err)
{
	if (level < 0 || level > 9)
		return ob_fail(err, OCIB_ERR_INVALID, "gzip has levels 0 to 9, not %d", level);
	ob_auto(ob_gzip_packer) p = calloc(1, sizeof(*p));
	if (!p)
		return ob_fail_nomem(err);
	if (level <= ISAL_UP_TO) {
		p->isal = isal_new(level);
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

#ifndef OCIBUILD_HAVE_ISAL
struct ob_gzip_unpacker {
	z_stream stream;
};

ocib_errc ob_gzip_unpacker_new(ob_gzip_unpacker **out, ocib_error **err)
{
	ob_gzip_unpacker *u = calloc(1, sizeof(*u));

	if (!u || inflateInit2(&u->stream, WINDOW_BITS + GZIP_WRAPPER) != Z_OK) {
		free(u);
		return ob_fail_nomem(err);
	}
	*out = u;
	return OCIB_OK;
}

void ob_gzip_unpacker_reset(ob_gzip_unpacker *u)
{
	(void)inflateReset(&u->stream);
}

ob_gzip_unpacker *ob_gzip_unpacker_free(ob_gzip_unpacker *u)
{
	if (u)
		(void)inflateEnd(&u->stream);
	free(u);
	return NULL;
}

static uInt at_most_uint(size_t len)
{
	return len < UINT32_MAX ? (uInt)len : UINT32_MAX;
}

ocib_errc ob_gzip_unpack(ob_gzip_unpacker *u, ob_gzip_io *io, bool *ended, ocib_error **err)
{
	z_stream *s = &u->stream;
	uInt in_len = at_most_uint(io->in_len), out_len = at_most_uint(io->out_len);
	union {
		const void *in;
		Bytef *out;
	} in = {.in = io->in};

	s->next_in = in.out;
	s->avail_in = in_len;
	s->next_out = io->out;
	s->avail_out = out_len;
	int r = inflate(s, Z_NO_FLUSH);
	io->in += in_len - s->avail_in;
	io->in_len -= in_len - s->avail_in;
	io->out += out_len - s->avail_out;
	io->out_len -= out_len - s->avail_out;
	if (r == Z_MEM_ERROR)
		return ob_fail_nomem(err);
	if (r != Z_OK && r != Z_STREAM_END && r != Z_BUF_ERROR)
		return ob_fail(err, OCIB_ERR_CORRUPT, "gzip: %s", s->msg ? s->msg : "invalid data");
	*ended = r == Z_STREAM_END;
	return OCIB_OK;
}
#endif
