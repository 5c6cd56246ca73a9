/* io/compress_writer.c — the packing half of compress.h: fixed blocks in, members out, in order.
 *
 * Where a block ends depends on the amount of input only, never on how writes are cut or on how many
 * threads there are, so the bytes are a function of input, kind and level. Finished members are written
 * by the caller's thread, whenever it comes by with more input.
 */
#include <string.h>
#include "io/block_codec.h"
#include "io/ordered_pool.h"

typedef struct block {
	char *in, *out;
	size_t in_len, out_len;
} block;

struct ob_compress_writer {
	ob_writer base;
	ob_writer *inner;
	ob_compression kind;
	int level;
	size_t block_size;
	ob_ordered_pool *pool;
	unsigned slots, workers;
	block *blocks;             /* by slot */
	ob_block_packer **packers; /* by worker; each made by the first job on it */
	int filling;               /* slot, or -1 */
	ob_member_table table;
	size_t table_cap;
	uint64_t packed, unpacked; /* written to inner so far */
};

void ob_member_table_done(ob_member_table *table)
{
	free(table->items);
	*table = (ob_member_table){0};
}

static ocib_errc add_member(ob_compress_writer *w, ocib_error **err)
{
	ob_member_table *t = &w->table;

	if (t->len == w->table_cap) {
		size_t cap = w->table_cap ? w->table_cap * 2 : 16;
		ob_member *grown = reallocarray(t->items, cap, sizeof(*grown));

		if (!grown)
			return ob_fail_nomem(err);
		t->items = grown;
		w->table_cap = cap;
	}
	t->items[t->len++] = (ob_member){w->packed, w->unpacked};
	return OCIB_OK;
}

/* On any thread. The output buffer is as large as the worst case and only touched as far as used. */
static ocib_errc pack_block(void *arg, unsigned slot, unsigned worker, ocib_error **err)
{
	ob_compress_writer *w = arg;
	block *b = &w->blocks[slot];
	size_t bound = ob_block_bound(w->kind, w->block_size);
	ocib_errc r = OCIB_OK;

	if (!w->packers[worker])
		r = ob_block_packer_new(w->kind, w->level, &w->packers[worker], err);
	if (r == OCIB_OK && !b->out && !(b->out = malloc(bound)))
		r = ob_fail_nomem(err);
	if (r)
		return r;
	return ob_block_pack(w->packers[worker], b->in, b->in_len, b->out, bound, &b->out_len, err);
}

/* Hand on the oldest member; *none when there is none to hand on. */
static ocib_errc write_oldest(ob_compress_writer *w, bool wait, bool *none, ocib_error **err)
{
	int slot;
	ocib_errc r = ob_ordered_pool_collect(w->pool, wait, &slot, err);

	*none = slot < 0;
	if (r || slot < 0)
		return r;
	block *b = &w->blocks[slot];
	r = add_member(w, err);
	if (r == OCIB_OK)
		r = ob_writer_write(w->inner, b->out, b->out_len, err);
	if (r)
		return r;
	w->packed += b->out_len;
	w->unpacked += b->in_len;
	ob_ordered_pool_release(w->pool);
	return OCIB_OK;
}

static ocib_errc begin_block(ob_compress_writer *w, ocib_error **err)
{
	bool none;

	while ((w->filling = ob_ordered_pool_free_slot(w->pool)) < 0) {
		ocib_errc r = write_oldest(w, true, &none, err);

		if (r)
			return r;
	}
	block *b = &w->blocks[w->filling];
	b->in_len = 0;
	if (!b->in && !(b->in = malloc(w->block_size)))
		return ob_fail_nomem(err);
	return OCIB_OK;
}

/* The block being filled is complete; on the way, hand on what is finished. */
static ocib_errc end_block(ob_compress_writer *w, ocib_error **err)
{
	bool none = false;

	w->filling = -1;
	ob_ordered_pool_submit(w->pool);
	while (!none) {
		ocib_errc r = write_oldest(w, false, &none, err);

		if (r)
			return r;
	}
	return OCIB_OK;
}

static ocib_errc compress_write(ob_writer *self, const void *data, size_t len, ocib_error **err)
{
	ob_compress_writer *w = (ob_compress_writer *)self;
	const char *from = data;

	if (w->kind == OB_COMPRESSION_NONE)
		return ob_writer_write(w->inner, data, len, err);
	while (len) {
		ocib_errc r = w->filling < 0 ? begin_block(w, err) : OCIB_OK;

		if (r)
			return r;
		block *b = &w->blocks[w->filling];
		size_t part = w->block_size - b->in_len;
		if (part > len)
			part = len;
		memcpy(b->in + b->in_len, from, part);
		b->in_len += part;
		from += part;
		len -= part;
		if (b->in_len == w->block_size && (r = end_block(w, err)))
			return r;
	}
	return OCIB_OK;
}

static ocib_errc compress_finish(ob_writer *self, ocib_error **err)
{
	ob_compress_writer *w = (ob_compress_writer *)self;
	ocib_errc r = OCIB_OK;
	bool none = false;

	if (w->kind == OB_COMPRESSION_NONE)
		return OCIB_OK;
	/* No input at all is still a valid file: one empty member. */
	if (w->filling < 0 && w->packed == 0 && ob_ordered_pool_is_idle(w->pool))
		r = begin_block(w, err);
	if (r == OCIB_OK && w->filling >= 0)
		r = end_block(w, err);
	while (r == OCIB_OK && !none)
		r = write_oldest(w, true, &none, err);
	return r ? r : add_member(w, err);
}

static void compress_destroy(ob_writer *self)
{
	ob_compress_writer_free((ob_compress_writer *)self);
}

static ocib_errc set_up_pool(ob_compress_writer *w, uint32_t threads, ocib_error **err)
{
	w->block_size = w->kind == OB_COMPRESSION_ZSTD ? OB_MEMBER_ZSTD : OB_MEMBER_GZIP;
	w->slots = ob_pool_slots(threads, 2 * w->block_size);
	w->workers = threads + 1;
	w->blocks = calloc(w->slots, sizeof(*w->blocks));
	w->packers = calloc(w->workers, sizeof(*w->packers));
	if (!w->blocks || !w->packers)
		return ob_fail_nomem(err);
	/* The caller's packer is made now, so that a bad level is an error here. */
	ocib_errc r = ob_block_packer_new(w->kind, w->level, &w->packers[0], err);
	if (r)
		return r;
	return ob_ordered_pool_new(w->slots, threads, pack_block, w, &w->pool, err);
}

ocib_errc ob_compress_writer_new(ob_writer *inner, ob_compression kind, int level, uint32_t threads,
				 ob_compress_writer **out, ocib_error **err)
{
	static const ob_writer_ops ops = {compress_write, compress_finish, compress_destroy};
	ob_auto(ob_compress_writer) w = calloc(1, sizeof(*w));
	ocib_errc r = OCIB_OK;

	if (!w)
		return ob_fail_nomem(err);
	w->base.ops = &ops;
	w->inner = inner;
	w->kind = kind;
	w->level = level;
	w->filling = -1;
	if (kind != OB_COMPRESSION_NONE)
		r = set_up_pool(w, threads, err);
	if (r)
		return r;
	*out = ob_take_ptr(w);
	return OCIB_OK;
}

ob_writer *ob_compress_writer_base(ob_compress_writer *w)
{
	return &w->base;
}

ob_member_table ob_compress_writer_take_table(ob_compress_writer *w)
{
	ob_member_table table = w->table;

	w->table = (ob_member_table){0};
	w->table_cap = 0;
	return table;
}

ob_compress_writer *ob_compress_writer_free(ob_compress_writer *w)
{
	if (!w)
		return NULL;
	ob_ordered_pool_free(w->pool); /* first: its threads use the rest */
	for (unsigned i = 0; w->blocks && i < w->slots; i++) {
		free(w->blocks[i].in);
		free(w->blocks[i].out);
	}
	for (unsigned i = 0; w->packers && i < w->workers; i++)
		ob_block_packer_free(w->packers[i]);
	free(w->blocks);
	free(w->packers);
	ob_member_table_done(&w->table);
	free(w);
	return NULL;
}
