/* io/gzip_codec.h — gzip members by ISA-L or zlib: the only interface the rest of io sees of either.
 *
 * One packer or unpacker, one thread. Headers carry no time, no name and a constant OS byte, so equal
 * input gives equal bytes.
 */
#ifndef OB_IO_GZIP_CODEC_H
#define OB_IO_GZIP_CODEC_H

#include <stdbool.h>
#include <stddef.h>
#include "base/error.h"

/** A packer for whole members; @p level as in compress.h. */
typedef struct ob_gzip_packer ob_gzip_packer;
ocib_errc ob_gzip_packer_new(int level, ob_gzip_packer **out, ocib_error **err);
/** Room that a member of @p len bytes may need. */
size_t ob_gzip_bound(size_t len);
/** One member of all of @p in. @p cap is at least ob_gzip_bound(len). */
ocib_errc ob_gzip_pack(ob_gzip_packer *p, const void *in, size_t len, void *out, size_t cap,
		       size_t *packed, ocib_error **err);
ob_gzip_packer *ob_gzip_packer_free(ob_gzip_packer *p);
OB_DEFINE_AUTO(ob_gzip_packer);

/** What is between input and output while unpacking; both ends move as bytes are used. */
typedef struct ob_gzip_io {
	const unsigned char *in;
	size_t in_len;
	unsigned char *out;
	size_t out_len;
} ob_gzip_io;

typedef struct ob_gzip_unpacker ob_gzip_unpacker;
ocib_errc ob_gzip_unpacker_new(ob_gzip_unpacker **out, ocib_error **err);
/** Go on with the current member. *ended: it is complete and its checksum right. Kinds: CORRUPT. */
ocib_errc ob_gzip_unpack(ob_gzip_unpacker *u, ob_gzip_io *io, bool *ended, ocib_error **err);
void ob_gzip_unpacker_reset(ob_gzip_unpacker *u); /**< ready for another member */
ob_gzip_unpacker *ob_gzip_unpacker_free(ob_gzip_unpacker *u);
OB_DEFINE_AUTO(ob_gzip_unpacker);

/* ISA-L's part, from gzip_isal.c or, where there is no ISA-L, from gzip_no_isal.c. */
/** Its level for one of ours, or -1 when it is not to be used. */
int ob_isal_level(int level);
typedef struct ob_isal_packer ob_isal_packer;
ob_isal_packer *ob_isal_packer_new(int level); /**< NULL: no memory */
ocib_errc ob_isal_pack(ob_isal_packer *p, const void *in, size_t len, void *out, size_t cap,
		       size_t *packed, ocib_error **err);
ob_isal_packer *ob_isal_packer_free(ob_isal_packer *p);

#endif
