/* io/block_codec.h — one member or frame, packed or unpacked whole, for one thread. */
#ifndef OB_IO_BLOCK_CODEC_H
#define OB_IO_BLOCK_CODEC_H

#include "io/compress.h"

typedef struct ob_block_packer ob_block_packer;
ocib_errc ob_block_packer_new(ob_compression kind, int level, ob_block_packer **out,
			      ocib_error **err);
size_t ob_block_bound(ob_compression kind, size_t len);
/** @p cap is at least ob_block_bound(). */
ocib_errc ob_block_pack(ob_block_packer *p, const void *in, size_t len, void *out, size_t cap,
			size_t *packed, ocib_error **err);
ob_block_packer *ob_block_packer_free(ob_block_packer *p);
OB_DEFINE_AUTO(ob_block_packer);

typedef struct ob_block_unpacker ob_block_unpacker;
ocib_errc ob_block_unpacker_new(ob_compression kind, ob_block_unpacker **out, ocib_error **err);
/** Exactly @p out_len bytes must come out of exactly @p in_len, else CORRUPT. */
ocib_errc ob_block_unpack(ob_block_unpacker *u, const void *in, size_t in_len, void *out,
			  size_t out_len, ocib_error **err);
ob_block_unpacker *ob_block_unpacker_free(ob_block_unpacker *u);
OB_DEFINE_AUTO(ob_block_unpacker);

#endif
