/* base/map.h — a hash map from strings to pointers, iterated in insertion order. */
#ifndef OB_BASE_MAP_H
#define OB_BASE_MAP_H

#include <stddef.h>

typedef struct ob_map ob_map;

/** @p free_value may be NULL: then values are borrowed. */
ob_map *ob_map_new(void (*free_value)(void *));
ob_map *ob_map_free(ob_map *map);
/** Insert or replace (the old value is freed). -1: no memory, value not taken. The key is copied. */
int ob_map_set(ob_map *map, const char *key, void *value);
void *ob_map_get(const ob_map *map, const char *key);
size_t ob_map_len(const ob_map *map);
/** The i-th live pair in insertion order. */
void *ob_map_at(const ob_map *map, size_t i, const char **key);

#include "base/cleanup.h"
OB_DEFINE_AUTO(ob_map);

#endif
