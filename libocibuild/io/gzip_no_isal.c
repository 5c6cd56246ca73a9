/* io/gzip_no_isal.c — in place of gzip_isal.c where the library is absent: unpacking by zlib, no level of
 * ISA-L's.
 */
#include "io/gzip_codec.h"
#include <stdint.h>
#include <zlib.h>

#define GZIP_WRAPPER 16 /* added to the window bits: zlib's way to ask for gzip */
#define WINDOW_BITS  15

int ob_isal_level(int level)
{
	(void)level;
	return -1;
}

ob_isal_packer *ob_isal_packer_new(int level)
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
