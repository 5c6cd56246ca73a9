/* io/member_reader.c — any part of a packed file with a member table, inflated on all cores.
 *
 * Members are independent, so they are inflated ahead into a ring of slots and handed on in order. A
 * table may come from outside (an index inside a blob): it is checked before use, and every member must
 * unpack to exactly the size that the table says.
 */
#include <errno.h>
#include <string.h>
#include "base/fds.h"
#include "base/limits.h"
#include "io/block_codec.h"
#include "io/ordered_pool.h"

#define MEMBER_MAX (16 * OB_MIB) /* packed or unpacked: four times the largest we write */

typedef struct slot_data {
	size_t member;
	char *packed, *unpacked;
	size_t packed_cap, unpacked_cap;
} slot_data;

typedef struct member_reader {
	ob_reader base;
	int fd;
	ob_compression kind;
	const ob_member_table *table;
	ob_ordered_pool *pool;
	slot_data *slots;
	ob_block_unpacker **unpackers; /* by worker */
	unsigned slot_count, workers;
	size_t next;      /* member to be submitted */
	size_t last;      /* one past the last member that is needed */
	uint64_t at, end; /* unpacked offsets: what the caller gets next, and where that ends */
	int current;      /* collected slot being handed on, or -1 */
} member_reader;

static size_t member_size(const ob_member_table *t, size_t i)
{
	return (size_t)(t->items[i + 1].unpacked - t->items[i].unpacked);
}

static size_t member_packed(const ob_member_table *t, size_t i)
{
	return (size_t)(t->items[i + 1].packed - t->items[i].packed);
}

static int grow(char **data, size_t *cap, size_t len)
{
	if (len <= *cap)
		return 0;
	free(*data);
	*data = malloc(len);
	*cap = *data ? len : 0;
	return *data ? 0 : -1;
}

/* On any thread. */
static ocib_errc unpack_member(void *arg, unsigned slot, unsigned worker, ocib_error **err)
{
	member_reader *r = arg;
	slot_data *s = &r->slots[slot];
	size_t packed_len = member_packed(r->table, s->member);
	size_t size = member_size(r->table, s->member);
	uint64_t offset = r->table->items[s->member].packed;

	if (!r->unpackers[worker]) {
		ocib_errc rc = ob_block_unpacker_new(r->kind, &r->unpackers[worker], err);

		if (rc)
			return rc;
	}
	if (grow(&s->packed, &s->packed_cap, packed_len) < 0 ||
	    grow(&s->unpacked, &s->unpacked_cap, size ? size : 1) < 0)
		return ob_fail_nomem(err);
	ssize_t got = ob_pread_full(r->fd, s->packed, packed_len, (off_t)offset);
	if (got < 0)
		return ob_fail_errno(err, "read at %ju", (uintmax_t)offset);
	if ((size_t)got < packed_len)
		return ob_fail(err, OCIB_ERR_CORRUPT, "ends before its member table says");
	ocib_errc rc = ob_block_unpack(r->unpackers[worker], s->packed, packed_len, s->unpacked,
				       size, err);
	return ob_wrap(err, rc, "member at %ju", (uintmax_t)offset);
}

static void submit_ahead(member_reader *r)
{
	int slot;

	while (r->next < r->last && (slot = ob_ordered_pool_free_slot(r->pool)) >= 0) {
		r->slots[slot].member = r->next++;
		ob_ordered_pool_submit(r->pool);
	}
}

static ocib_errc members_read(ob_reader *self, void *data, size_t cap, size_t *got,
			      ocib_error **err)
{
	member_reader *r = (member_reader *)self;

	*got = 0;
	if (r->at == r->end || !cap)
		return OCIB_OK;
	while (r->current < 0) {
		submit_ahead(r);
		ocib_errc rc = ob_ordered_pool_collect(r->pool, true, &r->current, err);
		if (rc)
			return rc;
		/* An empty member holds none of what is asked for. */
		if (member_size(r->table, r->slots[r->current].member) == 0) {
			ob_ordered_pool_release(r->pool);
			r->current = -1;
		}
	}
	const slot_data *s = &r->slots[r->current];
	uint64_t begin = r->table->items[s->member].unpacked;
	uint64_t end = r->table->items[s->member + 1].unpacked;
	uint64_t left = (end < r->end ? end : r->end) - r->at;
	if (cap > left)
		cap = (size_t)left;
	memcpy(data, s->unpacked + (r->at - begin), cap);
	r->at += cap;
	*got = cap;
	if (r->at == end) {
		ob_ordered_pool_release(r->pool);
		r->current = -1;
		submit_ahead(r);
	}
	return OCIB_OK;
}

static void members_destroy(ob_reader *self)
{
	member_reader *r = (member_reader *)self;

	ob_ordered_pool_free(r->pool); /* first: its threads use the rest */
	for (unsigned i = 0; r->slots && i < r->slot_count; i++) {
		free(r->slots[i].packed);
		free(r->slots[i].unpacked);
	}
	for (unsigned i = 0; r->unpackers && i < r->workers; i++)
		ob_block_unpacker_free(r->unpackers[i]);
	free(r->slots);
	free(r->unpackers);
	free(r);
}

static ocib_errc check_table(const ob_member_table *t, size_t *largest, ocib_error **err)
{
	if (t->len < 2 || t->items[0].unpacked != 0)
		return ob_fail(err, OCIB_ERR_CORRUPT, "a member table has no members");
	*largest = 1;
	for (size_t i = 0; i + 1 < t->len; i++) {
		const ob_member *m = &t->items[i], *next = m + 1;

		if (next->packed <= m->packed || next->unpacked < m->unpacked ||
		    next->packed - m->packed > MEMBER_MAX ||
		    next->unpacked - m->unpacked > MEMBER_MAX || next->packed > OB_LIMIT_BLOB)
			return ob_fail(err, OCIB_ERR_CORRUPT, "a member table is out of order");
		if (next->unpacked - m->unpacked > *largest)
			*largest = (size_t)(next->unpacked - m->unpacked);
	}
	return OCIB_OK;
}

/* The first member whose end lies beyond offset. */
static size_t find_member(const ob_member_table *t, uint64_t offset)
{
	size_t low = 0, high = t->len - 1;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (t->items[middle + 1].unpacked <= offset)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void set_range(member_reader *r, uint64_t offset, uint64_t len)
{
	const ob_member_table *t = r->table;
	uint64_t total = t->items[t->len - 1].unpacked;

	r->at = offset < total ? offset : total;
	r->end = len < total - r->at ? r->at + len : total;
	r->next = find_member(t, r->at);
	r->last = r->at == r->end ? r->next : find_member(t, r->end - 1) + 1;
}

ocib_errc ob_reader_open_members(int fd, ob_compression kind, const ob_member_table *table,
				 uint64_t offset, uint64_t len, uint32_t threads, ob_reader **out,
				 ocib_error **err)
{
	static const ob_reader_ops ops = {members_read, members_destroy};
	size_t largest = 0;
	ocib_errc rc = check_table(table, &largest, err);

	if (rc)
		return rc;
	if (kind == OB_COMPRESSION_NONE)
		return ob_fail(err, OCIB_ERR_INVALID, "an uncompressed file has no members");
	member_reader *r = calloc(1, sizeof(*r));
	if (!r)
		return ob_fail_nomem(err);
	r->base.ops = &ops;
	ob_auto(ob_reader) owned = &r->base;
	r->fd = fd;
	r->kind = kind;
	r->table = table;
	r->current = -1;
	set_range(r, offset, len);
	if (r->last - r->next < threads)
		threads = (uint32_t)(r->last - r->next);
	r->slot_count = ob_pool_slots(threads, 2 * largest);
	r->workers = threads + 1;
	r->slots = calloc(r->slot_count, sizeof(*r->slots));
	r->unpackers = calloc(r->workers, sizeof(*r->unpackers));
	if (!r->slots || !r->unpackers)
		return ob_fail_nomem(err);
	rc = ob_ordered_pool_new(r->slot_count, threads, unpack_member, r, &r->pool, err);
	if (rc)
		return rc;
	*out = ob_take_ptr(owned);
	return OCIB_OK;
}
