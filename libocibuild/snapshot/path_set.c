/* snapshot/path_set.c — a set of paths as a table of their hashes.
 *
 * An opaque mark hides what is below a layer and not what the layer itself has put there, wherever in
 * the tar the mark stands; so every path of a layer is remembered until its end. Open addressing, at
 * most three quarters full.
 */
#include "snapshot/path_set.h"
#include <stdlib.h>
#include <string.h>

#define FIRST_CAP 1024

void ob_path_set_done(ob_path_set *set)
{
	free(set->slots);
	*set = (ob_path_set){0};
}

/* FNV-1a, then the finaliser of MurmurHash3, so that low bits depend on all of it. Never 0. */
static uint64_t hash_path(const char *path, size_t len)
{
	uint64_t h = 0xcbf29ce484222325U;

	for (size_t i = 0; i < len; i++)
		h = (h ^ (uint8_t)path[i]) * 0x100000001b3U;
	h = (h ^ (h >> 33)) * 0xff51afd7ed558ccdU;
	h = (h ^ (h >> 33)) * 0xc4ceb9fe1a85ec53U;
	h ^= h >> 33;
	return h ? h : 1;
}

/* Where the hash is, or the free slot where it would be. */
static size_t find_slot(const uint64_t *slots, size_t cap, uint64_t hash)
{
	size_t at = hash & (cap - 1);

	while (slots[at] && slots[at] != hash)
		at = (at + 1) & (cap - 1);
	return at;
}

static int grow(ob_path_set *set)
{
	size_t cap = set->cap ? set->cap * 2 : FIRST_CAP;
	uint64_t *slots = calloc(cap, sizeof(*slots));

	if (!slots)
		return -1;
	for (size_t i = 0; i < set->cap; i++)
		if (set->slots[i])
			slots[find_slot(slots, cap, set->slots[i])] = set->slots[i];
	free(set->slots);
	set->slots = slots;
	set->cap = cap;
	return 0;
}

int ob_path_set_add(ob_path_set *set, const char *path, size_t len)
{
	uint64_t hash = hash_path(path, len);

	if (set->len * 4 >= set->cap * 3 && grow(set) < 0)
		return -1;
	size_t at = find_slot(set->slots, set->cap, hash);
	if (set->slots[at])
		return 0;
	set->slots[at] = hash;
	set->len++;
	return 1;
}

bool ob_path_set_has(const ob_path_set *set, const char *path, size_t len)
{
	uint64_t hash = hash_path(path, len);

	return set->cap && set->slots[find_slot(set->slots, set->cap, hash)] == hash;
}
