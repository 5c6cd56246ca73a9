/* layer/layer_index.c — the index in memory: a sorted array, searched by halving.
 *
 * Once sorted, two things hold that all readers build on: of one path there is at most one whiteout, one
 * thing and one opaque mark, in this order; and, '/' sorting before all other bytes, what is below a path
 * follows it directly, so a subtree is a range. layer_index_codec.c holds parsed documents to the same.
 */
#include "layer/layer_index.h"
#include <string.h>
#include "base/paths.h"
#include "base/strings.h"
#include "layer/member_name.h"

ob_layer_index *ob_layer_index_new(void)
{
	return calloc(1, sizeof(ob_layer_index));
}

ob_layer_index *ob_layer_index_free(ob_layer_index *index)
{
	if (!index)
		return NULL;
	for (size_t i = 0; i < index->len; i++)
		ob_entry_done(&index->entries[i]);
	free(index->entries);
	ob_member_table_done(&index->members);
	free(index);
	return NULL;
}

int ob_layer_index_take(ob_layer_index *index, ob_entry *entry)
{
	if (index->len == index->cap) {
		size_t cap = index->cap ? index->cap * 2 : 64;
		ob_entry *grown = reallocarray(index->entries, cap, sizeof(*grown));

		if (!grown)
			return -1;
		index->entries = grown;
		index->cap = cap;
	}
	index->entries[index->len++] = *entry;
	memset(entry, 0, sizeof(*entry));
	return 0;
}

static int compare_in_tar_order(const void *a, const void *b)
{
	const ob_entry *x = a, *y = b;
	int order = ob_entry_compare(a, b);

	return order ? order : (x->tar_offset > y->tar_offset) - (x->tar_offset < y->tar_offset);
}

/* Most layers come sorted, and looking is far cheaper than sorting. */
static void sort_entries(ob_layer_index *index)
{
	for (size_t i = 1; i < index->len; i++) {
		if (compare_in_tar_order(&index->entries[i - 1], &index->entries[i]) > 0) {
			qsort(index->entries, index->len, sizeof(ob_entry), compare_in_tar_order);
			return;
		}
	}
}

static bool is_same(const ob_entry *a, const ob_entry *b)
{
	return ob_str_eq(a->path, b->path) && ob_entry_compare(a, b) == 0;
}

static void drop_overwritten(ob_layer_index *index)
{
	size_t kept = 0;

	for (size_t i = 0; i < index->len; i++) {
		ob_entry *entry = &index->entries[i];

		if (i + 1 < index->len && is_same(entry, entry + 1))
			ob_entry_done(entry);
		else if (kept++ != i)
			index->entries[kept - 1] = *entry;
	}
	index->len = kept;
}

void ob_layer_index_sort(ob_layer_index *index)
{
	sort_entries(index);
	drop_overwritten(index);
}

ocib_errc ob_layer_index_settle(ob_layer_index *index, ocib_error **err)
{
	char shown[OB_MEMBER_SHOWN];

	sort_entries(index);
	/* What is below a path follows it directly, so a conflict shows between neighbours. */
	for (size_t i = 1; i < index->len; i++) {
		if (ob_entry_at_odds(&index->entries[i - 1], &index->entries[i]))
			return ob_fail(err, OCIB_ERR_CORRUPT,
				       "'%s' is a directory and something else in one layer",
				       ob_member_show(index->entries[i - 1].path, shown));
	}
	drop_overwritten(index);
	return OCIB_OK;
}

size_t ob_layer_index_lower_bound(const ob_layer_index *index, const char *path)
{
	size_t low = 0, high = index->len;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (ob_path_compare(index->entries[middle].path, path) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Steps that double, then halving: the end of a small subtree is found in a few looks nearby. */
size_t ob_layer_index_subtree_end(const ob_layer_index *index, size_t from, const char *path)
{
	size_t low = from, step = 1;

	while (low < index->len && step <= index->len - low &&
	       ob_path_is_below(index->entries[low + step - 1].path, path)) {
		low += step;
		step *= 2;
	}
	size_t high = step <= index->len - low ? low + step - 1 : index->len;
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (ob_path_is_below(index->entries[middle].path, path))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

const ob_entry *ob_layer_index_find(const ob_layer_index *index, const char *path)
{
	const ob_entry *found = NULL;

	for (size_t i = ob_layer_index_lower_bound(index, path);
	     i < index->len && ob_str_eq(index->entries[i].path, path); i++) {
		if (!found || found->type == OB_ENTRY_WHITEOUT)
			found = &index->entries[i];
	}
	return found;
}
