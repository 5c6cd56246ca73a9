/* io/block_codec.c — see block_codec.h; also the two documents-in-memory functions of compress.h.
 *
 * zstd frames carry their content size and no checksum: blobs are verified by SHA-256, and a member's
 * size is checked against the table. These two choices are constants because they are in the digest.
 * Documents are not hashed by who reads them, so theirs have one.
 */
#include "io/block_codec.h"
#include <zstd.h>
#include <zstd_errors.h>
#include "io/gzip_codec.h"

#define ZSTD_DEFAULT_LEVEL 3

struct ob_block_packer {
	ob_gzip_packer *gzip; /* one of the two */
	ZSTD_CCtx *zstd;
};

static ocib_errc new_zstd_packer(int level, ZSTD_CCtx **out, ocib_error **err)
{
	if (level < 0 || level > ZSTD_maxCLevel())
		return ob_fail(err, OCIB_ERR_INVALID, "zstd has levels 0 to %d, not %d",
			       ZSTD_maxCLevel(), level);
	ZSTD_CCtx *ctx = ZSTD_createCCtx();
	if (!ctx)
		return ob_fail_nomem(err);
	(void)ZSTD_CCtx_setParameter(ctx, ZSTD_c_compressionLevel,
				     level ? level : ZSTD_DEFAULT_LEVEL);
	(void)ZSTD_CCtx_setParameter(ctx, ZSTD_c_contentSizeFlag, 1);
	(void)ZSTD_CCtx_setParameter(ctx, ZSTD_c_checksumFlag, 0);
	*out = ctx;
	return OCIB_OK;
}

ocib_errc ob_block_packer_new(ob_compression kind, int level, ob_block_packer **out,
			      ocib_error **err)
{
	ob_auto(ob_block_packer) p = calloc(1, sizeof(*p));
	ocib_errc r;

	if (!p)
		return ob_fail_nomem(err);
	if (kind == OB_COMPRESSION_ZSTD)
		r = new_zstd_packer(level, &p->zstd, err);
	else
		r = ob_gzip_packer_new(level, &p->gzip, err);
	if (r)
		return r;
	*out = ob_take_ptr(p);
	return OCIB_OK;
}

size_t ob_block_bound(ob_compression kind, size_t len)
{
	return kind == OB_COMPRESSION_ZSTD ? ZSTD_compressBound(len) : ob_gzip_bound(len);
}

ocib_errc ob_block_pack(ob_block_packer *p, const void *in, size_t len, void *out, size_t cap,
			size_t *packed, ocib_error **err)
{
	if (p->gzip)
		return ob_gzip_pack(p->gzip, in, len, out, cap, packed, err);
	size_t r = ZSTD_compress2(p->zstd, out, cap, in, len);
	if (ZSTD_isError(r) && ZSTD_getErrorCode(r) == ZSTD_error_memory_allocation)
		return ob_fail_nomem(err);
	if (ZSTD_isError(r))
		return ob_fail(err, OCIB_ERR_INVALID, "zstd: %s", ZSTD_getErrorName(r));
	*packed = r;
	return OCIB_OK;
}

ob_block_packer *ob_block_packer_free(ob_block_packer *p)
{
	if (!p)
		return NULL;
	ob_gzip_packer_free(p->gzip);
	ZSTD_freeCCtx(p->zstd);
	free(p);
	return NULL;
}

struct ob_block_unpacker {
	ob_gzip_unpacker *gzip; /* one of the two */
	ZSTD_DCtx *zstd;
};

ocib_errc ob_block_unpacker_new(ob_compression kind, ob_block_unpacker **out, ocib_error **err)
{
	ob_auto(ob_block_unpacker) u = calloc(1, sizeof(*u));
	ocib_errc r;

	if (!u)
		return ob_fail_nomem(err);
	if (kind == OB_COMPRESSION_ZSTD) {
		u->zstd = ZSTD_createDCtx();
		r = u->zstd ? OCIB_OK : ob_fail_nomem(err);
	} else {
		r = ob_gzip_unpacker_new(&u->gzip, err);
	}
	if (r)
		return r;
	*out = ob_take_ptr(u);
	return OCIB_OK;
}

static ocib_errc unpack_gzip(ob_gzip_unpacker *u, const void *in, size_t in_len, void *out,
			     size_t out_len, ocib_error **err)
{
	ob_gzip_io io = {.in = in, .in_len = in_len, .out = out, .out_len = out_len};
	unsigned char probe;
	bool ended = false;

	ob_gzip_unpacker_reset(u);
	ocib_errc r = ob_gzip_unpack(u, &io, &ended, err);
	bool is_full = io.out_len == 0;
	if (!r && !ended && is_full) {
		/* The end may show only where there is room for more. */
		io.out = &probe;
		io.out_len = 1;
		r = ob_gzip_unpack(u, &io, &ended, err);
		is_full = io.out_len == 1;
	}
	if (r)
		return r;
	if (!ended || !is_full || io.in_len)
		return ob_fail(err, OCIB_ERR_CORRUPT,
			       "gzip: a member is not of the size it should be");
	return OCIB_OK;
}

ocib_errc ob_block_unpack(ob_block_unpacker *u, const void *in, size_t in_len, void *out,
			  size_t out_len, ocib_error **err)
{
	if (u->gzip)
		return unpack_gzip(u->gzip, in, in_len, out, out_len, err);
	size_t r = ZSTD_decompressDCtx(u->zstd, out, out_len, in, in_len);
	if (ZSTD_isError(r) && ZSTD_getErrorCode(r) == ZSTD_error_memory_allocation)
		return ob_fail_nomem(err);
	if (ZSTD_isError(r))
		return ob_fail(err, OCIB_ERR_CORRUPT, "zstd: %s", ZSTD_getErrorName(r));
	if (r != out_len)
		return ob_fail(err, OCIB_ERR_CORRUPT,
			       "zstd: a frame is not of the size it should be");
	return OCIB_OK;
}

ob_block_unpacker *ob_block_unpacker_free(ob_block_unpacker *u)
{
	if (!u)
		return NULL;
	ob_gzip_unpacker_free(u->gzip);
	ZSTD_freeDCtx(u->zstd);
	free(u);
	return NULL;
}

ocib_errc ob_zstd_pack(const void *data, size_t len, int level, ob_buffer *out, ocib_error **err)
{
	ob_auto(ob_block_packer) packer = NULL;
	size_t bound = ZSTD_compressBound(len), packed = 0;
	ocib_errc r = ob_block_packer_new(OB_COMPRESSION_ZSTD, level, &packer, err);

	if (r)
		return r;
	(void)ZSTD_CCtx_setParameter(packer->zstd, ZSTD_c_checksumFlag, 1);
	char *room = ob_buffer_reserve(out, bound);
	if (!room)
		return ob_buffer_check(out, err);
	r = ob_block_pack(packer, data, len, room, bound, &packed, err);
	if (r)
		return r;
	out->len += packed;
	out->data[out->len] = '\0';
	return OCIB_OK;
}

ocib_errc ob_zstd_unpack(const void *data, size_t len, ob_buffer *out, ocib_error **err)
{
	ob_auto(ob_block_unpacker) unpacker = NULL;
	unsigned long long size = ZSTD_getFrameContentSize(data, len);

	if (size == ZSTD_CONTENTSIZE_ERROR || size == ZSTD_CONTENTSIZE_UNKNOWN)
		return ob_fail(err, OCIB_ERR_CORRUPT, "zstd: not a frame that says its size");
	char *room = ob_buffer_reserve(out, size < SIZE_MAX ? (size_t)size : SIZE_MAX);
	if (!room)
		return ob_buffer_check(out, err);
	ocib_errc r = ob_block_unpacker_new(OB_COMPRESSION_ZSTD, &unpacker, err);
	if (r == OCIB_OK)
		r = ob_block_unpack(unpacker, data, len, room, (size_t)size, err);
	if (r)
		return r;
	out->len += (size_t)size;
	out->data[out->len] = '\0';
	return OCIB_OK;
}
