/* layer/write_behind.h — writes done by another thread, a few blocks behind the caller.
 *
 * The caller fills a block in place, so content goes from a file to the hash and on to the compressor
 * without being copied here. The thread starts when the first block is full: what fits in one block is
 * written by the caller when it finishes.
 */
#ifndef OB_LAYER_WRITE_BEHIND_H
#define OB_LAYER_WRITE_BEHIND_H

#include "io/stream.h"

typedef struct ob_write_behind ob_write_behind;

/** @p inner is borrowed, and used on the other thread until finish. @p threaded false: all on the caller's. */
ocib_errc ob_write_behind_new(ob_writer *inner, bool threaded, ob_write_behind **out,
			      ocib_error **err);
/**
 * Where the next bytes go: at least one byte of room. Waits while all blocks are full. An error of an
 * earlier write comes out here or at finish.
 */
ocib_errc ob_write_behind_reserve(ob_write_behind *behind, uint8_t **room, size_t *len,
				  ocib_error **err);
/** @p len bytes of the room are filled. */
void ob_write_behind_commit(ob_write_behind *behind, size_t len);
/** The same, copied. */
ocib_errc ob_write_behind_write(ob_write_behind *behind, const void *data, size_t len,
				ocib_error **err);
/** Write what is left and wait; inner is the caller's again. Does not finish inner. */
ocib_errc ob_write_behind_finish(ob_write_behind *behind, ocib_error **err);
ob_write_behind *ob_write_behind_free(ob_write_behind *behind); /**< drops what is not written */
OB_DEFINE_AUTO(ob_write_behind);

#endif
