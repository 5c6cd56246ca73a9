/* fuzz/fuzz_unpack.c — any bytes as a gzip or zstd stream, as one member of a table, and as hidden data.
 *
 * The result must not depend on how the input is cut: ISA-L's own header reader failed at that. The first
 * byte says how large the pieces are.
 */
#include <stdlib.h>
#include <string.h>
#include "base/limits.h"
#include "io/block_codec.h"

#define OUTPUT_MAX (1 * OB_MIB)

static void require(bool holds)
{
	if (!holds)
		abort();
}

/* Gives the input in pieces. */
typedef struct pieces {
	ob_reader base;
	const uint8_t *data;
	size_t left, step;
} pieces;

static ocib_errc read_piece(ob_reader *self, void *data, size_t cap, size_t *got, ocib_error **err)
{
	pieces *p = (pieces *)self;

	(void)err;
	*got = p->step < cap ? p->step : cap;
	if (*got > p->left)
		*got = p->left;
	if (*got)
		memcpy(data, p->data, *got);
	p->data += *got;
	p->left -= *got;
	return OCIB_OK;
}

static void destroy(ob_reader *self)
{
	free(self);
}

static ocib_errc unpack(const uint8_t *data, size_t len, size_t step, ob_buffer *out)
{
	static const ob_reader_ops ops = {read_piece, destroy};
	ob_auto(ob_reader) reader = NULL;
	pieces *p = malloc(sizeof(*p));

	require(p != NULL);
	*p = (pieces){{&ops}, data, len, step};
	ocib_errc r = ob_reader_open_decompress(&p->base, &reader, NULL);
	return r ? r : ob_reader_read_all(reader, out, NULL);
}

static void check_block(const uint8_t *data, size_t len, ob_compression kind,
			const ob_buffer *whole)
{
	ob_auto(ob_block_unpacker) unpacker = NULL;
	ob_autofree char *room = malloc(whole->len + 1);

	require(room && ob_block_unpacker_new(kind, &unpacker, NULL) == OCIB_OK);
	/* Several members are one stream, but not one block. */
	if (ob_block_unpack(unpacker, data, len, room, whole->len, NULL) == OCIB_OK && whole->len)
		require(memcmp(room, whole->data, whole->len) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	ob_autodone(ob_buffer) whole = OB_BUFFER_INIT(OUTPUT_MAX, "output");
	ob_autodone(ob_buffer) cut = OB_BUFFER_INIT(OUTPUT_MAX, "output");
	ob_autodone(ob_buffer) hidden = OB_BUFFER_INIT(OUTPUT_MAX, "hidden data");

	if (size < 2)
		return 0;
	size_t step = (size_t)data[0] % 16 + 1;
	data++;
	size--;
	ocib_errc r = unpack(data, size, size, &whole);
	require(unpack(data, size, step, &cut) == r);
	if (r == OCIB_OK)
		require(cut.len == whole.len &&
			(!cut.len || memcmp(cut.data, whole.data, cut.len) == 0));
	ob_compression kind = ob_compression_detect(data, size);
	if (kind == OB_COMPRESSION_NONE)
		return 0;
	if (r == OCIB_OK)
		check_block(data, size, kind, &whole);
	(void)ob_hidden_read(data, size, kind, &hidden, NULL);
	return 0;
}
