/* base/map.c — pairs in an array in order of insertion, found by an open-addressing table of indexes.
 *
 * There is no removal, so the table needs no tombstones. It is rebuilt at 3/4 full.
 */
#include "base/map.h"
#include <stdint.h>
#include <string.h>

typedef struct pair {
	char *key;
	void *value;
	uint64_t hash;
} pair;

struct ob_map {
	void (*free_value)(void *);
	pair *pairs;
	size_t len, cap;
	uint32_t *slots;   /* index + 1 of a pair, 0 when empty */
	size_t slot_count; /* a power of two */
};

static uint64_t hash_text(const char *text)
{
	uint64_t hash = 14695981039346656037ULL; /* FNV-1a */

	for (; *text; text++)
		hash = (hash ^ (unsigned char)*text) * 1099511628211ULL;
	return hash ^ hash >> 32;
}

ob_map *ob_map_new(void (*free_value)(void *))
{
	ob_map *map = calloc(1, sizeof(*map));

	if (map)
		map->free_value = free_value;
	return map;
}

ob_map *ob_map_free(ob_map *map)
{
	if (!map)
		return NULL;
	for (size_t i = 0; i < map->len; i++) {
		free(map->pairs[i].key);
		if (map->free_value)
			map->free_value(map->pairs[i].value);
	}
	free(map->pairs);
	free(map->slots);
	free(map);
	return NULL;
}

/* The slot that holds key, or the empty one where it belongs. */
static size_t find_slot(const ob_map *map, const char *key, uint64_t hash)
{
	size_t mask = map->slot_count - 1, at = (size_t)hash & mask;

	for (; map->slots[at]; at = (at + 1) & mask) {
		const pair *p = &map->pairs[map->slots[at] - 1];

		if (p->hash == hash && strcmp(p->key, key) == 0)
			break;
	}
	return at;
}

static int grow_slots(ob_map *map)
{
	size_t count = map->slot_count ? map->slot_count * 2 : 16, mask = count - 1;
	uint32_t *slots = calloc(count, sizeof(*slots));

	if (!slots)
		return -1;
	for (size_t i = 0; i < map->len; i++) {
		size_t at = (size_t)map->pairs[i].hash & mask;

		while (slots[at])
			at = (at + 1) & mask;
		slots[at] = (uint32_t)i + 1;
	}
	free(map->slots);
	map->slots = slots;
	map->slot_count = count;
	return 0;
}

static int grow_pairs(ob_map *map)
{
	size_t cap = map->cap ? map->cap * 2 : 8;
	pair *pairs = cap < UINT32_MAX ? reallocarray(map->pairs, cap, sizeof(*pairs)) : NULL;

	if (!pairs)
		return -1;
	map->pairs = pairs;
	map->cap = cap;
	return 0;
}

int ob_map_set(ob_map *map, const char *key, void *value)
{
	uint64_t hash = hash_text(key);

	if ((map->len + 1) * 4 > map->slot_count * 3 && grow_slots(map) < 0)
		return -1;
	size_t at = find_slot(map, key, hash);
	if (map->slots[at]) {
		pair *old = &map->pairs[map->slots[at] - 1];

		if (map->free_value && old->value != value)
			map->free_value(old->value);
		old->value = value;
		return 0;
	}
	if (map->len == map->cap && grow_pairs(map) < 0)
		return -1;
	char *copy = strdup(key);
	if (!copy)
		return -1;
	map->pairs[map->len++] = (pair){.key = copy, .value = value, .hash = hash};
	map->slots[at] = (uint32_t)map->len;
	return 0;
}

void *ob_map_get(const ob_map *map, const char *key)
{
	if (!map || !map->slot_count)
		return NULL;
	uint32_t slot = map->slots[find_slot(map, key, hash_text(key))];
	return slot ? map->pairs[slot - 1].value : NULL;
}

size_t ob_map_len(const ob_map *map)
{
	return map ? map->len : 0;
}

void *ob_map_at(const ob_map *map, size_t i, const char **key)
{
	if (i >= ob_map_len(map))
		return NULL;
	if (key)
		*key = map->pairs[i].key;
	return map->pairs[i].value;
}
