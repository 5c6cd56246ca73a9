/* io/gzip_isal.c — gzip by ISA-L, compiled only where the library is present.
 *
 * Levels 1 and 2 give the same bytes on every processor; level 3 does not and is not used. A member is
 * packed by one call with all its input and room for all its output, so the bytes do not depend on how
 * the caller cuts its writes.
 *
 * Headers are read here: ISA-L forgets a header's flags when its input is cut inside an extra field, which
 * is where our hidden data is.
 */
#include "io/gzip_codec.h"
#include <isa-l/igzip_lib.h>
#include <stdint.h>

struct ob_isal_packer {
	struct isal_zstream stream;
	int level;
	uint32_t level_size;
	uint8_t *level_buffer;
};

int ob_isal_level(int level)
{
	if (level > 3)
		return -1;
	return level < 2 ? 1 : 2;
}

ob_isal_packer *ob_isal_packer_new(int level)
{
	ob_isal_packer *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->level = level;
	p->level_size = level == 1 ? ISAL_DEF_LVL1_DEFAULT : ISAL_DEF_LVL2_DEFAULT;
	p->level_buffer = malloc(p->level_size);
	return p->level_buffer ? p : ob_isal_packer_free(p);
}

ob_isal_packer *ob_isal_packer_free(ob_isal_packer *p)
{
	if (p)
		free(p->level_buffer);
	free(p);
	return NULL;
}

/* ISA-L takes its input by a pointer to non-const and does not write there. */
static uint8_t *input(const void *data)
{
	union {
		const void *in;
		uint8_t *out;
	} u = {.in = data};

	return u.out;
}

ocib_errc ob_isal_pack(ob_isal_packer *p, const void *in, size_t len, void *out, size_t cap,
		       size_t *packed, ocib_error **err)
{
	struct isal_zstream *s = &p->stream;

	isal_deflate_init(s);
	s->level = (uint32_t)p->level;
	s->level_buf = p->level_buffer;
	s->level_buf_size = p->level_size;
	s->gzip_flag = IGZIP_GZIP;
	s->end_of_stream = 1;
	s->flush = NO_FLUSH;
	s->next_in = input(in);
	s->avail_in = (uint32_t)len;
	s->next_out = out;
	s->avail_out = (uint32_t)cap;
	int r = isal_deflate(s);
	if (r != COMP_OK || s->avail_in || s->internal_state.state != ZSTATE_END)
		return ob_fail(err, OCIB_ERR_INVALID, "gzip: compressing failed (%d)", r);
	*packed = cap - s->avail_out;
	return OCIB_OK;
}

/* The parts of a header in their order; all but the first are there only when a flag says so. */
typedef enum header_part { FIXED, EXTRA_LEN, EXTRA, NAME, COMMENT, CRC16, COMPLETE } header_part;

#define HEADER_FIXED  10
#define FLAG_CRC16    2
#define FLAG_EXTRA    4
#define FLAG_NAME     8
#define FLAG_COMMENT  16
#define FLAG_RESERVED 0xe0

struct ob_gzip_unpacker {
	struct inflate_state state;
	header_part part;
	unsigned flags;
	unsigned count; /* bytes seen of this part, for EXTRA: still to come */
	unsigned extra_len;
};

void ob_gzip_unpacker_reset(ob_gzip_unpacker *u)
{
	isal_inflate_reset(&u->state);
	u->state.crc_flag = ISAL_GZIP_NO_HDR_VER;
	u->part = FIXED;
	u->flags = u->count = u->extra_len = 0;
}

ocib_errc ob_gzip_unpacker_new(ob_gzip_unpacker **out, ocib_error **err)
{
	ob_gzip_unpacker *u = calloc(1, sizeof(*u));

	if (!u)
		return ob_fail_nomem(err);
	isal_inflate_init(&u->state);
	ob_gzip_unpacker_reset(u);
	*out = u;
	return OCIB_OK;
}

ob_gzip_unpacker *ob_gzip_unpacker_free(ob_gzip_unpacker *u)
{
	free(u);
	return NULL;
}

static bool has_part(const ob_gzip_unpacker *u, header_part part)
{
	static const unsigned flags[] = {
		[EXTRA_LEN] = FLAG_EXTRA, [EXTRA] = FLAG_EXTRA, [NAME] = FLAG_NAME,
		[COMMENT] = FLAG_COMMENT, [CRC16] = FLAG_CRC16,
	};

	if (part == EXTRA && u->extra_len == 0)
		return false;
	return part == COMPLETE || (u->flags & flags[part]);
}

static void next_part(ob_gzip_unpacker *u)
{
	do {
		u->part++;
	} while (!has_part(u, u->part));
	u->count = u->part == EXTRA ? u->extra_len : 0;
}

/* One byte of the header; false when it cannot be one. */
static bool take_header_byte(ob_gzip_unpacker *u, unsigned char c)
{
	static const unsigned char magic[] = {0x1f, 0x8b, 8};
	bool ends = false;

	switch (u->part) {
	case FIXED:
		if (u->count < sizeof(magic) && c != magic[u->count])
			return false;
		if (u->count == sizeof(magic))
			u->flags = c;
		ends = ++u->count == HEADER_FIXED;
		break;
	case EXTRA_LEN:
		u->extra_len |= (unsigned)c << (8 * u->count);
		ends = ++u->count == 2;
		break;
	case EXTRA: ends = --u->count == 0; break;
	case NAME:
	case COMMENT: ends = c == 0; break;
	case CRC16: ends = ++u->count == 2; break;
	case COMPLETE: break;
	}
	if (ends)
		next_part(u);
	return !(u->flags & FLAG_RESERVED);
}

static bool skip_header(ob_gzip_unpacker *u, ob_gzip_io *io)
{
	while (io->in_len && u->part != COMPLETE) {
		if (u->part == EXTRA && u->count > 1 && io->in_len > 1) {
			size_t part = u->count - 1 < io->in_len ? u->count - 1 : io->in_len;

			u->count -= (unsigned)part;
			io->in += part;
			io->in_len -= part;
			continue;
		}
		if (!take_header_byte(u, *io->in))
			return false;
		io->in++;
		io->in_len--;
	}
	return true;
}

static const char *reason(int code)
{
	switch (code) {
	case ISAL_INCORRECT_CHECKSUM: return "wrong checksum";
	default: return "invalid data";
	}
}

static uint32_t at_most_u32(size_t len)
{
	return len < UINT32_MAX ? (uint32_t)len : UINT32_MAX;
}

ocib_errc ob_gzip_unpack(ob_gzip_unpacker *u, ob_gzip_io *io, bool *ended, ocib_error **err)
{
	struct inflate_state *s = &u->state;

	*ended = false;
	if (!skip_header(u, io))
		return ob_fail(err, OCIB_ERR_CORRUPT, "gzip: not a gzip header");
	if (u->part != COMPLETE)
		return OCIB_OK;

	uint32_t in_len = at_most_u32(io->in_len), out_len = at_most_u32(io->out_len);
	s->next_in = input(io->in);
	s->avail_in = in_len;
	s->next_out = io->out;
	s->avail_out = out_len;
	int r = isal_inflate(s);
	io->in += in_len - s->avail_in;
	io->in_len -= in_len - s->avail_in;
	io->out += out_len - s->avail_out;
	io->out_len -= out_len - s->avail_out;
	if (r < 0 || r == ISAL_NEED_DICT)
		return ob_fail(err, OCIB_ERR_CORRUPT, "gzip: %s", reason(r));
	*ended = s->block_state == ISAL_BLOCK_FINISH;
	return OCIB_OK;
}
