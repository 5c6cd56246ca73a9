/* snapshot/path_set.h — which paths were met, in eight bytes each. */
#ifndef OB_SNAPSHOT_PATH_SET_H
#define OB_SNAPSHOT_PATH_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Holds 64-bit hashes only: of a million paths, two are taken for one with a chance of 1 in 30 million. */
typedef struct ob_path_set {
	uint64_t *slots; /**< 0: free */
	size_t len, cap;
} ob_path_set;

void ob_path_set_done(ob_path_set *set);
/** 1: it is new, 0: it was there, -1: no memory. */
int ob_path_set_add(ob_path_set *set, const char *path, size_t len);
bool ob_path_set_has(const ob_path_set *set, const char *path, size_t len);

#endif
