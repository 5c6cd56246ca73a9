/* io/compress.h — gzip, zstd and none: one-pass, on all cores, same bytes for any number of threads.
 *
 * Output is a sequence of independent members (gzip) or frames (zstd), each of a fixed amount of input:
 * OB_MEMBER_GZIP or OB_MEMBER_ZSTD bytes. The table of members is a by-product: it lets a reader inflate
 * on all cores and start anywhere. gzip is ISA-L level 1 where the library is present (level numbers:
 * 0 = default; 1..9 as gzip's, where 1..3 map to ISA-L and 4..9 to zlib), zlib -6 where it is not.
 */
#ifndef OB_IO_COMPRESS_H
#define OB_IO_COMPRESS_H

#include "io/stream.h"

typedef enum ob_compression {
	OB_COMPRESSION_GZIP = 0, /* the default everywhere */
	OB_COMPRESSION_ZSTD,
	OB_COMPRESSION_NONE
} ob_compression;

#define OB_MEMBER_GZIP (1U << 20)
#define OB_MEMBER_ZSTD (4U << 20)

/** One member: where it begins, packed and unpacked. The last pair in a table is the two ends. */
typedef struct ob_member {
	uint64_t packed;
	uint64_t unpacked;
} ob_member;

typedef struct ob_member_table {
	ob_member *items;
	size_t len; /**< members + 1 (the end), or 0 when there is no table */
} ob_member_table;
void ob_member_table_done(ob_member_table *table);

/** Writes packed bytes to @p inner (borrowed) in order, from a pool of @p threads. */
typedef struct ob_compress_writer ob_compress_writer;
ocib_errc ob_compress_writer_new(ob_writer *inner, ob_compression kind, int level, uint32_t threads,
				 ob_compress_writer **out, ocib_error **err);
ob_writer *ob_compress_writer_base(ob_compress_writer *w);
/** After finish: moves the table out. */
ob_member_table ob_compress_writer_take_table(ob_compress_writer *w);
ob_compress_writer *ob_compress_writer_free(ob_compress_writer *w);
OB_DEFINE_AUTO(ob_compress_writer);

/** Data hidden from other readers: empty gzip members with FEXTRA fields, or a zstd skippable frame. */
ocib_errc ob_hidden_write(ob_writer *inner, ob_compression kind, const void *data, size_t len,
			  ocib_error **err);
/** The inverse, given exactly the bytes ob_hidden_write() wrote. Kinds: CORRUPT, LIMIT. */
ocib_errc ob_hidden_read(const void *packed, size_t len, ob_compression kind, ob_buffer *out,
			 ocib_error **err);

/** By the first bytes: gzip, zstd, or none. @p len up to 6 bytes are looked at. */
ob_compression ob_compression_detect(const void *data, size_t len);

/**
 * Unpacked bytes of @p inner (taken), whose kind is detected; several members or frames, and trailing
 * hidden ones, are read as one stream. Trailing garbage is CORRUPT. Expansion is held to
 * OB_LIMIT_EXPANSION_RATIO once past OB_LIMIT_EXPANSION_FREE.
 */
ocib_errc ob_reader_open_decompress(ob_reader *inner, ob_reader **out, ocib_error **err);

/**
 * Unpacked bytes from @p offset on of a packed file with a member table, inflated ahead by @p threads.
 * fd and table are borrowed. Reads stop at @p offset + @p len or the end.
 */
ocib_errc ob_reader_open_members(int fd, ob_compression kind, const ob_member_table *table,
				 uint64_t offset, uint64_t len, uint32_t threads, ob_reader **out,
				 ocib_error **err);

/** A single bounded block, for documents: whole in memory. level 0 = default. */
ocib_errc ob_zstd_pack(const void *data, size_t len, int level, ob_buffer *out, ocib_error **err);
ocib_errc ob_zstd_unpack(const void *data, size_t len, ob_buffer *out, ocib_error **err);

#endif
