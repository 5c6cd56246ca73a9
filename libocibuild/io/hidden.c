/* io/hidden.c — bytes that travel inside a packed blob and that no other reader sees.
 *
 * gzip: empty members, each with one FEXTRA subfield "ob" of up to PIECE bytes. Every gzip reader joins
 * members and skips extra fields. zstd: skippable frames, which every zstd reader skips.
 */
#include <string.h>
#include "base/limits.h"
#include "io/compress.h"

/* gzip: magic, deflate, FEXTRA, no time, XFL 0, OS unknown; then XLEN, "ob", length. */
#define GZIP_HEAD  16
#define GZIP_PIECE 65000U
static const unsigned char gzip_start[10] = {0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 0xff};
/* An empty final block with fixed codes; CRC and size of nothing. */
static const unsigned char gzip_end[10] = {3, 0};

#define ZSTD_HEAD  8
#define ZSTD_MAGIC 0x184D2A5BU /* one of the sixteen for skippable frames */
#define ZSTD_PIECE (1U << 30)

static void put_le(unsigned char *to, uint32_t value, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		to[i] = (unsigned char)(value >> (8 * i));
}

static uint32_t get_le(const unsigned char *from, unsigned bytes)
{
	uint32_t value = 0;

	for (unsigned i = 0; i < bytes; i++)
		value |= (uint32_t)from[i] << (8 * i);
	return value;
}

static ocib_errc write_gzip_piece(ob_writer *inner, const char *data, size_t len, ocib_error **err)
{
	unsigned char head[GZIP_HEAD];

	memcpy(head, gzip_start, sizeof(gzip_start));
	put_le(head + 10, (uint32_t)len + 4, 2);
	memcpy(head + 12, "ob", 2);
	put_le(head + 14, (uint32_t)len, 2);
	ocib_errc r = ob_writer_write(inner, head, sizeof(head), err);
	if (r == OCIB_OK)
		r = ob_writer_write(inner, data, len, err);
	return r ? r : ob_writer_write(inner, gzip_end, sizeof(gzip_end), err);
}

static ocib_errc write_zstd_piece(ob_writer *inner, const char *data, size_t len, ocib_error **err)
{
	unsigned char head[ZSTD_HEAD];

	put_le(head, ZSTD_MAGIC, 4);
	put_le(head + 4, (uint32_t)len, 4);
	ocib_errc r = ob_writer_write(inner, head, sizeof(head), err);
	return r ? r : ob_writer_write(inner, data, len, err);
}

ocib_errc ob_hidden_write(ob_writer *inner, ob_compression kind, const void *data, size_t len,
			  ocib_error **err)
{
	const char *from = data;

	if (kind == OB_COMPRESSION_NONE)
		return ob_fail(err, OCIB_ERR_UNSUPPORTED,
			       "an uncompressed blob has no place for hidden data");
	while (len) {
		size_t most = kind == OB_COMPRESSION_GZIP ? GZIP_PIECE : ZSTD_PIECE;
		size_t part = len < most ? len : most;
		ocib_errc r = kind == OB_COMPRESSION_GZIP
				      ? write_gzip_piece(inner, from, part, err)
				      : write_zstd_piece(inner, from, part, err);

		if (r)
			return r;
		from += part;
		len -= part;
	}
	return OCIB_OK;
}

/* The payload of the piece at p: *used bytes in all, or 0 when it is none of ours. */
static const unsigned char *find_gzip_piece(const unsigned char *p, size_t left, size_t *len,
					    size_t *used)
{
	*used = 0;
	if (left < GZIP_HEAD + sizeof(gzip_end) || memcmp(p, gzip_start, sizeof(gzip_start)) != 0 ||
	    memcmp(p + 12, "ob", 2) != 0)
		return NULL;
	*len = get_le(p + 14, 2);
	if (get_le(p + 10, 2) != *len + 4 || left - GZIP_HEAD - sizeof(gzip_end) < *len ||
	    memcmp(p + GZIP_HEAD + *len, gzip_end, sizeof(gzip_end)) != 0)
		return NULL;
	*used = GZIP_HEAD + *len + sizeof(gzip_end);
	return p + GZIP_HEAD;
}

static const unsigned char *find_zstd_piece(const unsigned char *p, size_t left, size_t *len,
					    size_t *used)
{
	*used = 0;
	if (left < ZSTD_HEAD || get_le(p, 4) != ZSTD_MAGIC)
		return NULL;
	*len = get_le(p + 4, 4);
	if (left - ZSTD_HEAD < *len)
		return NULL;
	*used = ZSTD_HEAD + *len;
	return p + ZSTD_HEAD;
}

ocib_errc ob_hidden_read(const void *packed, size_t len, ob_compression kind, ob_buffer *out,
			 ocib_error **err)
{
	const unsigned char *p = packed;

	while (len) {
		size_t payload_len = 0, used = 0;
		const unsigned char *payload = NULL;

		if (kind == OB_COMPRESSION_GZIP)
			payload = find_gzip_piece(p, len, &payload_len, &used);
		else if (kind == OB_COMPRESSION_ZSTD)
			payload = find_zstd_piece(p, len, &payload_len, &used);
		if (!payload)
			return ob_fail(err, OCIB_ERR_CORRUPT,
				       "hidden data is not as it was written");
		ob_buffer_append(out, payload, payload_len);
		p += used;
		len -= used;
	}
	return ob_buffer_check(out, err);
}
