/* io/hash.h — SHA-256 of what passes. */
#ifndef OB_IO_HASH_H
#define OB_IO_HASH_H

#include "io/stream.h"

#define OB_SHA256_LEN 32

typedef struct ob_hash ob_hash;
ocib_errc ob_hash_new(ob_hash **out, ocib_error **err);
ob_hash *ob_hash_free(ob_hash *hash);
void ob_hash_update(ob_hash *hash, const void *data, size_t len);
void ob_hash_final(ob_hash *hash, uint8_t out[OB_SHA256_LEN]); /**< then reset, ready for another */
OB_DEFINE_AUTO(ob_hash);

void ob_sha256(const void *data, size_t len, uint8_t out[OB_SHA256_LEN]);

/** Passes bytes on to @p inner (borrowed, may be NULL) and counts and hashes them. */
typedef struct ob_hash_writer ob_hash_writer;
ocib_errc ob_hash_writer_new(ob_writer *inner, ob_hash_writer **out, ocib_error **err);
ob_writer *ob_hash_writer_base(ob_hash_writer *w); /**< borrowed: the same object as a writer */
uint64_t ob_hash_writer_count(const ob_hash_writer *w);
/** Digest of what has passed so far; does not disturb it. */
void ob_hash_writer_peek(const ob_hash_writer *w, uint8_t out[OB_SHA256_LEN]);
ob_hash_writer *ob_hash_writer_free(ob_hash_writer *w);
OB_DEFINE_AUTO(ob_hash_writer);

/**
 * Passes bytes through and fails with CORRUPT, naming @p what, when at the end (or as soon as too many
 * came) size or digest differ. Takes @p inner. Size UINT64_MAX: not known.
 */
ocib_errc ob_reader_open_verify(ob_reader *inner, const uint8_t sha256[OB_SHA256_LEN],
				uint64_t size, const char *what, ob_reader **out, ocib_error **err);

#endif
